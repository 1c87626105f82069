"""Passages that rows share word for word with real rows, with neither side in memory.

Four steps, each a batch at a time: the anchors of the real rows are sown into a table; passages of our rows whose
anchors stand in it are suspects; the real rows are read again for where the suspects are; and our rows that hold
any found are read again to mark it. The table is a filter and no more: what is reported was compared word by word.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.audit.rows import Bools, Index, Rows
from assay.engine.local import map_batches
from assay.engine.scratch import mapped, scratch_file
from assay.kernels.spans import Windows, anchors, cover, look_up, reaped, sow, windows
from assay.kernels.text import Tokens

# The table's bytes, a power of two: up to one for each real token, eight to sixteen for each anchor.
_LARGEST_TABLE = 1 << 27
# Suspects that are looked for in one reading of the real rows, at about 60 bytes each: one for so many real tokens,
# within bounds.
_TOKENS_PER_SUSPECT = 128
FEWEST_SUSPECTS, _MOST_SUSPECTS = 1 << 17, 1 << 20
Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Passages:
    """What rows share with real rows.

    Attributes:
        mask: Tokens within shared passages, shape (tokens,).
        tokens: How many they are in each row, shape (rows,).
        source: A real row with the longest passage, or -1, shape (rows,).
    """

    mask: Bools
    tokens: Index
    source: Index


@dataclass(frozen=True)
class Folded:
    """Rows, and a number for each: passages shared within one number do not count. -1 equals no other."""

    rows: Rows
    folds: Index

    def batches(self) -> Iterator[_Batch]:
        start = 0
        for batch in self.rows.batches():
            yield _Batch(batch, start, self.folds[start : start + len(batch)])
            start += len(batch)


@dataclass(frozen=True)
class _Batch:
    rows: Rows
    start: int
    folds: Index

    def __len__(self) -> int:
        return len(self.rows)

    def of_windows(self, values: npt.NDArray[Any], width: int) -> npt.NDArray[Any]:
        """The value of its row for each window."""
        return np.repeat(values, np.maximum(self.rows.lengths - width + 1, 0))


def passages(ours: Folded, real: Folded, width: int) -> Passages:
    """Passages of at least `width` tokens of our rows that stand in a real row of another fold."""
    ends = np.cumsum(ours.rows.lengths)
    mask = mapped(scratch_file(ours.rows.folder), (int(ends[-1]) if len(ends) else 0,), np.bool_)
    found = Passages(mask, np.zeros(len(ours.rows), np.int64), np.full(len(ours.rows), -1))
    if not (len(ours.rows) and len(real.rows)):
        return found
    table = _sown(real, width)
    most = int(real.rows.lengths.sum()) // _TOKENS_PER_SUSPECT
    most = min(max(most, FEWEST_SUSPECTS), _MOST_SUSPECTS)
    for hashes, rows in _suspects(ours, table, width, most):
        known = _met(real, Windows.sought(np.unique(hashes)), width)
        met = known.hashes[known.first >= 0]
        at = np.minimum(np.searchsorted(met, hashes), max(len(met) - 1, 0))
        holding = np.unique(rows[met[at] == hashes]) if len(met) else np.zeros(0, np.int64)
        _mark(found, ours, holding, real, known, ends, width)
    return found


def _bits(folds: Index) -> npt.NDArray[np.uint8]:
    return np.where(folds < 0, 0, 1 << np.maximum(folds, 0)).astype(np.uint8)


def _sown(real: Folded, width: int) -> npt.NDArray[np.uint8]:
    """A table in which the anchors of the real rows have left the bits of their folds."""
    size = 1 << min((int(real.rows.lengths.sum()) // 2).bit_length(), _LARGEST_TABLE.bit_length() - 1)
    table = np.zeros(size, np.uint8)

    def sample(batch: _Batch) -> tuple[Hashes, npt.NDArray[np.uint8]]:
        tokens = batch.rows.tokens
        every, bits = anchors(tokens.ids, tokens.offsets, width), batch.of_windows(_bits(batch.folds), width)
        new = np.ones(len(every), bool)
        new[1:] = (every[1:] != every[:-1]) | (bits[1:] != bits[:-1])
        return every[new], bits[new]

    for hashes, bits in map_batches(sample, real.batches()):
        sow(table, hashes, bits)
    return table


def _suspects(
    ours: Folded, table: npt.NDArray[np.uint8], width: int, most: int
) -> Iterator[tuple[Hashes, Index]]:
    """Hashes of passages that may stand in a real row, and the rows they are of, about `most` at a time."""

    def sift(batch: _Batch) -> tuple[Hashes, Index]:
        tokens = batch.rows.tokens
        hashes, _ = windows(tokens.ids, tokens.offsets, width)
        bits = batch.of_windows(_bits(batch.folds), width)
        kept = reaped(table, anchors(tokens.ids, tokens.offsets, width), bits)
        row = batch.of_windows(np.arange(batch.start, batch.start + len(batch)), width)
        return hashes[kept], row[kept]

    gathered: list[tuple[Hashes, Index]] = []
    number = 0
    for part in map_batches(sift, ours.batches()):
        gathered.append(part)
        number += len(part[0])
        if number >= most:
            yield _joined(gathered)
            gathered, number = [], 0
    if number:
        yield _joined(gathered)


def _joined(parts: list[tuple[Hashes, Index]]) -> tuple[Hashes, Index]:
    return np.concatenate([hashes for hashes, _ in parts]), np.concatenate([rows for _, rows in parts])


def _met(real: Folded, known: Windows, width: int) -> Windows:
    """`known`, with where each passage stands in the real rows."""
    begins = np.cumsum(real.rows.lengths) - real.rows.lengths

    def search(batch: _Batch) -> tuple[Index, Index, Index]:
        met, starts = look_up(batch.rows.tokens, known, width)
        row = np.searchsorted(batch.rows.tokens.offsets, starts, "right") - 1
        return met, starts + begins[batch.start], batch.folds[row]

    for met, starts, folds in map_batches(search, real.batches()):
        known.meet(met, starts, folds)
    return known


def _mark(
    found: Passages, ours: Folded, holding: Index, real: Folded, known: Windows, ends: Index, width: int
) -> None:
    """Note the passages of the rows `holding` any, a batch at a time beside the real rows it needs."""
    real_ends = np.cumsum(real.rows.lengths)
    start = 0
    for batch in ours.rows.take(holding).batches():
        at = holding[start : start + len(batch)]
        start += len(batch)
        needed, _ = look_up(batch.tokens, known, width)
        places = np.concatenate([known.first[needed], known.second[needed]])
        sources = np.unique(np.searchsorted(real_ends, places[places >= 0], "right"))
        beside = real.rows.take(sources).tokens
        local = _local(known, needed, sources, real_ends - real.rows.lengths, real_ends, beside)
        mask, source = cover(batch.tokens, beside, local, ours.folds[at], width)
        counts = np.add.reduceat(np.append(mask, False), batch.tokens.offsets[:-1])
        counts[batch.lengths == 0] = 0
        found.tokens[at] = counts
        shared = source >= 0
        found.source[at[shared]] = sources[source[shared]]
        for row, begin, end in zip(at, batch.tokens.offsets, batch.tokens.offsets[1:], strict=False):
            found.mask[ends[row] - (end - begin) : ends[row]] = mask[begin:end]


def _local(
    known: Windows, needed: Index, sources: Index, begins: Index, ends: Index, beside: Tokens
) -> Windows:
    """`known` with the places of the `needed` passages as tokens of `beside`, the rows `sources` alone."""
    first, second = np.full_like(known.first, -1), np.full_like(known.second, -1)
    for places, local in ((known.first, first), (known.second, second)):
        some = needed[places[needed] >= 0]
        row = np.searchsorted(ends, places[some], "right")
        local[some] = places[some] - begins[row] + beside.offsets[np.searchsorted(sources, row)]
    return Windows(known.hashes, known.slots, first, second, known.fold)
