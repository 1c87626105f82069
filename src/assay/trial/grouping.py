"""Groups of people among the rows of a trial: values of a column, or what the lists find in the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.engine.groups.lists import MOST_VALUES, NOT_ASKED, NOT_PEOPLE, Lists
from assay.engine.groups.mentions import about
from assay.models.learner import Examples
from assay.models.tasks import Side

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

FEWEST_ITEMS, FEWEST_ROOTS = 30, 10  # of the test, in a group and in the others of its theme
NOBODY = -1


@dataclass(frozen=True)
class Grouping:
    """One theme or column, and the group of it that each row is about.

    Attributes:
        name: Of the theme or column.
        labels: Of the groups, as they stand in slices.
        real, synthetic, test: Place among `labels`, or `NOBODY`, shape (rows,).
        large: Groups whose test rows, and those of the others, suffice to be measured.
    """

    name: str
    labels: tuple[str, ...]
    real: Ints
    synthetic: Ints
    test: Ints
    large: tuple[int, ...]

    def inside(self, group: int) -> Bools:
        """Test rows about the group, shape (items,)."""
        return np.asarray(self.test == group)

    def others(self, group: int) -> Bools:
        """Test rows about the others, shape (items,)."""
        return np.asarray((self.test != NOBODY) & (self.test != group))

    @property
    def thin(self) -> tuple[int, ...]:
        """Groups with fewer than half as many real rows as the groups have on average."""
        rows = np.bincount(self.real[self.real != NOBODY], minlength=len(self.labels))
        return tuple(group for group in self.large if 2 * rows[group] < rows.mean())


def groupings(
    lists: Lists, real: Side, synthetic: Side, test: Side, halves: Bools, columns: Sequence[str] = ()
) -> tuple[Grouping, ...]:
    """Every column and theme of which at least one group is large enough to be measured, the named columns first.

    Args:
        halves: The half of the test that each test row belongs to, shape (items,); groups must be in both.
        columns: Columns that stand for groups of people; none means every column of 2 to 20 values.
    """
    found = [_column(name, real, synthetic, test, halves) for name in columns or sorted(test.slices)]
    sides = [
        about(_texts(side.examples), lists) if lists.themes else None for side in (real, synthetic, test)
    ]
    for theme in lists.themes if lists.themes else ():
        if theme.name in NOT_ASKED:
            continue
        members = np.array(lists.members(theme.name))
        places = [_places(side[:, members]) for side in sides if side is not None]
        labels = tuple(group.label for group in theme.groups)
        found.append(_measurable(theme.name, labels, places, test.roots, halves))
    return tuple(each for each in found if each is not None)


def _column(name: str, real: Side, synthetic: Side, test: Side, halves: Bools) -> Grouping | None:
    if name in NOT_PEOPLE or name not in test.slices:
        return None
    values = sorted({str(value) for value in test.slices[name] if value is not None and value != ""})
    if not 2 <= len(values) <= MOST_VALUES:
        return None
    place = {value: number for number, value in enumerate(values)}
    places = [
        np.array([place.get(str(value), NOBODY) for value in side.slices[name]], dtype=np.int64)
        if name in side.slices
        else np.full(len(side), NOBODY)
        for side in (real, synthetic, test)
    ]
    return _measurable(name, tuple(f"{name}: {value}" for value in values), places, test.roots, halves)


def _measurable(
    name: str, labels: tuple[str, ...], places: Sequence[Ints], roots: npt.NDArray[np.uint64], halves: Bools
) -> Grouping | None:
    real, synthetic, test = places
    anybody = test != NOBODY
    large = tuple(
        group
        for group in range(len(labels))
        if _enough(test == group, roots, halves) and _enough(anybody & (test != group), roots, halves)
    )
    return Grouping(name, labels, real, synthetic, test, large) if large else None


def _enough(inside: Bools, roots: npt.NDArray[np.uint64], halves: Bools) -> bool:
    return inside.sum() >= FEWEST_ITEMS and all(
        len(np.unique(roots[inside & (halves == half)])) >= FEWEST_ROOTS / 2 for half in (False, True)
    )


def _places(rows: Bools) -> Ints:
    """The one group of a theme that each row is about: no two have most of its mentions."""
    return np.where(rows.any(axis=1), rows.argmax(axis=1), NOBODY).astype(np.int64)


def _texts(examples: Examples) -> list[str]:
    return ["\n".join(part.text for part in row) for row in examples.parts]
