"""Two-level bootstrap of trained models' scores: over test items and over training subsamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_TRAINING_SHARE = 0.1


@dataclass(frozen=True)
class Estimate:
    """Mean scores and joint draws of them, so that any function of several arms can have an interval.

    Attributes:
        value: Mean over seeds and items, shape (arms,).
        draws: Shape (draws, arms); within a draw all arms share items and seeds, so differences are paired.
    """

    value: Floats
    draws: Floats


def interval(draws: Floats, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of draws, shape (draws,)."""
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def cluster_weights(clusters: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each test root is drawn, shape (draws, clusters); kin items come and go together."""
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws).astype(np.float64)


def item_level(sums: Floats, sizes: Floats, weights: Floats) -> Floats:
    """Mean score of each arm and seed under each draw of test roots.

    Args:
        sums: Score summed within each root, shape (arms, seeds, clusters).
        sizes: Items per root, shape (clusters,).
        weights: From `cluster_weights`, shape (draws, clusters).
    Returns: Shape (draws, arms, seeds).
    """
    arms, seeds, clusters = sums.shape
    drawn = weights @ sums.reshape(arms * seeds, clusters).T
    return (drawn / (weights @ sizes)[:, None]).reshape(-1, arms, seeds)


def training_share(sums: Floats, sizes: Floats) -> float:
    """How much of the variance between seeds is due to training rows, the rest being luck with test items.

    Two seeds' models err on different items, so on a finite test set they differ even when they are equally good. The
    item draws account for that part already; counted again it would make intervals far too wide. The share
    is pooled over all arms, because six seeds of one arm say little about it.

    Args:
        sums: Score summed within each root, shape (arms, seeds, clusters).
        sizes: Items per root, shape (clusters,).
    Returns: Within [`LEAST_TRAINING_SHARE`, 1].
    Source: variance components of the two-way layout, Searle, Casella & McCulloch 1992.
    """
    by_seed = sums.sum(axis=2) / sizes.sum()
    apart = by_seed - by_seed.mean(axis=1, keepdims=True)
    luck = sums - sums.mean(axis=1, keepdims=True) - apart[:, :, None] * sizes
    between = np.sum(apart**2)
    if between == 0:
        return 1.0
    return float(np.clip(1 - np.sum(luck**2) / sizes.sum() ** 2 / between, LEAST_TRAINING_SHARE, 1))


def seed_level(
    by_seed: Floats, drawn: Floats, overlap: Floats, training: float, rng: np.random.Generator
) -> Estimate:
    """Add to item draws the noise of having trained on one sample of the world.

    Each seed trains on a subsample of the same rows. The subsamples overlap, so the spread S between seeds
    understates the noise. For a score linear in the training rows the variance of a mean over J seeds is
    ``S^2 (1 / J + f / (1 - f))`` (Nadeau and Bengio), f being the share of the rows that a seed uses. Accuracy
    near its best is of second order in the noise of training; two subsamples then correlate as f squared, and the term is
    ``f^2 / (1 - f^2)``. Simulation backs the second (docs/statistics.md: the first covers too often). S itself is
    known from J seeds only; dividing by a chi-square draw gives the mean Student's t tails.

    Args:
        by_seed: Score of each arm and seed on all items, shape (arms, seeds).
        drawn: The same under item draws, shape (draws, arms, seeds).
        overlap: Share of its source each arm uses in a seed, f, shape (arms,), below 1.
        training: From `training_share`: the part of the variance between seeds that counts.
    Source: Nadeau & Bengio 2003, Machine Learning 52, 239-281; Hoeffding 1948, Annals of Mathematical
        Statistics 19, 293-325, for the second-order term.
    """
    draws, _, seeds = drawn.shape
    apart = by_seed - by_seed.mean(axis=1, keepdims=True)
    scale = np.sqrt(training * (1 / seeds + overlap**2 / (1 - overlap**2)) / (seeds - 1))
    tails = np.sqrt((seeds - 1) / rng.chisquare(seeds - 1, size=draws))
    noise = rng.standard_normal((draws, seeds)) @ apart.T
    return Estimate(by_seed.mean(axis=1), drawn.mean(axis=2) + noise * tails[:, None] * scale)


def two_level(
    sums: Floats, sizes: Floats, overlap: Floats, training: float, weights: Floats, seed: int
) -> Estimate:
    """`item_level` then `seed_level`; equal `weights` and `seed` give draws that are paired across calls."""
    by_seed = sums.sum(axis=2) / sizes.sum()
    drawn = item_level(sums, sizes, weights)
    return seed_level(by_seed, drawn, overlap, training, np.random.default_rng(seed))
