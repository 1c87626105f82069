"""Scaling laws: how loss falls with parameters, tokens or compute, with an interval for every constant of the law.

The law is ``L = E + A / N^alpha (+ B / D^beta)``: a floor and one falling term per axis. It is fitted in logarithms,
``log L = log(exp(e) + exp(a - alpha log N) + exp(b - beta log D))``, with a loss that outliers cannot rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from assay.core.errors import InputError
from assay.stats.bootstrap import cluster_weights
from assay.stats.descent import Curve, descend, huber

Floats = npt.NDArray[np.float64]

DELTA = 1e-3  # of the Huber loss, in logarithms of loss
DRAWS = 1000
INFLUENTIAL = 0.02  # share of the points left out together to see what the law rests on
_FLOORS = (0.2, 0.5, 0.8, 0.95)  # of the least loss
_EXPONENTS = (0.1, 0.3, 0.5, 0.8, 1.2)
_SPLITS = (0.1, 0.3, 0.5, 0.7, 0.9)  # of what lies above the floor between the terms
_DEEPER, _POLISHED, _WARM = 40, 5, 3
_STEEPEST = 4.0
_POINTS_PER_PARAMETER = 2


@dataclass(frozen=True)
class Law:
    """A floor and one falling term per axis.

    Attributes:
        floor: Loss that no size takes away (E), in the unit of the loss.
        scales: A, B: loss above the floor at size 1, shape (axes,).
        exponents: alpha, beta, shape (axes,).
    """

    floor: float
    scales: Floats
    exponents: Floats

    def predict(self, sizes: Floats) -> Floats:
        """Loss at sizes of shape (points, axes)."""
        loss: Floats = self.floor + (self.scales * sizes**-self.exponents).sum(axis=1)
        return loss


@dataclass(frozen=True)
class Fit:
    """A law and how far it can be trusted. Constants stand in the order E, A, alpha, B, beta.

    Attributes:
        law: The best fit to all points.
        draws: Constants under each draw of clusters, shape (draws, constants).
        without: Constants with each point left out, shape (points, constants).
        trimmed: Constants without the most influential points, shape (constants,).
        influential: Which points those are, most influential first.
        error: Typical distance of a point from the law: median of ``|log L - log law|``.
        objective: Sum of the Huber losses.
    """

    law: Law
    draws: Floats
    without: Floats
    trimmed: Floats
    influential: npt.NDArray[np.int64]
    error: float
    objective: float

    @property
    def constants(self) -> Floats:
        """The law's constants, shape (constants,)."""
        pairs = np.column_stack([self.law.scales, self.law.exponents])
        return np.concatenate([[self.law.floor], pairs.ravel()])


def fewest_points(axes: int) -> int:
    """Points a fit needs: two for each constant of the law."""
    return _POINTS_PER_PARAMETER * (1 + 2 * axes)


def fit(
    sizes: Floats,
    losses: Floats,
    *,
    clusters: npt.NDArray[np.int64] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    delta: float = DELTA,
) -> Fit:
    """Fit the law by many starts, then again for every draw of the points and with every point left out.

    The starts spread over floors, exponents and splits between the terms that do not depend on the units of the
    sizes; the best go down by damped reweighted least squares, the best of those by L-BFGS with the analytic gradient.

    Args:
        sizes: Parameters, tokens or operations, positive, shape (points, axes), one axis or two.
        losses: Positive, shape (points,).
        clusters: Points of one training run share a number, 0 to clusters - 1, and are drawn together, shape
            (points,); None means that every point is a run of its own.
        draws: Bootstrap draws.
        delta: Where the Huber loss turns straight.
    Raises: InputError: fewer points than `fewest_points`, fewer than three sizes on an axis, or a number that is not
        positive and finite.
    Source: Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, approach 3; the influence of single
        points: Besiroglu et al. 2024, Chinchilla Scaling: A Replication Attempt.
    """
    _check(sizes, losses)
    rng = np.random.default_rng(seed)
    logs, targets = np.log(sizes), np.log(losses)
    centre = logs.mean(axis=0)
    curve, bounds = _curve(logs - centre), _bounds(targets, logs.shape[1])
    optima = _search(curve, targets, logs - centre, bounds, delta)
    best = optima[0]
    groups = np.arange(len(losses)) if clusters is None else clusters
    drawn = cluster_weights(int(groups.max()) + 1, draws, rng)[:, groups]
    everything = np.concatenate([drawn, 1.0 - np.eye(len(losses))])
    refits = _constants(_refit(curve, targets, everything, optima, bounds, delta), centre)
    value = _constants(best[None], centre)[0]
    without = refits[draws:]
    influential = _influential(without, value)
    kept = np.ones((1, len(losses)))
    kept[0, influential] = 0.0
    residuals = targets - curve(best[None])[0][0]
    return Fit(
        law=Law(float(value[0]), value[1::2], value[2::2]),
        draws=refits[:draws],
        without=without,
        trimmed=_constants(_refit(curve, targets, kept, optima, bounds, delta), centre)[0],
        influential=influential,
        error=float(np.median(np.abs(residuals))),
        objective=float(huber(residuals, delta).sum()),
    )


