"""Quantiles of the common distributions, from their special functions.

`scipy.stats` has them too, at a second and a half of import, which every command would pay.
"""

from __future__ import annotations

from scipy import special


def normal(p: float) -> float:
    """Value that a standard normal variable stays below with probability `p`."""
    return float(special.ndtri(p))


def student(p: float, freedom: float) -> float:
    """The same of Student's t with `freedom` degrees of freedom."""
    return float(special.stdtrit(freedom, p))


def chi_square(p: float, freedom: float) -> float:
    """The same of a chi-square variable."""
    return float(2 * special.gammaincinv(freedom / 2, p))


def beta(p: float, above: float, below: float) -> float:
    """The same of a beta variable with these two shapes."""
    return float(special.betaincinv(above, below, p))
