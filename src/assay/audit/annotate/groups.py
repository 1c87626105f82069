"""Which groups of people each row mentions, which it is about, and how it speaks."""

from __future__ import annotations

from dataclasses import dataclass

from assay.audit.rows import Bools, Index, Rows
from assay.engine.groups.lists import TONES, Lists
from assay.engine.groups.mentions import Bits, counted, holds
from assay.kernels.mentions import praise
from assay.kernels.phrases import find

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
    found = find(rows.text, rows.tokens, lists.everything)
    mentions, about = counted(found, len(rows), lists)
    positive, negative, negator = (len(lists.groups) + tone for tone in range(len(TONES)))
    counts = praise(
        found.row,
        found.group,
        found.first,
        found.words,
        len(rows),
        positive,
        negative,
        negator,
        _NEGATED_WORDS,
    )
    return Mentioned(mentions, about, *counts)
