"""Near-duplicates: rows whose sets of shingles, three words by default, overlap by a given Jaccard similarity.

MinHash signatures propose pairs, the exact similarity decides them: no pair is reported that is not one,
and a pair above the threshold is overlooked about once in a thousand times.

Source: Broder 1997, On the resemblance and containment of documents, SEQUENCES; Leskovec, Rajaraman and
Ullman 2020, Mining of Massive Datasets, chapter 3 (banding).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.kernels.arrow import Offsets
from assay.kernels.exact import hash_items
from assay.kernels.hashing import SEED, mix, mixed
from assay.kernels.sorting import SORT_BUCKETS, sort_hashes
from assay.kernels.text import Tokens

SHINGLE_WORDS = 3
PERMUTATIONS = 128
_WANTED_RECALL = 0.999
# Rows looked at for one row per band: a bound for buckets that hold a whole template's rows. What lies
# beyond it is met through nearer rows of the same cluster or in one of the other bands.
_LOOK_BACK = 128
# Signatures estimate the similarity with a standard error of 0.04 or less; pairs that fall short of the
# threshold by four of them are not worth the exact count.
_SLACK = 0.16


@dataclass(frozen=True)
class Sketches:
    """What near-duplicates are found by. Made from rows in parts, it may lie in memory-mapped files.

    Attributes:
        threshold: Similarity from which rows count as near-duplicates.
        lengths: Tokens of each row, shape (num_rows,).
        hashes: Hash of the set of shingles of each row, shape (num_rows,).
        ids, offsets: The shingles of row i, sorted and distinct: ``ids[offsets[i]:offsets[i + 1]]``.
        signatures: shape (num_rows, 128).
        keys: Rows whose signatures agree in a band have equal keys there, shape (bands, num_rows).
    """

    threshold: float
    lengths: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    ids: npt.NDArray[np.uint64]
    offsets: Offsets
    signatures: npt.NDArray[np.uint32]
    keys: npt.NDArray[np.uint64]


def sketch(tokens: Tokens, threshold: float = 0.7, shingle_words: int = SHINGLE_WORDS) -> Sketches:
    """The sketches of some rows, by shingles of so many words: about 800 bytes a row and 8 a word.

    Raises: InputError: `threshold` outside (0, 1].
    """
    bands, depth = banding(threshold)
    ids, offsets = _shingle_sets(tokens.ids, tokens.offsets, shingle_words)
    signed = _sign(ids, offsets, *_permutations())
    return Sketches(
        threshold=threshold,
        lengths=np.diff(tokens.offsets),
        hashes=hash_items(ids, offsets),
        ids=ids,
        offsets=offsets,
        signatures=signed,
        keys=_band_keys(signed, bands, depth),
    )


def clusters(sketches: Sketches, threshold: float | None = None) -> npt.NDArray[np.int64]:
    """The smallest row index in each row's cluster of near-duplicates, shape (num_rows,).

    Two rows are near-duplicates if the Jaccard similarity of their sets of three-word shingles is at least the
    threshold; clusters are chains of them. A row of one or two words is a single shingle, so it resembles
    only its equals; a row without words stands alone.

    Args:
        threshold: Another one than the sketches were made for; below theirs more pairs are overlooked.
    """
    threshold = sketches.threshold if threshold is None else threshold
    # Equal sets collapse before anything is compared, so a corpus of one row repeated stays linear.
    rows, set_of = _sets(sketches.hashes, np.diff(sketches.offsets) > 0)
    parents = np.arange(len(rows))
    for band in sketches.keys:
        _join_bucket_mates(band[rows], rows, _stored(sketches), threshold, parents)
    found = np.arange(len(sketches.hashes))
    with_words = set_of >= 0
    found[with_words] = rows[_roots(parents)[set_of[with_words]]]
    return found


def matches(
    query: Sketches,
    target: Sketches,
    query_folds: npt.NDArray[np.int64] | None = None,
    target_folds: npt.NDArray[np.int64] | None = None,
    *,
    threshold: float | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The target row most similar to each query row, where one is a near-duplicate.

    Args:
        query_folds, target_folds: A number for each row, not negative; only rows of different folds are
            compared. None: each query row with each target row.
        threshold: Similarity from which a row counts, not below that of the sketches; by default theirs.

    Returns: Target row or -1, shape (num_query_rows,), the smallest index among equals; and the Jaccard
        similarity over three-word shingles, 0 where there is no match.
    """
    folds = np.full(len(query.hashes), -1) if query_folds is None else query_folds
    others = np.zeros(len(target.hashes), np.int64) if target_folds is None else target_folds
    sought, set_of = _sets(_folded(query.hashes, folds), np.diff(query.offsets) > 0)
    known, own, second = _first_rows(target, others)
    best = np.full(len(sought), -1, np.int64)
    similarity = np.zeros(len(sought), np.float32)
    for band, band_known in zip(query.keys, target.keys, strict=True):
        keys, keys_known = band[sought], band_known[known]
        order, order_known = np.argsort(keys, kind="stable"), np.argsort(keys_known, kind="stable")
        for fold in np.unique(folds):
            asked = order[folds[sought[order]] == fold]
            allowed = order_known[((own == fold) == second)[order_known]]
            _match_bucket_mates(
                keys[asked],
                asked,
                keys_known[allowed],
                known[allowed],
                sought,
                _stored(query),
                _stored(target),
                query.threshold if threshold is None else threshold,
                best,
                similarity,
            )
    rows = np.full(len(query.hashes), -1, np.int64)
    scores = np.zeros(len(query.hashes), np.float32)
    with_words = set_of >= 0
    rows[with_words] = best[set_of[with_words]]
    scores[with_words] = similarity[set_of[with_words]]
    return rows, scores


