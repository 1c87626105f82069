"""Spans of text that one corpus shares with another, word for word."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.kernels.hashing import SEED, mix
from assay.kernels.text import Tokens


def verbatim(
    query: Tokens, target: Tokens, *, min_tokens: int = 50
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Query tokens that lie in a run of at least `min_tokens` words that some target row holds too.

    Every window of `min_tokens` target tokens is indexed by a rolling hash (Karp and Rabin 1987, IBM Journal
    of Research and Development 31, 249-260) and compared word by word where hashes meet. So the answer is that
    of a suffix array over both sides, whatever the text, while time and memory grow linearly with them.

    Returns: Mask over query tokens, shape (num_query_tokens,); and for each query row the target row that
        shares its longest run (followed from where the target holds it first), or -1.
    Raises: InputError: `min_tokens` below 1.
    """
    if min_tokens < 1:
        raise InputError(f"min_tokens is {min_tokens}", fix="Use at least 1; 50 is usual.")
    hashes, starts = _windows(target.ids, target.offsets, min_tokens)
    slots = _index(hashes, starts, target.ids, np.int64(min_tokens), _num_slots(len(hashes)))
    mask, rows = _cover(
        query.ids, query.offsets, target.ids, target.offsets, hashes, starts, slots, np.int64(min_tokens)
    )
    return mask, rows


def _num_slots(entries: int) -> int:
    """A power of two that leaves a third of the slots empty."""
    return 1 << max(3 * entries // 2, 1).bit_length()


@numba.njit(nogil=True, cache=True)
def _power(exponent):  # type: ignore[no-untyped-def]
    power = np.uint64(1)
    for _ in range(exponent):
        power *= SEED
    return power


@numba.njit(nogil=True, cache=True)
def _windows(ids, offsets, width):  # type: ignore[no-untyped-def]
    """Hash and first token of every window of `width` tokens within a row."""
    most = 0
    for row in range(len(offsets) - 1):
        most += max(offsets[row + 1] - offsets[row] - width + 1, 0)
    hashes = np.empty(most, np.uint64)
    starts = np.empty(most, np.int64)
    oldest = _power(width)
    found = 0
    for row in range(len(offsets) - 1):
        state = np.uint64(0)
        for at in range(offsets[row], offsets[row + 1]):
            state = state * SEED + ids[at]
            if at >= offsets[row] + width:
                state -= ids[at - width] * oldest
            if at >= offsets[row] + width - 1:
                hashes[found] = mix(state)
                starts[found] = at - width + 1
                found += 1
    return hashes, starts


@numba.njit(nogil=True, cache=True, inline="always")
def _same(ids, start, other_ids, other, width):  # type: ignore[no-untyped-def]
    """Whether both windows hold the same words: sums modulo 2^64 meet for some texts made to meet."""
    for at in range(width):  # noqa: SIM110 (numba compiles no generator)
        if ids[start + at] != other_ids[other + at]:
            return False
    return True


@numba.njit(nogil=True, cache=True)
def _index(hashes, starts, ids, width, num_slots):  # type: ignore[no-untyped-def]
    """Open addressing: each slot holds the first window with its words, or -1."""
    slots = np.full(num_slots, -1, np.int64)
    mask = np.uint64(num_slots - 1)
    for window in range(len(hashes)):
        slot = hashes[window] & mask
        while slots[slot] >= 0 and not (
            hashes[slots[slot]] == hashes[window]
            and _same(ids, starts[slots[slot]], ids, starts[window], width)
        ):
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            slots[slot] = window
    return slots


@numba.njit(nogil=True, cache=True)
def _find(wanted, begin, ids, target_ids, hashes, starts, slots, width):  # type: ignore[no-untyped-def]
    """The first target window that holds the words of the query's window at `begin`, or -1."""
    mask = np.uint64(len(slots) - 1)
    slot = wanted & mask
    while slots[slot] >= 0 and not (
        hashes[slots[slot]] == wanted and _same(ids, begin, target_ids, starts[slots[slot]], width)
    ):
        slot = (slot + np.uint64(1)) & mask
    return slots[slot]


@numba.njit(nogil=True, cache=True)
def _cover(ids, offsets, target_ids, target_offsets, hashes, starts, slots, width):  # type: ignore[no-untyped-def]
    mask = np.zeros(len(ids), np.bool_)
    best_rows = np.full(len(offsets) - 1, -1, np.int64)
    oldest = _power(width)
    for row in range(len(offsets) - 1):
        stop = offsets[row + 1]
        longest = 0
        state = np.uint64(0)
        # Windows that end before `followed` lie in a run that was already measured to its end.
        followed = covered = offsets[row]
        for at in range(offsets[row], stop):
            state = state * SEED + ids[at]
            if at >= offsets[row] + width:
                state -= ids[at - width] * oldest
            if at < offsets[row] + width - 1:
                continue
            begin = at - width + 1
            if at >= followed:
                window = _find(mix(state), begin, ids, target_ids, hashes, starts, slots, width)
                if window < 0:
                    continue
                source = starts[window]
                source_row = np.searchsorted(target_offsets, source, side="right") - 1
                room = min(stop - begin, target_offsets[source_row + 1] - source)
                length = width
                while length < room and ids[begin + length] == target_ids[source + length]:
                    length += 1
                followed = begin + length
                if length > longest:
                    longest = length
                    best_rows[row] = source_row
            for token in range(max(begin, covered), at + 1):
                mask[token] = True
            covered = at + 1
    return mask, best_rows
