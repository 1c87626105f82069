"""What theory says of recursions simple enough to be solved: the forecast's regimes must agree with it."""

from __future__ import annotations

import math


def missed(chance: float, samples: int) -> float:
    """Probability that a state of this chance does not occur among the samples.

    Source: Shumailov et al. 2024, AI models collapse when trained on recursively generated data, Nature 631.
    """
    return (1 - chance) ** samples


def gaussian_spread(generation: int, samples: int) -> float:
    """Expected variance of a Gaussian refitted by maximum likelihood under replacement, that of the start being 1.

    Generation 0 is fitted to real samples; its own variance is short by a factor already.

    Source: Shumailov et al. 2024, section on the one-dimensional Gaussian.
    """
    return (1 - 1 / samples) ** (generation + 1)


def gaussian_drift(generation: int, samples: int, *, accumulate: bool) -> float:
    """Expected squared error of a refitted Gaussian's mean, known variance of 1; bounded where rows accumulate.

    Source: Kazdan et al. 2024, Collapse or Thrive (accumulating: pi^2 / 6 / samples in the limit).
    """
    if not accumulate:
        return (generation + 1) / samples
    return sum(1 / step**2 for step in range(1, generation + 2)) / samples


def regression_error(
    generation: int, samples: int, dimensions: int, noise: float, *, accumulate: bool
) -> float:
    """Expected excess test error of least squares refitted on labels of the model before, same inputs in law.

    Args:
        noise: Standard deviation of the labels around any model.
    Source: Gerstgrasser et al. 2024, Is Model Collapse Inevitable? (theorems 1 and 2; Gaussian inputs).
    """
    once = noise**2 * dimensions / (samples - dimensions - 1)
    steps = range(1, generation + 2)
    return once * (sum(1 / step**2 for step in steps) if accumulate else len(steps))


def agreement(generation: int, samples: int, first: float, *, accumulate: bool) -> float:
    """Expected sum of squared probabilities of a refitted categorical law.

    Args:
        first: The same of the true law; at 1 a single state is left.
    Source: Seddik et al. 2024, How bad is training on synthetic data? A statistical analysis of language model collapse;
        where rows accumulate, each step of the same argument moves the law by 1 / (generation + 1) of the way.
    """
    steps = range(1, generation + 2)
    kept = math.prod(1 - 1 / (samples * (step**2 if accumulate else 1)) for step in steps)
    return 1 - kept * (1 - first)


def mixture_error(weight: float, ratio: float = 1.0) -> float:
    """Where the squared error of a mean settles that is refitted on fresh real and on synthetic samples, times samples.

    Args:
        weight: Of the fresh real samples, over 0 to 1.
        ratio: Synthetic samples for each real one.
    Source: He et al. 2025, Golden Ratio Weighting Prevents Model Collapse.
    """
    return (weight**2 + (1 - weight) ** 2 / ratio) / (weight * (2 - weight))


def best_weight(ratio: float = 1.0) -> float:
    """The weight of the fresh real samples at which that error is least: for equal numbers, one over the golden ratio.

    Source: He et al. 2025; the root of ``ratio * w^2 + w - 1``.
    """
    return (math.sqrt(1 + 4 * ratio) - 1) / (2 * ratio)


def selection_threshold(keep_right: float, keep_wrong: float) -> float:
    """Share of wrong rows that a generator may write so that what selection keeps is still worth training on.

    Args:
        keep_right, keep_wrong: Probability that a right, or a wrong, row is kept.
    Source: Feng et al. 2024, Beyond Model Collapse: Scaling Up with Synthesized Data Requires Verification.
    """
    return 1.0 if keep_wrong == 0 else 1 / (1 + keep_wrong / keep_right) if keep_right > 0 else 0.0
