"""Benefit and best share of comparisons whose scores are made by hand, and where the next arm goes."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from assay.stats import bootstrap
from assay.trial import adapt, curves
from assay.trial.arms import Arm, design
from assay.trial.compare import Comparison, Scores, Set
from assay.trial.response import benefit, best_share, choices, gains

PLAN = design(300, 240)
ITEMS = 300


def comparison(chance: Callable[[Arm], float], seed: int = 0) -> Comparison:
    """Arms that answer each item right with this chance; all of them find the same items hard."""
    rng = np.random.default_rng(seed)
    hard = (rng.random(ITEMS) + rng.normal(0, 0.05, (len(PLAN.arms), 6, ITEMS))) % 1
    gain = (hard < np.array([chance(arm) for arm in PLAN.arms])[:, None, None]).astype(np.float32)
    main = Set(gain, np.ones(ITEMS), np.arange(ITEMS))
    scores = Scores(PLAN, main, {}, np.zeros(ITEMS, dtype=np.bool_), {})
    return Comparison(scores, margin=0.01, level=0.95, seed=seed, left_out={}, draws=400)


@pytest.fixture(scope="module")
def flat() -> Comparison:
    return comparison(lambda arm: 0.7)


def test_what_a_choice_is_measured_on_took_no_part_in_it_and_all_is_measured_once(flat: Comparison) -> None:
    measured = np.zeros((flat.seeds, flat.clusters))
    for each in choices(flat):
        measured[np.ix_(each.seeds, each.clusters)] += 1
        seen = np.delete(np.delete(flat.sums, each.seeds, axis=1), each.clusters, axis=2).sum(axis=(1, 2))
        assert seen[flat.place[each.dose]] == max(seen[flat.place[arm]] for arm in PLAN.addition)
    assert (measured == 1).all()


def test_the_winner_of_equal_doses_has_no_gain() -> None:
    """The highest of the doses' means lies above what they are worth; the benefit does not."""
    found = [comparison(lambda arm: 0.7, seed) for seed in range(20)]
    highest = [gains(c).value[1:].max() for c in found]
    value = [benefit(c).value or 0.0 for c in found]
    error = np.std(value, ddof=1) / 20**0.5
    assert abs(np.mean(value)) < 3 * error
    assert np.mean(highest) > np.mean(value) + error


def test_the_benefit_allows_what_the_dose_that_looks_best_allows(flat: Comparison) -> None:
    found, measure = gains(flat), benefit(flat)
    best = found.draws[:, 1:][:, found.value[1:].argmax()]
    low, high = bootstrap.interval(found.draws[:, 0])
    assert measure.low == min(low, measure.value or 0.0)
    assert measure.high == max(high, bootstrap.interval(best)[1], measure.value or 0.0)


def test_where_synthetic_rows_are_useless_the_best_share_is_none_of_them() -> None:
    c = comparison(lambda arm: 0.8 - 0.5 * arm.synthetic / max(arm.rows, 1))
    measure = best_share(c)
    assert (measure.value, measure.low) == (0.0, 0.0)
    assert measure.high is not None
    assert measure.high < 0.5
    assert adapt.gives_away(c) <= c.margin
    assert (adapt.next_design(c) or PLAN).replacement == PLAN.replacement


def test_the_next_share_goes_between_the_two_where_the_best_one_lies_most_often(flat: Comparison) -> None:
    assert adapt.gives_away(flat) > flat.margin
    wider = adapt.next_design(flat)
    assert wider is not None
    shares = [PLAN.recipe(arm).synthetic_share for arm in PLAN.replacement]
    (new,) = set(wider.replacement) - set(PLAN.replacement)
    place = int(np.searchsorted(shares, PLAN.recipe(new).synthetic_share))
    places = [flat.place[arm] for arm in PLAN.replacement]
    best = curves.best_places(np.array(shares), flat.score.draws[:, places])
    often = [((best >= low) & (best < high)).mean() for low, high in pairwise(shares)]
    apart = np.diff(shares) >= 0.08
    assert often[place - 1] == pytest.approx(max(np.array(often)[apart]), abs=0.01)
