"""Arms of the trial that two runs trained with the same seeds on the same test rows, compared seed by seed.

What is left after pairing is the noise of training; the test rows are taken as they are, so a difference found
here is one on these test rows.

Source: Student 1908, The probable error of a mean (paired t).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean, stdev

from scipy.stats import t as student

from assay.core.change import LEVEL, Change, Direction
from assay.core.evidence import Evidence

_LEAST_PAIRS = 3  # seeds below which a paired interval says nothing
_LESS_IS_BETTER = ("loss", "perplexity", "error", "bits", "nats", "ece")


@dataclass(frozen=True)
class Arm:
    """What one learner trained on: multiples of the budget of real and of synthetic rows, and how it was scored."""

    learner: str
    real: float
    synthetic: float
    score: str


@dataclass(frozen=True)
class ArmChange:
    """An arm in both runs: mean scores over the shared seeds, and what lies between them."""

    arm: Arm
    before: float
    after: float
    seeds: int
    change: Change


def arms(before: Evidence, after: Evidence) -> list[ArmChange]:
    """Every arm that both runs scored with at least three seeds in common; none if the test rows may differ."""
    if not _same_test_rows(before, after):
        return []
    old, new = _scores(before), _scores(after)
    found = []
    for arm in sorted(
        old.keys() & new.keys(), key=lambda arm: (arm.learner, arm.score, arm.real, arm.synthetic)
    ):
        seeds = sorted(old[arm].keys() & new[arm].keys())
        if len(seeds) >= _LEAST_PAIRS:
            found.append(_paired(arm, [old[arm][seed] for seed in seeds], [new[arm][seed] for seed in seeds]))
    return found


def _same_test_rows(before: Evidence, after: Evidence) -> bool:
    """Given test files must be the same; without them, the real rows and the seed that split them."""
    tests, real = ([_digests(each, role) for each in (before, after)] for role in ("test", "real"))
    return before.seed == after.seed and tests[0] == tests[1] and (bool(tests[0]) or real[0] == real[1])


def _digests(evidence: Evidence, role: str) -> list[str]:
    return [each.sha256 for each in evidence.inputs if each.role == role]


def _scores(evidence: Evidence) -> dict[Arm, dict[int, float]]:
    """Score by arm and seed; an arm that a seed trained twice is left out, for nothing says which is which."""
    scores: dict[Arm, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for trial in evidence.trials:
        for name, value in trial.score.items():
            arm = Arm(trial.learner, round(trial.recipe.real, 6), round(trial.recipe.synthetic, 6), name)
            scores[arm][trial.seed].append(value)
    return {
        arm: {seed: values[0] for seed, values in by_seed.items()}
        for arm, by_seed in scores.items()
        if all(len(values) == 1 for values in by_seed.values())
    }


def _paired(arm: Arm, before: list[float], after: list[float]) -> ArmChange:
    differences = [later - earlier for earlier, later in zip(before, after, strict=True)]
    seeds, value = len(differences), fmean(differences)
    error = stdev(differences) / math.sqrt(seeds)
    half = float(student.ppf(0.5 + LEVEL / 2, seeds - 1)) * error
    p = float(2 * student.sf(abs(value) / error, seeds - 1)) if error > 0 else float(value == 0)
    grown = value if any(word in arm.score for word in _LESS_IS_BETTER) else -value
    direction: Direction = "worse" if grown > 0 else "better" if grown < 0 else "neither"
    between = Change(value, value - half, value + half, p, direction)
    return ArmChange(arm, fmean(before), fmean(after), seeds, between)
