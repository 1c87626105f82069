"""How strongly words go with groups: log-odds of words, and distances between sets of word vectors."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Up to so many ways of splitting the targets are all tried; above, so many are drawn.
MOST_SPLITS = 20_000


class LogOdds(NamedTuple):
    """Log-odds of each word, arrays of the shape of the counts."""

    value: Floats
    variance: Floats

    @property
    def z(self) -> Floats:
        """Value in standard errors."""
        return np.asarray(self.value / np.sqrt(self.variance))


def log_odds(ours: Floats, theirs: Floats, prior: Floats) -> LogOdds:
    """Log-odds of each word in one text, less those in the other, with an informative Dirichlet prior.

    Args:
        ours, theirs: How often each text holds each word, shape (..., words).
        prior: Pseudo-counts added to both, all above 0, shape (..., words); in proportion to how common the words
            are, so that rare words need more evidence.
    Source: Monroe, Colaresi & Quinn 2008, Political Analysis 16, 372-403, equations 16, 19 and 20.
    """
    one, two = ours + prior, theirs + prior
    total, total_two = (each.sum(axis=-1, keepdims=True) for each in (one, two))
    value = np.log(one / (total - one)) - np.log(two / (total_two - two))
    return LogOdds(value, 1 / one + 1 / two)


class Weat(NamedTuple):
    """Result of a word-embedding association test.

    Attributes:
        effect: Cohen's d, from -2 to 2; above 0 if the first targets lie nearer to the first attributes.
        p: One-sided permutation p-value of the test statistic.
        splits: Ways of splitting the targets that were tried.
    """

    effect: float
    p: float
    splits: int


def associations(targets: Floats, first: Floats, second: Floats) -> Floats:
    """Mean cosine of each target with the first attributes less that with the second, shape (targets,).

    Args:
        targets, first, second: Word vectors, one a row; a vector of zeros is like nothing.
    """
    return np.asarray(_cosines(targets, first).mean(axis=1) - _cosines(targets, second).mean(axis=1))


def effect_size(one: Floats, other: Floats) -> float:
    """Difference of the mean associations of two sets of targets, in standard deviations of all; NaN without spread."""
    spread = float(np.concatenate([one, other]).std(ddof=1)) if len(one) + len(other) > 1 else 0.0
    return float((one.mean() - other.mean()) / spread) if spread > 0 else math.nan


def weat(one: Floats, other: Floats, first: Floats, second: Floats, *, seed: int = 0) -> Weat:
    """Whether one set of words lies nearer to the first attributes than another set does.

    Args:
        one, other: Vectors of the two sets of target words, one a row.
        first, second: Vectors of the two sets of attribute words.
        seed: Draws the splits, where there are too many to try all.
    Source: Caliskan, Bryson & Narayanan 2017, Science 356, 183-186.
    """
    mine, yours = associations(one, first, second), associations(other, first, second)
    both = np.concatenate([mine, yours])
    size, number = len(mine), math.comb(len(both), len(mine))
    statistic = mine.sum()
    if number <= MOST_SPLITS:
        sums = _every_sum(both, size)
        p = float((sums >= statistic - 1e-12).mean())
        return Weat(effect_size(mine, yours), p, number)
    rng = np.random.default_rng(seed)
    drawn = rng.permuted(np.tile(both, (MOST_SPLITS // 4, 1)), axis=1)[:, :size].sum(axis=1)
    p = float((1 + (drawn >= statistic - 1e-12).sum()) / (len(drawn) + 1))
    return Weat(effect_size(mine, yours), p, len(drawn))


def ppmi(counts: Floats, context: Floats, *, smoothing: float = 0.75) -> Floats:
    """Positive pointwise mutual information of words with their contexts, shape of `counts`.

    Args:
        counts: How often each word stands near each context word, shape (words, contexts).
        context: How often each context word stands near any word, shape (contexts,).
        smoothing: Exponent of the context frequencies; below 1 it keeps rare contexts from ruling.
    Source: Levy, Goldberg & Dagan 2015, Transactions of the ACL 3, 211-225.
    """
    rate = context**smoothing
    rate = rate / max(float(rate.sum()), 1e-300)
    expected = counts.sum(axis=1, keepdims=True) * rate
    met = counts > 0
    found = np.zeros(counts.shape)
    found[met] = np.maximum(np.log(counts[met] / expected[met]), 0.0)
    return found


def _cosines(rows: Floats, columns: Floats) -> Floats:
    return np.asarray(_unit(rows) @ _unit(columns).T)


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def _every_sum(values: Floats, size: int) -> Floats:
    """Sum of every choice of `size` of the values."""
    index = np.array(list(itertools.combinations(range(len(values)), size)), np.int64)
    return np.asarray(values[index].sum(axis=1))
