"""The same test text with the other group in it: does the score move, or the label?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from assay.core.measure import Measure
from assay.engine.swap import Swap
from assay.models.learner import Examples, Part
from assay.trial.arms import Arm
from assay.trial.compare import METHOD, Comparison, Set
from assay.trial.groups import doses, interval_of, share
from assay.trial.items import Items

MOVES, GAP = "bias.swap_moves", "bias.swap_gap"
MEASURES = (MOVES, GAP)
FEWEST = 30  # texts, and texts about one group alone
_MOST = 1000


@dataclass(frozen=True)
class Swapped:
    """Test rows that speak of one of two groups, once more with the other group.

    Attributes:
        items: The rows, swapped.
        rows: Which of the main items each was, shape (swapped,).
        sign: 1 where the original speaks of the first group alone, -1 of the second alone, 0 of both.
        swap: What was swapped.
    """

    items: Items
    rows: npt.NDArray[np.int64]
    sign: npt.NDArray[np.int64]
    swap: Swap

    @property
    def key(self) -> str:
        """What the items are known by among all that is scored."""
        return f"swapped {self.swap.name}"


def swap_items(main: Items, rng: np.random.Generator, swap: Swap) -> Swapped | None:
    """The main items whose text changes when the groups change places, a thousand at most; None where few do."""
    changed = swap_rows(main.examples, swap)
    rows = np.array(sorted(changed), dtype=np.int64)
    if len(rows) > _MOST:
        rows = np.sort(rng.permutation(rows)[:_MOST])
    if len(rows) < FEWEST:
        return None
    parts = tuple(changed[row] for row in rows)
    labels = None if main.examples.labels is None else main.examples.labels[rows]
    examples = Examples(parts, labels, main.examples.classes)
    sizes = main.sizes[rows] if labels is not None else examples.learned_bytes().astype(np.float64)
    _, roots = np.unique(main.roots[rows], return_inverse=True)
    sign = np.array([_sign(main.examples.parts[row], swap) for row in rows], dtype=np.int64)
    return Swapped(Items(examples, sizes, roots), rows, sign, swap)


def swap_rows(examples: Examples, swap: Swap) -> dict[int, tuple[Part, ...]]:
    """The rows that change, by their number."""
    found = {}
    for row, parts in enumerate(examples.parts):
        other = tuple(replace(part, text=swap(part.text)) for part in parts)
        if other != parts and any(part.learned and part.text for part in other):
            found[row] = other
    return found


def all_swaps(main: Items, rng: np.random.Generator, swaps: Sequence[Swap]) -> tuple[Swapped, ...]:
    """`swap_items` of every swap that changes enough of them; the one that changes most comes first."""
    found = [each for each in (swap_items(main, rng, swap) for swap in swaps) if each is not None]
    return tuple(sorted(found, key=lambda each: -len(each.rows)))


def swap_measures(c: Comparison, swaps: Sequence[Swapped]) -> Iterator[Measure]:
    """How often the label moves (or how far the loss) when groups change places, and for which group the score is lower.

    The first swap has no slice of its own, and stands for the measure; the others have theirs.
    """
    if not swaps:
        for name in MEASURES:
            yield c.missing(
                name, f"fewer than {FEWEST} test rows speak of groups of people in words that can be swapped"
            )
    for place, swapped in enumerate(swaps):
        yield from _measures(c, swapped, {"swap": swapped.swap.name} if place else {})


def _measures(c: Comparison, swapped: Swapped, named: dict[str, str]) -> Iterator[Measure]:
    moved, what, unit = _moved(c, swapped)
    yield from _by_dose(c, MOVES, moved, len(swapped.rows), what, unit, named)
    alone = swapped.sign != 0
    if alone.sum() < FEWEST:
        reason = f"fewer than {FEWEST} test rows speak of one of two groups alone"
        yield c.missing(GAP, reason).model_copy(update={"slice": named or None})
        return
    _, roots = np.unique(swapped.items.roots[alone], return_inverse=True)
    apart = c.scores.swapped[swapped.key].gain - c.scores.main.gain[:, :, swapped.rows]
    signed = (apart * swapped.sign)[:, :, alone].astype(np.float32)
    what = (
        f"score of a text with {swapped.swap.second!r} less that of the same text with {swapped.swap.first!r}"
    )
    unit = "share of loss" if c.scores.text else "accuracy difference"
    sizes = c.scores.main.sizes[swapped.rows]
    yield from _by_dose(c, GAP, Set(signed, sizes[alone], roots), int(alone.sum()), what, unit, named)


def _moved(c: Comparison, swapped: Swapped) -> tuple[Set, str, str]:
    """How far each text moves, what that is, and its unit."""
    rows, roots = swapped.rows, swapped.items.roots
    sizes = c.scores.main.sizes[rows]
    both = f"{swapped.swap.first!r} and {swapped.swap.second!r} in each other's place"
    if c.scores.chosen is not None and swapped.key in c.scores.chosen_swapped:
        flips = c.scores.chosen[:, :, rows] != c.scores.chosen_swapped[swapped.key]
        what = f"{both}: texts whose label changes / texts"
        return Set(flips.astype(np.float32), sizes, roots), what, "share of texts"
    moved = np.abs(c.scores.main.gain[:, :, rows] - c.scores.swapped[swapped.key].gain)
    what = f"{both}: mean absolute change of the bits of a text / its bytes, as a share of the loss"
    return Set(moved, sizes, roots), what, "share of loss"


def _by_dose(
    c: Comparison, name: str, items: Set, n: int, what: str, unit: str, named: dict[str, str]
) -> Iterator[Measure]:
    ladder = doses(c.plan)
    estimate = c.on(items, [c.place[arm] for arm in ladder])
    alone = interval_of(c, estimate, 0)

    def said(place: int, arm: Arm, slice: dict[str, str] | None) -> Measure:
        method = f"{what}; {arm.synthetic} synthetic rows added to {arm.real} real rows; {METHOD}"
        value, draws = float(estimate.value[place]), estimate.draws[:, place]
        measure = c.measure(name, value, draws, method, slice, unit)
        return measure.model_copy(update={"n": n, "reference": alone if place else None})

    yield said(len(ladder) - 1, ladder[-1], named or None)
    for place, arm in enumerate(ladder):
        yield said(place, arm, named | share(c, arm))


def _sign(parts: tuple[Part, ...], swap: Swap) -> int:
    found = swap.groups_of("\n".join(part.text for part in parts))
    return 0 if len(found) != 1 else 1 if swap.first in found else -1
