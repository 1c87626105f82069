"""Intervals from tallies that add up: leave one bucket of kin rows out at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.stats import quantiles

Floats = npt.NDArray[np.float64]


def jackknife(
    tallies: npt.NDArray[np.generic], read: Callable[[Floats], float], level: float = 0.95
) -> tuple[float, float, float]:
    """Value of a tally with an interval that knows which rows are kin.

    Args:
        tallies: One tally per bucket, shape (buckets, k); buckets that hold nothing are left out.
        read: Turns a summed tally, shape (k,), into the number of interest; smooth in the tally.
        level: Probability with which the interval should cover the truth.
    Returns: Value, low and high, in the unit of `read`.
    Raises: InputError: fewer than two buckets hold anything, or `read` is not finite with one left out.
    Source: Quenouille 1956, Biometrika 43; grouped form in Wolter 2007, Introduction to Variance
        Estimation, chapter 4; Student's t with buckets - 1 degrees of freedom.
    """
    filled = _filled(tallies)
    total = filled.sum(axis=0)
    value = read(total)
    without = np.array([read(total - tally) for tally in filled])
    if not (np.isfinite(value) and np.isfinite(without).all()):
        raise InputError(
            "the value is not finite when one bucket of rows is left out",
            fix="Call the measure missing where its denominator may vanish.",
        )
    buckets = len(filled)
    error = np.sqrt((buckets - 1) / buckets * np.sum((without - without.mean()) ** 2))
    reach = float(quantiles.student(0.5 + level / 2, buckets - 1) * error)
    return float(value), float(value - reach), float(value + reach)


def share(
    hits: npt.NDArray[np.generic], rows: npt.NDArray[np.generic], level: float = 0.95
) -> tuple[float, float, float]:
    """Share of rows that are hits; honest also at 0 and at 1, where the jackknife's interval has no width.

    The jackknife's variance says how many independent rows the kin rows are worth; the exact binomial
    interval is taken for that many. With no spread to learn from, the rows count as independent.

    Args:
        hits: Rows that are hits, shape (buckets,).
        rows: All rows, shape (buckets,).
        level: Probability with which the interval should cover the truth.
    Returns: Share, low and high, all within [0, 1].
    Raises: InputError: fewer than two buckets hold rows.
    Source: Korn & Graubard 1998, Survey Methodology 24, 193-201.
    """
    filled = _filled(np.column_stack([hits, rows]), column=1)
    buckets, (hit, total) = len(filled), filled.sum(axis=0)
    value = float(hit / total)
    without = (hit - filled[:, 0]) / (total - filled[:, 1])
    variance = (buckets - 1) / buckets * np.sum((without - without.mean()) ** 2)
    worth = value * (1 - value) / variance if variance > 0 else total
    worth = min(worth * _paid(buckets - 1, level), total)
    return value, *_exact(value, worth, level, none=not hit, every=hit == total)


def redrawn(
    value: float, units: float, draws: Floats, drawn: float, level: float = 0.95
) -> tuple[float, float, float]:
    """A share with an interval from bootstrap draws, for shares that no leaving out of a few rows describes.

    The spread of the draws says how many independent units those of a draw are worth, and so how many all are worth;
    the exact binomial interval is taken for that many. Draws may be smaller than the sample.

    Args:
        value: Share of all units.
        units, drawn: Units in all, and in each draw.
        draws: The share of each draw, its whole making repeated, shape (draws,); at least two.
    Returns: `value`, low and high, all within [0, 1].
    Raises: InputError: the value or a draw is not finite.
    Source: Efron 1979, Annals of Statistics 7, 1-26; fewer than all: Bickel, Goetze & van Zwet 1997, Statistica
        Sinica 7, 1-31; effective sample size: Korn & Graubard 1998, Survey Methodology 24, 193-201.
    """
    if not (np.isfinite(value) and np.isfinite(draws).all()):
        raise InputError("the share is not finite in some draw of the rows", fix="Give more rows.")
    mean, variance = float(draws.mean()), float(draws.var(ddof=1))
    worth = units * (mean * (1 - mean) / variance / drawn if variance > 0 else 1.0)
    worth *= _paid(len(draws) - 1, level)
    return value, *_exact(value, worth, level, none=value == 0, every=value == 1)


def _paid(freedom: int, level: float) -> float:
    """What a variance estimated with few degrees of freedom takes off: the squared ratio of normal to t quantile."""
    tail = 0.5 + level / 2
    return float((quantiles.normal(tail) / quantiles.student(tail, freedom)) ** 2)


def _exact(value: float, worth: float, level: float, *, none: bool, every: bool) -> tuple[float, float]:
    """The exact binomial interval of a share of `worth` independent units, of which `none` or `every` one hits."""
    tail, found = (1 - level) / 2, value * worth
    low = 0.0 if none else float(quantiles.beta(tail, found, worth - found + 1))
    high = 1.0 if every else float(quantiles.beta(1 - tail, found + 1, worth - found))
    return low, high


def binomial(hits: int, trials: int, level: float = 0.95) -> tuple[float, float, float]:
    """Share of independent trials that are hits, with its exact interval; (0, 0, 1) of no trials.

    Source: Clopper & Pearson 1934, Biometrika 26, 404-413.
    """
    tail = (1 - level) / 2
    low = quantiles.beta(tail, hits, trials - hits + 1) if hits > 0 else 0.0
    high = quantiles.beta(1 - tail, hits + 1, trials - hits) if hits < trials else 1.0
    return hits / max(trials, 1), float(low), float(high)


def _filled(tallies: npt.NDArray[np.generic], column: int | None = None) -> Floats:
    counts = np.asarray(tallies, dtype=np.float64)
    counts = counts[(counts if column is None else counts[:, [column]]).any(axis=1)]
    if len(counts) < 2:
        raise InputError(
            "an interval needs rows from at least two independent roots",
            fix="Give more rows, or do not declare them all kin of one root.",
        )
    return counts
