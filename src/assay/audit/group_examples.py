"""Rows to look at beside the measures of groups: where the lists matched, and marked words in their context."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.phrases import Phrase, locate
from assay.audit.probes import bias_shares, bias_words
from assay.audit.rows import Rows
from assay.engine.groups.lists import Lists
from assay.kernels.phrases import find

EACH = 2


@dataclass(frozen=True)
class Shown:
    """A row of the corpus that a measure speaks of.

    Attributes:
        measure, slice: As in the measure.
        row: Place among the rows.
        span: Bytes of the row's text that matched.
        note: What matched, for people.
    """

    measure: str
    slice: dict[str, str]
    row: int
    span: tuple[int, int]
    note: str


def group_examples(
    rows: Rows, columns: Columns, lists: Lists, marks: tuple[tuple[int, Phrase], ...]
) -> Iterator[Shown]:
    """Two rows for each group that any row mentions, spread over the corpus, and two for each marked word.

    Whoever reads the matches sees what a list takes for the group, and what it should not.
    """
    for number, group in enumerate(lists.groups):
        held = np.flatnonzero(columns.mentioned.mention(number))
        for row in held[np.unique(np.linspace(0, len(held) - 1, EACH).astype(np.int64))] if len(held) else ():
            yield Shown(
                bias_shares.NAME,
                {"group": group.label},
                int(row),
                match(rows, int(row), number, lists),
                "matched by the list of the group",
            )
    for slices, row, phrase in bias_words.contexts(lists, columns, marks, EACH):
        yield Shown(
            bias_words.NAME, slices, row, locate(rows, row, phrase), "a word that marks rows about the group"
        )


def match(rows: Rows, row: int, group: int, lists: Lists) -> tuple[int, int]:
    """Byte span of the first mention of a group in a row that mentions it."""
    one = rows.take(np.array([row]))
    found = find(one.text, one.tokens, lists.book)
    place = int(np.flatnonzero(found.group == group)[0])
    first = int(found.first[place])
    return int(one.tokens.starts[first]), int(one.tokens.ends[first + int(found.words[place]) - 1])
