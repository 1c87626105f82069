"""How many roots hold each item, and one row that does: what tells a rare passage from a common one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Offsets

MANY = 3


class Holders(NamedTuple):
    """Who holds each wanted item, arrays of shape (wanted,).

    Attributes:
        roots: Different roots among the rows that hold it: 0, 1, 2, or 3 for more.
        row: The first row that holds it, or -1.
    """

    roots: npt.NDArray[np.uint8]
    row: npt.NDArray[np.int64]


Batch = tuple[npt.NDArray[np.uint64], Offsets]


def holders(
    wanted: npt.NDArray[np.uint64], root: npt.NDArray[np.uint64], batches: Iterable[Batch]
) -> Holders:
    """The roots that hold each of the `wanted` items, in one reading of the rows.

    Memory is bounded by the wanted items: 22 to 30 bytes for each.

    Args:
        wanted: Hashes to look for, in any order, repeated or not; fewer than 2^31.
        root: Root of each row, shape (rows,), fewer than 2^31.
        batches: The rows to look in, in order: items and offsets of each batch; row i of a batch holds
            ``items[offsets[i]:offsets[i + 1]]``.
    """
    # A power of two that leaves a third of the slots empty.
    slots = _index(wanted, 1 << max(3 * len(wanted) // 2, 1).bit_length())
    roots = np.zeros(len(wanted), np.uint8)
    first, second = np.full(len(wanted), -1, np.int32), np.zeros(len(wanted), np.int32)
    start = 0
    for items, offsets in batches:
        _count(slots, wanted, (roots, first, second), items, offsets, root, start)
        start += len(offsets) - 1
    row = np.empty(len(wanted), np.int64)
    _repeat(slots, wanted, roots, first, row)
    return Holders(roots, row)


@numba.njit(nogil=True, cache=True, inline="always")
def _slot(slots, wanted, item):  # type: ignore[no-untyped-def]
    """The slot that holds `item`, or the empty one where it would be."""
    mask = np.uint64(len(slots) - 1)
    slot = (item >> np.uint64(17)) & mask
    while slots[slot] >= 0 and wanted[slots[slot]] != item:
        slot = (slot + np.uint64(1)) & mask
    return slot


@numba.njit(nogil=True, cache=True)
def _index(wanted, size):  # type: ignore[no-untyped-def]
    """Open addressing: each slot holds the first place of a wanted item, or -1."""
    slots = np.full(size, -1, np.int32)
    for place in range(len(wanted)):
        slot = _slot(slots, wanted, wanted[place])
        if slots[slot] < 0:
            slots[slot] = place
    return slots


@numba.njit(nogil=True, cache=True)
def _count(slots, wanted, found, items, offsets, root, start):  # type: ignore[no-untyped-def]
    """Note at the first place of each wanted item how many roots hold it, and the first rows of the first two."""
    roots, first, second = found
    for row in range(len(offsets) - 1):
        own = root[start + row]
        for at in range(offsets[row], offsets[row + 1]):
            place = slots[_slot(slots, wanted, items[at])]
            if place < 0 or roots[place] == MANY:
                continue
            if roots[place] == 0:
                first[place] = start + row
                roots[place] = 1
            elif own == root[first[place]]:
                continue
            elif roots[place] == 1:
                second[place] = start + row
                roots[place] = 2
            elif own != root[second[place]]:
                roots[place] = MANY


@numba.njit(nogil=True, cache=True)
def _repeat(slots, wanted, roots, first, row):  # type: ignore[no-untyped-def]
    """What the first place of each wanted item says, wherever it stands; `row` is filled."""
    for place in range(len(wanted)):
        known = slots[_slot(slots, wanted, wanted[place])]
        roots[place], row[place] = roots[known], first[known]
