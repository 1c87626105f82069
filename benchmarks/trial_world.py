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
DRAWS = 600  # of the bootstrap: enough to see coverage, at a third of the price
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
        blind: Features they say nothing about.
        kin: Test items that ask the same thing and come and go together.
    """

    worth: float = 1.0
    noise: float = 1.0
    bias: float = 0.0
    blind: int = 0
    kin: int = 1

    def expected(self, arm: Arm) -> float:
        """Mean score over fresh training rows and fresh items."""
        real, synthetic = arm.real * arm.repeat, self.worth * arm.synthetic
        own = real * arm.repeat
        seen = real + synthetic + PRIOR
        sharp = SHARPNESS * _NODES**2 / 2
        # The bias is at right angles to the prior's pull, so their squares add up.
        off = ((synthetic * self.bias) ** 2 + (PRIOR * DISTANCE) ** 2) / seen**2
        calm = 1 + 2 * sharp * (own + self.worth * synthetic * self._spread) / seen**2
        answered = calm ** (-(FEATURES - self.blind) / 2) * np.exp(-sharp * off / calm)
        # What they are blind to, each such feature with its own pull of the prior.
        calm = 1 + 2 * sharp * own / (real + PRIOR) ** 2
        off = (PRIOR * DISTANCE / (real + PRIOR)) ** 2
        answered *= (calm**-0.5 * np.exp(-sharp * off / calm)) ** self.blind
        return float(CEILING * (_WEIGHTS @ answered))

    @property
    def _spread(self) -> float:
        return self.noise**2 / self.worth if self.worth > 0 else 0.0

    def sample(self, plan: Design, items: int, rng: np.random.Generator) -> Sample:
        """One drawing of training rows and of test items."""
        told = rng.standard_normal((plan.synthetic_rows, FEATURES)) * self._spread**0.5
        told[:, 0] += self.bias
        return Sample(
            self,
            rng.standard_normal((plan.real_rows, FEATURES)),
            told,
            rng.standard_normal((items // self.kin, FEATURES)) * SHARPNESS**0.5,
            rng.random(items),
        )

    def trial(
        self, plan: Design, seeds: int, items: int, rng: np.random.Generator, margin: float = 0.01
    ) -> Comparison:
        """One trial in it."""
        sample, drawn = self.sample(plan, items, rng), draw(plan, seeds, rng)
        return sample.comparison(plan, drawn, int(rng.integers(2**31)), margin)

    def gap(self, plan: Design) -> float:
        """True `trial.gap`."""
        return self.expected(Arm(0, plan.equal)) - self.expected(Arm(plan.equal))

    def benefit(self, plan: Design) -> float:
        """True `trial.benefit`: the best dose's expected score minus that of the better real-only baseline."""
        baselines = (Arm(plan.budget), *plan.repeated)
        return max(map(self.expected, plan.addition)) - max(map(self.expected, baselines))

    def curve(self, plan: Design, shares: Floats) -> Floats:
        """True scores along the replacement curve, rows not rounded."""
        return np.array([self.expected(Arm((1 - s) * plan.equal, s * plan.equal)) for s in shares])


@dataclass(frozen=True)
class Sample:
    """What one trial gets to see.

    Attributes:
        world: What it is from.
        real, told: Errors of the real and of the synthetic rows, shape (rows, features).
        asked: Directions, shape (roots, features).
        hard: How hard each item is, shape (items,).
    """

    world: World
    real: Floats
    told: Floats
    asked: Floats
    hard: Floats

    def right(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Answers of models trained on rows so weighted, shape (models, rows) to (models, items)."""
        real, told = matrix[:, : len(self.real)], matrix[:, len(self.real) :][:, : len(self.told)]
        sees = np.arange(FEATURES) < FEATURES - self.world.blind
        worth = self.world.worth * told.sum(axis=1, dtype=np.float64)[:, None] * sees
        summed = real @ self.real + told @ self.told * self.world.worth * sees
        summed[:, 1] -= PRIOR * DISTANCE
        summed[:, ~sees] -= PRIOR * DISTANCE
        errors = summed / (real.sum(axis=1, dtype=np.float64)[:, None] + worth + PRIOR)
        chance = CEILING * np.exp(-((errors @ self.asked.T) ** 2) / 2)
        found: npt.NDArray[np.float32] = (self.hard < chance[:, self._roots]).astype(np.float32)
        return found

    def comparison(self, plan: Design, drawn: Orders, seed: int, margin: float = 0.01) -> Comparison:
        """The trial's own reading of all arms of the plan."""
        items = len(self.hard)
        gain = self.right(weights(plan.arms, drawn)).reshape(len(plan.arms), drawn.seeds, items)
        scores = Scores(plan, Set(gain, np.ones(items), self._roots), {}, np.zeros(items, dtype=np.bool_), {})
        return Comparison(scores, margin=margin, level=0.95, seed=seed, left_out={}, draws=DRAWS)

    @property
    def _roots(self) -> npt.NDArray[np.int64]:
        return np.arange(len(self.hard)) // self.world.kin


def draw(plan: Design, seeds: int, rng: np.random.Generator) -> Orders:
    """Orders of rows that are nobody's kin."""
    kinds = np.arange(plan.real_rows, dtype=np.uint64), np.arange(plan.synthetic_rows, dtype=np.uint64)
    return orders(*kinds, 0, seeds, rng)
