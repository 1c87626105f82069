"""Fixes against bias as arms: the same number of rows as without, chosen or weighted otherwise.

A fix is made from training rows alone and knows nothing of the test. What it does is measured like anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.engine.swap import Swap
from assay.kernels.text import tokens
from assay.models.learner import Examples
from assay.models.learners import open_learner
from assay.models.tasks import Side, Task
from assay.trial.arms import Arm, Design, Orders
from assay.trial.grouping import NOBODY, Grouping, Ints
from assay.trial.swapped import swap_rows

Floats = npt.NDArray[np.float32]

REWEIGHTED, RESAMPLED, EVENED = "reweighted", "resampled", "evened out"
SWAPPED, DROPPED = "swapped", "worst dropped"
TARGETED = "targeted"
RANDOM = "random"  # as many rows as are targeted
WORST = 0.1  # share of the synthetic rows that is dropped
HEAVIEST = 10.0  # no row counts for more
_FEWEST_SWAPPED = 0.05  # share of the rows
_FEWEST_TARGETED = 20


@dataclass(frozen=True)
class Fixes:
    """What is tried, and what with.

    Attributes:
        grouping: The groups it is tried for.
        base: All real rows with the largest dose as it comes; what a fix is compared with.
        arms: One arm for each fix that applies, as many rows as `base`.
        targeted: Rows about thin groups added to all real rows, and as many random ones; or nothing.
        fixed: Row weights by the name of the fix; see `Orders.fixed`.
        more: Swapped rows, behind all others.
        words: Different words in the synthetic rows of each arm and seed, by the name of the fix, "" being the base and
            `RANDOM` the rows that targeted ones are compared with.
        absent: Why a fix was not tried, by its name.
    """

    grouping: Grouping
    base: Arm
    arms: tuple[Arm, ...]
    targeted: tuple[Arm, ...]
    fixed: Mapping[str, Floats]
    more: Examples
    words: Mapping[str, npt.NDArray[np.int64]]
    absent: Mapping[str, str]

    def into(self, design: Design) -> Design:
        """The design with these arms."""
        return replace(design, fixes=(*self.arms, *self.targeted))

    def orders(self, drawn: Orders) -> Orders:
        """The orders with these weights."""
        return replace(drawn, fixed=self.fixed, more=len(self.more))


def chosen_grouping(
    found: Sequence[Grouping], real: Side, synthetic: Side, named: Sequence[str]
) -> Grouping | None:
    """The grouping to mend: a named column, else where synthetic rows spread groups over labels least as real rows do.

    What no synthetic row has a group of, such as the site that real rows come from, no choice of synthetic rows mends.
    """
    for name in named:
        for grouping in found:
            if grouping.name == name:
                return grouping

    def apart(grouping: Grouping) -> float:
        ours, theirs = (
            np.bincount(cells, minlength=_number(grouping, real)) / len(cells)
            for cells in (_cells(grouping.real, real), _cells(grouping.synthetic, synthetic))
        )
        return float(np.abs(ours - theirs).sum() / 2)

    held = [grouping for grouping in found if (grouping.synthetic != NOBODY).any()]
    return max(held, key=apart, default=None)


def plan_fixes(
    grouping: Grouping,
    real: Side,
    synthetic: Side,
    placebo: int,
    drawn: Orders,
    plan: Design,
    task: Task,
    rng: np.random.Generator,
    swap: Swap | None,
) -> Fixes:
    """Every fix that applies to these rows.

    Reweighting gives each synthetic row of a group (and label) the weight that makes its share that of the real rows, at
    most `HEAVIEST`; resampling draws whole rows to the same shares, evening out to equal shares of all groups; swapping puts the other group into half of the
    rows that speak of one; dropping takes out the tenth that a cheap model of the real rows finds most wrong.

    Args:
        swap: Which groups change places; None swaps nothing.
    Source: reweighting after Kamiran & Calders 2012, Knowledge and Information Systems 33, 1-33; swapping half of the
        rows after Hall Maudslay et al. 2019, It's All in the Name, EMNLP.
    """
    base = plan.addition[-1]
    rows = (len(real), len(synthetic))
    cells, target = _cells(grouping.synthetic, synthetic), _targets(grouping, real)
    changed = {} if swap is None else swap_rows(synthetic.examples, swap)
    more = replace(
        synthetic.examples.take(np.array(list(changed), dtype=np.int64)), parts=tuple(changed.values())
    )
    total = sum(rows) + placebo + len(more)
    seeds = range(drawn.seeds)
    doses = [drawn.synthetic[seed, : base.synthetic] for seed in seeds]
    pools = [drawn.synthetic[seed, : plan.doses] for seed in seeds]
    by_name: dict[str, list[npt.NDArray[np.float64]]] = {}
    absent: dict[str, str] = {}

    balanced = [_reweighted(cells, target, dose, rows[1]) for dose in doses]
    if all(each.any() for each in balanced):
        by_name[REWEIGHTED] = balanced
        by_name[RESAMPLED] = [_resampled(cells, target, pool, base.synthetic, rows[1]) for pool in pools]
        even = _even(target, len(grouping.labels))
        by_name[EVENED] = [_resampled(cells, even, pool, base.synthetic, rows[1]) for pool in pools]
    else:
        absent |= dict.fromkeys(
            (REWEIGHTED, RESAMPLED, EVENED), "no synthetic row is of a group and label that real rows have"
        )
    if len(changed) >= _FEWEST_SWAPPED * rows[1]:
        place = np.full(rows[1], NOBODY)
        place[list(changed)] = np.arange(len(changed))
        by_name[SWAPPED] = [_swapped(place, dose, rows[1], len(more), rng) for dose in doses]
    else:
        absent[SWAPPED] = (
            f"words of two groups that can be swapped stand in fewer than {_FEWEST_SWAPPED:.0%} of the rows"
        )
    by_name[DROPPED] = [
        _dropped(each, dose)
        for each, dose in zip(_wrongness(real, synthetic, drawn, plan, task), doses, strict=True)
    ]

    targeted: tuple[Arm, ...] = ()
    random: list[npt.NDArray[np.float64]] = []
    thin = np.isin(grouping.synthetic, grouping.thin)
    number = min(base.synthetic, *(int(thin[pool].sum()) for pool in pools))
    if not grouping.thin:
        absent[TARGETED] = (
            "no group is thin: each has at least half as many real rows as the groups have on average"
        )
    elif number < _FEWEST_TARGETED:
        absent[TARGETED] = f"fewer than {_FEWEST_TARGETED} synthetic rows are about the thin groups"
    else:
        by_name[TARGETED] = [_ones(pool[thin[pool]][:number], rows[1]) for pool in pools]
        random = [_ones(pool[:number], rows[1]) for pool in pools]
        targeted = (Arm(plan.budget, number, fix=TARGETED), Arm(plan.budget, number))

    fixed = {}
    for name, weights in by_name.items():
        fixed[name] = np.zeros((drawn.seeds, total), dtype=np.float32)
        for seed, weight in enumerate(weights):
            fixed[name][seed, drawn.real[seed, : plan.budget]] = 1
            fixed[name][seed, rows[0] : rows[0] + rows[1]] = weight[: rows[1]]
            if len(weight) > rows[1]:
                fixed[name][seed, total - len(more) :] = weight[rows[1] :]
    words = _words(synthetic.examples, more)
    counted = by_name | {"": [_ones(dose, rows[1]) for dose in doses], RANDOM: random}
    return Fixes(
        grouping,
        base,
        tuple(replace(base, fix=name) for name in by_name if name != TARGETED),
        targeted,
        fixed,
        more,
        {name: np.array([words(weight > 0) for weight in weights]) for name, weights in counted.items()},
        absent,
    )


def _number(grouping: Grouping, real: Side) -> int:
    return (len(grouping.labels) + 1) * max(real.examples.classes, 1)


def _cells(of: Ints, side: Side) -> Ints:
    """Group and label of each row as one number; nobody is a group here."""
    labels = side.examples.labels
    return of + 1 if labels is None else (of + 1) * side.examples.classes + labels


def _targets(grouping: Grouping, real: Side) -> npt.NDArray[np.float64]:
    """Share of the real rows in each cell."""
    shares: npt.NDArray[np.float64] = np.bincount(
        _cells(grouping.real, real), minlength=_number(grouping, real)
    ) / len(real)
    return shares


def _even(target: npt.NDArray[np.float64], groups: int) -> npt.NDArray[np.float64]:
    """The same, all groups that real rows are about being of one size, with their labels as they are."""
    shares = target.reshape(groups + 1, -1).copy()
    size = shares[1:].sum(axis=1, keepdims=True)
    there = size > 0
    scale = np.divide(size.sum() / max(there.sum(), 1), size, out=np.zeros_like(size), where=there)
    shares[1:] *= scale
    return shares.reshape(-1)


def _ones(rows: Ints, number: int) -> npt.NDArray[np.float64]:
    out = np.zeros(number)
    out[rows] = 1
    return out


def _reweighted(
    cells: Ints, target: npt.NDArray[np.float64], dose: Ints, number: int
) -> npt.NDArray[np.float64]:
    have = np.bincount(cells[dose], minlength=len(target)) / len(dose)
    ratio = np.minimum(np.divide(target, have, out=np.zeros_like(target), where=have > 0), HEAVIEST)
    out = np.zeros(number)
    out[dose] = ratio[cells[dose]]
    return out * len(dose) / out.sum() if out.any() else out


def _resampled(
    cells: Ints, target: npt.NDArray[np.float64], pool: Ints, rows: int, number: int
) -> npt.NDArray[np.float64]:
    """Whole rows in the order of the seed; where a cell has too few, all of them again."""
    there = np.bincount(cells[pool], minlength=len(target))
    share = np.where(there > 0, target, 0.0)
    exact = rows * share / share.sum()
    wanted = np.minimum(np.floor(exact), there * HEAVIEST).astype(np.int64)
    # Rounding leaves rows over, and so do cells that are full; a cell without rows takes none of them.
    short = [cell for cell in np.argsort(wanted - exact, kind="stable") if share[cell] > 0]
    wanted[short[: rows - wanted.sum()]] += 1
    out = np.zeros(number)
    for cell in np.flatnonzero(wanted):
        members = pool[cells[pool] == cell]
        times, rest = divmod(int(wanted[cell]), len(members))
        out[members] = times
        out[members[:rest]] += 1
    whole: npt.NDArray[np.float64] = out * rows / out.sum()
    return whole


def _swapped(
    place: Ints, dose: Ints, number: int, more: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    out = np.zeros(number + more)
    turned = dose[(place[dose] != NOBODY) & (rng.random(len(dose)) < 0.5)]
    out[dose] = 1
    out[turned] = 0
    out[number + place[turned]] = 1
    return out


def _dropped(wrong: npt.NDArray[np.float64], dose: Ints) -> npt.NDArray[np.float64]:
    kept = dose[np.argsort(wrong[dose], kind="stable")][: len(dose) - int(WORST * len(dose))]
    out: npt.NDArray[np.float64] = _ones(kept, len(wrong)) * len(dose) / len(kept)
    return out


def _wrongness(
    real: Side, synthetic: Side, drawn: Orders, plan: Design, task: Task
) -> list[npt.NDArray[np.float64]]:
    """How wrong the cheapest learner, trained on each seed's real rows, finds each synthetic row."""
    weights = np.zeros((drawn.seeds, len(real)), dtype=np.float32)
    for seed in range(drawn.seeds):
        weights[seed, drawn.real[seed, : plan.budget]] = 1
    found: dict[int, npt.NDArray[np.float64]] = {}
    for block in open_learner(None, task).read(real.examples).fit(weights, np.arange(drawn.seeds)):
        scored = block.score(synthetic.examples)
        sure = scored.over.sum(axis=2) if scored.over is not None else -scored.gain / synthetic.sizes
        found |= {int(seed): sure[place].astype(np.float64) for place, seed in enumerate(block.arms)}
    return [found[seed] for seed in range(drawn.seeds)]


class _words:
    """How many different words some of the rows have."""

    def __init__(self, *sides: Examples) -> None:
        texts = ["\n".join(part.text for part in row) for side in sides for row in side.parts]
        found = tokens(pa.chunked_array([pa.array(texts, pa.large_string())]))
        self._ids = np.unique(found.ids, return_inverse=True)[1]
        self._rows = np.repeat(np.arange(len(texts)), np.diff(found.offsets))
        self._texts = len(texts)

    def __call__(self, used: npt.NDArray[np.bool_]) -> int:
        rows = np.zeros(self._texts, dtype=np.bool_)
        rows[: len(used)] = used
        return len(np.unique(self._ids[rows[self._rows]]))
