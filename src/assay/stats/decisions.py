"""What draws let one say: equivalence, the smallest visible difference, discoveries among many."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from assay.stats import quantiles

Floats = npt.NDArray[np.float64]


def equivalence(draws: Floats, margin: float) -> float:
    """p-value of two one-sided tests that a difference lies beyond the margin either way.

    Args:
        draws: Draws of the difference, shape (draws,).
        margin: Largest difference that does not matter, in the unit of the draws.
    Source: Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.
    """
    beyond = max(np.count_nonzero(draws >= margin), np.count_nonzero(draws <= -margin))
    return float((beyond + 1) / (len(draws) + 1))


def detectable_effect(error: float, *, power: float = 0.8, size: float = 0.05) -> float:
    """Smallest true difference that a two-sided test of this size finds with this power.

    Args:
        error: Standard error of the difference.
    Source: Card et al. 2020, With Little Power Comes Great Responsibility.
    """
    return float((quantiles.normal(1 - size / 2) + quantiles.normal(power)) * error)


def two_sided(draws: Floats) -> Floats:
    """p-value of no difference from draws of differences, shape (draws, tests) to (tests,)."""
    beyond = np.minimum((draws >= 0).sum(axis=0), (draws <= 0).sum(axis=0))
    p: Floats = np.minimum(2 * (beyond + 1) / (len(draws) + 1), 1.0)
    return p


def error_of(draws: Floats) -> float:
    """Standard error from draws with heavy tails: the central 95 % interval's width in normal units."""
    low, high = np.quantile(draws, [0.025, 0.975])
    return float((high - low) / (2 * quantiles.normal(0.975)))


def error_bounds(error: float, freedom: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a standard error known from `freedom` degrees of freedom, by the chi-square law."""
    tail = (1 - level) / 2
    low, high = (math.sqrt(freedom / quantiles.chi_square(p, freedom)) for p in (1 - tail, tail))
    return error * float(low), error * float(high)
