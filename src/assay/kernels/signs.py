"""Which rows hold a sign at all: asked before any pattern is tried."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers


def holding(column: TextColumn, sign: str) -> npt.NDArray[np.bool_]:
    """Rows that hold `sign`, a character of ASCII; shape (num_rows,), false for a null."""
    parts = [_holding(offsets, data, ord(sign)) for offsets, data in text_buffers(column)]
    return np.concatenate([np.zeros(0, np.bool_), *parts])


@numba.njit(nogil=True, cache=True)
def _holding(offsets, data, sign):  # type: ignore[no-untyped-def]
    found = np.zeros(len(offsets) - 1, np.bool_)
    for row in range(len(found)):
        number = 0
        # Counting without a way out is many signs at a time.
        for at in range(offsets[row], offsets[row + 1]):
            number += data[at] == sign
        found[row] = number > 0
    return found
