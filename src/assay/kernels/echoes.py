"""Where one text says again what stands in another, row by row."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.hashing import SEED, mix
from assay.kernels.text import Tokens

Index = npt.NDArray[np.int64]


def echoes(said: Tokens, before: Tokens, lengths: Index) -> Index:
    """First token of each row of `said` that begins a run of `lengths` tokens that `before` holds, or -1.

    Args:
        said, before: The two texts of each row, equally many rows.
        lengths: How long a run must be, shape (rows,); below 1 no run counts.
    Returns: Position within the row, shape (rows,).
    """
    found: Index = _echoes(said.ids, said.offsets, before.ids, before.offsets, lengths)
    return found


def opens_alike(said: Tokens, before: Tokens, length: int) -> npt.NDArray[np.bool_]:
    """Rows of `said` whose first `length` tokens are those of `before`, shape (rows,)."""
    same: npt.NDArray[np.bool_] = _opens_alike(said.ids, said.offsets, before.ids, before.offsets, length)
    return same


@numba.njit(nogil=True, cache=True)
def _opens_alike(ids, offsets, other, others, length):  # type: ignore[no-untyped-def]
    same = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(same)):
        first, second = offsets[row], others[row]
        if offsets[row + 1] - first < length or others[row + 1] - second < length:
            continue
        same[row] = True
        for at in range(length):
            if ids[first + at] != other[second + at]:
                same[row] = False
                break
    return same


@numba.njit(nogil=True, cache=True)
def _runs(ids, length, power):  # type: ignore[no-untyped-def]
    """Hash of every run of `length` ids: a polynomial modulo 2^64, rolled on, then mixed."""
    out = np.empty(len(ids) - length + 1, np.uint64)
    state = np.uint64(0)
    for at in range(len(ids)):
        state = state * SEED + ids[at]
        if at >= length:
            state -= power * ids[at - length]
        if at >= length - 1:
            out[at - length + 1] = mix(state)
    return out


@numba.njit(nogil=True, cache=True)
def _echoes(ids, offsets, other, others, lengths):  # type: ignore[no-untyped-def]
    found = np.full(len(lengths), -1, np.int64)
    for row in range(len(lengths)):
        said, before = ids[offsets[row] : offsets[row + 1]], other[others[row] : others[row + 1]]
        length = lengths[row]
        if length < 1 or len(said) < length or len(before) < length:
            continue
        power = np.uint64(1)
        for _ in range(length):
            power *= SEED
        known = np.sort(_runs(before, length, power))
        runs = _runs(said, length, power)
        for at in range(len(runs)):
            place = np.searchsorted(known, runs[at])
            if place < len(known) and known[place] == runs[at]:
                found[row] = at
                break
    return found
