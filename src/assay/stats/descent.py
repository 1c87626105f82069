"""Many small curve fits of one shape at once: the same curve, the same points, other weights on the points.

A bootstrap draw and a point left out are both weights on the points, so intervals and the influence of every point cost
one batched run instead of a loop.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Parameters, shape (fits, parameters), to values, shape (fits, points), and slopes, (fits, points, parameters).
Curve = Callable[[Floats], tuple[Floats, Floats]]

_DAMPING, _LEAST, _MOST = 1e-3, 1e-12, 1e10
_ENOUGH = 1e-10  # relative gain of a step below which a fit is done, `_PATIENCE` times in a row
_PATIENCE = 3


def huber(residuals: Floats, delta: float) -> Floats:
    """Half the square up to `delta`, a straight line beyond.

    Source: Huber 1964, Annals of Mathematical Statistics 35, 73-101.
    """
    size = np.abs(residuals)
    loss: Floats = np.where(size <= delta, 0.5 * residuals**2, delta * (size - 0.5 * delta))
    return loss


def descend(
    curve: Curve,
    targets: Floats,
    weights: Floats,
    starts: Floats,
    bounds: Floats,
    *,
    delta: float = np.inf,
    steps: int = 200,
) -> tuple[Floats, Floats]:
    """Bring every fit down to a local minimum of its weighted Huber loss.

    Args:
        curve: Values and slopes of the curve.
        targets: What it should hit, shape (points,) or, one set per fit, (fits, points).
        weights: How often each point counts in each fit, shape (fits, points).
        starts: Shape (fits, parameters).
        bounds: Least and greatest value of each parameter, shape (2, parameters).
        delta: Where the loss turns from square to straight; infinity is least squares.
        steps: At most so many.
    Returns: Parameters, shape (fits, parameters), and the loss of each fit, shape (fits,).
    Source: Levenberg 1944, Marquardt 1963, with reweighting after Holland & Welsch 1977.
    """
    found = np.clip(starts, *bounds)
    aims = np.broadcast_to(targets, weights.shape)
    values, slopes = curve(found)
    loss = (weights * huber(aims - values, delta)).sum(axis=1)
    damping = np.full(len(found), _DAMPING)
    idle = np.zeros(len(found), dtype=np.int64)
    live = np.arange(len(found))
    for _ in range(steps):
        residuals = aims[live] - values
        # Reweighted squares touch the Huber loss from above, so a step that lowers them lowers it.
        size = np.maximum(np.abs(residuals), np.finfo(np.float64).tiny)
        pull = weights[live] * np.minimum(1.0, delta / size)
        leaned = (slopes * pull[:, :, None]).transpose(0, 2, 1)
        square = leaned @ slopes
        diagonal = np.einsum("fpp->fp", square)
        ridge = damping[live, None] * diagonal + np.finfo(np.float64).eps * diagonal.max(
            axis=1, keepdims=True
        )
        damped = square + np.eye(square.shape[1]) * (ridge + np.finfo(np.float64).tiny)[:, None, :]
        step = np.linalg.solve(damped, (leaned @ residuals[:, :, None]))[:, :, 0]
        tried = np.clip(found[live] + step, *bounds)
        new_values, new_slopes = curve(tried)
        new_loss = (weights[live] * huber(aims[live] - new_values, delta)).sum(axis=1)
        better = new_loss < loss[live]
        gained = (loss[live] - new_loss) > _ENOUGH * loss[live]
        idle[live] = np.where(gained, 0, idle[live] + 1)
        found[live[better]], loss[live[better]] = tried[better], new_loss[better]
        values[better], slopes[better] = new_values[better], new_slopes[better]
        damping[live] = np.clip(damping[live] * np.where(better, 0.2, 8.0), _LEAST, _MOST)
        going = (idle[live] < _PATIENCE) | ~better & (damping[live] < _MOST)
        live, values, slopes = live[going], values[going], slopes[going]
        if not len(live):
            break
    return found, loss
