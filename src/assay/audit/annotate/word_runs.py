"""Which rows hold word for word what an evaluation asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.evals import Eval
from assay.audit.rows import Bools, Index, Rows
from assay.kernels.ngrams import ngram_ids
from assay.kernels.text import Tokens

HELD = 0.5
_COMMON = 5
_COMMON_ITEMS, _COMMON_ROWS = 0.01, 0.001
_BLOCK = 50_000
_FILTER_BITS = 22


@dataclass(frozen=True)
class Pairs:
    """Rows that hold an item's words, one after the other by item, then row; arrays of shape (pairs,).

    Attributes:
        score: Share of the item's runs of words that the row holds.
        start, end: Byte span in the row's text from the first such run to the end of the last.
    """

    item: Index
    row: Index
    score: npt.NDArray[np.float64]
    start: Index
    end: Index


@dataclass(frozen=True)
class _Hits:
    """Where known runs stand: number of the run, row, and first and last token."""

    run: Index
    row: Index
    first: Index
    last: Index


class WordRuns:
    """An evaluation's runs of words, those left out that are common in it or in real rows."""

    def __init__(self, each: Eval, real: Rows) -> None:
        self._items = len(each)
        self._known, self._number = np.unique(each.ids, return_inverse=True)
        self._item = np.repeat(np.arange(len(each)), np.diff(each.offsets))
        self._lengths = np.unique(each.lengths)
        in_real = self._hits(real.tokens)
        items = np.bincount(self._number, minlength=len(self._known))
        # Each row counts once, however often it says a thing.
        once = np.unique(in_real.row * max(len(self._known), 1) + in_real.run)
        rows = np.bincount(once % max(len(self._known), 1), minlength=len(self._known))
        common = (items > max(_COMMON, _COMMON_ITEMS * len(each))) | (
            rows > max(_COMMON, _COMMON_ROWS * len(real))
        )
        self._counts = ~common
        self._total = np.bincount(self._item, self._counts[self._number], minlength=len(each))
        order = np.argsort(self._number, kind="stable")
        self._holder = self._item[order]
        self._starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(items)])

    @property
    def countable(self) -> Bools:
        """Items that have a run which counts, shape (items,)."""
        return self._total > 0

    def pairs(self, rows: Rows) -> Pairs:
        """Every row that holds at least half of an item's runs."""
        hits = self._hits(rows.tokens)
        counted = self._counts[hits.run]
        run, row, first, last = (each[counted] for each in (hits.run, hits.row, hits.first, hits.last))
        holders = np.diff(self._starts)[run]
        at = np.repeat(np.arange(len(run)), holders)
        within = np.arange(len(at)) - np.repeat(np.cumsum(holders) - holders, holders)
        item = self._holder[self._starts[run[at]] + within]
        # One entry for each item, row and run; of runs that a row repeats the first stands for all.
        order = np.lexsort((first[at], run[at], row[at], item))
        item, at = item[order], at[order]
        new = np.ones(len(item), bool)
        new[1:] = (item[1:] != item[:-1]) | (row[at[1:]] != row[at[:-1]]) | (run[at[1:]] != run[at[:-1]])
        item, at = item[new], at[new]
        begins = np.ones(len(item), bool)
        begins[1:] = (item[1:] != item[:-1]) | (row[at[1:]] != row[at[:-1]])
        starts = np.flatnonzero(begins)
        if not len(starts):
            none = np.zeros(0, np.int64)
            return Pairs(none, none, np.zeros(0), none, none)
        held = np.diff(np.append(starts, len(item))) / self._total[item[starts]]
        token, stop = np.minimum.reduceat(first[at], starts), np.maximum.reduceat(last[at], starts)
        kept = held >= HELD
        return Pairs(
            item[starts][kept],
            row[at[starts]][kept],
            held[kept],
            rows.tokens.starts[token[kept]].astype(np.int64),
            rows.tokens.ends[stop[kept]].astype(np.int64),
        )

    def _hits(self, words: Tokens) -> _Hits:
        found = list(self._found(words)) if len(self._known) else []
        none = np.zeros((4, 0), np.int64)
        run, row, first, last = np.concatenate([none, *found], axis=1)
        return _Hits(run, row, first, last)

    def _found(self, words: Tokens) -> Iterator[Index]:
        shift = np.uint64(64 - _FILTER_BITS)
        maybe = np.zeros(1 << _FILTER_BITS, bool)
        maybe[self._known >> shift] = True
        for begin in range(0, words.rows, _BLOCK):
            block = _block(words, begin, min(begin + _BLOCK, words.rows))
            for length in self._lengths:
                ids, offsets = ngram_ids(block, int(length))
                place = np.flatnonzero(maybe[ids >> shift])
                run = np.searchsorted(self._known, ids[place])
                run[run == len(self._known)] = 0
                here = self._known[run] == ids[place]
                place, run = place[here], run[here]
                row = np.searchsorted(offsets, place, "right") - 1
                first = words.offsets[begin + row] + place - offsets[row]
                yield np.stack([run, begin + row, first, first + int(length) - 1])


def _block(words: Tokens, begin: int, end: int) -> Tokens:
    offsets = words.offsets[begin : end + 1]
    inside = slice(offsets[0], offsets[-1])
    return Tokens(words.ids[inside], offsets - offsets[0], words.starts[inside], words.ends[inside])
