"""The split guard: what is tested on was never seen, not even as a paraphrase or a sibling."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.progress import Progress, silent
from assay.engine.batches import texts
from assay.engine.local import map_batches
from assay.engine.sketch import sketch_batches
from assay.kernels.exact import exact_clusters, exact_matches, plain, row_hashes
from assay.kernels.hashing import mixed
from assay.kernels.minhash import Sketches, clusters, matches
from assay.kernels.text import tokens

TEST_SHARE = 0.2
TRAIN_SHARE = 0.75
NEAR = 0.7
_STAGE = "split guard"


@dataclass(frozen=True)
class Split:
    """Real data in three parts that share no row.

    Attributes:
        left_out: Positions in the real corpus of the rows left out because they copy a row of the user's own
            test corpus, the closest copies first.
    """

    train: Corpus
    reference: Corpus
    test: Corpus
    left_out: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Copies:
    """Which rows of one corpus repeat a row of another.

    Attributes:
        mask: True where a row is a copy, shape (num_rows,).
        test_rows: Position of the test row it copies, or -1, shape (num_rows,).
        similarity: Jaccard similarity over three-word shingles, 1 for copies that differ in case alone and 0
            where there is none, shape (num_rows,).
    """

    mask: npt.NDArray[np.bool_]
    test_rows: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float32]

    def closest_first(self) -> npt.NDArray[np.int64]:
        """Positions of the copies, the most similar ones first."""
        order = np.argsort(-self.similarity, kind="stable")
        return order[self.mask[order]]


def split(
    real: Corpus, folder: Path, *, test: Corpus | None = None, seed: int = 0, progress: Progress = silent
) -> Split:
    """Split real data into train, reference and test.

    A fifth of the rows, in whole groups, is the test part; a group is all rows joined by a chain of equal
    root ids and near-duplicates. So no test row has a sibling or a near-duplicate elsewhere. A corpus the
    user gave takes the place of this part, and the real rows that copy one of its rows are left out.

    The other rows go to train (three quarters) and reference by root id alone. Near-duplicates may well
    fall on both sides of that line, and should: the reference exists to show how much independent real rows
    resemble each other, and splitting it by near-duplicates would set that rate to zero.

    Which root goes where follows from its id and the seed. Shares are exact to within one group.

    Args:
        folder: The parts are written to its subfolders ``train``, ``reference`` and ``test``.

    Raises: InputError: there are no rows, too few independent ones, or all are held by the test corpus.
    """
    if real.rows == 0:
        raise InputError(f"the real data {real.name!r} has no rows", fix="Give a file with at least one row.")
    progress(_STAGE, 0, real.rows)
    roots = np.asarray(real.table(["root"])["root"])
    none = np.zeros(real.rows, np.bool_)
    leaks = None if test is None else _leaks(real, test)
    in_test = _drawn_test(real, roots, seed) if leaks is None else none
    rest = ~in_test if leaks is None else ~leaks.mask
    in_train = none.copy()
    in_train[rest] = _fill(roots[rest], roots[rest], TRAIN_SHARE, 2 * seed + 1)
    if in_train[rest].all():
        raise _too_alike(
            real, "without the test rows it has a single root id, and train and reference need two"
        )
    parts = Split(
        train=real.subset(folder / "train", in_train, name="train"),
        reference=real.subset(folder / "reference", rest & ~in_train, name="reference"),
        test=real.subset(folder / "test", in_test, name="test") if test is None else test,
        left_out=np.empty(0, np.int64) if leaks is None else leaks.closest_first(),
    )
    progress(_STAGE, real.rows, real.rows)
    return parts


def copies_of(synthetic: Corpus, test: Corpus) -> Copies:
    """The synthetic rows that repeat a test row.

    A row does if it is the same text but for case and outer white space, or a near-duplicate: at least 0.7 of
    the three-word shingles of both are common. In texts of a few words that also catches pairs that differ
    in one word which matters ("my card is lost", "my phone is lost"): for a guard the safe side.
    """
    rows, similarity = matches(_sketches(synthetic), _sketches(test))
    # Rows without a single word have no shingles, yet may be equal.
    exact = exact_matches(_plain_hashes(synthetic), _plain_hashes(test))
    rows = np.where(exact >= 0, exact, rows)
    similarity[exact >= 0] = 1
    return Copies(mask=rows >= 0, test_rows=rows, similarity=similarity)


def _drawn_test(real: Corpus, roots: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.bool_]:
    """Which real rows are the test part when the user gave none, shape (num_rows,)."""
    in_test = _fill(_groups(real, roots), roots, TEST_SHARE, 2 * seed)
    if in_test.all():
        raise _too_alike(real, "all its rows are siblings or near-duplicates of each other")
    return in_test


def _leaks(real: Corpus, test: Corpus) -> Copies:
    """Which real rows copy a row of the user's test.

    Root ids do not count here: two files may number their rows alike without being kin.
    """
    if test.rows == 0:
        raise InputError(
            f"the test data {test.name!r} has no rows",
            fix="Give a test file with rows, or none: a fifth of the real data is then held out.",
        )
    leaks = copies_of(real, test)
    if leaks.mask.all():
        raise InputError(
            f"every row of the real data {real.name!r} is also in the test data {test.name!r}",
            fix="Give real data that the test data does not hold, or leave the test data out.",
        )
    return leaks


def _groups(corpus: Corpus, roots: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
    """A number for each row's group: all it reaches over equal roots, equal texts and near-duplicates."""
    _, first, sibling = np.unique(roots, return_index=True, return_inverse=True)
    kin = np.concatenate([first[sibling], exact_clusters(_plain_hashes(corpus)), clusters(_sketches(corpus))])
    rows = np.tile(np.arange(corpus.rows), 3)
    edges = coo_array((np.ones(len(kin), np.bool_), (rows, kin)), shape=(corpus.rows, corpus.rows))
    groups: npt.NDArray[np.int32] = connected_components(edges, directed=False)[1]
    return groups


def _sketches(corpus: Corpus) -> Sketches:
    return sketch_batches(texts(corpus), tokens, corpus.rows, corpus.folder, threshold=NEAR)


def _plain_hashes(corpus: Corpus) -> npt.NDArray[np.uint64]:
    """A hash of each row's text regardless of case and outer white space, shape (num_rows,)."""
    hashes = map_batches(lambda text: row_hashes(plain(text)), texts(corpus))
    return np.concatenate([np.zeros(0, np.uint64), *hashes])


def _fill(
    groups: npt.NDArray[np.integer], roots: npt.NDArray[np.uint64], share: float, key: int
) -> npt.NDArray[np.bool_]:
    """Rows of whole groups, in an order drawn from their roots and `key`, that make up `share` of all.

    A group with more rows than are still wanted is passed over for smaller ones behind it; if none is small
    enough, the smallest is taken.
    """
    names, members, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    smallest_roots = np.full(len(names), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest_roots, members, roots)
    order = np.argsort(mixed(smallest_roots, key), kind="stable")
    wanted = share * len(roots)
    chosen = np.zeros(len(names), np.bool_)
    for group in order:
        if sizes[group] <= wanted:
            chosen[group] = True
            wanted -= sizes[group]
    if not chosen.any():
        chosen[order[np.argmin(sizes[order])]] = True
    return chosen[members]


def _too_alike(real: Corpus, why: str) -> InputError:
    return InputError(
        f"the real data {real.name!r} cannot be split: {why}",
        fix="Give more real rows that do not depend on each other. Three are the least, some hundreds are of use.",
    )
