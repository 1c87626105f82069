"""A smooth curve through a few points that are known together, each with an error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LENGTHS = (0.25, 0.4, 0.6, 1.0, 1.6)  # over which the curve bends, in the whole span of places
_HEIGHTS = (0.1, 0.3, 1.0, 3.0, 10.0)  # of its bends, in standard deviations of the points' mean error
_VAGUE = 1e4  # variance of the curve's level, in the same unit


@dataclass(frozen=True)
class Curve:
    """What the points leave to be believed of the curve.

    Attributes:
        places: Where it is known, shape (places,).
        value: Its mean, shape (places,).
        draws: Curves as likely as one another, shape (draws, places).
    """

    places: Floats
    value: Floats
    draws: Floats

    @property
    def top(self) -> Floats:
        """Where each draw is highest, shape (draws,)."""
        found: Floats = self.places[np.argmax(self.draws, axis=1)]
        return found


def smooth(at: Floats, value: Floats, errors: Floats, places: Floats, draws: int, seed: int) -> Curve:
    """The curve as a Gaussian process: how far and how fast it bends is weighed by what the points make likely.

    Args:
        at: Where the points lie, from 0 to 1, shape (points,).
        value: Shape (points,).
        errors: Covariance of the points' errors, shape (points, points). What all points share moves the curve as a whole.
        places: Where the curve is wanted, shape (places,).
        draws: How many curves are drawn.
        seed: Of these draws.
    Source: Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, chapters 2 and 5; the bends are
        averaged over and not chosen, since few points cannot settle them.
    """
    # What moves all points alike says nothing about the curve's form: the scale is that of their differences.
    centred = errors - errors.mean(axis=0) - errors.mean(axis=1)[:, None] + errors.mean()
    scale = max(float(np.trace(centred)) / len(at), np.finfo(np.float64).tiny)
    noise = errors / scale
    noise = noise + 1e-6 * np.eye(len(at)) * np.trace(noise) / len(at)
    level = value.mean()
    points = (value - level) / scale**0.5
    likely, means, covariances = [], [], []
    for length in _LENGTHS:
        for height in _HEIGHTS:
            prior, across, within = (
                height**2 * np.exp(-((one[:, None] - other) ** 2) / (2 * length**2)) + _VAGUE
                for one, other in ((at, at), (places, at), (places, places))
            )
            root = np.linalg.cholesky(prior + noise)
            apart = np.linalg.solve(root, points)
            reach = np.linalg.solve(root, across.T)
            likely.append(-0.5 * float(apart @ apart) - float(np.log(np.diag(root)).sum()))
            means.append(reach.T @ apart)
            covariances.append(within - reach.T @ reach)
    weight = np.exp(np.array(likely) - max(likely))
    weight /= weight.sum()
    rng = np.random.default_rng(seed)
    drawn = []
    for count, mean, covariance in zip(rng.multinomial(draws, weight), means, covariances, strict=True):
        values, vectors = np.linalg.eigh(covariance)
        bends = rng.standard_normal((count, len(places))) * np.sqrt(np.maximum(values, 0))
        drawn.append(mean + bends @ vectors.T)
    return Curve(
        places, level + weight @ np.array(means) * scale**0.5, level + np.concatenate(drawn) * scale**0.5
    )
