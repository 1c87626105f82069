"""Labels that do not fit their text, and equal texts with different labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from assay.audit.annotate.checked import Checked
from assay.audit.rows import Bools, Index, Rows, mixed
from assay.core.corpus import root_hash
from assay.kernels.exact import row_hashes
from assay.kernels.ngrams import hashed_counts
from assay.models.linear import fit, tfidf

FOLDS = 5
LEAST_ROWS, MOST_CLASSES = 5, 200
MOST_ROWS = 20_000
# How often the whole is done again for its interval, and with how many rows at most.
DRAWS, DRAWN_ROWS = 20, 1_000
_BITS = 16
_TOLERANCE = 1e-4
# Less of a penalty than usual: confident learning lives on probabilities that tell classes apart.
_PENALTY = 0.3
# Answers that are a few words from a small set are labels by another name.
_LABEL_WORDS, _ROWS_PER_ANSWER = 5, 5


@dataclass(frozen=True)
class Noise:
    """What confident learning says of each label; arrays of shape (rows,).

    Attributes:
        counted: The row is confidently of some class, its own or another.
        suspect: It is confidently of another class than its label.
        margin: By how much the other class is likelier than the label; 0 where the row is no suspect.
        other: The class it seems to be, as a position in `classes`; -1 where the row is no suspect.
        classes: Names of the classes.
        labelled, own, chances: Which rows have a class, that class, and the probability of each class, the last of
            shape (labelled rows, classes).
        root, folds: Root of each labelled row, and the fold it was judged in, shape (labelled rows,).
        features: What the classifier saw of each labelled row; none where it learnt from a part of them.
    """

    counted: Bools
    suspect: Bools
    margin: npt.NDArray[np.float32]
    other: Index
    classes: npt.NDArray[np.str_]
    labelled: Index
    own: Index
    chances: npt.NDArray[np.float32]
    root: npt.NDArray[np.uint64]
    folds: Index
    features: scipy.sparse.csr_matrix | None

    def share(self, kept: Bools) -> float:
        """Suspects among the rows counted, of the rows that are kept, with thresholds of these rows alone."""
        return _share(self.chances, self.own, kept[self.labelled])

    def redrawn(self, rng: np.random.Generator) -> tuple[float, npt.NDArray[np.float64], float]:
        """The share of suspects again and again, each time with other roots and a classifier of its own.

        A share with the classifier held fixed scatters less than shares of fresh rows do, for those train another
        one. Roots are drawn with replacement, so many that a draw has about 1,000 rows, and stay in their fold.

        Returns: Rows with a label; the share of each draw, shape (draws,); rows with a label in a draw.
        """
        assert self.features is not None
        root = np.unique(self.root, return_inverse=True)[1]
        roots = int(root.max()) + 1
        number = max(round(roots * min(1.0, DRAWN_ROWS / len(self.own))), 1)
        shares = []
        for _ in range(DRAWS):
            times = np.bincount(rng.integers(roots, size=number), minlength=roots)[root]
            at = np.flatnonzero(times)
            own = self.own[at]
            chances = _by_others(self.features[at], own, len(self.classes), self.folds[at], times[at])
            shares.append(_share(chances, own, np.repeat(np.arange(len(at)), times[at])))
        return float(len(self.own)), np.array(shares), number * len(self.own) / roots


def label_noise(rows: Rows, rng: np.random.Generator) -> Noise | None:
    """Confident learning: which labels a classifier that saw none of the row's kin is sure are others.

    A row counts as confidently of a class when its probability reaches the mean probability of that class
    among the rows labelled so; of several such classes the likeliest is taken. Beyond 20,000 rows the
    classifier learns from that many and judges all.

    Returns: None where there is no label, or fewer than two classes with 5 rows, or more than 200.
    Source: Northcutt, Jiang & Chuang 2021, Confident Learning, JAIR 70, 1373-1411, sections 3.1 and 3.2.
    """
    labels, classes = _classes(rows)
    if not 2 <= len(classes) <= MOST_CLASSES:
        return None
    labelled = np.flatnonzero(labels >= 0)
    own, judged = labels[labelled], rows.take(labelled)
    drawn = np.ones(len(own), bool)
    if len(own) > MOST_ROWS:
        drawn[rng.permutation(len(own))[MOST_ROWS:]] = False
    features, folds = _features(judged, drawn), _folds(judged)
    chances = _by_others(features, own, len(classes), folds, drawn)
    sure, seems = _seeming(chances, own)
    counted, other = np.zeros(len(rows), bool), np.full(len(rows), -1, np.int64)
    margin = np.zeros(len(rows), np.float32)
    counted[labelled] = sure
    suspect = sure & (seems != own)
    at = np.flatnonzero(suspect)
    other[labelled[at]] = seems[at]
    margin[labelled[at]] = chances[at, seems[at]] - chances[at, own[at]]
    return Noise(
        counted,
        other >= 0,
        margin,
        other,
        classes,
        labelled,
        own,
        chances,
        judged.root,
        folds,
        features if drawn.all() else None,
    )


def _share(chances: npt.NDArray[np.float32], own: Index, chosen: Index | Bools) -> float:
    """Suspects among the rows counted, of the chosen rows, with thresholds of these rows alone."""
    sure, seems = _seeming(chances[chosen], own[chosen])
    return float((sure & (seems != own[chosen])).sum() / sure.sum()) if sure.any() else float("nan")


def _seeming(chances: npt.NDArray[np.float32], own: Index) -> tuple[Bools, Index]:
    """Whether each row is confidently of any class, and the likeliest of those it is confidently of."""
    number = np.bincount(own, minlength=chances.shape[1])
    held = np.bincount(own, weights=chances[np.arange(len(own)), own], minlength=chances.shape[1])
    # A class that no row is left of has no threshold that a row could reach.
    thresholds = np.where(number > 0, held / np.maximum(number, 1), np.inf)
    sure = chances >= thresholds.astype(np.float32)
    return np.asarray(sure.any(axis=1)), np.where(sure, chances, -1).argmax(axis=1)


@dataclass(frozen=True)
class Meanings:
    """What each row asks and what it is said to be; arrays of shape (rows,).

    A labelled row asks with its text. A row without label asks with its prompt, and its answer may be a label by
    another name: that shows only in all rows together.

    Attributes:
        asked: A hash of the text or the prompt.
        meant: A hash of the label or the answer, `NOTHING` where there is none, `LONG` for an answer too long to be one.
        labelled: The row has a label.
    """

    asked: npt.NDArray[np.uint64]
    meant: Index
    labelled: Bools


NOTHING, LONG = -1, -2


def meanings(rows: Rows) -> Meanings:
    """What each row asks and is said to be."""
    labels = rows.parts.get("label")
    labelled = np.zeros(len(rows), bool) if labels is None else ~np.asarray(labels.is_null())
    answers, prompts = rows.answer_words, rows.prompt_words
    lengths = np.diff(answers.offsets)
    asked = np.where(labelled, rows.hashes, row_hashes(prompts))
    meant = _positive(rows.hashes if answers is rows.tokens else row_hashes(answers))
    meant[lengths > _LABEL_WORDS] = LONG
    meant[(lengths == 0) | (np.diff(prompts.offsets) == 0)] = NOTHING
    if labels is not None and labelled.any():
        encoded = labels.dictionary_encode()
        names = np.array([root_hash(name) for name in encoded.dictionary.to_pylist()], np.uint64)
        codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        meant = np.where(labelled, _positive(names)[codes], meant)
    return Meanings(asked, meant, labelled)


def contradicting(said: Meanings) -> Checked:
    """Rows that another row contradicts: it asks the same and means something else."""
    fits = said.meant >= 0
    if said.labelled.any():
        fits &= said.labelled
    elif (said.meant == LONG).any() or len(np.unique(said.meant[fits])) * _ROWS_PER_ANSWER > fits.sum():
        fits[:] = False  # long or many different answers are no labels
    fails = np.zeros(len(fits), bool)
    if fits.any():
        meant = said.meant[fits]
        group = np.unique(said.asked[fits], return_inverse=True)[1]
        order = np.lexsort((meant, group))
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        lowest = meant[order][starts]
        highest = meant[order][np.append(starts[1:], len(order)) - 1]
        fails[fits] = (lowest != highest)[group]
    return Checked(fits, fails)


def _positive(hashes: npt.NDArray[np.uint64]) -> Index:
    return (hashes >> np.uint64(1)).astype(np.int64)


def _classes(rows: Rows) -> tuple[Index, npt.NDArray[np.str_]]:
    """Class of each row, or -1 where it has none or one too rare to learn; and the classes' names."""
    labels = rows.parts.get("label")
    if labels is None or labels.null_count == len(labels):
        return np.full(len(rows), -1, np.int64), np.zeros(0, np.str_)
    encoded = labels.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    codes[rows.lengths == 0] = -1
    names = np.array(encoded.dictionary.to_pylist(), dtype=np.str_)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    # In the order of their names, so that the order of the rows decides nothing.
    kept = [int(each) for each in np.argsort(names) if counts[each] >= LEAST_ROWS]
    renumbered = np.full(len(names) + 1, -1, np.int64)
    renumbered[kept] = np.arange(len(kept))
    return renumbered[codes], names[kept]


