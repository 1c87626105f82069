"""How many roots hold each item, and one row that does: what tells a rare passage from a common one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Offsets

MANY = 3
# Distinct wanted items in one table; more of them take another pass over the rows.
_TABLE_ITEMS = 1 << 18


class Holders(NamedTuple):
    """Who holds each wanted item, arrays of shape (wanted,).

    Attributes:
        roots: Different roots among the rows that hold it: 0, 1, 2, or 3 for more.
        row: The first row that holds it, or -1.
    """

    roots: npt.NDArray[np.uint8]
    row: npt.NDArray[np.int64]


Batch = tuple[npt.NDArray[np.uint64], Offsets, npt.NDArray[np.uint64]]


def holders(wanted: npt.NDArray[np.uint64], batches: Callable[[], Iterable[Batch]]) -> Holders:
    """The roots that hold each of the `wanted` items.

    Memory stays bounded by the wanted items: they are looked for in parts of a quarter of a million.

    Args:
        wanted: Hashes to look for, in any order, repeated or not.
        batches: The rows to look in, as often as it is called: items, offsets and roots of each batch; row i of a
            batch holds ``items[offsets[i]:offsets[i + 1]]``.
    """
    found = Holders(np.zeros(len(wanted), np.uint8), np.full(len(wanted), -1, np.int64))
    parts = max(-(-len(wanted) // _TABLE_ITEMS), 1)
    for part in range(parts):
        here = np.flatnonzero(wanted % np.uint64(parts) == part) if parts > 1 else np.arange(len(wanted))
        sought = wanted[here]
        # A power of two that leaves a third of the slots empty.
        slots = _index(sought, 1 << max(3 * len(here) // 2, 1).bit_length())
        roots, row = np.zeros(len(here), np.uint8), np.full(len(here), -1, np.int64)
        own, second = np.zeros(len(here), np.uint64), np.zeros(len(here), np.uint64)
        start = 0
        for items, offsets, root in batches():
            _count(slots, sought, (roots, row, own, second), items, offsets, root, start)
            start += len(root)
        first = _firsts(slots, sought)
        found.roots[here], found.row[here] = roots[first], row[first]
    return found


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
    slots = np.full(size, -1, np.int64)
    for place in range(len(wanted)):
        slot = _slot(slots, wanted, wanted[place])
        if slots[slot] < 0:
            slots[slot] = place
    return slots


@numba.njit(nogil=True, cache=True)
def _count(slots, wanted, found, items, offsets, root, start):  # type: ignore[no-untyped-def]
    """Note at the first place of each wanted item which roots hold it."""
    roots, rows, own, second = found
    for row in range(len(offsets) - 1):
        for at in range(offsets[row], offsets[row + 1]):
            place = slots[_slot(slots, wanted, items[at])]
            if place < 0 or roots[place] == MANY:
                continue
            if roots[place] == 0:
                rows[place], own[place] = start + row, root[row]
                roots[place] = 1
            elif root[row] == own[place]:
                continue
            elif roots[place] == 1:
                second[place] = root[row]
                roots[place] = 2
            elif root[row] != second[place]:
                roots[place] = MANY


@numba.njit(nogil=True, cache=True)
def _firsts(slots, wanted):  # type: ignore[no-untyped-def]
    """The first place of each wanted item, shape (wanted,)."""
    first = np.empty(len(wanted), np.int64)
    for place in range(len(wanted)):
        first[place] = slots[_slot(slots, wanted, wanted[place])]
    return first
