"""Groups as masks of rows: those that the lists find in text, and those that a column of the user's names."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.groups import Mentioned, mentioned
from assay.audit.rows import Bools, Index, Rows
from assay.engine.groups.lists import MOST_VALUES, NOT_PEOPLE, Lists
from assay.engine.groups.mentions import Bits

# Groups that fewer real rows mention are too few to be judged one by one.
LEAST_ROWS = 20
_CHUNK = 1 << 16

Search = Callable[[Rows, Lists], Mentioned]


@dataclass(frozen=True)
class Searched:
    """`mentioned` where whole sides were searched before: rows taken from one are not searched again.

    Attributes:
        sides: The rows of each side, and what the lists found in them.
    """

    sides: tuple[tuple[Rows, Mentioned], ...]

    def __call__(self, rows: Rows, lists: Lists) -> Mentioned:
        above, index = rows, np.arange(len(rows))
        while True:
            for side, found in self.sides:
                if side is above:
                    return Mentioned(
                        found.mentions[index], found.about[index], found.positive[index], found.polar[index]
                    )
            if above.source is None:
                return mentioned(rows, lists)
            above, taken = above.source
            index = taken[index]


@dataclass(frozen=True)
class Part:
    """A group as the probes see it.

    Attributes:
        label: As it stands in slices.
        theme: The theme or column that it is a value of.
        mentions: Rows that speak of the group at all.
        about: Rows that speak of it more than of all others of its theme.
        beside: Rows that are about any group of the theme, this one too.
        mention_any: Rows that mention any group of the theme.
    """

    label: str
    theme: str
    mentions: Callable[[Columns], Bools]
    about: Callable[[Columns], Bools]
    beside: Callable[[Columns], Bools]
    mention_any: Callable[[Columns], Bools]

    @property
    def slice(self) -> dict[str, str]:
        """The group as the slice of a measure."""
        return {"group": self.label}

    def others(self, columns: Columns) -> Bools:
        """Rows that are about another group of the theme."""
        return self.beside(columns) & ~self.about(columns)


def parts(lists: Lists, ours: Columns, theirs: Columns, *, skip: Sequence[str] = ()) -> tuple[Part, ...]:
    """Every group of the lists and every value of the user's slice columns that both sides fill.

    Args:
        skip: Themes to leave out.
    """
    found = [listed(lists, number) for number, group in enumerate(lists.groups) if group.theme not in skip]
    return (*found, *named_parts(ours, theirs, skip=skip))


def named_parts(ours: Columns, theirs: Columns, *, skip: Sequence[str] = ()) -> tuple[Part, ...]:
    """Every value of the user's slice columns that both sides fill."""
    found: list[Part] = []
    for name in sorted(set(ours.parts) & set(theirs.parts) - set(NOT_PEOPLE) - set(skip)):
        values = [str(value) for value in np.unique(theirs.parts[name]) if value]
        if 2 <= len(values) <= MOST_VALUES and (ours.parts[name] != "").any():
            found += [_named(name, value) for value in values]
    return tuple(found)


def listed(lists: Lists, number: int) -> Part:
    """A group of the lists."""
    group = lists.groups[number]
    members = mask(lists, lists.members(group.theme))
    return Part(
        group.label,
        group.theme,
        lambda columns: columns.mentioned.mention(number),
        lambda columns: columns.mentioned.are_about(number),
        lambda columns: any_of(columns.mentioned.about, members),
        lambda columns: any_of(columns.mentioned.mentions, members),
    )


def _named(name: str, value: str) -> Part:
    def holds(columns: Columns) -> Bools:
        return np.asarray(columns.parts[name] == value)

    def filled(columns: Columns) -> Bools:
        return np.asarray(columns.parts[name] != "")

    return Part(f"{name}: {value}", name, holds, holds, filled, filled)


def mask(lists: Lists, groups: Sequence[int]) -> Bits:
    """The bits of some groups, shape (groups / 8,)."""
    bits = np.zeros(-(-len(lists.groups) // 8), np.uint8)
    for group in groups:
        bits[group >> 3] |= np.uint8(1 << (group & 7))
    return bits


def any_of(bits: Bits, members: Bits) -> Bools:
    """Rows with any of the groups, shape (rows,)."""
    found = np.zeros(len(bits), bool)
    for byte in np.flatnonzero(members):
        found |= (bits[:, byte] & members[byte]) > 0
    return found


def together(bits: Bits, groups: int, values: Sequence[Bools] = ()) -> Index:
    """Rows that mention both of two groups, shape (groups + values, groups + values).

    Args:
        values: Rows of further groups, which follow those of the bits, shape (values, rows).
    """
    both = np.zeros((groups + len(values), groups + len(values)), np.int64)
    for start in range(0, len(bits), _CHUNK):
        few = slice(start, start + _CHUNK)
        apart = np.unpackbits(bits[few], axis=1, count=groups, bitorder="little")
        floats: npt.NDArray[np.float32] = np.column_stack([apart, *(each[few] for each in values)]).astype(
            np.float32
        )
        both += (floats.T @ floats).astype(np.int64)
    return both


def both(*masks: Callable[[Columns], Bools]) -> Callable[[Columns], Bools]:
    """Rows in all of the masks."""
    return lambda columns: functools.reduce(np.logical_and, (each(columns) for each in masks))
