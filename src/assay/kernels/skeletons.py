"""Rows with some of their words taken out, as hashes: equal ones were made after the same pattern."""

from __future__ import annotations

import numba
import numpy as np

from assay.kernels.hashing import SEED, absorb, mix

_SLOT = np.uint64(0)


@numba.njit(nogil=True, cache=True)
def skeletons(ids, offsets, ways, fewest):  # type: ignore[no-untyped-def]
    """A hash of the kept tokens of each row and of where others stood, for each way; 0 for too few.

    Whatever stands between two kept tokens is one slot, so three words fit where one does.

    Args:
        ids, offsets: As in `Tokens`.
        ways: Bit w of each token says whether way w keeps it, uint8 of shape (num_tokens,).
        fewest: Kept tokens that a row must have, by way; shape (ways,).
    Returns: Shape (num_rows, ways).
    """
    hashes = np.zeros((len(offsets) - 1, len(fewest)), np.uint64)
    states, numbers = np.empty(len(fewest), np.uint64), np.empty(len(fewest), np.int64)
    for row in range(len(hashes)):
        states[:] = SEED
        numbers[:] = 0
        in_slot = np.uint8(0)
        for token in range(offsets[row], offsets[row + 1]):
            kept, item = ways[token], ids[token]
            told = kept | ~in_slot  # what stands in a slot that is open already tells nothing
            for way in range(len(fewest)):
                bit = np.uint8(1 << way)
                # Without branches, which few words would let the processor foresee.
                is_kept = kept & bit != 0
                after = absorb(states[way], item if is_kept else _SLOT)
                states[way] = after if told & bit != 0 else states[way]
                numbers[way] += is_kept
            in_slot = ~kept
        for way in range(len(fewest)):
            if numbers[way] >= fewest[way]:
                hashes[row, way] = mix(states[way]) | np.uint64(1)
    return hashes
