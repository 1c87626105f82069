"""Which groups of people each row mentions, which it is about, and how it speaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.audit.rows import Bools, Index, Rows
from assay.engine.groups.lists import TONES, Lists
from assay.engine.groups.mentions import Bits, counted, holds
from assay.kernels.phrases import Phrasebook, find

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
        return holds(self.mentions, group)

    def are_about(self, group: int) -> Bools:
        """Rows that are about a group, shape (rows,)."""
        return holds(self.about, group)


def mentioned(rows: Rows, lists: Lists) -> Mentioned:
    """The columns of a batch."""
    mentions, about = counted(find(rows.text, rows.tokens, lists.book), len(rows), lists)
    positive, polar = tones(rows, lists.tones)
    return Mentioned(mentions, about, positive, polar)


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
