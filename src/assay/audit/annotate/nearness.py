"""How alike two rows must be to be near-duplicates, by how alike the user's real rows are."""

from __future__ import annotations

import numpy as np

from assay.audit.rows import NEAR, Bools, Index, Rows
from assay.kernels.minhash import Sketches, clusters

# Free text of any length hardly shares a quarter of its word runs by accident, and a short row with a few words
# edited may share no more; formulaic rows do so without being copies.
LOOSE = 0.25
MOST_JOINED = 0.01
LEAST_ROWS = 500


def near_threshold(real: Rows) -> float:
    """`LOOSE` if it joins hardly any real rows that `NEAR` leaves alone, else `NEAR`.

    Hardly any is one in a hundred; fewer than 500 rows cannot say. Sketches made for `NEAR` propose 98 of 100
    pairs at `LOOSE`.
    """
    if len(real) < LEAST_ROWS:
        return NEAR
    return LOOSE if joined_further(real.sketches).mean() <= MOST_JOINED else NEAR


def joined_further(sketches: Sketches) -> Bools:
    """Rows that resemble another at `LOOSE` and none at `NEAR`, shape (rows,); the sketches are made for `NEAR`."""
    at_near, at_loose = (_alone(clusters(sketches, threshold)) for threshold in (NEAR, LOOSE))
    return at_near & ~at_loose


def _alone(cluster: Index) -> Bools:
    sizes = np.bincount(cluster, minlength=len(cluster))
    return np.asarray(sizes[cluster] == 1, dtype=bool)
