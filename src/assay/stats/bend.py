"""Does a learning curve bend away from its own beginning: less from more data than its first part promised."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.stats.bootstrap import interval

Floats = npt.NDArray[np.float64]

EARLY = 0.5  # of the largest size: the curve up to here foretells the rest
FEWEST_EARLY = 4  # sizes, for the three constants of the law
_EXPONENTS = np.geomspace(0.02, 2.0, 120)


@dataclass(frozen=True)
class Bend:
    """What the beginning of a curve foretells for its end, and what came.

    Attributes:
        excess: Loss at the largest size over the foretold one, minus 1; above 0 the curve bends away.
        low, high: Its interval.
        p: Probability of draws like these if the curve does not bend away; one-sided.
        foretold: Loss at the largest size by the law of the first part.
        exponent: Of that law.
        early: Sizes that it was fitted to.
    """

    excess: float
    low: float
    high: float
    p: float
    foretold: float
    exponent: float
    early: int


def bend(sizes: Floats, losses: Floats, draws: Floats, *, early: float = EARLY, level: float = 0.95) -> Bend:
    """Fit ``E + B / D^beta`` to the first part of a curve and compare its end with what that foretells.

    The whole comparison is made again in every draw, so the interval knows how badly few sizes settle a law.

    Args:
        sizes: Rows or tokens, growing, shape (sizes,).
        losses: Lower is better, positive, shape (sizes,).
        draws: Joint draws of the losses, shape (draws, sizes).
        early: Largest size of the first part, as a share of the largest.
    Raises: InputError: fewer than `FEWEST_EARLY` sizes in the first part.
    Source: Chen et al. 2025, Revisiting Scaling Laws for Language Models: The Role of Data Quality and Training
        Strategies (sub-scaling); variable projection: Golub & Pereyra 1973.
    """
    first = int((sizes <= early * sizes.max(initial=0.0) * (1 + 1e-9)).sum())
    if first < FEWEST_EARLY:
        raise InputError(
            f"{first} sizes up to {early:.0%} of the largest; a law of three constants needs {FEWEST_EARLY}",
            fix="Measure the loss at more sizes below that.",
        )
    spread = draws[:, :first].var(axis=0)
    trust = 1 / np.maximum(spread, 1e-12 * losses[:first] ** 2)
    foretold, exponents = _foretell(sizes, np.vstack([losses, draws])[:, :first], trust / trust.sum())
    excess = np.append(losses[-1], draws[:, -1]) / foretold - 1
    low, high = interval(excess[1:], level)
    value = float(excess[0])
    p = (np.count_nonzero(excess[1:] <= 0) + 1) / len(excess)
    return Bend(value, min(low, value), max(high, value), p, float(foretold[0]), float(exponents[0]), first)


def _foretell(sizes: Floats, losses: Floats, trust: Floats) -> tuple[Floats, Floats]:
    """Loss at the largest size by the law of the first sizes, and its exponent, both of shape (draws,).

    Given an exponent the law is linear in its floor and its scale, neither below zero; the exponent is the best of a grid,
    so no draw can get stuck.
    """
    best, foretold = np.full(len(losses), np.inf), np.empty(len(losses))
    exponents = np.empty(len(losses))
    mean = losses @ trust
    for exponent in _EXPONENTS:
        falling = (sizes / sizes[-1]) ** -exponent  # 1 at the largest size
        x = falling[: losses.shape[1]]
        centred = x - trust @ x
        scale = np.maximum((losses * trust) @ centred / (trust @ centred**2), 0.0)
        floor = mean - scale * (trust @ x)
        bare = floor < 0
        scale[bare] = (losses[bare] * trust) @ x / (trust @ x**2)
        floor[bare] = 0.0
        misfit = (losses - floor[:, None] - scale[:, None] * x) ** 2 @ trust
        better = misfit < best
        best[better], foretold[better] = misfit[better], (floor + scale)[better]
        exponents[better] = exponent
    return foretold, exponents
