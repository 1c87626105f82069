"""A world whose every expected score is known to the last digit, for the benchmarks of the trial's statistics.

A row is a noisy sighting of one hidden point in `FEATURES` dimensions; a model is the mean of its training rows, drawn
towards the origin by `PRIOR` rows of nothing; an item asks along one random direction and is answered right with a
chance that falls with the model's error there. So learning curves bend as real ones do, seeds that share rows
resemble each other for the reason real ones do, and the mean over items, training rows and test sets is a one-dimensional
Gaussian integral. The arms, the draws and the measures are the trial's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.trial.arms import Arm, Design, Orders, orders, weights
from assay.trial.compare import Comparison, Scores, Set

Floats = npt.NDArray[np.float64]

FEATURES, PRIOR, DISTANCE = 16, 4.0, 1.0
CEILING, SHARPNESS = 0.95, 2.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(200)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclass(frozen=True)
class World:
    """What synthetic rows are like.

    Attributes:
        worth: Real rows that one of them is worth, where `noise` is 1 and `bias` 0: the rows speak softer and the model
            weighs them so.
        noise: Standard deviation of a sighting, in real ones.
        bias: How far their sightings are off, in standard deviations of a real one.
        kin: Test items that ask the same thing and come and go together.
    """

    worth: float = 1.0
    noise: float = 1.0
    bias: float = 0.0
    kin: int = 1

    def expected(self, arm: Arm) -> float:
        """Mean score over fresh training rows and fresh items."""
        real, synthetic = arm.real * arm.repeat, self.worth * arm.synthetic
        rows = real + synthetic + PRIOR
        # The bias is at right angles to the prior's pull, so their squares add up.
        off = ((synthetic * self.bias) ** 2 + (PRIOR * DISTANCE) ** 2) / rows**2
        spread = (real * arm.repeat + self.worth * synthetic * self._spread) / rows**2
        sharp = SHARPNESS * _NODES**2 / 2
        calm = 1 + 2 * sharp * spread
        return float(CEILING * (_WEIGHTS @ (calm ** (-FEATURES / 2) * np.exp(-sharp * off / calm))))

    @property
    def _spread(self) -> float:
        return self.noise**2 / self.worth if self.worth > 0 else 0.0

    def models(self, plan: Design, drawn: Orders, rng: np.random.Generator) -> Floats:
        """Each arm's and seed's error, from one drawing of training rows, shape (arms * seeds, features)."""
        matrix = weights(plan.arms, drawn).astype(np.float64)
        real, synthetic = drawn.real.shape[1], drawn.synthetic.shape[1]
        matrix[:, real : real + synthetic] *= self.worth
        rows = rng.standard_normal((real + synthetic, FEATURES))
        rows[real:] *= self._spread**0.5
        rows[real:, 0] += self.bias
        summed = matrix[:, : real + synthetic] @ rows
        summed[:, 1] -= PRIOR * DISTANCE
        found: Floats = summed / (matrix.sum(axis=1) + PRIOR)[:, None]
        return found

    def scores(self, plan: Design, seeds: int, items: int, rng: np.random.Generator) -> Scores:
        """What the arms of one trial score on one test set."""
        kinds = np.arange(plan.real_rows, dtype=np.uint64), np.arange(plan.synthetic_rows, dtype=np.uint64)
        drawn = orders(*kinds, 0, seeds, rng)
        roots = np.arange(items) // self.kin
        asked = rng.standard_normal((items // self.kin, FEATURES)) * SHARPNESS**0.5
        chance = CEILING * np.exp(-((self.models(plan, drawn, rng) @ asked.T) ** 2) / 2)
        right = rng.random(items) < chance[:, roots]
        main = Set(right.reshape(len(plan.arms), seeds, items).astype(np.float32), np.ones(items), roots)
        return Scores(plan, main, {}, np.zeros(items, dtype=np.bool_), {})

    def trial(
        self, plan: Design, seeds: int, items: int, rng: np.random.Generator, margin: float = 0.01
    ) -> Comparison:
        """One trial in it."""
        scores = self.scores(plan, seeds, items, rng)
        return Comparison(scores, margin=margin, level=0.95, seed=int(rng.integers(2**31)), left_out={})

    def gap(self, plan: Design) -> float:
        """True `trial.gap`."""
        return self.expected(Arm(0, plan.equal)) - self.expected(Arm(plan.equal))

    def benefit(self, plan: Design) -> float:
        """True `trial.benefit`: the best dose's expected score minus that of the better real-only baseline."""
        baselines = (Arm(plan.budget), *plan.repeated)
        return max(map(self.expected, plan.addition)) - max(map(self.expected, baselines))

    def curve(self, plan: Design, shares: Floats) -> Floats:
        """True scores along the replacement curve, rows not rounded."""
        return np.array([self.expected(Arm((1 - s) * plan.equal, s * plan.equal)) for s in shares])  # type: ignore[arg-type]