def _check(sizes: Floats, losses: Floats) -> None:
    for name, values in (("size", sizes), ("loss", losses)):
        if not (np.isfinite(values).all() and (values > 0).all()):
            raise InputError(f"a {name} is not a positive number", fix="Leave that point out.")
    least = fewest_points(sizes.shape[1])
    if len(losses) < least:
        raise InputError(
            f"the law has {least // 2} constants; {len(losses)} points cannot settle them (least: {least})"
        )
    for axis in sizes.T:
        if len(np.unique(axis)) < 3:
            raise InputError(
                f"an axis has {len(np.unique(axis))} different sizes; a bend shows from 3 on",
                fix="Add runs of other sizes, or leave that axis out.",
            )


def _curve(places: Floats) -> Curve:
    """Log loss and its slopes at log sizes measured from their mean, shape (points, axes)."""
    points, axes = places.shape

    def curve(parameters: Floats) -> tuple[Floats, Floats]:
        terms = np.empty((1 + axes, len(parameters), points))
        terms[0] = parameters[:, [0]]
        for axis in range(axes):
            terms[1 + axis] = parameters[:, [1 + 2 * axis]] - parameters[:, [2 + 2 * axis]] * places[:, axis]
        values = np.logaddexp.reduce(terms, axis=0)
        parts = np.exp(terms - values)
        slopes = np.empty((len(parameters), points, 1 + 2 * axes))
        slopes[:, :, 0] = parts[0]
        for axis in range(axes):
            slopes[:, :, 1 + 2 * axis] = parts[1 + axis]
            slopes[:, :, 2 + 2 * axis] = -parts[1 + axis] * places[:, axis]
        return values, slopes

    return curve


def _bounds(targets: Floats, axes: int) -> Floats:
    low, high = targets.min(), targets.max()
    pair = [[low - 16.0, 0.0], [high + 4.0, _STEEPEST]]
    return np.array([[low - 16.0, *pair[0] * axes], [low, *pair[1] * axes]])


def _search(curve: Curve, targets: Floats, places: Floats, bounds: Floats, delta: float) -> Floats:
    """Different local minima, the best first, shape (at most `_WARM`, parameters)."""
    starts = _starts(targets, places)
    screened = np.concatenate(
        [
            huber(targets - curve(part)[0], delta).sum(axis=1)
            for part in np.array_split(starts, 1 + len(starts) // 64)
        ]
    )
    chosen = starts[np.argsort(screened, kind="stable")[:_DEEPER]]
    every = np.ones((len(chosen), len(targets)))
    found, loss = descend(curve, targets, every, chosen, bounds, delta=delta)

    def objective(parameters: Floats) -> tuple[float, Floats]:
        values, slopes = curve(parameters[None])
        residuals = targets - values[0]
        slope: Floats = -np.clip(residuals, -delta, delta) @ slopes[0] / delta
        return float(huber(residuals, delta).sum()) / delta, slope

    ends = []
    for start in found[np.argsort(loss, kind="stable")[:_POLISHED]]:
        end = minimize(
            objective, start, jac=True, method="L-BFGS-B", bounds=bounds.T, options={"maxiter": 500}
        )
        ends.append((float(end.fun), end.x))
    ends.sort(key=lambda end: end[0])
    kept = [ends[0][1]]
    for _, end in ends[1:]:
        if len(kept) < _WARM and all(np.abs(end - other).max() > 0.05 for other in kept):
            kept.append(end)
    return np.array(kept)


def _starts(targets: Floats, places: Floats) -> Floats:
    axes = places.shape[1]
    least, middle = np.exp(targets.min()), np.exp(np.median(targets))
    starts = []
    for floor in _FLOORS:
        above = max(middle - floor * least, 1e-3 * middle)
        for first in _EXPONENTS:
            if axes == 1:
                starts.append([np.log(floor * least), np.log(above), first])
                continue
            starts += [
                [np.log(floor * least), np.log(above * split), first, np.log(above * (1 - split)), second]
                for second in _EXPONENTS
                for split in _SPLITS
            ]
    return np.array(starts)


def _refit(
    curve: Curve, targets: Floats, weights: Floats, optima: Floats, bounds: Floats, delta: float
) -> Floats:
    """The best fit under each set of weights, from each known optimum, shape (fits, parameters)."""
    best, least = np.empty((len(weights), optima.shape[1])), np.full(len(weights), np.inf)
    for optimum in optima:
        starts = np.repeat(optimum[None], len(weights), axis=0)
        found, loss = descend(curve, targets, weights, starts, bounds, delta=delta)
        better = loss < least
        best[better], least[better] = found[better], loss[better]
    return best


def _constants(parameters: Floats, centre: Floats) -> Floats:
    """From logarithms at the mean sizes to E, A, alpha, B, beta."""
    out = parameters.copy()
    out[:, 0] = np.exp(parameters[:, 0])
    for axis, place in enumerate(centre):
        out[:, 1 + 2 * axis] = np.exp(parameters[:, 1 + 2 * axis] + parameters[:, 2 + 2 * axis] * place)
    return out


def _influential(without: Floats, value: Floats) -> npt.NDArray[np.int64]:
    """The points whose absence moves an exponent most, each exponent in units of its own spread."""
    moved = np.abs(without[:, 2::2] - value[2::2])
    spread = np.maximum(moved.mean(axis=0), np.finfo(np.float64).tiny)
    order = np.argsort(-(moved / spread).max(axis=1), kind="stable")
    return order[: max(1, round(INFLUENTIAL * len(without)))]
