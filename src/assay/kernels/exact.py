"""Rows that are the same, found by a 64-bit hash of each row."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from assay.kernels.arrow import TextColumn, text_buffers
from assay.kernels.hashing import SEED, absorb, mix
from assay.kernels.text import Tokens

Hashes = npt.NDArray[np.uint64]


def exact_clusters(rows: Tokens | TextColumn | Hashes) -> npt.NDArray[np.int64]:
    """The smallest index of a row equal to each row, shape (num_rows,).

    Args:
        rows: Tokens, compared by their words alone; or text, compared byte by byte (a null is empty); or what
            `row_hashes` made of either, in parts.
    """
    _, first, same = np.unique(row_hashes(rows), return_index=True, return_inverse=True)
    return first.astype(np.int64)[same]


def exact_matches(
    query: Tokens | TextColumn | Hashes, target: Tokens | TextColumn | Hashes
) -> npt.NDArray[np.int64]:
    """The smallest index of a target row equal to each query row, or -1; shape (num_query_rows,)."""
    known, first = np.unique(row_hashes(target), return_index=True)
    wanted = row_hashes(query)
    at = np.searchsorted(known, wanted)
    found = at < len(known)
    found[found] = known[at[found]] == wanted[found]
    matches = np.full(len(wanted), -1, np.int64)
    matches[found] = first[at[found]]
    return matches


def plain(column: TextColumn) -> TextColumn:
    """`column` in lower case and without white space around each row: what people mean by the same text."""
    return pc.utf8_trim_whitespace(pc.utf8_lower(column))


def row_hashes(rows: Tokens | TextColumn | Hashes) -> npt.NDArray[np.uint64]:
    """A hash of all each row holds, shape (num_rows,); equal rows have equal hashes."""
    if isinstance(rows, np.ndarray):
        return rows
    if isinstance(rows, Tokens):
        hashes: npt.NDArray[np.uint64] = hash_items(rows.ids, rows.offsets)
        return hashes
    parts = [hash_items(data, offsets) for offsets, data in text_buffers(rows)]
    return np.concatenate([np.zeros(0, np.uint64), *parts])


@numba.njit(nogil=True, cache=True)
def hash_items(items, offsets):  # type: ignore[no-untyped-def]
    """A hash of each row's ``items[offsets[i]:offsets[i + 1]]``, in order; shape (num_rows,)."""
    hashes = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(hashes)):
        state = SEED
        for item in items[offsets[row] : offsets[row + 1]]:
            state = absorb(state, item)
        hashes[row] = mix(state)
    return hashes
