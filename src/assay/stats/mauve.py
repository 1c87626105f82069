"""MAUVE: how much two distributions over clusters overlap, errors of both kinds weighed together."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SCALE = 5.0
_MIXTURES = 25


def mauve(counts: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> float:
    """Area under the divergence frontier of two histograms.

    Every mixture R of both distributions gives a point: how badly R misses the one and how badly it misses the
    other, each as ``exp(-5 KL)``. Half an observation is added to each cluster of either side, for a cluster
    that one side happens to miss would otherwise count as an infinite divergence.

    Args:
        counts, other: Rows of each side in each cluster, shape (clusters,).
    Returns: Within (0, 1]. nan where a side is empty.
    Reads as: 1: the same distribution. 0: nothing in common.
    Source: Pillutla et al. 2021, MAUVE; smoothing: Pillutla et al. 2023, Journal of Machine Learning Research
        24(356), after Krichevsky & Trofimov 1981.
    """
    if not (np.any(counts) and np.any(other)):
        return float("nan")
    p, q = _smoothed(counts), _smoothed(other)
    weights = np.linspace(0, 1, _MIXTURES)[:, None]
    mixtures = weights * p + (1 - weights) * q
    across = np.concatenate([[0.0], np.exp(-SCALE * _divergence(q, mixtures))[::-1], [1.0]])
    along = np.concatenate([[1.0], np.exp(-SCALE * _divergence(p, mixtures))[::-1], [0.0]])
    return float(np.trapezoid(along, across))


def _smoothed(counts: npt.NDArray[np.generic]) -> Floats:
    raised = np.asarray(counts, np.float64) + 0.5
    return np.asarray(raised / raised.sum())


def _divergence(p: Floats, mixtures: Floats) -> Floats:
    return np.asarray(np.sum(p * np.log(p / mixtures), axis=1))
