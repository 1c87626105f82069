"""Costs: what was counted is summed, what was not stays unknown, and prices decide only beside prices."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assay.core.corpus import Corpus, schema
from assay.core.cost import Amount, Prices, Spent, costs, of_trainings, total
from assay.core.energy import Meter
from assay.core.evidence import ClaimResult
from assay.core.measure import Measure
from assay.core.recipe import Recipe
from assay.core.trial import Cost, Trial
from assay.core.verdict import decide
from assay.core.words import with_interval
from assay.generate.spent import spent

RATE = Measure(
    name="trial.exchange_rate",
    value=0.5,
    low=0.25,
    high=1.0,
    n=400,
    unit="real rows per synthetic row",
    worse="lower",
    method="by hand",
)


def curve(*points: tuple[int, float, float], unit: str = "accuracy") -> list[Measure]:
    return [
        Measure(
            name="trial.learning_curve",
            slice={"real_rows": str(rows)},
            value=score,
            low=score - reach,
            high=score + reach,
            n=400,
            unit=unit,
            worse="none",
            method="by hand",
        )
        for rows, score, reach in points
    ]


CURVE = curve((100, 0.5, 0.01), (500, 0.70, 0.003), (1000, 0.80, 0.004))


def found(measures: tuple[Measure, ...], name: str, **part: str) -> Measure:
    return next(each for each in measures if each.name == name and each.slice == (part or None))


def claim(measures: tuple[Measure, ...], id: str) -> ClaimResult:
    return next(each for each in decide(measures) if each.id == id)


def generation(rows: int = 1000, **known: float) -> Spent:
    return Spent(
        "generation", rows, {name: Amount(value, value, value, rows) for name, value in known.items()}
    )


def test_a_total_of_some_knows_that_it_does_not_know_the_others() -> None:
    rng = np.random.default_rng(0)
    everything = rng.gamma(2.0, 20.0, 2000)
    whole = total(everything, 2000)
    assert whole is not None
    assert whole.low == whole.value == whole.high == pytest.approx(everything.sum())
    covered = 0
    for _ in range(400):
        part = total(rng.choice(everything, 200, replace=False), 2000)
        assert part is not None
        assert part.unknown == 1800
        covered += part.low <= everything.sum() <= part.high
    assert 0.92 <= covered / 400 <= 0.98
    assert total(everything[:1], 2000) is None
    assert total(everything[:0], 0) is None


def test_prices_times_what_was_counted() -> None:
    counted = generation(written=50_000, read=200_000, seconds=1800)
    made = costs([counted], Prices(read=0.5, written=2.0), kept=800, measures=[])
    # 200,000 x 0.5 / 1e6 + 50,000 x 2 / 1e6
    assert found(made, "cost.usd", of="generation").value == pytest.approx(0.1 + 0.1)
    assert found(made, "cost.per_kept_row").value == pytest.approx(0.2 / 800)
    # Who pays a service by the token does not pay for the hour that it takes as well.
    both = costs([counted], Prices(read=0.5, written=2.0, hour=1.0), kept=800, measures=[])
    assert found(both, "cost.usd", of="generation").value == pytest.approx(0.2)
    own = costs([counted], Prices(hour=1.0), kept=800, measures=[])
    assert found(own, "cost.usd", of="generation").value == pytest.approx(0.5)
    given = costs([counted], Prices(row=0.01, hour=1.0), kept=800, measures=[])
    assert found(given, "cost.usd", of="generation").value == pytest.approx(10.0)


def test_nothing_is_invented() -> None:
    bare = costs([generation()], Prices(), kept=10, measures=[])
    assert all(each.value is None for each in bare)
    assert "--price row=" in (found(bare, "cost.per_kept_row").missing or "")
    # A price of what was not counted is no price of the whole.
    half = costs([generation(written=10)], Prices(read=1.0, written=1.0), kept=10, measures=[])
    assert "do not say their read" in (found(half, "cost.usd", of="generation").missing or "")
    timed = generation(seconds=3600)
    assert "watts" in (
        found(costs([timed], Prices(), kept=1, measures=[]), "cost.kwh", of="generation").missing or ""
    )
    stated = found(costs([timed], Prices(watts=50), kept=1, measures=[]), "cost.kwh", of="generation")
    assert stated.value == pytest.approx(0.05)
    assert "not measured" in stated.method
    measured = generation(seconds=3600, joules=7.2e6)
    kwh = found(costs([measured], Prices(watts=50), kept=1, measures=[]), "cost.kwh", of="generation")
    assert kwh.value == pytest.approx(2.0)
    for kept, why in ((None, "no audit"), (0, "no row passes")):
        lacking = found(costs([generation()], Prices(row=1), kept=kept, measures=[]), "cost.per_kept_row")
        assert why in (lacking.missing or "")


def test_the_price_of_a_point() -> None:
    made = costs([generation()], Prices(row=0.01, real_row=0.05), kept=500, measures=[RATE, *CURVE])
    worth = found(made, "cost.worth")
    assert (worth.low, worth.value, worth.high) == pytest.approx((1.25, 2.5, 5.0))
    # Ten points for 500 rows: 50 real rows a point.
    real, synthetic = (found(made, "cost.per_point", rows=rows) for rows in ("real", "synthetic"))
    assert real.value == pytest.approx(2.5)
    assert synthetic.value == pytest.approx(1.0)
    assert real.low is not None
    assert real.high is not None
    assert real.low < 2.5 < real.high
    # Bits per byte: one point is one per cent of the loss.
    bits = curve((500, 2.2, 0.01), (1000, 2.0, 0.01), unit="bits per byte")
    of_text = costs([generation()], Prices(row=0.01, real_row=0.05), kept=500, measures=[RATE, *bits])
    assert found(of_text, "cost.per_point", rows="real").value == pytest.approx(0.05 * 500 / 10)


def test_what_cannot_be_told_of_a_point_is_said() -> None:
    prices = Prices(row=0.01, real_row=0.05)
    flat = curve((500, 0.8, 0.01), (1000, 0.801, 0.01))
    made = costs([generation()], prices, kept=500, measures=[RATE, *flat])
    assert "no more than its interval" in (found(made, "cost.per_point", rows="real").missing or "")
    assert found(made, "cost.worth").value == pytest.approx(2.5)
    worthless = RATE.model_copy(update={"low": -0.1})
    made = costs([generation()], prices, kept=500, measures=[worthless, *CURVE])
    assert found(made, "cost.worth").low == pytest.approx(-0.5)
    assert claim(made, "lower-cost").verdict == "undecided"
    assert "worth no real row at all" in (found(made, "cost.per_point", rows="synthetic").missing or "")
    assert found(made, "cost.per_point", rows="real").value == pytest.approx(2.5)
    alone = costs([generation()], Prices(row=0.01), kept=500, measures=[RATE, *CURVE])
    assert "--price real_row=" in (found(alone, "cost.worth").missing or "")
    free = costs([generation()], Prices(row=0.0, real_row=0.05), kept=500, measures=[RATE, *CURVE])
    assert "cost nothing" in (found(free, "cost.worth").missing or "")
    assert found(alone, "cost.per_point", rows="synthetic").value == pytest.approx(1.0)
    assert found(alone, "cost.per_point", rows="real").value is None


@pytest.mark.parametrize(
    ("real_row", "compute", "lower"),
    [
        (None, "undecided", "not measured"),  # nothing to compare with
        (0.001, "harm", "harm"),  # a real row is far cheaper
        (0.021, "no harm", "undecided"),  # a dollar does what 0.5 to 2.1 dollars do
        (0.05, "no harm", "helps"),
    ],
)
def test_the_claims_are_decided_by_the_price_of_a_real_row(
    real_row: float | None, compute: str, lower: str
) -> None:
    made = costs([generation()], Prices(row=0.01, real_row=real_row), kept=500, measures=[RATE])
    assert claim(made, "compute-cost").verdict == compute
    assert claim(made, "lower-cost").verdict == lower


def test_small_prices_are_readable() -> None:
    made = costs([generation()], Prices(row=0.000032), kept=1000, measures=[])
    assert with_interval(found(made, "cost.per_kept_row")) == "0.000032"


def test_trainings_add_up() -> None:
    trials = [
        Trial(
            learner="linear",
            recipe=Recipe(real=1),
            seed=seed,
            score={"accuracy": 0.5},
            cost=Cost(seconds=2.0, tokens=100, flops=1e6),
        )
        for seed in range(3)
    ]
    took = of_trainings(trials, None, "no counters")
    made = costs([took], Prices(hour=3600), kept=None, measures=[])
    assert found(made, "cost.tokens", of="trainings", tokens="trained on").value == 300
    assert found(made, "cost.flops", of="trainings").value == 3e6
    assert found(made, "cost.usd", of="trainings").value == pytest.approx(6.0)
    assert found(made, "cost.gpu_seconds", of="trainings").value == 0
    assert "no counters" in (found(made, "cost.kwh", of="trainings").missing or "")
    gpu = of_trainings([each.model_copy(update={"learner": "gpt"}) for each in trials], 36.0, "")
    made = costs([gpu], Prices(), kept=None, measures=[])
    assert "does not count" in (found(made, "cost.gpu_seconds", of="trainings").missing or "")
    assert found(made, "cost.kwh", of="trainings").value == pytest.approx(1e-5)


def test_rows_say_what_they_took(tmp_path: Path) -> None:
    said = [
        {"usage": {"completion_tokens": 10, "prompt_tokens": 90, "seconds": 0.5}},
        {"usage": {"completion_tokens": 20, "prompt_tokens": True, "seconds": -1}},  # no numbers of use
        {"generator": "m", "tokens": 30},
        {"tokens": 1_000},  # of who knows what
        {},
    ]
    rows = [
        {"text": "x", "root": row, "row": row, "extras": json.dumps(each) if each else None}
        for row, each in enumerate(said)
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=schema())
    found = spent(Corpus.write(tmp_path, [batch], name="s", origin="synthetic", shape="text"))
    assert set(found.known) == {"written"}
    assert found.known["written"].value == pytest.approx(20 * 5)
    assert (found.known["written"].n, found.known["written"].unknown) == (3, 2)


def counter(folder: Path, name: str, microjoules: int) -> None:
    (folder / name).mkdir(exist_ok=True)
    (folder / name / "energy_uj").write_text(f"{microjoules}\n")
    (folder / name / "max_energy_range_uj").write_text("1000000000\n")


def test_energy_counters_go_around_and_parts_are_not_counted_twice(tmp_path: Path) -> None:
    counter(tmp_path, "intel-rapl:0", 900_000_000)
    counter(tmp_path, "intel-rapl:1", 0)
    counter(tmp_path, "intel-rapl:0:0", 5)  # a part of package 0
    with Meter(tmp_path, every=0.001) as meter:
        counter(tmp_path, "intel-rapl:0", 100_000_000)  # 200 J later, once around
        counter(tmp_path, "intel-rapl:1", 50_000_000)
        counter(tmp_path, "intel-rapl:0:0", 900)
        time.sleep(0.02)
    counter(tmp_path, "intel-rapl:1", 90_000_000)  # after the end
    assert meter.joules == pytest.approx(250.0)


def test_without_counters_nobody_knows(tmp_path: Path) -> None:
    with Meter(tmp_path) as meter:
        pass
    assert meter.joules is None
    assert "no energy counters" in meter.missing
    (tmp_path / "intel-rapl:0").mkdir()
    with Meter(tmp_path) as meter:
        pass
    assert meter.joules is None
    assert "cannot be read" in meter.missing
