"""Rows with some of their words taken out, as hashes: equal ones were made after the same pattern."""

from __future__ import annotations

import numba
import numpy as np

from assay.kernels.hashing import SEED, absorb, mix

_SLOT = np.uint64(0)


@numba.njit(nogil=True, cache=True)
def skeletons(ids, offsets, kept, fewest):  # type: ignore[no-untyped-def]
    """A hash of the kept tokens of each row and of where others stood, shape (num_rows,); 0 for too few.

    Whatever stands between two kept tokens is one slot, so three words fit where one does.

    Args:
        ids, offsets: As in `Tokens`.
        kept: Tokens that stay, shape (num_tokens,).
        fewest: Kept tokens that a row must have.
    """
    hashes = np.zeros(len(offsets) - 1, np.uint64)
    for row in range(len(hashes)):
        state, number, in_slot = SEED, 0, False
        for token in range(offsets[row], offsets[row + 1]):
            if kept[token]:
                state = mix(absorb(state, ids[token]))
                number += 1
                in_slot = False
            elif not in_slot:
                state = mix(absorb(state, _SLOT))
                in_slot = True
        if number >= fewest:
            hashes[row] = mix(state) | np.uint64(1)
    return hashes
