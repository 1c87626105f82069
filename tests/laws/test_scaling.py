"""Scaling laws: planted constants come back, odd points are named, and a curve that bends is told from one that does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from assay.core.errors import InputError
from assay.stats import scaling
from assay.stats.bend import bend
from assay.stats.descent import descend
from assay.trial.bend import bends
from assay.trial.points import measures, read_points

Floats = npt.NDArray[np.float64]
TRUTH = np.array([1.8, 480.0, 0.35, 2100.0, 0.37])
LADDER = np.array([1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1]) * 8000


def grid(noise: float, seed: int = 0) -> tuple[Floats, Floats]:
    sizes = np.array([(n, d) for n in np.logspace(7.5, 9.5, 6) for d in np.logspace(9, 11, 6)])
    losses = TRUTH[0] + TRUTH[1] * sizes[:, 0] ** -TRUTH[2] + TRUTH[3] * sizes[:, 1] ** -TRUTH[4]
    return sizes, losses * np.exp(np.random.default_rng(seed).normal(0, noise, len(losses)))


def test_planted_constants_come_back_exactly_without_noise() -> None:
    found = scaling.fit(*grid(0.0), draws=5)
    assert found.constants == pytest.approx(TRUTH, rel=2e-3)
    assert found.law.predict(np.array([[1e10, 1e12]])) == pytest.approx(
        [1.8 + 480 * 1e10**-0.35 + 2100 * 1e12**-0.37], rel=1e-3
    )


def test_planted_constants_lie_within_their_intervals() -> None:
    for seed in range(3):
        found = scaling.fit(*grid(0.005, seed), draws=300, seed=seed)
        low, high = np.quantile(found.draws, [0.005, 0.995], axis=0)
        assert ((low <= TRUTH) & (high >= TRUTH)).all()


def test_more_noise_means_wider_intervals() -> None:
    widths = [
        np.ptp(np.quantile(scaling.fit(*grid(s), draws=200).draws[:, 4], [0.05, 0.95])) for s in (1e-3, 1e-2)
    ]
    assert widths[0] < 0.5 * widths[1]


def test_same_seed_same_numbers() -> None:
    one, other = (scaling.fit(*grid(0.01), draws=20, seed=3) for _ in range(2))
    assert np.array_equal(one.draws, other.draws)
    assert np.array_equal(one.constants, other.constants)


def test_units_do_not_matter_to_exponents() -> None:
    sizes, losses = grid(0.005)
    plain = scaling.fit(sizes, losses, draws=5)
    in_millions = scaling.fit(sizes / 1e6, losses, draws=5)
    assert in_millions.law.exponents == pytest.approx(plain.law.exponents, abs=1e-3)
    assert in_millions.law.floor == pytest.approx(plain.law.floor, rel=1e-3)


def test_a_wild_point_moves_little() -> None:
    sizes, losses = grid(0.002)
    plain = scaling.fit(sizes, losses, draws=5)
    losses[17] *= 1.5
    wild = scaling.fit(sizes, losses, draws=5)
    assert wild.law.exponents == pytest.approx(plain.law.exponents, abs=0.05)


def test_a_point_left_out_is_a_fit_without_it() -> None:
    sizes, losses = grid(0.005)
    found = scaling.fit(sizes, losses, draws=5)
    assert found.without.shape == (36, 5)
    first = int(found.influential[0])
    alone = scaling.fit(np.delete(sizes, first, 0), np.delete(losses, first), draws=5)
    assert found.without[first, 2::2] == pytest.approx(alone.law.exponents, abs=2e-3)
    assert found.trimmed[2::2] == pytest.approx(alone.law.exponents, abs=2e-3)


def test_points_of_one_run_come_and_go_together() -> None:
    """Five copies of every point are no more evidence than one."""
    sizes, losses = np.logspace(3, 6, 12)[:, None], np.random.default_rng(0).normal(0, 0.01, 12)
    losses = (2 + 30 * sizes[:, 0] ** -0.3) * np.exp(losses)
    copies, copied, runs = np.tile(sizes, (5, 1)), np.tile(losses, 5), np.tile(np.arange(12), 5)
    once = scaling.fit(sizes, losses, draws=300).draws[:, 2].std()
    kin = scaling.fit(copies, copied, clusters=runs, draws=300).draws[:, 2].std()
    apart = scaling.fit(copies, copied, draws=300).draws[:, 2].std()
    assert kin == pytest.approx(once, rel=0.3)
    assert apart < 0.7 * kin


def test_one_axis_recovers_a_learning_curve() -> None:
    sizes = np.logspace(3, 6, 10)[:, None]
    found = scaling.fit(sizes, 2 + 30 * sizes[:, 0] ** -0.3, draws=5)
    assert found.constants == pytest.approx([2, 30, 0.3], rel=5e-3)


@pytest.mark.parametrize(
    ("sizes", "losses", "said"),
    [
        (np.ones((20, 1)), np.ones(20), "different sizes"),
        (np.arange(1.0, 5.0)[:, None], np.ones(4), "cannot settle"),
        (np.arange(20.0)[:, None], np.ones(20), "positive"),
        (np.arange(1.0, 21.0)[:, None], np.full(20, np.nan), "positive"),
    ],
)
def test_what_cannot_be_fitted_is_refused(sizes: Floats, losses: Floats, said: str) -> None:
    with pytest.raises(InputError, match=said):
        scaling.fit(sizes, losses)


def test_batched_descent_solves_weighted_least_squares() -> None:
    rng = np.random.default_rng(0)
    places, aims = rng.normal(size=(30, 3)), rng.normal(size=30)
    weights = rng.integers(0, 3, size=(5, 30)).astype(float)

    def line(parameters: Floats) -> tuple[Floats, Floats]:
        return parameters @ places.T, np.broadcast_to(places, (len(parameters), 30, 3)).copy()

    bounds = np.array([[-9.0] * 3, [9.0] * 3])
    found, _ = descend(line, aims, weights, np.zeros((5, 3)), bounds)
    for fit, counts in enumerate(weights):
        exact = np.linalg.lstsq(places * np.sqrt(counts)[:, None], aims * np.sqrt(counts), rcond=None)[0]
        assert found[fit] == pytest.approx(exact, abs=1e-6)


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def table(path: Path, header: str = "Model Size,Training FLOP,Loss", extra: tuple[str, ...] = ()) -> Path:
    sizes, losses = grid(0.003, seed=4)
    rows = [f"{n:.6g},{6 * n * d:.6g},{loss:.6f}" for (n, d), loss in zip(sizes, losses, strict=True)]
    return write(path, header, [*rows, *extra])


def test_a_table_becomes_measures_with_intervals(tmp_path: Path) -> None:
    points = read_points(table(tmp_path / "runs.csv", extra=("x,1,2", "1e9,1e20,-3", "1e9,1e20,nan", "1,2")))
    assert points.axes == ("parameters", "tokens")
    assert points.left_out == {
        "rows that cannot be read": 1,
        "rows with a size or loss that is not a number": 2,
        "rows with a size or loss that is not above 0": 1,
    }
    found = measures(points, draws=200, level=0.99)
    by_name = {(m.slice or {}).get("parameter", m.name): m for m in found}
    assert list(by_name) == ["E", "A", "alpha", "B", "beta", "scaling.optimal_exponent"]
    for label, truth in zip(("E", "A", "alpha", "B", "beta"), TRUTH, strict=True):
        measure = by_name[label]
        assert measure.low is not None
        assert measure.high is not None
        assert measure.low <= truth <= measure.high
    assert "most influential" in by_name["alpha"].method
    assert "tokens = FLOPs" in by_name["E"].method
    assert by_name["scaling.optimal_exponent"].value == pytest.approx(0.37 / 0.72, abs=0.03)


def test_columns_can_be_named_and_missing_ones_are(tmp_path: Path) -> None:
    odd = table(tmp_path / "odd.csv", header="größe,arbeit,verlust")
    with pytest.raises(InputError, match="'größe', 'arbeit', 'verlust'"):
        read_points(odd)
    with pytest.raises(InputError, match="no column 'gone'"):
        read_points(odd, {"loss": "gone"})
    points = read_points(odd, {"loss": "verlust", "parameters": "größe", "flops": "arbeit"})
    assert points.axes == ("parameters", "tokens")
    with pytest.raises(InputError, match="tokens or FLOPs"):
        read_points(write(tmp_path / "loss.csv", "loss,name", ["1,a"]))
    with pytest.raises(InputError, match="no row"):
        read_points(write(tmp_path / "none.csv", "loss,tokens", []))
    with pytest.raises(InputError, match="CSV or TSV"):
        read_points(write(tmp_path / "rows.jsonl", '{"loss": 1}', []))


def test_tokens_or_compute_alone_are_a_law_of_their_own(tmp_path: Path) -> None:
    sizes = np.logspace(3, 6, 9)
    rows = [f"{size:.6g}\t{2 + 30 * size**-0.3:.8f}\tr{i // 3}" for i, size in enumerate(sizes)]
    points = read_points(write(tmp_path / "t.tsv", "tokens\tval_loss\trun", rows))
    assert points.runs is not None
    found = measures(points, draws=20)
    assert [m.slice for m in found] == [{"parameter": each} for each in ("E", "B", "beta")]
    flops = read_points(write(tmp_path / "c.tsv", "compute\tbpb", [row.rsplit("\t", 1)[0] for row in rows]))
    assert flops.axes == ("FLOPs",)


def test_too_few_points_give_missing_never_zero(tmp_path: Path) -> None:
    points = read_points(write(tmp_path / "t.csv", "tokens,loss", ["10,3", "20,2", "30,1.5"]))
    found = measures(points)
    assert len(found) == 3
    assert all(m.value is None and m.missing and "cannot settle" in m.missing for m in found)


def curve(kink: float, seed: int, noise: float = 0.003) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    losses = 1 + 20 * LADDER**-0.35
    losses[-2:] *= 1 + kink
    spread = noise * losses
    seen = losses + rng.normal(0, spread)
    return seen, seen + rng.normal(0, 1, (500, len(seen))) * spread


def test_a_law_that_holds_shows_no_bend_and_one_that_breaks_does_with_dose() -> None:
    straight = [bend(LADDER, *curve(0.0, seed)) for seed in range(40)]
    assert np.mean([found.p < 0.05 for found in straight]) <= 0.125  # 5 of 40; 2 are expected
    assert np.mean([found.low <= 0 <= found.high for found in straight]) > 0.85
    doses = [
        np.mean([bend(LADDER, *curve(kink, seed)).excess for seed in range(10)]) for kink in (0.0, 0.03, 0.1)
    ]
    assert doses[0] < doses[1] < doses[2]
    assert all(bend(LADDER, *curve(0.1, seed)).p < 0.05 for seed in range(10))


def test_the_bend_is_a_measure_beside_that_of_real_rows() -> None:
    losses, draws = curve(0.1, 1)
    found = bends(LADDER, losses, draws, corpus="synthetic", items=500, reference=(LADDER, *curve(0.0, 2)))
    assert found.value is not None
    assert found.value > 0.05
    assert found.reference is not None
    assert abs(found.reference.value) < 0.05
    short = bends(LADDER[-3:], losses[-3:], draws[:, -3:], corpus="synthetic", items=500)
    assert short.value is None
    assert "needs 4" in (short.missing or "")
