"""k-means: points fall into as many clusters as asked for, the same ones for the same generator."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]


def kmeans(points: Vectors, clusters: int, rng: np.random.Generator, *, rounds: int = 20) -> Vectors:
    """Centres of `clusters` clusters, or of as many as there are different points.

    Args:
        points: Shape (points, dimensions), float32.
        rounds: Most rounds of Lloyd's algorithm; it stops when no point changes its cluster.
    Returns: Shape (clusters, dimensions).
    Source: Lloyd 1982, IEEE Transactions on Information Theory 28; seeds by Arthur & Vassilvitskii 2007,
        k-means++.
    """
    centres = _seeds(points, clusters, rng)
    before = np.full(len(points), -1)
    for _ in range(rounds):
        mine = nearest(points, centres)
        if np.array_equal(mine, before):
            break
        sizes = np.bincount(mine, minlength=len(centres))
        sums = _sums(points, mine, len(centres))
        # A cluster that lost all its points keeps its centre.
        centres = np.where(
            sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None].astype(np.float32), centres
        )
        before = mine
    return centres


def nearest(points: Vectors, centres: Vectors) -> Index:
    """The nearest centre of each point, shape (points,)."""
    return np.asarray(np.argmin(_shifted(points, centres), axis=1), dtype=np.int64)


def _seeds(points: Vectors, clusters: int, rng: np.random.Generator) -> Vectors:
    chosen = [int(rng.integers(len(points)))]
    lengths = np.einsum("ij,ij->i", points, points)
    distance = np.full(len(points), np.inf, np.float32)
    while len(chosen) < clusters:
        last = points[chosen[-1] : chosen[-1] + 1]
        distance = np.minimum(distance, np.maximum(_shifted(points, last)[:, 0] + lengths, 0))
        # Rounding leaves a little distance between equal points.
        distance[distance < 1e-6 * lengths.max()] = 0
        total = float(distance.sum(dtype=np.float64))
        if total == 0:
            break
        chosen.append(int(rng.choice(len(points), p=distance / np.float64(total))))
    return points[chosen]


def _shifted(points: Vectors, centres: Vectors) -> Vectors:
    """Squared distances less the point's own squared length, which changes no comparison."""
    return np.asarray(np.einsum("ij,ij->i", centres, centres) - 2 * (points @ centres.T))


@numba.njit(nogil=True, cache=True)
def _sums(points, mine, clusters):  # type: ignore[no-untyped-def]
    sums = np.zeros((clusters, points.shape[1]), np.float32)
    for point in range(len(points)):
        for dimension in range(points.shape[1]):
            sums[mine[point], dimension] += points[point, dimension]
    return sums
