"""What the curves say, draw by draw: exchange rate, break-even, best and harmful share.

Each function takes one row per bootstrap draw and answers for each of them; nothing is read off a curve
beyond its measured ends.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEAST_RATE, MOST_RATE = -1.0, 4.0
_GRID = np.linspace(LEAST_RATE, MOST_RATE, 251)


def rising(curve: Floats) -> Floats:
    """The closest curve that never falls, by least squares, shape (draws, points) to the same.

    Source: the min-max formula of isotonic regression, Robertson, Wright & Dykstra 1988.
    """
    points = curve.shape[1]
    sums = np.concatenate([np.zeros((len(curve), 1)), np.cumsum(curve, axis=1)], axis=1)
    out = np.full_like(curve, -np.inf)
    for first in range(points):
        means = (sums[:, first + 1 :] - sums[:, [first]]) / np.arange(1, points - first + 1)
        least = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        out[:, first:] = np.maximum(out[:, first:], least)
    return out


def exchange_rates(rows: Floats, curve: Floats, real: Floats, synthetic: Floats, scores: Floats) -> Floats:
    """Real rows that one synthetic row is worth, one rate for all mixed arms together.

    The rate is the one at which an arm of `real` + `synthetic` rows scores, over all arms, closest to what the real
    curve shows for ``real + rate * synthetic`` rows. Distances are taken in score, so arms on a flat stretch
    of the curve, where any number of rows would do, have no say.

    Args:
        rows: Real rows of each rung of the ladder, growing, shape (rungs,).
        curve: Scores on the ladder, shape (draws, rungs).
        real: Real rows of each mixed arm, shape (arms,).
        synthetic: Synthetic rows of each mixed arm, shape (arms,).
        scores: Their scores, shape (draws, arms).
    Returns: Shape (draws,), within `LEAST_RATE` and `MOST_RATE`: a draw at an end means "at least" or "at most".
    """
    worth = np.log(np.maximum(real[:, None] + _GRID * synthetic[:, None], rows[0]))
    smooth, rungs = rising(curve), np.eye(len(rows))
    misfit = np.zeros((len(curve), len(_GRID)))
    for arm in range(len(real)):
        # A curve between its rungs is a mean of them, with weights that are the same in every draw.
        between = np.stack([np.interp(worth[arm], np.log(rows), rung) for rung in rungs])
        misfit += (smooth @ between - scores[:, [arm]]) ** 2
    # Where several rates fit equally well the one closest to zero is claimed.
    nearest = np.argsort(np.abs(_GRID), kind="stable")
    rates: Floats = _GRID[nearest[np.argmin(misfit[:, nearest], axis=1)]]
    return rates


def best_places(places: Floats, curve: Floats) -> Floats:
    """Where a curve known at a few noisy points is highest, to a hundredth of its span.

    Half of the answer is the curve between its points, a quarter the parabola through them and a quarter the straight
    line: the highest point alone is often the luckiest, a parabola alone misses a cliff, and a line knows no middle.

    Args:
        places: Growing, shape (points,).
        curve: Shape (draws, points).
    Returns: Shape (draws,).
    Source: equal weights for forecasts that err differently, Bates & Granger 1969, Operational Research Quarterly 20,
        451-468; what each choice gives away is in docs/statistics.md.
    """
    wanted = np.linspace(places[0], places[-1], 101)
    # Each of the three is linear in the curve, so what it makes of single points is all there is to know.
    points = np.eye(len(places))
    line, parabola = (
        np.vander(wanted, degree + 1) @ np.polyfit(places, points, degree)
        for degree in (min(most, len(places) - 1) for most in (1, 2))
    )
    between = np.stack([np.interp(wanted, places, point) for point in points], axis=1)
    found: Floats = wanted[np.argmax(curve @ (between / 2 + parabola / 4 + line / 4).T, axis=1)]
    return found


def crossing(places: Floats, gains: Floats, floor: float) -> Floats:
    """Where a curve first falls below `floor`, interpolated; the last place if it never does.

    Args:
        places: Growing, shape (points,).
        gains: Shape (draws, points).
    Returns: Shape (draws,); the first place if the curve starts below the floor.
    """
    below = gains < floor
    first = np.where(below.any(axis=1), below.argmax(axis=1), len(places))
    out = np.full(len(gains), places[-1], dtype=np.float64)
    out[first == 0] = places[0]
    inner = np.flatnonzero((first > 0) & (first < len(places)))
    after = first[inner]
    high, low = gains[inner, after - 1], gains[inner, after]
    part = (high - floor) / (high - low)
    out[inner] = places[after - 1] + part * (places[after] - places[after - 1])
    return out
