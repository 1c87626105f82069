"""Whether the real row closest to each row is one the generator saw or one that was held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from assay.audit.rows import Floats, Index, Rows, mixed
from assay.kernels.ngrams import hashed_counts

MOST_ROWS = 2_000
MOST_REAL = 10_000
_BINS = 20
_BITS = 18
_DIMENSIONS = 1024
_BLOCK = 1_000
# Cosines of 32-bit vectors that are equal differ by less than this.
_EQUAL = 1e-5


@dataclass(frozen=True)
class Closest:
    """Arrays of shape (rows,).

    Attributes:
        share: 1 where a seen row is closest, 0 where a held-out one is, a half where both are equally close;
            NaN for rows that were not drawn or hold no words.
        row: The closest seen row, or -1.
        margin: How much closer it is than the closest held-out row, as a difference of cosines; 0 where not asked.
    """

    share: Floats
    row: Index
    margin: Floats


def nowhere(rows: int) -> Closest:
    """Nothing was asked."""
    return Closest(np.full(rows, np.nan), np.full(rows, -1, np.int64), np.zeros(rows))


def closest(rows: Rows, seen: Rows, held: Rows, rng: np.random.Generator) -> Closest:
    """Distance to the closest record, compared between equally many seen and held-out rows of equal lengths.

    Closeness is the cosine of TF-IDF vectors of words and word pairs, hashed twice: to 2**18 features, then with
    random signs to 1,024 numbers. At most 2,000 rows are asked, of 10,000 real ones a side; memory stays bounded.

    Source: Platzer & Reutterer 2021, Holdout-Based Empirical Assessment of Mixed-Type Synthetic Data, Frontiers
        in Big Data 4 (the share of rows closer to training than to hold-out rows); Weinberger et al. 2009, ICML
        (signed hashing keeps inner products in expectation).
    """
    found = nowhere(len(rows))
    of_seen, of_held = matched(seen.lengths, held.lengths, rng)
    filled = np.flatnonzero(rows.lengths > 0)
    if not len(of_seen) or not len(filled):
        return found
    asked = np.sort(rng.permutation(filled)[:MOST_ROWS])
    parts = [seen.take(of_seen), held.take(of_held), rows.take(asked)]
    counts = [hashed_counts(part.tokens, bits=_BITS) for part in parts]
    holding = sum(np.bincount(part.indices, minlength=1 << _BITS) for part in counts[:2])
    weights = np.log((1 + 2 * len(of_seen)) / (1 + holding)) + 1
    vectors = [_vectors(part, weights.astype(np.float32)) for part in counts]
    best, row = _nearest(vectors[2], vectors[0])
    rival, _ = _nearest(vectors[2], vectors[1])
    margin = best - rival
    found.margin[asked] = margin
    found.row[asked] = of_seen[row]
    found.share[asked] = np.where(np.abs(margin) <= _EQUAL, 0.5, margin > 0)
    return found


def matched(seen: Index, held: Index, rng: np.random.Generator) -> tuple[Index, Index]:
    """Equally many places in both, drawn so that the lengths spread alike: within each of 20 bins the fewer."""
    joined = np.concatenate([seen, held])
    if not len(seen) or not len(held):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    edges = np.unique(np.quantile(joined, np.linspace(0, 1, _BINS + 1)[1:-1]))
    chosen: tuple[list[Index], list[Index]] = ([], [])
    bins = [np.searchsorted(edges, side) for side in (seen, held)]
    for each in range(len(edges) + 1):
        places = [np.flatnonzero(side == each) for side in bins]
        number = min(map(len, places))
        for kept, place in zip(chosen, places, strict=True):
            kept.append(rng.permutation(place)[:number])
    ours, theirs = (np.concatenate(kept) for kept in chosen)
    if len(ours) > MOST_REAL:
        pairs = np.sort(rng.permutation(len(ours))[:MOST_REAL])
        ours, theirs = ours[pairs], theirs[pairs]
    return np.sort(ours), np.sort(theirs)


def _vectors(counts: scipy.sparse.csr_matrix, weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Unit vectors, shape (rows, 1024)."""
    column = mixed(np.arange(counts.shape[1], dtype=np.uint64), salt=7)
    sign = np.where(column >> np.uint64(63), np.float32(1), np.float32(-1))
    to = (column & np.uint64(_DIMENSIONS - 1)).astype(np.int32)
    made = np.empty((counts.shape[0], _DIMENSIONS), np.float32)
    weighted = counts.copy()
    weighted.data = (1 + np.log(weighted.data)) * (weights * sign)[weighted.indices]
    folded = scipy.sparse.csr_matrix(
        (weighted.data, to[weighted.indices], weighted.indptr), shape=(counts.shape[0], _DIMENSIONS)
    )
    for start in range(0, len(made), _BLOCK):
        made[start : start + _BLOCK] = folded[start : start + _BLOCK].toarray()
    length = np.linalg.norm(made, axis=1, keepdims=True)
    return np.asarray(made / np.maximum(length, np.float32(1e-12)))


def _nearest(
    rows: npt.NDArray[np.float32], real: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], Index]:
    """The largest cosine of each row with a real one, and that one's place."""
    best, place = np.full(len(rows), -1, np.float32), np.zeros(len(rows), np.int64)
    for start in range(0, len(rows), _BLOCK):
        stop = start + _BLOCK
        for begin in range(0, len(real), _BLOCK):
            cosines = rows[start:stop] @ real[begin : begin + _BLOCK].T
            at = cosines.argmax(axis=1)
            largest = cosines[np.arange(len(at)), at]
            better = largest > best[start:stop]
            best[start:stop][better] = largest[better]
            place[start:stop][better] = begin + at[better]
    return best, place
