"""Measures of an embedding space against published figures and against their own definitions."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import pytest

from assay.stats.kmeans import kmeans, nearest
from assay.stats.mauve import mauve
from assay.stats.prdc import Neighbours, prdc
from assay.stats.vendi import vendi, vendi_of_vectors


@pytest.mark.slow
def test_prdc_of_two_samples_of_one_gaussian() -> None:
    """Naeem et al. 2020: two samples of N(0, I), 10,000 points each in 1,000 dimensions, k = 5."""
    rng = np.random.default_rng(0)
    points, real = (rng.standard_normal((10_000, 1_000), np.float32) for _ in range(2))
    found = prdc(points, real)
    # In so many dimensions a few hub points decide much: three further draws gave a density of 0.94 to 1.03, a
    # recall of 0.467 to 0.495 and a coverage of 0.964 to 0.970.
    assert found.precision == pytest.approx(0.4772, abs=0.02)
    assert found.recall == pytest.approx(0.4705, abs=0.03)
    assert found.density == pytest.approx(1.0555, abs=0.15)
    assert found.coverage == pytest.approx(0.9735, abs=0.015)


@pytest.mark.parametrize("share", [0.8, 0.1])  # of a tenth the nearest that are kept are too few
def test_a_part_is_read_as_if_there_were_no_more(share: float) -> None:
    rng = np.random.default_rng(1)
    points, real = rng.standard_normal((90, 8), np.float32), rng.standard_normal((70, 8), np.float32)
    kept, kept_real = rng.random(90) < share, rng.random(70) < share
    assert min(kept.sum(), kept_real.sum()) > 5
    part = Neighbours.of(points, real).read(kept, kept_real)
    alone = prdc(points[kept], real[kept_real])
    assert (part.precision, part.recall) == (alone.precision, alone.recall)
    assert (part.density, part.coverage) == (alone.density, alone.coverage)


def test_prdc_is_its_definition() -> None:
    rng = np.random.default_rng(2)
    points, real = rng.standard_normal((60, 3), np.float32), rng.standard_normal((50, 3), np.float32) + 1
    k = 3

    def radius(cloud: npt.NDArray[np.float32], at: int) -> float:
        return sorted(math.dist(cloud[at], other) for i, other in enumerate(cloud) if i != at)[k - 1]

    real_radii = [radius(real, i) for i in range(50)]
    radii = [radius(points, j) for j in range(60)]
    inside = [[math.dist(real[i], points[j]) <= real_radii[i] for j in range(60)] for i in range(50)]
    recalled = [any(math.dist(real[i], points[j]) <= radii[j] for j in range(60)) for i in range(50)]
    found = prdc(points, real, k)
    assert found.precision == pytest.approx(np.mean(np.any(inside, axis=0)))
    assert found.recall == pytest.approx(np.mean(recalled))
    assert found.density == pytest.approx(np.sum(inside) / (k * 60))
    assert found.coverage == pytest.approx(np.mean(np.any(inside, axis=1)))


def test_vendi_of_the_published_kernels() -> None:
    """Friedman & Dieng 2022, the examples of the authors' README."""
    places = np.array([0, 0, 10, 10, 20, 20], float)
    # Printed there with its digits cut, not rounded.
    assert vendi(np.exp(-np.abs(places[:, None] - places))) == pytest.approx(2.9999, abs=1e-4)
    assert vendi(np.array([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])) == pytest.approx(2.1573, abs=5e-5)


@pytest.mark.parametrize("shape", [(200, 16), (16, 200)])
def test_vendi_is_the_same_through_either_gram_matrix(shape: tuple[int, int]) -> None:
    vectors = np.random.default_rng(3).standard_normal(shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert vendi_of_vectors(vectors) == pytest.approx(vendi(vectors @ vectors.T), abs=1e-9)


def slow_mauve(p: list[float], q: list[float], points: int) -> float:
    """The area under the frontier by its definition, one mixture after the other, without smoothing."""

    def divergence(of: list[float], mixture: list[float]) -> float:
        return sum(a * math.log(a / b) for a, b in zip(of, mixture, strict=True) if a > 0)

    frontier = [(0.0, 1.0), (1.0, 0.0)]
    for step in range(1, points):
        weight = step / points
        mixture = [weight * a + (1 - weight) * b for a, b in zip(p, q, strict=True)]
        frontier.append((math.exp(-5 * divergence(q, mixture)), math.exp(-5 * divergence(p, mixture))))
    frontier.sort(key=lambda point: (point[0], -point[1]))
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(frontier))


def test_mauve_is_its_definition() -> None:
    rng = np.random.default_rng(4)
    # So many rows that the smoothing weighs nothing.
    counts = rng.multinomial(10**8, rng.dirichlet(np.ones(20)))
    other = rng.multinomial(10**8, rng.dirichlet(np.ones(20) * 3))
    expected = slow_mauve(list(counts / counts.sum()), list(other / other.sum()), 2000)
    assert mauve(counts, other) == pytest.approx(expected, abs=0.005)


def test_mauve_of_equal_and_of_strange_histograms() -> None:
    assert mauve(np.array([50, 30, 20]), np.array([50, 30, 20])) == pytest.approx(1.0)
    assert mauve(np.array([500, 0] * 10), np.array([0, 500] * 10)) < 0.01
    assert math.isnan(mauve(np.zeros(3), np.array([1, 2, 3])))


def test_kmeans_finds_clusters_that_are_there_and_no_more_than_there_are() -> None:
    rng = np.random.default_rng(5)
    truth = np.repeat(np.arange(4), 50)
    points = (10 * np.eye(4)[truth] + rng.standard_normal((200, 4))).astype(np.float32)
    mine = nearest(points, kmeans(points, 4, np.random.default_rng(0)))
    assert len({(a, b) for a, b in zip(truth, mine, strict=True)}) == 4
    assert len(kmeans(np.ones((30, 4), np.float32), 4, np.random.default_rng(0))) == 1
