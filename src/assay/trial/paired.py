"""A mean of paired scores with draws of it: over clusters of kin items and, where there are several, over trainings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.stats import bootstrap, decisions, intervals, quantiles

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

DRAWS = 4000
_MOST_CELLS = 1 << 24  # of a matrix of draws, 128 MiB


@dataclass(frozen=True)
class Effect:
    """A mean with draws of it.

    Attributes:
        draws: Shape (draws,).
        items, clusters: What the mean is over; items of a cluster are drawn together.
        freedom: Degrees of freedom that the spread of the draws is known from.
        spread: Whether any two clusters or trainings differ; without it, no two draws could.
    """

    value: float
    draws: Floats
    items: int
    clusters: int
    freedom: int
    spread: bool

    def interval(self, level: float, reach: float) -> tuple[float, float]:
        """Percentile interval; without spread, what as many clusters that all agree leave possible.

        Args:
            reach: Largest difference that two scores of this kind can have.
        Source: Clopper & Pearson 1934, Biometrika 26, 404-413, for no hits among the clusters.
        """
        if self.spread:
            low, high = bootstrap.interval(self.draws, level)
            return min(low, self.value), max(high, self.value)
        unseen = intervals.binomial(0, self.clusters, level)[2] * reach
        return self.value - unseen, self.value + unseen

    def different(self) -> float:
        """p-value of no difference."""
        if self.spread:
            return float(decisions.two_sided(self.draws[:, None])[0])
        return 1.0 if self.value == 0 else float(2.0 ** (1 - self.clusters))  # the sign test

    def equivalent(self, margin: float, reach: float) -> float:
        """p-value of a difference beyond the margin."""
        if self.spread:
            return decisions.equivalence(self.draws, margin)
        # Were a share of margin / reach or more of the items to differ, none of these would have shown it.
        within = margin > abs(self.value)
        return float((1 - min(margin / reach, 1.0)) ** self.clusters) if within and reach > 0 else 1.0

    def error(self, reach: float) -> float:
        """Standard error."""
        if self.spread:
            return decisions.error_of(self.draws)
        return intervals.binomial(0, self.clusters)[2] * reach / quantiles.normal(0.975)


def mean_effect(sides: Sequence[Floats], sizes: Floats, seed: int) -> Effect:
    """Sum of the means of one or two sides, drawn over clusters and over the trainings of each side.

    Clusters are drawn with replacement, for both sides at once, so that what an item does to both is no luck of
    their difference. The trainings of a side are a second level: their spread beyond what the items explain.

    Args:
        sides: Scores summed by training and cluster, each of shape (trainings, clusters); a difference is the arm
            and the baseline times -1, or their difference as one side where trainings are paired by seed.
        sizes: Items of each cluster, shape (clusters,).
    Source: Miller 2024, Adding Error Bars to Evals (paired differences, clustered items); Efron & Tibshirani
        1993, An Introduction to the Bootstrap; trainings as in `stats.bootstrap.seed_level`, with no overlap.
    """
    clusters = len(sizes)
    value = float(sum(side.mean(axis=0).sum() for side in sides) / sizes.sum())
    together = np.sum([side.mean(axis=0) for side in sides], axis=0)
    spread = bool(np.ptp(together / sizes) > 0)
    rng = np.random.default_rng(seed)
    drawn = np.empty(DRAWS)
    step = max(_MOST_CELLS // max(clusters, 1), 1)
    for start in range(0, DRAWS, step):
        count = min(step, DRAWS - start)
        picked = rng.integers(0, clusters, size=(count, clusters), dtype=np.int32)
        drawn[start : start + count] = together[picked].sum(axis=1) / sizes[picked].sum(axis=1)
    if clusters > 1:
        # Percentiles of few clusters are too narrow by the missing degree of freedom and by Student's tails.
        wider = (
            np.sqrt(clusters / (clusters - 1))
            * quantiles.student(0.975, clusters - 1)
            / quantiles.normal(0.975)
        )
        drawn = value + (drawn - value) * wider
    freedom = max(clusters - 1, 1)
    for side in sides:
        runs = len(side)
        if runs < 2:
            continue
        sums = side[None]
        variance = bootstrap.training_variance(sums, sizes, np.ones((1, 1)))
        by_run = sums.sum(axis=2) / sizes.sum()
        still = np.broadcast_to(by_run, (DRAWS, 1, runs))
        trained = bootstrap.seed_level(by_run, still, np.zeros(1), variance, rng)
        drawn = drawn + trained.draws[:, 0] - float(trained.value[0])
        spread = spread or bool(np.ptp(by_run) > 0)
        freedom = min(freedom, runs - 1)
    return Effect(value, drawn, int(sizes.sum()), clusters, freedom, spread)


def clusters_of(names: Sequence[str | None]) -> Index:
    """Names to 0 ... clusters - 1; an item without a name is a cluster of its own."""
    places: dict[tuple[bool, str], int] = {}
    keys = [(name is None, str(number) if name is None else name) for number, name in enumerate(names)]
    return np.array([places.setdefault(key, len(places)) for key in keys], dtype=np.int64)


def by_cluster(scores: Floats, kin: Index) -> Floats:
    """Scores of shape (items, runs) summed by cluster, shape (runs, clusters)."""
    return np.stack([np.bincount(kin, column) for column in scores.T])
