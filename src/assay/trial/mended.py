"""What fixes against bias did here, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assay.core.measure import Measure
from assay.stats import quantiles
from assay.stats.bootstrap import Estimate
from assay.trial.arms import Arm
from assay.trial.compare import METHOD, Comparison
from assay.trial.fixes import RANDOM, TARGETED, Fixes
from assay.trial.grouping import FEWEST_ITEMS, Bools
from assay.trial.groups import change, contrast, widening, worst_of

EFFECT, COST, TARGETED_DELTA = "bias.fix_effect", "bias.fix_cost", "trial.targeted_delta"
MEASURES = (EFFECT, COST, TARGETED_DELTA)
_BUDGET = "left out to keep to the budget"


def mended(c: Comparison, fixes: Fixes | None, reason: str) -> Iterator[Measure]:
    """Effect and cost of each fix, and rows about thin groups against random ones.

    Args:
        reason: Why there are no fixes, where there are none.
    """
    if fixes is None or not c.plan.fixes:
        for name in MEASURES:
            yield c.missing(name, reason if fixes is None else _BUDGET)
        return
    for arm in c.plan.fixes:
        if arm.fix and arm in c.place:
            rival = Arm(arm.real, arm.synthetic)
            yield from _fix(c, fixes, arm, rival)
    for name, why in fixes.absent.items():
        yield c.missing(EFFECT, why).model_copy(update={"slice": {"fix": name}})
    yield from _targeted(c, fixes)


def _fix(c: Comparison, fixes: Fixes, arm: Arm, rival: Arm) -> Iterator[Measure]:
    grouping = fixes.grouping
    pair = [c.place[arm], c.place[rival]]
    groups = [(grouping, group) for group in grouping.large]
    wider, inside, names = widening(c, groups, pair, lambda _, before: (before,))
    shrunk = Estimate(-wider.value, -wider.draws)
    against = (
        f"{arm.synthetic} rows {arm.fix} against as many random ones"
        if arm.fix == TARGETED
        else (f"{arm.synthetic} synthetic rows, {arm.fix}, against the same number as they come")
    )
    method = (
        f"{against}, with {arm.real} real rows; by how much the score gap shrinks for the group of {grouping.name!r} with the "
        f"largest gap, chosen on one half of the test roots and measured on the other, both ways: {names}; {METHOD}"
    )
    yield _said(c, EFFECT, shrunk, {"fix": arm.fix}, method, int(inside.sum()))
    everybody = np.ones(c.items, dtype=np.bool_)
    score = _difference(c, pair, everybody)
    yield _said(
        c,
        COST,
        score,
        {"fix": arm.fix, "on": "score"},
        f"{against}; score of all test rows; {METHOD}",
        c.items,
    )
    yield from _others(c, fixes, arm, pair, inside, against)
    yield _words(c, fixes, arm, against)


def _others(
    c: Comparison, fixes: Fixes, arm: Arm, pair: list[int], mended: Bools, against: str
) -> Iterator[Measure]:
    """The group that loses most of all that were not mended."""
    grouping = fixes.grouping
    groups = [(grouping, group) for group in grouping.large if not (grouping.inside(group) & mended).any()]
    if not groups:
        return
    gain, sizes = c.scores.main.gain, c.scores.main.sizes
    lost = (gain[pair[1]].mean(axis=0) - gain[pair[0]].mean(axis=0)) / c.unit_loss
    halves = worst_of(c, groups, lambda one, _: (float(lost[one].sum() / sizes[one].sum()),))
    inside = halves[0][0] | halves[1][0]
    names = " and ".join(dict.fromkeys(name for _, _, name in halves))
    method = (
        f"{against}; score of the other group that loses most on one half of the test roots, measured on the other half, "
        f"both ways: {names}; {METHOD}"
    )
    slice_ = {"fix": arm.fix, "on": "other groups"}
    yield _said(c, COST, _difference(c, pair, inside), slice_, method, int(inside.sum()))


def _words(c: Comparison, fixes: Fixes, arm: Arm, against: str) -> Measure:
    """Different words among the synthetic rows, as a share of what they were; seeds are the sample."""
    before = fixes.words[RANDOM if arm.fix == TARGETED else ""]
    moved = (fixes.words[arm.fix] / np.maximum(before, 1) - 1)[: c.seeds]
    value = float(moved.mean())
    half = float(
        quantiles.student(0.5 + c.level / 2, len(moved) - 1) * moved.std(ddof=1) / np.sqrt(len(moved))
    )
    return Measure(
        **(c.common(COST) | {"unit": "share of different words", "n": len(moved)}),
        slice={"fix": arm.fix, "on": "diversity"},
        value=value,
        low=value - half,
        high=value + half,
        method=f"{against}; different words in the synthetic rows, relative change, mean and Student's t interval over seeds",
    )


def _targeted(c: Comparison, fixes: Fixes) -> Iterator[Measure]:
    if not fixes.targeted or any(arm not in c.place for arm in fixes.targeted):
        yield c.missing(TARGETED_DELTA, fixes.absent.get(TARGETED, _BUDGET))
        return
    grouping = fixes.grouping
    pair = [c.place[arm] for arm in fixes.targeted]
    number = fixes.targeted[0].synthetic
    names = ", ".join(repr(grouping.labels[group]) for group in grouping.thin)
    method = (
        f"{number} synthetic rows about the thin groups ({names}) against {number} random ones, both added to "
        f"{fixes.targeted[0].real} real rows; score of the test rows about thin groups; {METHOD}"
    )
    thin = np.isin(grouping.test, grouping.thin)
    yield _said(c, TARGETED_DELTA, _difference(c, pair, thin), None, method, int(thin.sum()))
    for group in grouping.thin:
        inside = grouping.inside(group)
        if inside.sum() >= FEWEST_ITEMS:
            slice_ = {"group": grouping.labels[group]}
            yield _said(c, TARGETED_DELTA, _difference(c, pair, inside), slice_, method, int(inside.sum()))


def _difference(c: Comparison, pair: list[int], inside: Bools) -> Estimate:
    """Score of the first arm less that of the second on some test rows."""
    main = c.scores.main
    return change(c, contrast(c, main.gain[pair] / c.unit_loss, inside, None, main.sizes), pair)


def _said(
    c: Comparison, name: str, estimate: Estimate, slice: dict[str, str] | None, method: str, n: int
) -> Measure:
    value, draws = float(estimate.value[0]), estimate.draws[:, 0]
    return c.measure(name, value, draws, method, slice, c.difference_unit).model_copy(update={"n": n})
