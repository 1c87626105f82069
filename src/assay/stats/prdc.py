"""Precision, recall, density and coverage: do two clouds of points fill the same space?

Around each point lies a ball that reaches to its k-th neighbour of the same side.

Sources: Kynkäänniemi et al. 2019, Improved Precision and Recall Metric (precision, recall); Naeem et al. 2020,
    Reliable Fidelity and Diversity Metrics for Generative Models (density, coverage).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Block = tuple[int, Vectors]

K = 5
_BLOCK = 1000
# Neighbours of a point that are kept: enough that k of them are left when a group of kin is left out.
_NEAREST = 32


@dataclass(frozen=True)
class Prdc:
    """What the balls say; nan where a side has no more than k points.

    Attributes:
        precision: Share of the questioned points within a real ball.
        recall: Share of the real points within a ball of the questioned side.
        density: Real balls around a questioned point, on average, divided by k.
        coverage: Share of the real points with a questioned point in their ball.
        radii: Squared radius of each real ball, shape (real,); inf for points left out.
        covered: Real points with a questioned point in their ball, shape (real,).
    """

    precision: float
    recall: float
    density: float
    coverage: float
    radii: Vectors
    covered: Bools


@dataclass(frozen=True)
class _Cloud:
    """Points and their nearest others, ascending; shape (points, nearest)."""

    points: Vectors
    index: npt.NDArray[np.int32]
    distance: Vectors

    @classmethod
    def of(cls, points: Vectors) -> _Cloud:
        number = min(_NEAREST, max(len(points) - 1, 0))
        cloud = cls(
            points,
            np.zeros((len(points), number), np.int32),
            np.full((len(points), number), np.inf, np.float32),
        )
        for start, block in _blocks(points, points):
            _nearest(block, start, cloud.index, cloud.distance)
        return cloud

    def radii(self, kept: Bools, k: int) -> Vectors:
        """Distance to the k-th nearest other kept point; inf for points that are not kept."""
        radii, known = _radii_among(self.index, self.distance, kept, k)
        return radii if known else _radii(_blocks(self.points, self.points), kept, k)


@dataclass(frozen=True)
class Neighbours:
    """The distances between two clouds, and the nearest within each, kept so that any part of the points can be read.

    A part is read exactly, its balls reaching to neighbours within the part; what leaving out a group of
    kin costs is one pass over the distances between the clouds.
    """

    real: _Cloud
    questioned: _Cloud
    between: tuple[Block, ...]

    @classmethod
    def of(cls, points: Vectors, real: Vectors) -> Neighbours:
        """The distances of `points`, shape (points, d), from `real`, shape (real, d): 4 bytes a pair."""
        return cls(_Cloud.of(real), _Cloud.of(points), tuple(_blocks(points, real)))

    def read(self, kept: Bools, kept_real: Bools, k: int = K) -> Prdc:
        """The four numbers for the points `kept` and the real ones `kept_real`."""
        radii_real, radii = self.real.radii(kept_real, k), self.questioned.radii(kept, k)
        return _read(radii_real, radii, self.between, kept, kept_real, k)


def prdc(points: Vectors, real: Vectors, k: int = K) -> Prdc:
    """The four numbers for all points; holds no more than a thousand rows of distances at a time."""
    every, every_real = np.ones(len(points), bool), np.ones(len(real), bool)
    radii_real = _radii(_blocks(real, real), every_real, k)
    radii = _radii(_blocks(points, points), every, k)
    return _read(radii_real, radii, _blocks(points, real), every, every_real, k)


def _blocks(rows: Vectors, columns: Vectors) -> Iterator[Block]:
    """Squared distances from each of `rows` to each of `columns`, by blocks of rows with their first row."""
    across = np.einsum("ij,ij->i", columns, columns)
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        distance = part @ columns.T
        distance *= -2
        distance += np.einsum("ij,ij->i", part, part)[:, None]
        distance += across
        yield start, np.maximum(distance, 0, out=distance)


def _read(
    radii_real: Vectors, radii: Vectors, between: Iterable[Block], kept: Bools, kept_real: Bools, k: int
) -> Prdc:
    balls = 0
    precise = 0
    recalled, covered = np.zeros(len(kept_real), bool), np.zeros(len(kept_real), bool)
    for start, block in between:
        inside, hit = _between(block, start, radii, radii_real, kept, kept_real, recalled, covered)
        balls += inside
        precise += hit
    number, number_real = int(kept.sum()), int(kept_real.sum())
    if min(number, number_real) <= k:
        nothing = float("nan")
        return Prdc(nothing, nothing, nothing, nothing, radii_real, covered)
    return Prdc(
        precise / number,
        float(recalled.sum()) / number_real,
        balls / (k * number),
        float(covered.sum()) / number_real,
        radii_real,
        covered,
    )


def _radii(blocks: Iterable[Block], kept: Bools, k: int) -> Vectors:
    radii = np.full(len(kept), np.inf, np.float32)
    for start, block in blocks:
        _kth(block, start, kept, k, radii)
    return radii


@numba.njit(nogil=True, cache=True)
def _kth(block, start, kept, k, radii):  # type: ignore[no-untyped-def]
    """Distance to the k-th nearest other kept point, written into `radii` for the kept rows of the block."""
    nearest = np.empty(k, np.float32)
    for row in range(len(block)):
        if not kept[start + row]:
            continue
        nearest[:] = np.inf
        for column in range(block.shape[1]):
            distance = block[row, column]
            if distance < nearest[k - 1] and kept[column] and column != start + row:
                at = k - 1
                while at > 0 and nearest[at - 1] > distance:
                    nearest[at] = nearest[at - 1]
                    at -= 1
                nearest[at] = distance
        radii[start + row] = nearest[k - 1]


@numba.njit(nogil=True, cache=True)
def _nearest(block, start, index, distance):  # type: ignore[no-untyped-def]
    """The nearest others of the block's points, ascending, written into `index` and `distance`."""
    number = index.shape[1]
    for row in range(len(block)):
        near, far = index[start + row], distance[start + row]
        for column in range(block.shape[1]):
            if number and block[row, column] < far[number - 1] and column != start + row:
                at = number - 1
                while at > 0 and far[at - 1] > block[row, column]:
                    near[at], far[at] = near[at - 1], far[at - 1]
                    at -= 1
                near[at], far[at] = column, block[row, column]


@numba.njit(nogil=True, cache=True)
def _radii_among(index, distance, kept, k):  # type: ignore[no-untyped-def]
    """Distance to the k-th nearest other kept point, and whether the nearest are enough to tell it of all."""
    radii = np.full(len(kept), np.inf, np.float32)
    for row in range(len(kept)):
        if not kept[row]:
            continue
        found = 0
        for at in range(index.shape[1]):
            found += kept[index[row, at]]
            if found == k:
                radii[row] = distance[row, at]
                break
        if found < k and index.shape[1] < len(kept) - 1:
            return radii, False
    return radii, True


@numba.njit(nogil=True, cache=True)
def _between(block, start, radii, radii_real, kept, kept_real, recalled, covered):  # type: ignore[no-untyped-def]
    """Real balls around the block's points, and points within any; marks real points recalled or covered."""
    balls = 0
    precise = 0
    for row in range(len(block)):
        if not kept[start + row]:
            continue
        inside = 0
        for column in range(block.shape[1]):
            if not kept_real[column]:
                continue
            distance = block[row, column]
            if distance <= radii_real[column]:
                inside += 1
                covered[column] = True
            if distance <= radii[start + row]:
                recalled[column] = True
        balls += inside
        precise += inside > 0
    return balls, precise
