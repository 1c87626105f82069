"""How alike two rows must be to be near-duplicates, by how alike the user's real rows are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.audit.rows import NEAR, Bools, Index, Rows
from assay.engine.sketch import sketch_batches
from assay.kernels.minhash import SHINGLE_WORDS, Sketches, clusters

# Free text of any length hardly shares a quarter of its word runs by accident, and a short row with a few words
# edited may share no more; formulaic rows do so without being copies.
LOOSE = 0.25
MOST_JOINED = 0.01
LEAST_ROWS = 500
# One edited word breaks three of a short row's dozen runs and one of its words, while formulas share whole runs: of such
# rows the words by themselves say more. Long rows of a formula share most of their words and need the runs.
SHORT_WORDS = 20
WORDS_ALIKE = 0.7


@dataclass(frozen=True)
class Nearness:
    """Near-duplicates are rows whose sets of shingles overlap so much.

    Attributes:
        threshold: Jaccard similarity from which rows are near-duplicates.
        shingle_words: Words of a shingle.
        because: Why these, for people; empty where they are the usual ones.
    """

    threshold: float
    shingle_words: int = SHINGLE_WORDS
    because: str = ""

    def __str__(self) -> str:
        by = f"{self.shingle_words}-word shingles" if self.shingle_words > 1 else "single words"
        return f"Jaccard over {by} at least {self.threshold:g}{self.because}"

    def groups(self, rows: Rows) -> Index:
        """The first row of each row's cluster, shape (rows,)."""
        if self.shingle_words == SHINGLE_WORDS:
            return clusters(rows.sketches, self.threshold)
        return clusters(
            sketch_batches(
                rows.batches(),
                lambda each: each.tokens,
                len(rows),
                rows.folder,
                threshold=self.threshold,
                shingle_words=self.shingle_words,
            )
        )


USUAL = Nearness(NEAR)
FREE_TEXT = Nearness(LOOSE, because=f" instead of {NEAR}, for it joins hardly any further real rows")
SHORT_FORMULAS = Nearness(
    WORDS_ALIKE, 1, " and not over runs, for the real rows are short and share runs without being copies"
)


def nearness(real: Rows) -> Nearness:
    """`LOOSE` if it joins hardly any real rows that `NEAR` leaves alone, else `NEAR`, or words if the rows are short.

    Hardly any is one in a hundred; fewer than 500 rows cannot say. Sketches made for `NEAR` propose 98 of 100
    pairs at `LOOSE`.
    """
    return nearness_of(real.sketches)


def nearness_of(sketches: Sketches) -> Nearness:
    """`nearness` of real rows by their sketches, which are made for `NEAR`."""
    if len(sketches.lengths) < LEAST_ROWS:
        return USUAL
    if joined_further(sketches).mean() <= MOST_JOINED:
        return FREE_TEXT
    return SHORT_FORMULAS if np.median(sketches.lengths) <= SHORT_WORDS else USUAL


def joined_further(sketches: Sketches) -> Bools:
    """Rows that resemble another at `LOOSE` and none at `NEAR`, shape (rows,); the sketches are made for `NEAR`."""
    at_near, at_loose = (_alone(clusters(sketches, threshold)) for threshold in (NEAR, LOOSE))
    return at_near & ~at_loose


def _alone(cluster: Index) -> Bools:
    sizes = np.bincount(cluster, minlength=len(cluster))
    return np.asarray(sizes[cluster] == 1, dtype=bool)
