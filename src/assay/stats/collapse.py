"""How loss grows over generations: which shape, how fast, and where it will be.

Growth is fitted over generations 1 to T, those that were trained on output of others. Four shapes compete: it stays
where the first of them put it (level), it slows down (logarithmic), it keeps its pace (linear), it gathers pace
(exponential). None is picked: each keeps a probability, and what is said about later generations averages over them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.stats import quantiles

Floats = npt.NDArray[np.float64]

SHAPES = ("level", "logarithmic", "linear", "exponential")
FEWEST = 4  # generations, one more than the constants of the largest shape
# Gathering pace: slower than the first of these is a line to the eye, faster than the last doubles each generation.
_RATES = (0.15, 0.25, 0.4, 0.55, 0.7)
_CONSTANTS = np.array([1, 2, 2, 3])
_PRIOR = np.array([3, 1, 1, 1]) / 6  # that it grows and that it stays are even odds; then all ways to grow
_NUGGET = 0.05  # of the mean variance: a bootstrap of few seeds knows no covariance to the last digit


@dataclass(frozen=True)
class _Line:
    """One design matrix, fitted: constants with their covariance, and how well it does."""

    rate: float
    constants: Floats
    covariance: Floats
    criterion: float


@dataclass(frozen=True)
class Shapes:
    """The four shapes fitted to one series.

    Attributes:
        probabilities: Of each of `SHAPES`, shape (4,); they sum to 1.
        lines: The fits behind each shape; several for the exponential one, one for each rate.
    """

    probabilities: Floats
    lines: tuple[tuple[_Line, ...], ...]

    @property
    def likeliest(self) -> str:
        """The shape with the largest probability."""
        return SHAPES[int(self.probabilities.argmax())]

    def draw(self, generation: float, number: int, rng: np.random.Generator) -> Floats:
        """Growth at a generation, run or not, under draws of shape and constants, shape (number,)."""
        out = np.empty(number)
        shapes = rng.choice(len(SHAPES), size=number, p=self.probabilities)
        for shape, fits in enumerate(self.lines):
            mine = np.flatnonzero(shapes == shape)
            weights = _weights(np.array([fit.criterion for fit in fits]))
            for at, which in zip(mine, rng.choice(len(fits), size=len(mine), p=weights), strict=True):
                fit = fits[which]
                constants = rng.multivariate_normal(fit.constants, fit.covariance, method="cholesky")
                out[at] = (_design(shape, np.array([generation]), fit.rate) @ constants)[0]
        return out


def fit_shapes(growth: Floats, covariance: Floats) -> Shapes:
    """Fit all shapes to growth over generations 1 to T.

    Errors of the generations move together (they share seeds and test items), so squares are taken in the space where
    they do not. A shape whose misfit is larger than the errors explain has them stretched, and pays for it.

    Args:
        growth: Mean growth against generation 0, shape (T,).
        covariance: Of its error, shape (T, T).
    Raises: InputError: fewer than four generations, or a number that is not finite.
    Source: Schwarz 1978, Estimating the dimension of a model (BIC); Kass & Raftery 1995 (its weights as
        probabilities); the shapes are those that published recursions follow, Gerstgrasser et al. 2024 (linear and
        bounded), Dohmatob et al. 2024.
    """
    if len(growth) < FEWEST:
        raise InputError(f"a shape needs {FEWEST} generations, there are {len(growth)}")
    if not (np.isfinite(growth).all() and np.isfinite(covariance).all()):
        raise InputError("growth that is not finite has no shape")
    generations = np.arange(1, len(growth) + 1, dtype=np.float64)
    tiny = (1e-6 * max(float(np.abs(growth).max()), 1e-6)) ** 2
    spread = covariance + np.eye(len(growth)) * (_NUGGET * np.trace(covariance) / len(growth) + tiny)
    root = np.linalg.cholesky(spread)

    def whitened(values: Floats) -> Floats:
        return np.asarray(np.linalg.solve(root, values), dtype=np.float64)

    white = whitened(growth)
    lines = tuple(
        tuple(
            _fit(whitened(_design(shape, generations, rate)), white, rate, _CONSTANTS[shape])
            for rate in (_RATES if name == "exponential" else (0.0,))
        )
        for shape, name in enumerate(SHAPES)
    )
    best = np.array([min(fit.criterion for fit in fits) for fits in lines])
    return Shapes(_weights(best - 2 * np.log(_PRIOR)), lines)


def slope(series: Floats) -> Floats:
    """Least-squares change per generation of series over generations 0, 1, ..., shape (..., T + 1) to (...)."""
    place = np.arange(series.shape[-1]) - (series.shape[-1] - 1) / 2
    found: Floats = series @ (place / (place**2).sum())
    return found


def half_life(shares: Floats, level: float = 0.95) -> tuple[float, float, float]:
    """Generations until half of a share is gone, if it decays at a steady rate; infinite where it does not fall.

    Args:
        shares: Positive, shape (seeds, generations), at least two of each.
    Returns: Value, low and high, in generations.
    """
    rates = -slope(np.log(shares))
    reach = quantiles.student(0.5 + level / 2, len(rates) - 1) * rates.std(ddof=1) / np.sqrt(len(rates))
    middle = float(rates.mean())
    value, low, high = (
        float(np.log(2) / rate) if rate > 0 else np.inf for rate in (middle, middle + reach, middle - reach)
    )
    return value, low, high


def crossing(shares: Floats, growth: Floats, margin: float) -> Floats:
    """Smallest share of real data whose growth stays within the margin, between measured shares by straight lines.

    More real data never harms here: where noise says so, the better of the smaller shares counts.

    Args:
        shares: Ascending, the last one safe by construction, shape (shares,).
        growth: Shape (draws, shares).
    Returns: Shape (draws,).
    """
    falling = np.minimum.accumulate(growth, axis=1)
    falling[:, -1] = np.minimum(falling[:, -1], margin)
    first = (falling <= margin).argmax(axis=1)
    before = np.maximum(first - 1, 0)
    draws = np.arange(len(growth))
    above, below = falling[draws, before], falling[draws, first]
    part = np.divide(above - margin, above - below, out=np.ones(len(growth)), where=above > below)
    between: Floats = shares[before] + part * (shares[first] - shares[before])
    return np.where(first == 0, shares[0], between)


def _design(shape: int, generations: Floats, rate: float) -> Floats:
    ones, since = np.ones(len(generations)), generations - 1
    columns = {
        "level": [ones],
        "logarithmic": [ones, np.log(generations)],
        "linear": [ones, since],
        "exponential": [ones, np.expm1(rate * since) if rate else since],
    }
    return np.column_stack(columns[SHAPES[shape]])


def _fit(design: Floats, white: Floats, rate: float, constants: int) -> _Line:
    found, *_ = np.linalg.lstsq(design, white, rcond=None)
    rest = float(((white - design @ found) ** 2).sum())
    number = len(white)
    stretch = max(1.0, rest / number)
    covariance = np.asarray(stretch * np.linalg.inv(design.T @ design), dtype=np.float64)
    criterion = rest / stretch + number * np.log(stretch) + constants * np.log(number)
    return _Line(rate, np.asarray(found, dtype=np.float64), covariance, float(criterion))


def _weights(criteria: Floats) -> Floats:
    likely = np.exp(-(criteria - criteria.min()) / 2)
    found: Floats = likely / likely.sum()
    return found