def signatures(tokens: Tokens) -> npt.NDArray[np.uint32]:
    """The MinHash signature of each row, shape (num_rows, 128).

    The share of equal values in two signatures estimates the rows' Jaccard similarity over three-word shingles;
    a row without words has the largest value throughout.
    """
    ids, offsets = _shingle_sets(tokens.ids, tokens.offsets, SHINGLE_WORDS)
    signed: npt.NDArray[np.uint32] = _sign(ids, offsets, *_permutations())
    return signed


def banding(threshold: float) -> tuple[int, int]:
    """Bands and signature rows per band: the deepest bands that still find the wanted share of pairs."""
    if not 0 < threshold <= 1:
        raise InputError(f"similarity threshold {threshold} is outside (0, 1]", fix="Use 0.7, for example.")
    for depth in (16, 8, 4, 2):
        bands = PERMUTATIONS // depth
        if 1 - (1 - threshold**depth) ** bands >= _WANTED_RECALL:
            return bands, depth
    return PERMUTATIONS, 1


def _sets(
    hashes: npt.NDArray[np.uint64], with_words: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first row with each hash, ascending; and which of these each row equals, -1 for rows without words."""
    filled = np.flatnonzero(with_words)
    _, first, same = np.unique(hashes[filled], return_index=True, return_inverse=True)
    by_row = np.argsort(first)
    rank = np.empty_like(by_row)
    rank[by_row] = np.arange(len(by_row))
    set_of = np.full(len(hashes), -1, np.int64)
    set_of[filled] = rank[same]
    return filled[first[by_row]], set_of


def _first_rows(
    target: Sketches, folds: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The first row with each set, and the first one of another fold than that row's, ascending.

    Returns: The rows, the fold of the set's first row, and whether the row is the second of its set.
    """
    first, set_of = _sets(target.hashes, np.diff(target.offsets) > 0)
    elsewhere = (set_of >= 0) & (folds != folds[first][set_of]) if len(first) else np.zeros(len(folds), bool)
    second, _ = _sets(target.hashes[elsewhere], np.ones(int(elsewhere.sum()), bool))
    second = np.flatnonzero(elsewhere)[second]
    rows = np.concatenate([first, second])
    order = np.argsort(rows)
    return rows[order], folds[first][set_of[rows[order]]], order >= len(first)


def _folded(hashes: npt.NDArray[np.uint64], folds: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Hashes that are equal where both the hash and the fold are."""
    return np.asarray(hashes ^ mixed(folds.astype(np.uint64), 0))


def _stored(sketches: Sketches) -> tuple[npt.NDArray[np.uint64], Offsets, npt.NDArray[np.uint32]]:
    # A memory-mapped array is a kind of its own, for which numba would compile everything again.
    return np.asarray(sketches.ids), sketches.offsets, np.asarray(sketches.signatures)


def _permutations() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """What tells the 128 hash functions apart: a mask and an odd factor each. The same in every run."""
    masks, factors = np.random.default_rng(128).integers(0, 1 << 32, (2, PERMUTATIONS), np.uint32)
    return masks, factors | np.uint32(1)


@numba.njit(nogil=True, cache=True)
def _shingle_sets(ids, rows, words):  # type: ignore[no-untyped-def]
    """Each row's distinct shingles in ascending order, and the offsets of the rows."""
    most = longest = 0
    for row in range(len(rows) - 1):
        length = rows[row + 1] - rows[row]
        longest = max(longest, length)
        most += min(length, max(length - words + 1, 1))
    found = np.empty(most, np.uint64)
    offsets = np.zeros(len(rows), np.int64)
    buffer = np.empty(longest, np.uint64)
    counts = np.empty(SORT_BUCKETS + 1, np.int64)
    at = 0
    for row in range(len(rows) - 1):
        begin = at
        size = min(words, rows[row + 1] - rows[row])
        if size > 0:
            for first in range(rows[row], rows[row + 1] - size + 1):
                state = ids[first]
                for token in range(first + 1, first + size):
                    state = mix(state * SEED + ids[token])
                found[at] = state
                at += 1
            sort_hashes(found[begin:at], buffer, counts)
            kept = begin + 1
            for index in range(begin + 1, at):
                if found[index] != found[kept - 1]:
                    found[kept] = found[index]
                    kept += 1
            at = kept
        offsets[row + 1] = at
    return found[:at], offsets


@numba.njit(nogil=True, cache=True)
def _sign(ids, offsets, masks, factors):  # type: ignore[no-untyped-def]
    """For each set the smallest value of each hash function over its shingles, shape (num_sets, 128)."""
    signatures = np.full((len(offsets) - 1, PERMUTATIONS), np.uint32(0xFFFFFFFF), np.uint32)
    for row in range(len(offsets) - 1):
        signature = signatures[row]
        for shingle in ids[offsets[row] : offsets[row + 1]]:
            short = np.uint32(shingle >> np.uint64(32))
            # Thirty-two bits per value and no branch: the compiler makes vector instructions of it.
            for k in range(PERMUTATIONS):
                signature[k] = min(signature[k], np.uint32((short ^ masks[k]) * factors[k]))
    return signatures


@numba.njit(nogil=True, cache=True)
def _band_keys(signatures, bands, depth):  # type: ignore[no-untyped-def]
    keys = np.empty((bands, len(signatures)), np.uint64)
    for row in range(len(signatures)):
        for band in range(bands):
            state = SEED
            for k in range(band * depth, (band + 1) * depth):
                state = mix(state ^ np.uint64(signatures[row, k]))
            keys[band, row] = state
    return keys


@numba.njit(nogil=True, cache=True)
def _similarity(left, right, left_signature, right_signature, threshold):  # type: ignore[no-untyped-def]
    """Jaccard similarity of two sorted sets, or 0 where it is sure enough to lie below the threshold."""
    small, large = min(len(left), len(right)), max(len(left), len(right))
    if small / large < threshold:
        return 0.0
    equal = 0
    for k in range(PERMUTATIONS):
        equal += left_signature[k] == right_signature[k]
    if equal < (threshold - _SLACK) * PERMUTATIONS:
        return 0.0
    shared = i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            shared += 1
            i += 1
            j += 1
        elif left[i] < right[j]:
            i += 1
        else:
            j += 1
    return shared / (len(left) + len(right) - shared)


@numba.njit(nogil=True, cache=True, inline="always")
def _root(parents, node):  # type: ignore[no-untyped-def]
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


@numba.njit(nogil=True, cache=True)
def _roots(parents):  # type: ignore[no-untyped-def]
    roots = np.empty_like(parents)
    for node in range(len(parents)):
        roots[node] = _root(parents, node)
    return roots


@numba.njit(nogil=True, cache=True)
def _join_bucket_mates(keys, rows, stored, threshold, parents):  # type: ignore[no-untyped-def]
    """Join near-duplicates that share a bucket of one band; the smaller index becomes the root.

    A bucket is a chain from its last row to its first, so nothing has to be sorted.
    """
    slots = 1
    while slots < 2 * len(keys):
        slots *= 2
    last = np.full(slots, -1, np.int32)
    names = np.empty(slots, np.uint64)
    before = np.empty(len(keys), np.int32)
    for row in range(len(keys)):
        slot = np.int64(keys[row] & np.uint64(slots - 1))
        while last[slot] >= 0 and names[slot] != keys[row]:
            slot = (slot + 1) & (slots - 1)
        other = last[slot]
        before[row] = other
        last[slot], names[slot] = row, keys[row]
        looked = 0
        while other >= 0 and looked < _LOOK_BACK:
            _join(row, other, rows, stored, threshold, parents)
            other = before[other]
            looked += 1


@numba.njit(nogil=True, cache=True)
def _join(one, other, rows, stored, threshold, parents):  # type: ignore[no-untyped-def]
    left, right = _root(parents, one), _root(parents, other)
    if left == right:
        return
    ids, offsets, signatures = stored
    row, mate = rows[one], rows[other]
    similarity = _similarity(
        ids[offsets[row] : offsets[row + 1]],
        ids[offsets[mate] : offsets[mate + 1]],
        signatures[row],
        signatures[mate],
        threshold,
    )
    if similarity >= threshold:
        parents[max(left, right)] = min(left, right)


@numba.njit(nogil=True, cache=True)
def _match_bucket_mates(  # type: ignore[no-untyped-def]
    wanted, order, keys, known, sought, query, target, threshold, best, similarity
):
    """Raise each query set's best target row by what shares its bucket in one band; both sides by key."""
    query_ids, query_offsets, query_signatures = query
    ids, offsets, signatures = target
    first = 0
    for place in range(len(wanted)):
        while first < len(keys) and keys[first] < wanted[place]:
            first += 1
        asked, row = order[place], sought[order[place]]
        for at in range(first, min(len(keys), first + _LOOK_BACK)):
            if keys[at] != wanted[place] or similarity[asked] == 1:
                break
            other = known[at]
            if other == best[asked]:
                continue
            score = np.float32(
                _similarity(
                    query_ids[query_offsets[row] : query_offsets[row + 1]],
                    ids[offsets[other] : offsets[other + 1]],
                    query_signatures[row],
                    signatures[other],
                    threshold,
                )
            )
            better = score > similarity[asked] or (score == similarity[asked] and other < best[asked])
            if score >= np.float32(threshold) and better:
                best[asked], similarity[asked] = other, score
