"""Rows with some of their words taken out, as hashes: equal ones were made after the same pattern."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Offsets
from assay.kernels.hashing import SEED, absorb, mix

MOST_WAYS = 5
_SLOT, _ONE = np.uint64(0), np.uint64(1)


def skeletons(
    ids: npt.NDArray[np.uint64], offsets: Offsets, ways: npt.NDArray[np.uint8], fewest: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """A hash of the kept tokens of each row and of where others stood, for each way; 0 for too few.

    Whatever stands between two kept tokens is one slot, so three words fit where one does.

    Args:
        ids, offsets: As in `Tokens`.
        ways: Bit w of each token says whether way w keeps it, shape (num_tokens,).
        fewest: Kept tokens that a row must have, by way; shape (ways,), five at most.
    Returns: Shape (num_rows, ways).
    """
    hashes: npt.NDArray[np.uint64] = _skeletons(ids, offsets, ways, np.resize(fewest, MOST_WAYS))
    return hashes[:, : len(fewest)]


@numba.njit(nogil=True, cache=True)
def keepings(kept, at, looks, of_look):  # type: ignore[no-untyped-def]
    """Which ways keep each token, as bits: those that keep its spelling, `kept`, and its look, `of_look`."""
    ways = np.empty(len(at), np.uint8)
    for token in range(np.uint64(len(at))):
        ways[token] = kept[np.uint32(at[token])] & of_look[looks[token]]
    return ways


@numba.njit(nogil=True, cache=True, inline="always")
def _after(state, number, bit, kept, in_slot, item):  # type: ignore[no-untyped-def]
    """State and kept tokens of a way after one more, without branches, which few words would let the processor foresee."""
    is_kept = kept & bit != 0
    after = absorb(state, item if is_kept else _SLOT)
    # What stands in a slot that is open already tells nothing.
    return after if (kept | ~in_slot) & bit != 0 else state, number + is_kept


@numba.njit(nogil=True, cache=True)
def _skeletons(ids, offsets, ways, fewest):  # type: ignore[no-untyped-def]
    hashes = np.empty((len(offsets) - 1, MOST_WAYS), np.uint64)
    for row in range(len(hashes)):
        # Names of their own and no array, so that they stay in the processor's registers.
        a = b = c = d = e = SEED
        of_a = of_b = of_c = of_d = of_e = 0
        in_slot = np.uint8(0)
        for token in range(np.uint64(offsets[row]), np.uint64(offsets[row + 1])):
            kept, item = ways[token], ids[token]
            a, of_a = _after(a, of_a, 1, kept, in_slot, item)
            b, of_b = _after(b, of_b, 2, kept, in_slot, item)
            c, of_c = _after(c, of_c, 4, kept, in_slot, item)
            d, of_d = _after(d, of_d, 8, kept, in_slot, item)
            e, of_e = _after(e, of_e, 16, kept, in_slot, item)
            in_slot = ~kept
        states, numbers = (a, b, c, d, e), (of_a, of_b, of_c, of_d, of_e)
        for way in range(MOST_WAYS):
            hashes[row, way] = mix(states[way]) | _ONE if numbers[way] >= fewest[way] else _SLOT
    return hashes