def _by_others(
    features: scipy.sparse.csr_matrix,
    labels: Index,
    classes: int,
    folds: Index,
    times: npt.NDArray[np.generic],
) -> npt.NDArray[np.float32]:
    """Class probabilities of each row by the rows of the other folds, each of which counts so many times."""
    weights = ((folds != np.arange(FOLDS)[:, None]) * times).astype(np.float64)
    present = weights.any(axis=1)
    arm = np.where(present, np.cumsum(present) - 1, -1)[folds]
    chances = np.full((len(labels), classes), 1 / classes, np.float32)
    for block in fit(features, labels, weights[present], classes=classes, l2=_PENALTY, tolerance=_TOLERANCE):
        rows, found = block.predict_own(features, arm)
        chances[rows] = found
    return chances


def _folds(rows: Rows) -> Index:
    """Which fold each row is judged in; kin share one."""
    return (mixed(rows.root, salt=60) % np.uint64(FOLDS)).astype(np.int64)


def _features(rows: Rows, drawn: Bools) -> scipy.sparse.csr_matrix:
    """What the classifier sees of each row, its frequencies those of the rows drawn."""
    counts = [hashed_counts(batch.tokens, bits=_BITS) for batch in rows.batches()]
    return tfidf(scipy.sparse.vstack(counts, format="csr"), drawn)
