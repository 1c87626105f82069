"""Can a word-count classifier tell synthetic from real rows?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Index, Rows, draw_rows, mixed
from assay.engine.local import map_batches
from assay.kernels.ngrams import hashed_counts
from assay.kernels.text import Tokens, tokens
from assay.models.linear import Fits, Tfidf, fit, tfidf

FOLDS = 5
ROUNDS = 3
MOST_ROWS = 2_000
_BITS = 16
_TOLERANCE = 1e-4
_MARKUP = r"<[^<>]{1,80}>|https?://\S+|[#*_`~|\[\]{}\\]+"


@dataclass(frozen=True)
class Told:
    """Out-of-fold probability of being synthetic, for two samples told apart.

    Attributes:
        scores, folds: One row per round of folds, shape (rounds, rows + real rows), the questioned rows first.
        rows: Number of questioned rows.
    """

    scores: npt.NDArray[np.float32]
    folds: Index
    rows: int

    def auc(self, kept: Bools, kept_real: Bools) -> float:
        """Area under the ROC curve, of pairs scored by the same fold's model; the mean over the rounds."""
        won = pairs = 0.0
        for scores, folds in zip(self.scores, self.folds, strict=True):
            for fold in range(FOLDS):
                here = folds == fold
                ours = scores[: self.rows][here[: self.rows] & kept]
                theirs = scores[self.rows :][here[self.rows :] & kept_real]
                if len(ours) and len(theirs):
                    won += auc(ours, theirs) * len(ours) * len(theirs)
                    pairs += len(ours) * len(theirs)
        return won / pairs if pairs else float("nan")


def auc(ours: npt.NDArray[np.floating], theirs: npt.NDArray[np.floating]) -> float:
    """Probability that one of ours exceeds one of theirs, ties counting half."""
    ordered = np.sort(theirs)
    below = np.searchsorted(ordered, ours, "left") + np.searchsorted(ordered, ours, "right")
    return float(below.mean() / (2 * len(theirs)))


def tell_apart(features: scipy.sparse.csr_matrix, root: npt.NDArray[np.uint64], rows: int) -> Told:
    """Score every row by a logistic regression that saw none of its kin, in several rounds of folds.

    Args:
        features: Shape (rows + real rows, features), the questioned rows first.
        root: Root of each row; all rows of a root fall into one fold, on whichever side they are.
    """
    return Told(_scores(_learnt(features, root, rows), features, root), _folds(root), rows)


def _folds(root: npt.NDArray[np.uint64]) -> Index:
    """The fold of each row in each round, shape (rounds, rows)."""
    rounds = [mixed(root, salt=30 + turn) % np.uint64(FOLDS) for turn in range(ROUNDS)]
    return np.stack(rounds).astype(np.int64)


def _learnt(features: scipy.sparse.csr_matrix, root: npt.NDArray[np.uint64], rows: int) -> list[Fits]:
    """A regression for each fold of each round, learnt from the rows outside it."""
    labels = (np.arange(len(root)) < rows).astype(np.int64)
    outside = _folds(root)[:, None, :] != np.arange(FOLDS)[:, None]
    weights = outside.reshape(ROUNDS * FOLDS, -1).astype(np.float64)
    return list(fit(features, labels, weights, classes=2, tolerance=_TOLERANCE))


def _scores(
    learnt: list[Fits], features: scipy.sparse.csr_matrix, root: npt.NDArray[np.uint64]
) -> npt.NDArray[np.float32]:
    """Probability of being synthetic by the regression of each row's own fold, shape (rounds, rows)."""
    # The intercept takes up whichever side a fold has more of; ranks within the fold do not see it.
    folds = _folds(root)
    scores = np.zeros(folds.shape, np.float32)
    for turn, block in itertools.product(range(ROUNDS), learnt):
        rows, chances = block.predict_own(features, turn * FOLDS + folds[turn])
        scores[turn, rows] = chances[:, 1]
    return scores


def words(rows: Tokens, real: Tokens) -> scipy.sparse.csr_matrix:
    """TF-IDF of words and word pairs, the questioned rows first."""
    counts = scipy.sparse.vstack([_counts(side) for side in (rows, real)], format="csr")
    return tfidf(counts, np.ones(counts.shape[0], bool))


def normalised(text: pa.Array) -> pa.Array:
    """Text without markup and addresses."""
    return pc.replace_substring_regex(text, _MARKUP, " ")


def suspicion(rows: Rows, real: Rows, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Probability of being synthetic for every one of `rows`, by a model that saw none of its kin."""
    size = min(len(rows), len(real), MOST_ROWS)
    beside = draw_rows(real, size, rng)
    drawn = rows.take(np.flatnonzero(rng.permutation(len(rows)) < size))
    counts = scipy.sparse.vstack([_counts(side.tokens) for side in (drawn, beside)], format="csr")
    weighting = Tfidf.fitted(counts)
    learnt = _learnt(weighting.of(counts), _roots(drawn, beside), len(drawn))

    def score(batch: Rows) -> npt.NDArray[np.float32]:
        return np.asarray(_scores(learnt, weighting.of(_counts(batch.tokens)), batch.root).mean(axis=0))

    return np.concatenate([np.zeros(0, np.float32), *map_batches(score, rows.batches())])


def _counts(side: Tokens) -> scipy.sparse.csr_matrix:
    return hashed_counts(side, bits=_BITS)


def _as_it_is(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    return tell_apart(words(rows.tokens, real.tokens), _roots(rows, real), len(rows)).auc


def _normalised(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    features = words(tokens(normalised(rows.text)), tokens(normalised(real.text)))
    return tell_apart(features, _roots(rows, real), len(rows)).auc


def _roots(rows: Rows, real: Rows) -> npt.NDArray[np.uint64]:
    return np.concatenate([rows.root, real.root])


_METHOD = (
    f"TF-IDF of words and word pairs (2^{_BITS} hashed columns), logistic regression, {FOLDS} folds by root id in {ROUNDS} rounds, "
    "equally many rows a side; AUC over out-of-fold scores"
)
PROBE = SampleProbe(
    "fidelity.two_sample_auc",
    _as_it_is,
    _METHOD,
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    least=50,
)
NORMALISED = SampleProbe(
    "fidelity.two_sample_auc",
    _normalised,
    f"{_METHOD}; markup and addresses removed first (case, punctuation and white space never count)",
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    least=50,
    slice={"after": "format normalised"},
)
