"""A share from few labels and a cheap score of every row: prediction-powered inference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.stats import quantiles

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Powered:
    """A share of all rows with its interval.

    Attributes:
        tuning: How far the scores were trusted, from 0 (labels alone) to 1 (lambda of PPI++).
        worth: How many labels drawn plainly at random would give an interval as narrow.
    """

    value: float
    low: float
    high: float
    tuning: float
    worth: float


def prediction_powered(
    answers: Floats,
    scores: Floats,
    stratum: Index,
    sizes: Index,
    expected: Floats,
    level: float = 0.95,
) -> Powered:
    """Share of a finite set of rows that are hits, from labels of a stratified random sample of them.

    The mean score of the rows without label corrects the labels for the rows they happened to fall on. What
    is left to chance is the labels' deviation from `tuning` times their scores; `tuning` makes it smallest.
    A score that says nothing gets a tuning of zero, and the stratified textbook estimate is left.

    Args:
        answers: 1 where a labelled row is a hit, else 0, shape (labels,).
        scores: The score of each labelled row by a model that did not see its label, shape (labels,).
        stratum: Stratum of each labelled row, 0 to strata - 1, at least two labels in each; shape (labels,).
        sizes: Rows of each stratum, labelled or not, shape (strata,).
        expected: Mean score of the rows without label in each stratum, shape (strata,).
        level: Probability with which the interval should cover the share.
    Returns: The estimate within [0, 1]; the interval is Wilson's for `worth` labels, with Student's t.
    Raises: InputError: a stratum has fewer than two labels.
    Source: Angelopoulos et al. 2023, Science 382, 669-674; Angelopoulos et al. 2024, PPI++ (the tuning);
        Zrnic & Candes 2024, PNAS 121 (cross-fitted scores); Cassel, Sarndal & Wretman 1976, Biometrika 63,
        615-620 (the finite population); Wilson 1927, JASA 22, 209-212.
    """
    labels = np.bincount(stratum, minlength=len(sizes)).astype(np.float64)
    if labels.min() < 2:
        raise InputError("every stratum needs at least two labels")
    share, seen = sizes / sizes.sum(), labels / sizes
    weight = share**2 * (1 - seen) / labels  # what a stratum's spread adds to the variance
    together, alone = _covariance(answers, scores, stratum), _covariance(scores, scores, stratum)
    scale = float((weight * alone).sum())
    tuning = float(np.clip((weight * together).sum() / scale, 0.0, 1.0)) if scale > 0 else 0.0
    rates, scored = (np.bincount(stratum, each) / labels for each in (answers, scores))
    value = float(np.sum(share * (rates + (1 - seen) * tuning * (expected - scored))))
    value = min(max(value, 0.0), 1.0)

    spread = _covariance(answers, answers, stratum)
    left = spread - 2 * tuning * together + tuning**2 * alone
    # A stratum whose labels all agree is not one without spread: each borrows one label of the average kind.
    pooled = float(np.average(answers))
    smooth = (rates * labels + pooled) / (labels + 1)
    left = left + np.maximum(smooth * (1 - smooth) - spread, 0.0)
    freedom = len(answers) - len(sizes) - (tuning > 0)
    variance = float((weight * left).sum()) * (freedom + (tuning > 0)) / freedom
    if (seen == 1).all():
        return Powered(value, value, value, tuning, float("inf"))
    if pooled in (0.0, 1.0):
        worth = 1 / float(weight.sum())
    else:
        # Scores that agreed with every label may miss the next one.
        variance = max(variance, float(weight.sum()) / (len(answers) + 1))
        kept = min(max(value, 0.5 / len(answers)), 1 - 0.5 / len(answers))
        worth = kept * (1 - kept) / variance
    low, high = _wilson(value, worth, quantiles.student(0.5 + level / 2, freedom))
    return Powered(value, low, high, tuning, worth)


def _covariance(one: Floats, two: Floats, stratum: Index) -> Floats:
    """Sample covariance within each stratum, shape (strata,)."""
    count = np.bincount(stratum)
    first, second = (each - (np.bincount(stratum, each) / count)[stratum] for each in (one, two))
    return np.asarray(np.bincount(stratum, first * second) / (count - 1))


def _wilson(value: float, size: float, reach: float) -> tuple[float, float]:
    squared = reach**2
    middle = (value + squared / (2 * size)) / (1 + squared / size)
    half = reach * np.sqrt(value * (1 - value) / size + squared / (4 * size**2)) / (1 + squared / size)
    return max(float(middle - half), 0.0), min(float(middle + half), 1.0)
