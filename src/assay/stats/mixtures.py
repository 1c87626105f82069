"""Laws of mixtures: what loss comes of a mix of sources, from the losses of mixes that were tried.

Four laws: a straight line in the shares, the exponential mixing law, a parabola and boosted trees. The first two are
lowest at one source alone; the others can find that sources do better together. Each is fitted to shares that sum to 1, and
none is asked about mixes unlike those it was fitted to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.stats.descent import descend

Floats = npt.NDArray[np.float64]
Kind = Literal["mean", "linear", "exponential", "quadratic", "trees"]
Laws = Callable[[Floats], Floats]  # mixes, shape (new, sources), to their losses by each fit, (fits, new)

MANY = 100  # mixes: trees can learn from here on, and one left out at a time is no better than a tenth
FOLDS = 10
_TREES, _RATE, _LEAF = 150, 0.1, 20
_FARTHEST = 20.0  # ranges of loss below the least: the lowest constant
_STEEPEST = 50.0  # of a source's exponent, either way
_CELLS = 4_000_000
_FLOORS = (0.3, 0.7, 0.9, 0.97)  # of the least loss: where the exponential law's constant is sought


@dataclass(frozen=True)
class LeftOut:
    """What a law says of mixes it has not seen.

    Attributes:
        kind: The law.
        predicted: Loss of each mix by the law fitted without it, shape (mixes,).
        folds: Into how many parts the mixes were divided; as many as mixes is leave-one-out.
    """

    kind: Kind
    predicted: Floats
    folds: int


def fewest_mixes(kind: Kind, sources: int) -> int:
    """Mixes that a law needs, one of them left out."""
    pairs = sources * (sources + 1)  # two mixes for each constant of a parabola
    return {
        "mean": 2,
        "linear": sources + 2,
        "exponential": sources + 4,
        "quadratic": max(pairs, sources + 4),
        "trees": MANY,
    }[kind]


def usable(mixes: int, sources: int) -> tuple[Kind, ...]:
    """The laws that so many mixes can settle, the simplest first."""
    kinds: tuple[Kind, ...] = ("mean", "linear", "exponential", "quadratic", "trees")
    return tuple(kind for kind in kinds if mixes >= fewest_mixes(kind, sources))


def fit(kind: Kind, shares: Floats, losses: Floats, weights: Floats, *, seed: int = 0) -> Laws:
    """Fit a law once for each set of weights.

    Args:
        kind: ``mean``: the mean loss, whatever the mix. ``linear``: ``sum r_i l_i``, ordinary least squares.
            ``exponential``: ``c + exp(sum t_i r_i)``, least squares. ``quadratic``: ``sum r_i l_i + sum r_i r_j l_ij``,
            least squares. ``trees``: boosted regression trees.
        shares: Of each source in each mix tried, rows sum to 1, shape (mixes, sources).
        losses: Lower is better, positive, shape (mixes,) or, one set per fit, (fits, mixes).
        weights: How often each mix counts in each fit, shape (fits, mixes).
        seed: Of the trees.
    Raises: InputError: fewer mixes than `fewest_mixes`, less the one that may be left out.
    Source: linear and trees: Liu et al. 2024, RegMix; exponential: Ye et al. 2024, Data Mixing Laws (their k is taken
        into t, for the shares sum to 1); quadratic: Scheffé 1958, Experiments with Mixtures.
    """
    least = fewest_mixes(kind, shares.shape[1]) - 1
    if len(shares) < least:
        raise InputError(
            f"the {kind} law of {shares.shape[1]} sources needs {least} mixes, not {len(shares)}"
        )
    every = np.broadcast_to(losses, weights.shape)
    if kind == "mean":
        means = (weights * every).sum(axis=1) / weights.sum(axis=1)
        return lambda wanted: np.repeat(means[:, None], len(wanted), axis=1)
    if kind == "linear":
        alone = _line(shares, every, weights)
        return lambda wanted: alone @ wanted.T
    if kind == "quadratic":
        together = _line(_pairs(shares), every, weights)
        return lambda wanted: together @ _pairs(wanted).T
    if kind == "exponential":
        constants = _exponential(shares, every, weights)
        return lambda wanted: constants[:, [0]] + np.exp(constants[:, 1:] @ wanted.T)
    return _trees(shares, every, weights, seed)


def left_out(kind: Kind, shares: Floats, losses: Floats, *, seed: int = 0) -> LeftOut:
    """Predict every mix by the law fitted without it; from `MANY` mixes on, a tenth of them at a time."""
    mixes = len(shares)
    folds = mixes if mixes < MANY else FOLDS
    fold = np.random.default_rng(seed).permutation(mixes) % folds
    weights = (np.arange(folds)[:, None] != fold).astype(np.float64)
    found = fit(kind, shares, losses, weights, seed=seed)(shares)
    return LeftOut(kind, found[fold, np.arange(mixes)], folds)


def error(predicted: Floats, losses: Floats) -> float:
    """Root of the mean squared error, in the unit of the loss."""
    return float(np.sqrt(np.mean((predicted - losses) ** 2)))


def choose(shares: Floats, losses: Floats, *, seed: int = 0) -> tuple[LeftOut, ...]:
    """All laws that the mixes can settle, the least error on mixes left out first."""
    tried = [left_out(kind, shares, losses, seed=seed) for kind in usable(len(shares), shares.shape[1])]
    return tuple(sorted(tried, key=lambda found: error(found.predicted, losses)))


def best_mix(wanted: Floats, predicted: Floats, top: int) -> Floats:
    """Mean of the mixes with the least predicted loss, fit by fit.

    One best mix is as good as its neighbours, so the mean of the best few says more than the luckiest of them.

    Args:
        wanted: Mixes that may be chosen, shape (new, sources).
        predicted: Shape (fits, new).
        top: How many are averaged.
    Returns: Shares, shape (fits, sources).
    Source: Liu et al. 2024, RegMix, which averages the best of many simulated mixes.
    """
    top = min(top, len(wanted))
    first = np.argpartition(predicted, top - 1, axis=1)[:, :top]
    mean: Floats = wanted[first].mean(axis=1)
    return mean


def _line(shares: Floats, losses: Floats, weights: Floats) -> Floats:
    """Loss of each source alone, shape (fits, sources). Shares sum to 1, so a constant would be one too many."""
    leaned = weights[:, :, None] * shares
    square = leaned.transpose(0, 2, 1) @ shares
    # A draw may miss a source, or a source may never vary: the shortest solution then, as least squares has it.
    return (np.linalg.pinv(square, hermitian=True) @ (leaned.transpose(0, 2, 1) @ losses[:, :, None]))[
        :, :, 0
    ]


def _pairs(shares: Floats) -> Floats:
    """Shares, and products of every two, shape (mixes, sources * (sources + 1) / 2)."""
    first, second = np.triu_indices(shares.shape[1], 1)
    return np.hstack([shares, shares[:, first] * shares[:, second]])


def _exponential(shares: Floats, losses: Floats, weights: Floats) -> Floats:
    """c and t of each fit, shape (fits, 1 + sources).

    The law goes down from several constants, each with the straight line through the logarithms above it.
    """

    def curve(parameters: Floats) -> tuple[Floats, Floats]:
        grown = np.exp(parameters[:, 1:] @ shares.T)
        slopes = np.ones((*grown.shape, parameters.shape[1]))
        slopes[:, :, 1:] = grown[:, :, None] * shares
        return parameters[:, [0]] + grown, slopes

    least, most = losses.min(), losses.max()
    sources = shares.shape[1]
    # A constant far below all losses makes the law a straight line; further down nothing changes.
    lows = [least - _FARTHEST * (most - least), *[-_STEEPEST] * sources]
    highs = [most, *[_STEEPEST] * sources]
    bounds = np.array([lows, highs])
    together = weights.sum(axis=0, keepdims=True)
    mean = (weights * losses).sum(axis=0, keepdims=True) / np.maximum(together, np.finfo(np.float64).tiny)
    mean[together == 0] = most
    best, lowest = np.empty((1, 1 + sources)), np.inf
    for floor in _FLOORS:
        constant = floor * least
        above = mean - constant
        # An error of the loss counts in its logarithm by one over what lies above the constant.
        start = np.column_stack([[constant], _line(shares, np.log(above), together * above**2)])
        found, misfit = descend(curve, mean, together, start, bounds)
        if misfit[0] < lowest:
            best, lowest = found, misfit[0]
    # What all fits together say is near what each of them says.
    return np.concatenate(
        [
            descend(
                curve, losses[block], weights[block], np.repeat(best, len(weights[block]), axis=0), bounds
            )[0]
            for block in _blocks(len(weights), shares.size)
        ]
    )


def _trees(shares: Floats, losses: Floats, weights: Floats, seed: int) -> Laws:
    # Half a second of import, which a table without a hundred mixes need not pay.
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # The tables are small: threads would wait for one another, on a busy machine far longer than one needs to work.
    fitted = []
    with threadpool_limits(limits=1, user_api="openmp"):
        for of_fit, counts in zip(losses, weights, strict=True):
            kept = counts > 0
            trees = HistGradientBoostingRegressor(
                learning_rate=_RATE,
                max_iter=_TREES,
                min_samples_leaf=_LEAF,
                early_stopping=False,
                random_state=seed,
            )
            fitted.append(trees.fit(shares[kept], of_fit[kept], sample_weight=counts[kept]))

    def predict(wanted: Floats) -> Floats:
        with threadpool_limits(limits=1, user_api="openmp"):
            return np.array([trees.predict(wanted) for trees in fitted])

    return predict


def _blocks(fits: int, cells: int) -> Iterator[slice]:
    """Stretches of fits whose slopes stay small in memory."""
    size = max(1, _CELLS // cells)
    for start in range(0, fits, size):
        yield slice(start, start + size)
