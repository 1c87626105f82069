"""Losses of all regimes and generations, drawn jointly, so that differences between any of them are paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.forecast.simulate import Chain, Simulation
from assay.stats import quantiles
from assay.stats.bootstrap import Estimate, cluster_weights, interval, training_variance, two_level

Floats = npt.NDArray[np.float64]

DRAWS = 1000


@dataclass(frozen=True)
class Curve:
    """One number over the generations of one regime.

    Attributes:
        value: Shape (generations,).
        draws: Shape (draws, generations).
    """

    value: Floats
    draws: Floats

    def bounds(self, generation: int, level: float) -> tuple[float, float, float]:
        """Value, low and high at one generation."""
        low, high = interval(self.draws[:, generation], level)
        # A value may lie just outside of percentiles where hardly anything varies.
        value = float(self.value[generation])
        return value, min(low, value), max(high, value)


class Curves:
    """Loss on the test rows, or on some of them, for every chain that was run.

    Loss is bits per byte for text and the share of wrong items for labels.
    """

    def __init__(
        self,
        simulation: Simulation,
        wanted: Sequence[Sequence[Chain]],
        items: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Args:
        wanted: Chains by regime and seed, each run as far as the others.
        items: Test rows that count, shape (test rows,); None counts all.
        """
        world = simulation.world
        self.text = world.test.labels is None
        kept = np.ones(len(world.test), bool) if items is None else items
        _, roots = np.unique(world.roots[kept], return_inverse=True)
        clusters = int(roots.max()) + 1
        sizes = np.bincount(roots, simulation.sizes[kept], clusters).astype(np.float64)
        self.generations = len(wanted[0][0].generations)
        sums, rows = [], []
        for chains in wanted:
            for generation in range(self.generations):
                gains = [chain.generations[generation].gain[kept] for chain in chains]
                losses = [-gain if self.text else 1 - gain for gain in gains]
                sums.append([np.bincount(roots, loss, clusters) for loss in losses])
                whole = chains[0].regime.rows(generation, world.budget)
                real = chains[0].regime.real_rows(generation, world.budget)
                rows.append([real, whole - real])
        stacked = np.array(sums)
        overlap = np.full(len(stacked), world.budget / len(world.real))
        variance = training_variance(stacked, sizes, np.array(rows, np.float64))
        weights = cluster_weights(clusters, DRAWS, np.random.default_rng([world.seed, 5]))
        self._estimate: Estimate = two_level(stacked, sizes, overlap, variance, weights, world.seed)

    def loss(self, regime: int) -> Curve:
        """The loss itself."""
        arms = slice(regime * self.generations, (regime + 1) * self.generations)
        return Curve(self._estimate.value[arms], self._estimate.draws[:, arms])

    def change(self, regime: int) -> Curve:
        """Against generation 0: as a share of its loss for text, in points for labels."""
        loss = self.loss(regime)
        if not self.text:
            return Curve(loss.value - loss.value[0], loss.draws - loss.draws[:, :1])
        return Curve(loss.value / loss.value[0] - 1, loss.draws / loss.draws[:, :1] - 1)


def calibration_change(simulation: Simulation, chains: Sequence[Chain]) -> Curve | None:
    """Expected calibration error against generation 0, in points; None where the learner says nothing of its confidence.

    Test roots and seeds are drawn jointly for all generations.
    """
    world = simulation.world
    _, roots = np.unique(world.roots, return_inverse=True)
    clusters = int(roots.max()) + 1
    weights = cluster_weights(clusters, DRAWS, np.random.default_rng([world.seed, 5]))
    seeds = np.random.default_rng([world.seed, 11]).integers(len(chains), size=(DRAWS, len(chains)))
    values, draws = [], []
    for generation in range(len(chains[0].generations)):
        errors, drawn = [], []
        for chain in chains:
            here = chain.generations[generation]
            if here.over is None or here.decisions is None:
                return None
            by_root = np.zeros((clusters, here.over.shape[1] + 1))
            np.add.at(by_root, roots, np.column_stack([here.over, here.decisions]))
            sums = weights @ by_root
            errors.append(here.calibration)
            drawn.append(np.abs(sums[:, :-1]).sum(axis=1) / np.maximum(sums[:, -1], 1))
        values.append(np.mean(errors))
        draws.append(np.take_along_axis(np.column_stack(drawn), seeds, axis=1).mean(axis=1))
    value, table = np.array(values), np.column_stack(draws)
    return Curve(value - value[0], table - table[:, :1])


def over_seeds(values: Floats, overlap: float, level: float) -> tuple[float, float, float]:
    """Mean of a number that each seed has one of, with an interval that knows that seeds share real rows.

    Args:
        values: Shape (seeds,), two or more.
        overlap: Share of the real rows that a seed starts with.
    Source: Nadeau & Bengio 2003, Machine Learning 52, 239-281.
    """
    middle = float(values.mean())
    scale = np.sqrt(1 / len(values) + overlap**2 / (1 - overlap**2))
    reach = float(quantiles.student(0.5 + level / 2, len(values) - 1) * values.std(ddof=1) * scale)
    return middle, middle - reach, middle + reach
