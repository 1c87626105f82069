"""Runs of n consecutive tokens: as ids, and as a sparse matrix of hashed counts."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import scipy.sparse

from assay.kernels.arrow import Offsets
from assay.kernels.hashing import SEED, mix
from assay.kernels.sorting import sort_numbers
from assay.kernels.text import Tokens


def ngram_ids(tokens: Tokens, n: int) -> tuple[npt.NDArray[np.uint64], Offsets]:
    """The id of each run of `n` tokens within a row, in order.

    Args:
        n: Tokens per run, at least 1. A row with fewer tokens has none.

    Returns: Ids, shape (num_ngrams,); and offsets, shape (num_rows + 1,): row i holds
        ``ids[offsets[i]:offsets[i + 1]]``.
    """
    lengths = np.maximum(np.diff(tokens.offsets) - (n - 1), 0)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return _ngrams(tokens.ids, tokens.offsets, offsets, n), offsets


def hashed_counts(
    tokens: Tokens, *, bits: int = 18, orders: tuple[int, ...] = (1, 2)
) -> scipy.sparse.csr_matrix:
    """How often each row holds each n-gram, with n-grams hashed to columns.

    Args:
        bits: The matrix has 2**bits columns; n-grams that share one are counted together.
        orders: Lengths n of the n-grams that count.

    Returns: Counts, float32, shape (num_rows, 2**bits), column indices sorted within each row.
    Source: Weinberger et al. 2009, Feature hashing for large scale multitask learning, ICML (without signs).
    """
    grams = [ngram_ids(tokens, n) for n in orders]
    lengths = np.sum([np.diff(offsets) for _, offsets in grams], axis=0, dtype=np.int64)
    bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    columns = np.empty(bounds[-1], np.int32)
    filled = bounds[:-1].copy()
    for ids, offsets in grams:
        _scatter_columns(ids, offsets, np.uint64(64 - bits), filled, columns)
    data, indices, indptr = _count_sorted(columns, bounds, (bits + 1) // 2)
    return scipy.sparse.csr_matrix((data, indices, indptr), shape=(tokens.rows, 1 << bits))


def distinct_share(tokens: Tokens, n: int) -> npt.NDArray[np.float64]:
    """Distinct runs of `n` tokens of each row / all its runs, shape (num_rows,); 1 where a row has none."""
    counts, distinct = _count_distinct(tokens.ids, tokens.offsets, n)
    return np.where(counts > 0, distinct / np.maximum(counts, 1), 1.0)


@numba.njit(nogil=True, cache=True)
def power(exponent):  # type: ignore[no-untyped-def]
    """SEED to the power of `exponent`, what the oldest item of a rolling hash was multiplied with."""
    result = np.uint64(1)
    for _ in range(exponent):
        result *= SEED
    return result


@numba.njit(nogil=True, cache=True)
def _count_distinct(ids, rows, n):  # type: ignore[no-untyped-def]
    """Runs of `n` tokens of each row, and how many of them are different ones, by a rolling hash."""
    num_rows = len(rows) - 1
    counts = np.zeros(num_rows, np.int64)
    distinct = np.zeros(num_rows, np.int64)
    bits = _slot_bits(np.diff(rows).max() if num_rows else 0)
    seen = np.empty(1 << bits, np.uint64)
    # Which row filled a slot: so the slots need no clearing between rows.
    filled = np.full(1 << bits, -1, np.int32)
    oldest, before = power(n - 1), np.uint64(n - 1)
    for row in range(num_rows):
        begin, stop = np.uint64(rows[row]), np.uint64(rows[row + 1])
        counts[row] = max(rows[row + 1] - rows[row] - n + 1, 0)
        if counts[row] == 0:
            continue
        # The ids are mixed, so the first bits of their sum are as good as any.
        shift = np.uint64(64 - _slot_bits(counts[row]))
        mask = ~np.uint64(0) >> shift
        here, different = np.int32(row), 0
        state = np.uint64(0)
        for at in range(begin, begin + before):
            state = state * SEED + ids[at]
        for at in range(begin + before, stop):
            state = state * SEED + ids[at]
            slot = state >> shift
            while filled[slot] == here and seen[slot] != state:
                slot = (slot + np.uint64(1)) & mask
            different += filled[slot] != here
            filled[slot], seen[slot] = here, state
            state -= ids[at - before] * oldest
        distinct[row] = different
    return counts, distinct


@numba.njit(nogil=True, cache=True)
def _slot_bits(number):  # type: ignore[no-untyped-def]
    """Bits that tell so many slots apart that three of four stay free, or more."""
    bits = 2
    while (1 << bits) < 4 * number:
        bits += 1
    return bits


@numba.njit(nogil=True, cache=True)
def _ngrams(ids, rows, offsets, n):  # type: ignore[no-untyped-def]
    out = np.empty(offsets[-1], np.uint64)
    for row in range(len(rows) - 1):
        for position in range(offsets[row + 1] - offsets[row]):
            first = rows[row] + position
            # The first token's id is already mixed; for n = 1 it is the n-gram's id.
            state = ids[first]
            for token in range(first + 1, first + n):
                state = mix(state * SEED + ids[token])
            out[offsets[row] + position] = state
    return out


@numba.njit(nogil=True, cache=True)
def _scatter_columns(ids, offsets, shift, filled, columns):  # type: ignore[no-untyped-def]
    """Append each row's n-grams, as column numbers, behind what `filled` says the row already has."""
    for row in range(len(offsets) - 1):
        at = filled[row]
        for gram in range(offsets[row], offsets[row + 1]):
            columns[at] = ids[gram] >> shift
            at += 1
        filled[row] = at


@numba.njit(nogil=True, cache=True)
def _count_sorted(columns, bounds, digit):  # type: ignore[no-untyped-def]
    """Runs of equal column numbers within each row as (counts, columns, row offsets) of a CSR matrix.

    Sorts `columns`, numbers of twice `digit` bits, in place.
    """
    num_rows = len(bounds) - 1
    data = np.empty(len(columns), np.float32)
    indices = np.empty(len(columns), np.int32)
    indptr = np.zeros(num_rows + 1, np.int64)
    longest = 0
    for row in range(num_rows):
        longest = max(longest, bounds[row + 1] - bounds[row])
    buffer, counts = np.empty(longest, np.int32), np.empty((1 << digit) + 1, np.int64)
    found = 0
    for row in range(num_rows):
        last = np.int32(-1)
        grams = columns[bounds[row] : bounds[row + 1]]
        sort_numbers(grams, digit, buffer, counts)
        for column in grams:
            if column != last:
                indices[found] = column
                data[found] = 0
                last = column
                found += 1
            data[found - 1] += 1
        indptr[row + 1] = found
    return data[:found].copy(), indices[:found].copy(), indptr
