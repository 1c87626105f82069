"""What trained arms do for one group and for the others of its theme, by dose, and the group that loses most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from assay.core.discoveries import adjusted
from assay.core.measure import Measure, Reference
from assay.stats import bootstrap, decisions
from assay.stats.bootstrap import Estimate
from assay.trial.arms import Arm, Design
from assay.trial.compare import METHOD, Comparison, Floats, sums_by_root
from assay.trial.grouping import Bools, Grouping

GAP, DELTA = "bias.model_gap", "bias.model_gap_delta"
MEASURES = (GAP, DELTA)
NO_GROUP = (
    "no column and no list has a group with enough test rows about it and about the others; name a column or a list "
    "with --groups"
)
Gain = npt.NDArray[np.floating]


def doses(plan: Design) -> tuple[Arm, ...]:
    """All real rows alone, then with more and more synthetic ones."""
    return (Arm(plan.budget), *plan.addition)


def share(c: Comparison, arm: Arm) -> dict[str, str]:
    """The dose of an arm, as the slice of a measure."""
    return {"synthetic_share": f"{c.plan.recipe(arm).synthetic_share:.4g}"}


def contrast(
    c: Comparison, gain: Gain, plus: Bools, minus: Bools | None, weigh: Floats | None = None
) -> Floats:
    """What items of one kind score above those of another, as sums by root.

    A difference of two means over parts of the test is no mean over the test. Seen from where both means lie it is
    one, up to terms of second order; as such it is drawn like any score.

    Args:
        gain: Shape (arms, seeds, main items).
        plus, minus: Items of either kind, shape (main items,); without a second kind it is the mean over the first.
        weigh: What a score is divided by, shape (main items,); None for 1.
    Returns: Shape (arms, seeds, clusters); summed and divided by the sizes of the test they are the difference.
    """
    roots = c.scores.main.roots
    sizes = np.ones(c.items) if weigh is None else weigh
    total = c.sizes.sum()
    out = np.zeros((len(gain), gain.shape[1], c.clusters))
    for sign, part in ((1.0, plus), (-1.0, minus)):
        if part is None:
            continue
        sums = sums_by_root((gain * part).astype(np.float32), roots)
        of_root = np.bincount(roots, sizes * part, minlength=c.clusters)
        mean = sums.sum(axis=2).mean(axis=1) / of_root.sum()
        out += sign * (sums - mean[:, None, None] * of_root) * total / of_root.sum()
        out += sign * mean[:, None, None] * c.sizes
    return out


def drawn(c: Comparison, sums: Floats, arms: Sequence[int]) -> Estimate:
    """Draws of anything summed by root, shape (arms, seeds, clusters), of arms by their place."""
    variance = bootstrap.training_variance(sums, c.sizes, c.rows[list(arms)])
    return c.two_level(sums, c.overlap[list(arms)], variance)


def change(c: Comparison, sums: Floats, arms: Sequence[int]) -> Estimate:
    """The first arm less the second, shape (2, seeds, clusters)."""
    return one(c, sums[:1] - sums[1:2], arms)


def one(c: Comparison, sums: Floats, arms: Sequence[int]) -> Estimate:
    """Draws of what is read off several arms, shape (1, seeds, clusters): luck that they share is no luck in it."""
    variance = bootstrap.training_variance(sums, c.sizes, c.rows[list(arms[:1])])
    return c.two_level(sums, c.overlap[list(arms)].max(keepdims=True), variance)


def gap_sums(c: Comparison, arms: Sequence[int], inside: Bools, others: Bools) -> Floats:
    """How much better the arms do for the others than for those inside, as sums by root."""
    main = c.scores.main
    return contrast(c, main.gain[list(arms)] / c.unit_loss, others, inside, main.sizes)


def model_gaps(c: Comparison, found: Sequence[Grouping]) -> Iterator[Measure]:
    """The gap of every group by dose; how synthetic rows change it; and the group whose gap grows most."""
    if not any(grouping.large for grouping in found):
        for name in MEASURES:
            yield c.missing(name, NO_GROUP)
        return
    ladder = doses(c.plan)
    arms = [c.place[arm] for arm in ladder]
    unit = "share of loss" if c.scores.text else "accuracy difference"
    grown: list[tuple[str, Estimate, int]] = []
    for grouping, group in _groups(found):
        inside, others = grouping.inside(group), grouping.others(group)
        label, items = grouping.labels[group], int(inside.sum())
        sums = gap_sums(c, arms, inside, others)
        estimate = drawn(c, sums, arms)
        method = f"score of {int(others.sum())} test rows about the others of its theme less that of {items} about it; {METHOD}"
        alone = interval_of(c, estimate, 0)
        for place, arm in enumerate(ladder):
            measure = c.measure(
                GAP, float(estimate.value[place]), estimate.draws[:, place], method,
                {"group": label, **share(c, arm)}, unit,
            )  # fmt: skip
            yield measure.model_copy(update={"n": items, "reference": alone if place else None})
        grown.append((label, change(c, sums[[-1, 0]], [arms[-1], arms[0]]), items))
    what = f"{ladder[-1].synthetic} synthetic rows added to {ladder[-1].real} real rows, against the real rows alone"
    yield _worst(c, found, [arms[-1], arms[0]], what)
    apart = np.column_stack([each.draws[:, 0] for _, each, _ in grown])
    sure = adjusted(decisions.two_sided(apart).tolist())
    for (label, estimate, items), p in zip(grown, sure, strict=True):
        method = f"{what}; Benjamini-Hochberg p over {len(grown)} groups = {p:.3g}; {METHOD}"
        yield c.measure(
            DELTA, float(estimate.value[0]), estimate.draws[:, 0], method, {"group": label}, c.difference_unit
        ).model_copy(update={"n": items})


def worst_of(
    c: Comparison,
    groups: Sequence[tuple[Grouping, int]],
    worth: Callable[[Bools, Bools], tuple[float, ...]],
) -> list[tuple[Bools, Bools, str]]:
    """Test rows about the worst group and about the others, in each half of the test roots, chosen on the other half.

    The worst of many groups is mostly bad luck; measured on other items than it was chosen on, it is not.

    Args:
        worth: How bad a group is, from the test rows about it and about the others.
    """
    half = c.halves[c.scores.main.roots]
    found = []
    for side in (0, 1):
        there = half != side
        grouping, group = max(
            groups, key=lambda each: worth(each[0].inside(each[1]) & there, each[0].others(each[1]) & there)
        )
        found.append(
            (grouping.inside(group) & ~there, grouping.others(group) & ~there, repr(grouping.labels[group]))
        )
    return found


def widening(
    c: Comparison,
    groups: Sequence[tuple[Grouping, int]],
    pair: Sequence[int],
    worth: Callable[[float, float], tuple[float, ...]],
) -> tuple[Estimate, Bools, str]:
    """How much further from the others the first arm leaves a group than the second does, whichever way.

    That a gap closes is no harm to whom it favoured. So gaps count by size; which way they point, and which group is
    meant, is for either half of the test roots the other half's word.

    Args:
        worth: How fit a group is to be meant, from its gaps by the first arm and by the second.
    Returns: The estimate, the test rows about the groups meant, and their names.
    """

    def gaps(inside: Bools, others: Bools) -> tuple[float, float]:
        return mean_gap(c, pair[0], inside, others), mean_gap(c, pair[1], inside, others)

    half = c.halves[c.scores.main.roots]
    chosen = worst_of(c, groups, lambda inside, others: worth(*gaps(inside, others)))
    total = np.zeros((1, c.seeds, c.clusters))
    everybody = np.zeros(c.items, dtype=np.bool_)
    for side, (inside, others, name) in enumerate(chosen):
        grouping, group = next(each for each in groups if repr(each[0].labels[each[1]]) == name)
        there = half != side
        signs = np.sign(gaps(grouping.inside(group) & there, grouping.others(group) & there))
        sums = gap_sums(c, pair, inside, others)
        total += (signs[0] * sums[:1] - signs[1] * sums[1:2]) / 2
        everybody |= inside
    names = " and ".join(dict.fromkeys(name for _, _, name in chosen))
    return one(c, total, pair), everybody, names


def mean_gap(c: Comparison, arm: int, inside: Bools, others: Bools) -> float:
    """The gap of an arm over all seeds, without an interval."""
    gain, sizes = c.scores.main.gain[arm].mean(axis=0) / c.unit_loss, c.scores.main.sizes
    return float(gain[others].sum() / sizes[others].sum() - gain[inside].sum() / sizes[inside].sum())


def interval_of(c: Comparison, estimate: Estimate, place: int) -> Reference:
    """One arm of an estimate, as what another is held against."""
    low, high = bootstrap.interval(estimate.draws[:, place], c.level)
    value = float(estimate.value[place])
    return Reference(value=value, low=min(low, value), high=max(high, value))


def _worst(c: Comparison, found: Sequence[Grouping], pair: list[int], what: str) -> Measure:
    groups = list(_groups(found))
    estimate, inside, names = widening(
        c, groups, pair, lambda mixed, alone: (mixed > 0, abs(mixed) - abs(alone))
    )
    method = (
        f"{what}; of {len(groups)} groups, of those that are behind the one whose gap grows most on one half of the test "
        f"roots, measured on the other half, both ways: {names}; {METHOD}"
    )
    measure = c.measure(DELTA, float(estimate.value[0]), estimate.draws[:, 0], method, unit=c.difference_unit)
    return measure.model_copy(update={"n": int(inside.sum())})


def _groups(found: Sequence[Grouping]) -> Iterator[tuple[Grouping, int]]:
    for grouping in found:
        for group in grouping.large:
            yield grouping, group
