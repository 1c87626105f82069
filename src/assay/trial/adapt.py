"""Where the next arm tells most: at the best share, or where synthetic rows stop helping."""

from __future__ import annotations

import numpy as np

from assay.core.measure import Measure
from assay.trial import curves
from assay.trial.arms import Arm, Design
from assay.trial.compare import Comparison
from assay.trial.response import benefit, gap, replacement, scarce_gains

ROUNDS = 3
_LEAST_APART = 0.04  # of two shares
_LEAST_RATIO = 1.25  # of two rungs of real rows


def settled(c: Comparison) -> bool:
    """Whether gap and benefit lie on one side of the margin for sure, and so does what the best share found gives away."""
    return all(_one_sided(each, c.margin) for each in (gap(c), benefit(c))) and gives_away(c) <= c.margin


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


def gives_away(c: Comparison) -> float:
    """What the share found so far may lack to the best of the others, at most, in all but a few draws."""
    shares, value, draws = replacement(c)
    best = curves.best_places(shares, value[None])[0]
    taken = draws @ np.array([np.interp(best, shares, point) for point in np.eye(len(shares))])
    return float(np.quantile(draws.max(axis=1) - taken, c.level))


def _next_share(c: Comparison) -> float | None:
    """Between the two neighbouring shares where the best one lies most often, draw by draw.

    None where the share found so far gives away less than the margin: whichever is truly best, there is nothing to gain.
    """
    shares, _, draws = replacement(c)
    apart = np.diff(shares)
    often, _ = np.histogram(curves.best_places(shares, draws), shares)
    often = np.where(apart >= 2 * _LEAST_APART, often, 0)
    place = int(np.argmax(often))
    if not often[place] or gives_away(c) <= c.margin:
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


def _one_sided(difference: Measure, margin: float) -> bool:
    low, high = difference.low, difference.high
    assert low is not None and high is not None  # noqa: PT018 (a measure with a value has both)
    return low > margin or high < -margin or (low > -margin and high < margin)
