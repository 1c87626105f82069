"""Two-level bootstrap of trained models' scores: over test items and over training subsamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

Floats = npt.NDArray[np.float64]

LEAST_TRAINING_SHARE = 0.1
_AT_ONCE = 100  # draws, so that few of their picks are held
LIKE_SIZE = 1.25  # arms whose training rows differ by no more than this factor learn from each other


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


def between(draws: Floats, least: float, most: float, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of what lies between two ends, and often at one of them, shape (draws,).

    Where most draws lie at an end the interval starts there and can err on the other side only, so all that is left out is
    left out on that side.
    """
    for end, tail in ((least, level), (most, 1 - level)):
        if np.mean(draws == end) > 0.5:
            low, high = sorted((float(end), float(np.quantile(draws, tail))))
            return low, high
    return interval(draws, level)


def cluster_weights(clusters: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each test root is drawn, shape (draws, clusters); kin items come and go together."""
    out = np.empty((draws, clusters))
    for first in range(0, draws, _AT_ONCE):
        some = min(_AT_ONCE, draws - first)
        picked = rng.integers(clusters, size=(some, clusters)) + clusters * np.arange(some)[:, None]
        out[first : first + some] = np.bincount(picked.ravel(), minlength=some * clusters).reshape(
            some, clusters
        )
    return out


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


def spreads(sums: Floats, sizes: Floats) -> tuple[Floats, Floats]:
    """Variance between seeds, and the part of it that is luck with test items, each of shape (arms,).

    Args: as of `training_variance`.
    """
    freedom = sums.shape[1] - 1
    by_seed = sums.sum(axis=2) / sizes.sum()
    apart = by_seed - by_seed.mean(axis=1, keepdims=True)
    off = sums - sums.mean(axis=1, keepdims=True) - apart[:, :, None] * sizes
    luck = np.sum(off**2, axis=(1, 2)) / sizes.sum() ** 2 / freedom
    return np.sum(apart**2, axis=1) / freedom, luck


def training_variance(sums: Floats, sizes: Floats, rows: Floats) -> Floats:
    """Variance between seeds that is due to their training rows, the rest being luck with test items.

    Two seeds' models err on different items, so on a finite test set they differ even when they are equally good. The
    item draws account for that part already; counted again it would make intervals far too wide. It is known
    well, from every item. The whole is not: few seeds say little about one arm's spread, so half of the answer is
    borrowed from arms of like size, as a line from real to synthetic rows in the ratio of the whole to the luck.

    Args:
        sums: Score summed within each root, shape (arms, seeds, clusters).
        sizes: Items per root, shape (clusters,).
        rows: Real and synthetic training rows of each arm, shape (arms, 2).
    Returns: Shape (arms,).
    Source: variance components of the two-way layout, Searle, Casella & McCulloch 1992; borrowing between like
        units, Efron & Morris 1975, Journal of the American Statistical Association 70, 311-319.
    """
    whole, luck = spreads(sums, sizes)
    total = rows.sum(axis=1)
    mix = rows / total[:, None]
    out = np.empty(len(whole))
    for arm in range(len(whole)):
        like = (total <= total[arm] * LIKE_SIZE) & (total >= total[arm] / LIKE_SIZE)
        scale = max(luck[like].mean(), np.finfo(np.float64).tiny)
        ends, _ = nnls(mix[like] * luck[like, None] / scale, whole[like] / scale)
        borrowed = luck[arm] * max(mix[arm] @ ends - 1, LEAST_TRAINING_SHARE)
        spread = whole[like].sum()
        share = 1 - luck[like].sum() / spread if spread > 0 else 1.0
        out[arm] = (borrowed + whole[arm] * max(share, LEAST_TRAINING_SHARE)) / 2
    return out


def seed_level(
    by_seed: Floats,
    drawn: Floats,
    overlap: Floats,
    variance: Floats,
    rng: np.random.Generator,
    luck: Floats | float = 0.0,
    freedom: float | None = None,
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
        variance: S squared of each arm, shape (arms,), as from `training_variance`; the seeds' own scatter says only
            how the arms move together.
        luck: What was subtracted to get S squared, shape (arms,), where an arm stands on its own seeds alone. The
            chi-square draw then divides the sum, which is what the seeds show, before luck is taken off again: an S
            squared that came out small by chance is not believed to be small.
        freedom: Degrees of freedom that S squared is known with; J - 1 unless it was learnt from more than its own seeds.
    Source: Nadeau & Bengio 2003, Machine Learning 52, 239-281; Hoeffding 1948, Annals of Mathematical
        Statistics 19, 293-325, for the second-order term; generalized inference for a variance component,
        Weerahandi 1993, Journal of the American Statistical Association 88, 899-905.
    """
    draws, _, seeds = drawn.shape
    apart = by_seed - by_seed.mean(axis=1, keepdims=True)
    length = np.sqrt(np.sum(apart**2, axis=1))
    apart = np.divide(apart, length[:, None], out=np.zeros_like(apart), where=length[:, None] > 0)
    known = seeds - 1 if freedom is None else freedom
    tails = known / rng.chisquare(known, size=(draws, 1))
    spread = np.maximum((variance + luck) * tails - luck, LEAST_TRAINING_SHARE * np.asarray(luck))
    noise = rng.standard_normal((draws, seeds)) @ apart.T
    scale = np.sqrt(spread * (1 / seeds + overlap**2 / (1 - overlap**2)))
    return Estimate(by_seed.mean(axis=1), drawn.mean(axis=2) + noise * scale)


def two_level(
    sums: Floats,
    sizes: Floats,
    overlap: Floats,
    variance: Floats,
    weights: Floats,
    seed: int,
    luck: Floats | float = 0.0,
    freedom: float | None = None,
) -> Estimate:
    """`item_level` then `seed_level`; equal `weights` and `seed` give draws that are paired across calls."""
    by_seed = sums.sum(axis=2) / sizes.sum()
    drawn = item_level(sums, sizes, weights)
    return seed_level(by_seed, drawn, overlap, variance, np.random.default_rng(seed), luck, freedom)
