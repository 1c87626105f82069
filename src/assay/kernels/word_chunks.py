"""Text as a list of different chunks, each a word with the space before it: so that a chunk is encoded once."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Bytes, Offsets
from assay.kernels.hashing import SEED, absorb, mix

_SPACE, _LINE_END = 0x20, 0x0A
_FIRST_TABLE = 1 << 14


@dataclass(frozen=True)
class Chunks:
    """Rows cut before a space or line end that follows what is surely no space.

    Attributes:
        starts, stops: Where each different chunk first stands in the text, shape (different chunks,).
        which: The different chunk at each place of the text, shape (chunks,).
        offsets: Row i is the chunks ``which[offsets[i]:offsets[i + 1]]``, shape (rows + 1,).
    """

    starts: Offsets
    stops: Offsets
    which: npt.NDArray[np.int32]
    offsets: Offsets


def chunks(offsets: Offsets, data: Bytes) -> Chunks:
    """Cut rows of UTF-8; their chunks end to end are the rows.

    A cut never parts what a tokenizer that keeps spaces with the word after them would take together.
    """
    return Chunks(*_chunks(offsets, data))


def spread(
    ids: npt.NDArray[np.int32], firsts: Offsets, lengths: Offsets, cut: Chunks
) -> tuple[npt.NDArray[np.int32], Offsets]:
    """What each different chunk was encoded to, put where the chunk stands.

    Args:
        ids, firsts, lengths: Different chunk i is ``ids[firsts[i]:firsts[i] + lengths[i]]``.
    Returns: ids of all rows end to end, and where each row begins, shape (rows + 1,).
    """
    out, ends = _spread(ids, firsts, lengths, cut.which, cut.offsets)
    return out, ends


@numba.njit(nogil=True, cache=True, inline="always")
def _cut_before(data, at, begin):  # type: ignore[no-untyped-def]
    """Whether a chunk ends before this byte, which is not the first of its row."""
    if data[at] != _SPACE and data[at] != _LINE_END:
        return False
    before = at - 1
    if data[before] < 0x80:
        return data[before] > _SPACE or data[before] < 9
    while before > begin and (data[before] & 0xC0) == 0x80:
        before -= 1
    # All spaces beyond ASCII begin with one of these; other characters that do are not worth telling apart.
    return data[before] != 0xC2 and not 0xE1 <= data[before] <= 0xE3


@numba.njit(nogil=True, cache=True)
def _chunks(offsets, data):  # type: ignore[no-untyped-def]
    rows = len(offsets) - 1
    number = rows
    for row in range(rows):
        for at in range(offsets[row] + 1, offsets[row + 1]):
            number += _cut_before(data, at, offsets[row])
    which = np.empty(number, np.int32)
    ends = np.zeros(rows + 1, np.int64)
    table = np.full(_FIRST_TABLE, -1, np.int32)
    starts = np.empty(_FIRST_TABLE, np.int64)
    stops = np.empty(_FIRST_TABLE, np.int64)
    hashes = np.empty(_FIRST_TABLE, np.uint64)
    written = different = 0
    for row in range(rows):
        start = offsets[row]
        while start < offsets[row + 1]:
            state = absorb(SEED, data[start])
            stop = start + 1
            while stop < offsets[row + 1] and not _cut_before(data, stop, offsets[row]):
                state = absorb(state, data[stop])
                stop += 1
            state = mix(state)
            slot = _slot(table, hashes, starts, stops, data, state, start, stop)
            if table[slot] < 0:
                table[slot] = different
                starts[different], stops[different], hashes[different] = start, stop, state
                different += 1
            which[written] = table[slot]
            written += 1
            start = stop
            if 2 * different >= len(table):
                starts, stops = np.concatenate((starts, starts)), np.concatenate((stops, stops))
                hashes = np.concatenate((hashes, hashes))
                table = np.full(2 * len(table), -1, np.int32)
                for at in range(different):
                    place = np.int64(hashes[at] & np.uint64(len(table) - 1))
                    while table[place] >= 0:
                        place = (place + 1) & (len(table) - 1)
                    table[place] = at
        ends[row + 1] = written
    return starts[:different].copy(), stops[:different].copy(), which[:written].copy(), ends


@numba.njit(nogil=True, cache=True)
def _slot(table, hashes, starts, stops, data, state, start, stop):  # type: ignore[no-untyped-def]
    """Where the table has this chunk, or would have it."""
    last = len(table) - 1
    place = np.int64(state & np.uint64(last))
    while table[place] >= 0:
        known = table[place]
        if hashes[known] == state and stops[known] - starts[known] == stop - start:
            same = True
            for at in range(stop - start):
                if data[starts[known] + at] != data[start + at]:
                    same = False
                    break
            if same:
                break
        place = (place + 1) & last
    return place


@numba.njit(nogil=True, cache=True)
def _spread(ids, firsts, lengths, which, rows):  # type: ignore[no-untyped-def]
    total = 0
    for chunk in which:
        total += lengths[chunk]
    out = np.empty(total, np.int32)
    ends = np.zeros(len(rows), np.int64)
    written = 0
    for row in range(len(rows) - 1):
        for at in range(rows[row], rows[row + 1]):
            first = firsts[which[at]]
            for place in range(first, first + lengths[which[at]]):
                out[written] = ids[place]
                written += 1
        ends[row + 1] = written
    return out, ends
