"""Where the next arm tells most: at the best share, or where synthetic rows stop helping."""

from __future__ import annotations

import numpy as np

from assay.stats import bootstrap
from assay.trial import curves
from assay.trial.arms import Arm, Design
from assay.trial.compare import Comparison, Floats
from assay.trial.response import benefit, scarce_gains

ROUNDS = 3
_NARROW_SHARE = 0.15  # an interval of the best share that is this narrow needs no more arms
_LEAST_APART = 0.04  # of two shares
_LEAST_RATIO = 1.25  # of two rungs of real rows


def settled(c: Comparison) -> bool:
    """Whether gap and benefit lie on one side of the margin for sure, and the best share is known well."""
    _, alone = c.difference(Arm(0, c.plan.equal), Arm(c.plan.equal))
    decided = all(_one_sided(draws, c.margin) for draws in (alone, benefit(c).draws[:, 0]))
    low, high = _best_shares(c)
    return decided and high - low <= _NARROW_SHARE


def next_design(c: Comparison) -> Design | None:
    """The design with one more share and one more rung of scarce real rows, or None where none would tell more."""
    plan = c.plan
    wider = plan
    share = _next_share(c)
    if share is not None:
        wider = wider.with_share(share)
    real = _next_rung(c)
    if real is not None:
        wider = wider.with_scarce(real)
    return None if wider == plan else wider


def _next_share(c: Comparison) -> float | None:
    """Between the two neighbouring shares that are the best one most often, draw by draw."""
    shares, often = _how_often_best(c)
    apart = np.diff(shares)
    weight = np.where(apart >= 2 * _LEAST_APART, often[:-1] + often[1:], 0.0)
    place = int(np.argmax(weight))
    low, high = _best_shares(c)
    if weight[place] < 0.2 or high - low <= _NARROW_SHARE:
        return None
    return float(shares[place] + apart[place] / 2)


def _next_rung(c: Comparison) -> int | None:
    """Between the two rungs where the gain from synthetic rows crosses zero."""
    if not c.plan.scarce or Arm(c.plan.budget, c.plan.doses) not in c.place:
        return None
    rows, _, draws = scarce_gains(c)
    crossed = curves.crossing(rows, draws, 0.0)
    inside = (crossed > rows[0]) & (crossed < rows[-1])
    if inside.mean() < 0.5:
        return None
    middle = float(np.median(crossed[inside]))
    place = int(np.searchsorted(rows, middle))
    if rows[place] - rows[place - 1] < 2 * np.log(_LEAST_RATIO):
        return None
    return round(float(np.exp((rows[place] + rows[place - 1]) / 2)))


def _how_often_best(c: Comparison) -> tuple[Floats, Floats]:
    places = [c.place[arm] for arm in c.plan.replacement]
    shares = np.array([c.plan.recipe(arm).synthetic_share for arm in c.plan.replacement])
    best = np.argmax(c.score.draws[:, places], axis=1)
    return shares, np.bincount(best, minlength=len(shares)) / len(best)


def _best_shares(c: Comparison) -> tuple[float, float]:
    shares, _ = _how_often_best(c)
    places = [c.place[arm] for arm in c.plan.replacement]
    return bootstrap.interval(shares[np.argmax(c.score.draws[:, places], axis=1)], c.level)


def _one_sided(draws: Floats, margin: float) -> bool:
    low, high = bootstrap.interval(draws)
    return low > margin or high < -margin or (low > -margin and high < margin)
