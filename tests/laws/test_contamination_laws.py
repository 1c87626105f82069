"""The laws of probes, held for the measures whose units are an evaluation's items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.audit.probe import buckets
from assay.audit.probes.contamination import Items, eval_probes
from assay.audit.rephrase import rephrase
from assay.core.measure import Measure
from tests.audit.evals import REPHRASED, VERBATIM, made_eval, searched, texts, the
from tests.laws.doses import surely_worse

ITEMS = texts(150, seed=11)
REAL = texts(600, seed=1)
CLEAN = texts(400, seed=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("contamination")


def planted(dose: float, *, reworded: bool) -> list[str]:
    number = round(len(ITEMS) * dose)
    leaked = rephrase(ITEMS, seed=77) if reworded else ITEMS
    return [*CLEAN[number:], *leaked[:number]]


def test_any_split_of_the_items_gives_the_same_sum() -> None:
    rng = np.random.default_rng(0)
    verbatim, reworded, countable = rng.random((3, 200)) < [[0.2], [0.4], [0.8]]
    items = Items(rng.integers(1 << 62, size=200).astype(np.uint64), verbatim, reworded, countable)
    part = rng.integers(0, 3, len(items))
    for probe in eval_probes("quiz", "", ""):
        whole = buckets(items, probe.tally(items))
        parts = [items.take(np.flatnonzero(part == each)) for each in range(3)]
        np.testing.assert_array_equal(whole, sum(buckets(each, probe.tally(each)) for each in parts))
        assert whole[:, 1].sum() == countable.sum()


def test_real_against_real_shows_nothing(folder: Path) -> None:
    found = searched(folder, made_eval(folder, ITEMS), CLEAN, REAL)
    for measure in found.measures:
        assert measure.value is not None
        assert measure.low is not None
        assert measure.high is not None
        assert measure.low <= measure.value <= measure.high
        assert measure.reference is not None
        assert measure.slice == {"eval": "quiz"}
        assert measure.n == len(ITEMS)
        assert not surely_worse(measure)
    assert the(found, VERBATIM).value == 0
    assert found.rows.mean() < 0.02


@pytest.mark.parametrize("dose", [0.1, 0.3])
def test_planted_items_are_found_in_their_share(folder: Path, dose: float) -> None:
    found = searched(folder, made_eval(folder, ITEMS), planted(dose, reworded=False), REAL)
    assert the(found, VERBATIM).value == pytest.approx(dose)
    assert dose <= (the(found, REPHRASED).value or 0) < dose + 0.03
    assert surely_worse(the(found, VERBATIM))
    assert set(np.flatnonzero(found.rows)) >= set(range(400 - round(150 * dose), 400))


def test_planted_rephrasings_are_found_more_with_dose_and_only_by_the_second_measure(folder: Path) -> None:
    each = made_eval(folder, ITEMS)
    found = [searched(folder, each, planted(dose, reworded=True), REAL) for dose in (0.0, 0.15, 0.4)]
    values = [the(one, REPHRASED).value or 0.0 for one in found]
    assert values[0] < values[1] < values[2]
    assert values[2] > 0.2
    assert surely_worse(the(found[2], REPHRASED))
    assert all((the(one, VERBATIM).value or 0.0) <= 0.02 for one in found)


def test_nothing_to_look_in_is_missing_never_zero(folder: Path) -> None:
    each = made_eval(folder, ITEMS)
    nowhere = searched(folder, each, [], REAL)
    assert all(measure.value is None and measure.missing for measure in nowhere.measures)
    alone = searched(folder, each, CLEAN, [])
    assert the(alone, VERBATIM).value == 0
    assert the(alone, VERBATIM).reference is None
    assert "no real rows" in (the(alone, REPHRASED).missing or "")


def test_same_seed_same_numbers_and_json_round_trip(folder: Path) -> None:
    ours = planted(0.2, reworded=True)
    first, again = (searched(folder, made_eval(folder, ITEMS), ours, REAL) for _ in range(2))
    assert first.measures == again.measures
    assert first.pairs.equals(again.pairs)
    for measure in first.measures:
        assert Measure.model_validate_json(measure.model_dump_json()) == measure
