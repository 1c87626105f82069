"""Sums of rows by the bucket that each row falls into."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt


def bucket_sums(
    bucket: npt.NDArray[np.int64], tallies: npt.NDArray[np.float64], buckets: int
) -> npt.NDArray[np.float64]:
    """Sum of the rows of each bucket, added in the order of the rows.

    Args:
        bucket: Of each row, 0 to `buckets` - 1, shape (rows,).
        tallies: Shape (rows, k).
    Returns: Shape (buckets, k).
    """
    out = np.zeros((buckets, tallies.shape[1]))
    _add(bucket, tallies, out)
    return out


@numba.njit(nogil=True, cache=True)
def _add(bucket, tallies, out):  # type: ignore[no-untyped-def]
    for row in range(len(bucket)):
        for column in range(tallies.shape[1]):
            out[bucket[row], column] += tallies[row, column]
