"""Keeping to a budget."""

from dataclasses import replace

import pytest

from assay.core.errors import InputError
from assay.core.trial import Cost
from assay.core.words import duration
from assay.trial.arms import Arm, design
from assay.trial.budget import Prices, plan, seconds_of

WHOLE = design(1000, 800, 500)
PRICES = Prices({arm: Cost(seconds=arm.rows / 100, tokens=int(arm.rows) * 10) for arm in WHOLE.arms})


def test_lengths_of_time() -> None:
    assert [seconds_of(text) for text in ("90s", "30min", "2h", " 1.5 H ")] == [90, 1800, 7200, 5400]
    for text in ("30", "soon", "0min", "-5min"):
        with pytest.raises(InputError, match="no length of time"):
            seconds_of(text)
    assert [duration(seconds) for seconds in (0.2, 40, 700, 8000)] == ["1 s", "40 s", "12 min", "2.2 h"]


def test_without_a_budget_nothing_is_left_out() -> None:
    planned = plan(WHOLE, 8, PRICES, None)
    assert (planned.design, planned.seeds, planned.left_out) == (WHOLE, 8, ())
    assert planned.cost.seconds == pytest.approx(8 * sum(arm.rows / 100 for arm in WHOLE.arms))
    assert f"{len(WHOLE.arms)} arms x 8 seeds" in planned.sentence("linear")


@pytest.mark.parametrize("part", [0.9, 0.5, 0.3, 0.15, 0.08, 0.05])
def test_every_budget_is_kept_and_what_is_left_out_is_said(part: float) -> None:
    budget = part * PRICES.total(WHOLE, 8).seconds
    planned = plan(WHOLE, 8, PRICES, budget)
    assert planned.cost.seconds <= budget
    assert planned.seeds >= 5
    assert planned.left_out
    kept = planned.design
    for arm in (Arm(kept.equal), Arm(kept.budget), Arm(0, kept.equal), kept.addition[-1]):
        assert arm in kept.arms
    assert kept.repeated


def test_writing_is_paid_for_and_goes_first() -> None:
    writes, dear = replace(WHOLE, writes=True), replace(PRICES, writing=50.0)
    alone = PRICES.total(WHOLE, 5).seconds
    spent = dear.total(writes, 5).seconds
    assert spent == pytest.approx(alone + 5 * 50 * (1 + len(WHOLE.addition)))
    assert plan(writes, 5, dear, spent).design.writes
    planned = plan(writes, 5, dear, (alone + spent) / 2)
    assert planned.design == WHOLE
    assert planned.left_out == ("what models write of groups",)


def test_fixes_that_fewer_rows_do_not_hold_are_named() -> None:
    fixed = replace(WHOLE, fixes=(Arm(800, 640, fix="swapped"),))
    planned = plan(fixed, 8, PRICES, 0.05 * PRICES.total(WHOLE, 8).seconds)
    assert not planned.design.fixes
    assert planned.left_out.count("the fixes against bias") == 1


def test_less_money_buys_no_more() -> None:
    whole = PRICES.total(WHOLE, 8).seconds
    bought = [plan(WHOLE, 8, PRICES, whole * part).cost.seconds for part in (1, 0.7, 0.4, 0.2, 0.1, 0.05)]
    assert bought == sorted(bought, reverse=True)


def test_a_budget_too_small_for_anything_says_what_it_takes() -> None:
    with pytest.raises(InputError, match="smallest trial takes about"):
        plan(WHOLE, 8, PRICES, 0.5)
