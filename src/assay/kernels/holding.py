"""How many rows of each part hold each item."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Offsets


def held_by_part(
    items: npt.NDArray[np.integer],
    offsets: Offsets,
    chosen: npt.NDArray[np.bool_],
    part: npt.NDArray[np.int64],
    parts: int,
    kinds: int,
) -> npt.NDArray[np.float64]:
    """Rows that are chosen and hold each item, by part of the rows.

    Args:
        items: Numbers below `kinds`; row i holds ``items[offsets[i]:offsets[i + 1]]``, none twice.
        chosen: Which rows count, shape (rows,).
        part: Which of `parts` parts each row belongs to, shape (rows,).
    Returns: Shape (parts, kinds).
    """
    counts = np.zeros((parts, kinds))
    _count(counts, items, offsets, chosen, part)
    return counts


@numba.njit(nogil=True, cache=True)
def _count(counts, items, offsets, chosen, part):  # type: ignore[no-untyped-def]
    for row in range(len(chosen)):
        if chosen[row]:
            for at in range(offsets[row], offsets[row + 1]):
                counts[part[row], items[at]] += 1
