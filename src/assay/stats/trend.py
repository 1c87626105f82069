"""A straight line through numbers that are each known with an error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.stats import quantiles

Floats = npt.NDArray[np.float64]


def change(values: Floats, errors: Floats, level: float = 0.95) -> tuple[float, float, float]:
    """How far the least-squares line through evenly spaced values climbs from the first to the last.

    The line describes these values, straight or not: the interval speaks of their errors, not of how they
    scatter around it.

    Args:
        values: At least two, shape (values,).
        errors: Standard error of each, independent of the others', shape (values,).
    Returns: Climb, low and high.
    Source: Gauss 1809, the method of least squares; the normal law for the weighted sum of the errors.
    """
    place = np.arange(len(values)) - (len(values) - 1) / 2
    lever = place / (place**2).sum() * (len(values) - 1)
    climb = float(lever @ values)
    reach = float(quantiles.normal(0.5 + level / 2) * np.sqrt(((lever * errors) ** 2).sum()))
    return climb, climb - reach, climb + reach
