"""Which groups of people each row mentions, which it is about, and how it speaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.groups.lists import TONES, Lists
from assay.audit.rows import Bools, Index, Rows
from assay.kernels.phrases import Found, Phrasebook, find

Bits = npt.NDArray[np.uint8]
_POSITIVE, _, _NEGATOR = range(len(TONES))
# A negator turns round what stands this many words behind it ("not a very good").
_NEGATED_WORDS = 3


@dataclass(frozen=True)
class Mentioned:
    """What the lists find in each row.

    Attributes:
        mentions: Groups that the row mentions, one bit each, shape (rows, groups / 8).
        about: Groups with more mentions in the row than all others of their theme together, packed likewise.
        positive, polar: Words of praise, and words of praise or blame, negation taken into account; shape (rows,).
    """

    mentions: Bits
    about: Bits
    positive: Index
    polar: Index

    def mention(self, group: int) -> Bools:
        """Rows that mention a group, shape (rows,)."""
        return _bit(self.mentions, group)

    def are_about(self, group: int) -> Bools:
        """Rows that are about a group, shape (rows,)."""
        return _bit(self.about, group)


def mentioned(rows: Rows, lists: Lists) -> Mentioned:
    """The columns of a batch."""
    mentions, about = counted(find(rows.text, rows.tokens, lists.book), len(rows), lists)
    positive, polar = tones(rows, lists.tones)
    return Mentioned(mentions, about, positive, polar)


def counted(found: Found, rows: int, lists: Lists) -> tuple[Bits, Bits]:
    """Which groups each of so many rows mentions and is about, as bits of shape (rows, groups / 8)."""
    number, themes = len(lists.groups), np.array(lists.theme_of, np.int64)
    mentions, about = np.zeros((2, rows, -(-number // 8)), np.uint8)
    if len(found.row):
        pairs, times = np.unique(found.row * number + found.group, return_counts=True)
        row, group = pairs // number, pairs % number
        of_theme = np.bincount(
            found.row * len(lists.themes) + themes[found.group], minlength=rows * len(lists.themes)
        )
        most = 2 * times > of_theme[row * len(lists.themes) + themes[group]]
        bit = (1 << (group & 7)).astype(np.uint8)
        np.add.at(mentions, (row, group >> 3), bit)  # no pair comes twice, so adding sets the bit
        np.add.at(about, (row[most], group[most] >> 3), bit[most])
    return mentions, about


def tones(rows: Rows, book: Phrasebook) -> tuple[Index, Index]:
    """Words of praise, and words of praise or blame, in each row."""
    found = find(rows.text, rows.tokens, book)
    place = rows.tokens.offsets[found.row] + found.first
    turning = found.group == _NEGATOR
    ends = np.sort(place[turning] + found.words[turning])
    polar, place = found.row[~turning], place[~turning]
    begin = rows.tokens.offsets[polar]
    last = np.searchsorted(ends, place, "right") - 1
    before = ends[last] if len(ends) else np.zeros(len(place), np.int64)
    negated = (last >= 0) & (before > begin) & (place - before < _NEGATED_WORDS)
    praises = (found.group[~turning] == _POSITIVE) != negated
    return np.bincount(polar[praises], minlength=len(rows)), np.bincount(polar, minlength=len(rows))


def _bit(bits: Bits, group: int) -> Bools:
    return (bits[:, group >> 3] >> np.uint8(group & 7)) & np.uint8(1) > 0
