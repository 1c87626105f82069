"""The different items of rows, numbered, and which row holds which: what sorting them all would cost far more for."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Offsets

_FACTOR = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: neighbouring items fall far apart
_SECOND = 0xD6E8FEB86659FD93


class Numbered(NamedTuple):
    """Different items in the order in which they are first met.

    Attributes:
        items: Shape (items,).
        first: Where each was first met, shape (items,).
        number, row: Each item of a row once: its place in `items` and the row, in ascending order of rows,
            shape (held,).
    """

    items: npt.NDArray[np.uint64]
    first: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]


def numbered(items: npt.NDArray[np.uint64], offsets: Offsets) -> Numbered:
    """The different items of all rows and of each; row i holds ``items[offsets[i]:offsets[i + 1]]``."""
    return Numbered(*_numbered(items, offsets))


def kinds(
    items: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """The different items in the order in which they are first met, how many there are of each, and each item's kind.

    Args:
        items: Shape (items,), at most 2^31 of them.
    Returns: The kinds, shape (kinds,); items of each, shape (kinds,); place of each item's kind, shape (items,).
    """
    found, kind = kinds_of(items)
    return found, np.bincount(kind, minlength=len(found)), kind


def kinds_of(items: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """The same without how many there are of each."""
    found: tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]] = _kinds(items)
    return found


@numba.njit(nogil=True, cache=True)
def index(items):  # type: ignore[no-untyped-def]
    """A table in which `places` finds the place of each of the `items`, all of them different."""
    bits = 4
    while (1 << bits) < 2 * len(items):
        bits += 1
    mask, shift = (1 << bits) - 1, np.uint64(64 - bits)
    slots = np.full(1 << bits, -1, np.int32)
    for place in range(len(items)):
        slot = np.int64((items[place] * np.uint64(_FACTOR)) >> shift)
        while slots[slot] >= 0:
            slot = (slot + 1) & mask
        slots[slot] = place
    return slots


@numba.njit(nogil=True, cache=True)
def places(slots, items, wanted):  # type: ignore[no-untyped-def]
    """Place of each of the `wanted` among the `items` that the table was made of, or -1; shape (len(wanted),)."""
    mask, bits = len(slots) - 1, 0
    while (1 << bits) < len(slots):
        bits += 1
    shift = np.uint64(64 - bits)
    found = np.empty(len(wanted), np.int32)
    for at in range(len(wanted)):
        item = wanted[at]
        slot = np.int64((item * np.uint64(_FACTOR)) >> shift)
        while slots[slot] >= 0 and items[slots[slot]] != item:
            slot = (slot + 1) & mask
        found[at] = slots[slot]
    return found


@numba.njit(nogil=True, cache=True)
def _numbered(items, offsets):  # type: ignore[no-untyped-def]
    size = len(items)
    bits = 4
    while (1 << bits) < 2 * size:
        bits += 1
    mask, shift = (1 << bits) - 1, np.uint64(64 - bits)
    slots = np.full(1 << bits, -1, np.int64)
    distinct, first = np.empty(size, np.uint64), np.empty(size, np.int64)
    number, row = np.empty(size, np.int64), np.empty(size, np.int64)
    last_row = np.empty(size, np.int64)
    found = held = 0
    for each in range(len(offsets) - 1):
        for at in range(offsets[each], offsets[each + 1]):
            slot = np.int64((items[at] * np.uint64(_FACTOR)) >> shift)
            while slots[slot] >= 0 and distinct[slots[slot]] != items[at]:
                slot = (slot + 1) & mask
            known = slots[slot]
            if known < 0:
                known = slots[slot] = found
                distinct[found], first[found], last_row[found] = items[at], at, -1
                found += 1
            if last_row[known] != each:
                last_row[known] = each
                number[held], row[held] = known, each
                held += 1
    return distinct[:found].copy(), first[:found].copy(), number[:held].copy(), row[:held].copy()


@numba.njit(nogil=True, cache=True)
def _kinds(items):  # type: ignore[no-untyped-def]
    bits = 10
    slots = np.full(1 << bits, -1, np.int32)
    distinct = np.empty(1 << (bits - 1), np.uint64)
    kind = np.empty(len(items), np.int32)
    found = 0
    for at in range(len(items)):
        if found == len(distinct):
            # Few kinds make a small table that stays near; it is made anew, twice as large, when half full.
            bits += 1
            distinct = np.append(distinct, np.empty(found, np.uint64))
            slots = np.full(1 << bits, -1, np.int32)
            for each in range(found):
                slot = np.int64((distinct[each] * np.uint64(_FACTOR)) >> np.uint64(64 - bits))
                while slots[slot] >= 0:
                    slot = (slot + 1) & ((1 << bits) - 1)
                slots[slot] = each
        item = items[at]
        here = np.uint64((item * np.uint64(_FACTOR)) >> np.uint64(64 - bits))
        known = slots[here]
        while known >= 0 and distinct[np.uint32(known)] != item:
            here = (here + np.uint64(1)) & np.uint64((1 << bits) - 1)
            known = slots[here]
        if known < 0:
            known = np.int32(found)
            slots[here] = known
            distinct[found] = item
            found += 1
        kind[at] = known
    return distinct[:found].copy(), kind


@numba.njit(nogil=True, cache=True)
def pair_slots(pairs, number):  # type: ignore[no-untyped-def]
    """A table, half of it free once the `pairs` are all used, in which `pair_slot` finds the first `number` of them."""
    slots = np.full(2 * len(pairs), -1, np.int32)
    for place in range(number):
        slots[pair_slot(slots, pairs, pairs[place, 0], pairs[place, 1])] = place
    return slots


@numba.njit(nogil=True, cache=True, inline="always")
def pair_slot(slots, pairs, first, second):  # type: ignore[no-untyped-def]
    """Where the place of a pair stands, or will."""
    mask = np.uint64(len(slots) - 1)
    mixed = (first ^ second * np.uint64(_SECOND)) * np.uint64(_FACTOR)
    slot = (mixed ^ mixed >> np.uint64(32)) & mask
    while slots[slot] >= 0 and (pairs[slots[slot], 0] != first or pairs[slots[slot], 1] != second):
        slot = (slot + np.uint64(1)) & mask
    return slot
