"""Near-duplicates: rows whose sets of three-word shingles overlap by a given Jaccard similarity.

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
from assay.kernels.hashing import SEED, mix
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
class _Sketches:
    """The distinct shingle sets among some rows.

    Attributes:
        rows: The first row with each set, ascending, shape (num_sets,).
        set_of: The set of each row, or -1 if it has no tokens, shape (num_rows,).
        ids, offsets: The shingles of set i, sorted and distinct: ``ids[offsets[i]:offsets[i + 1]]``.
        signatures: shape (num_sets, 128).
    """

    rows: npt.NDArray[np.int64]
    set_of: npt.NDArray[np.int64]
    ids: npt.NDArray[np.uint64]
    offsets: Offsets
    signatures: npt.NDArray[np.uint32]


def near_clusters(tokens: Tokens, *, threshold: float = 0.7) -> npt.NDArray[np.int64]:
    """The smallest row index in each row's cluster of near-duplicates, shape (num_rows,).

    Two rows are near-duplicates if the Jaccard similarity of their sets of three-word shingles is at least
    `threshold`; clusters are chains of them. A row of one or two words is a single shingle, so it resembles
    only its equals; a row without words stands alone. Takes about half a kilobyte per distinct row.

    Raises: InputError: `threshold` outside (0, 1].
    """
    bands, depth = _banding(threshold)
    sketches = _sketch(tokens)
    parents = np.arange(len(sketches.rows))
    _join_bucket_mates(sketches.signatures, bands, depth, sketches.ids, sketches.offsets, threshold, parents)
    clusters = np.arange(tokens.rows)
    with_words = sketches.set_of >= 0
    clusters[with_words] = sketches.rows[_roots(parents)[sketches.set_of[with_words]]]
    return clusters


def near_matches(
    query: Tokens, target: Tokens, *, threshold: float = 0.7
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The target row most similar to each query row, where one is a near-duplicate.

    Returns: Target row or -1, shape (num_query_rows,), the smallest index among equals; and the Jaccard
        similarity over three-word shingles, 0 where there is no match.
    Raises: InputError: `threshold` outside (0, 1].
    """
    bands, depth = _banding(threshold)
    sought, known = _sketch(query), _sketch(target)
    best = np.full(len(sought.rows), -1, np.int64)
    similarity = np.zeros(len(sought.rows), np.float32)
    for band in range(bands):
        keys = _band_keys(known.signatures, band * depth, depth)
        order = np.argsort(keys, kind="stable")
        wanted = _band_keys(sought.signatures, band * depth, depth)
        firsts = np.searchsorted(keys[order], wanted)
        _match_bucket_mates(
            wanted,
            firsts,
            keys[order],
            order,
            (sought.ids, sought.offsets, sought.signatures),
            (known.ids, known.offsets, known.signatures),
            threshold,
            best,
            similarity,
        )
    rows = np.full(query.rows, -1, np.int64)
    scores = np.zeros(query.rows, np.float32)
    with_words = np.flatnonzero(sought.set_of >= 0)
    sets = sought.set_of[with_words]
    scores[with_words] = similarity[sets]
    matched = best[sets] >= 0
    rows[with_words[matched]] = known.rows[best[sets[matched]]]
    return rows, scores


def signatures(tokens: Tokens) -> npt.NDArray[np.uint32]:
    """The MinHash signature of each row, shape (num_rows, 128).

    The share of equal values in two signatures estimates the rows' Jaccard similarity over three-word shingles;
    a row without words has the largest value throughout.
    """
    ids, offsets = _shingle_sets(tokens.ids, tokens.offsets)
    signed: npt.NDArray[np.uint32] = _sign(ids, offsets, *_permutations())
    return signed


def _banding(threshold: float) -> tuple[int, int]:
    """Bands and signature rows per band: the deepest bands that still find the wanted share of pairs."""
    if not 0 < threshold <= 1:
        raise InputError(f"similarity threshold {threshold} is outside (0, 1]", fix="Use 0.7, for example.")
    for depth in (16, 8, 4, 2):
        bands = PERMUTATIONS // depth
        if 1 - (1 - threshold**depth) ** bands >= _WANTED_RECALL:
            return bands, depth
    return PERMUTATIONS, 1


def _sketch(tokens: Tokens) -> _Sketches:
    ids, offsets = _shingle_sets(tokens.ids, tokens.offsets)
    # Equal sets collapse before anything is compared, so a corpus of one row repeated stays linear.
    hashes = hash_items(ids, offsets)
    with_words = np.flatnonzero(np.diff(offsets))
    _, first, same = np.unique(hashes[with_words], return_index=True, return_inverse=True)
    by_row = np.argsort(first)
    rank = np.empty_like(by_row)
    rank[by_row] = np.arange(len(by_row))
    set_of = np.full(tokens.rows, -1, np.int64)
    set_of[with_words] = rank[same]
    rows = with_words[first[by_row]]
    ids, offsets = _take_rows(ids, offsets, rows)
    return _Sketches(rows, set_of, ids, offsets, _sign(ids, offsets, *_permutations()))


def _permutations() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """What tells the 128 hash functions apart: a mask and an odd factor each. The same in every run."""
    masks, factors = np.random.default_rng(128).integers(0, 1 << 32, (2, PERMUTATIONS), np.uint32)
    return masks, factors | np.uint32(1)


@numba.njit(nogil=True, cache=True)
def _shingle_sets(ids, rows):  # type: ignore[no-untyped-def]
    """Each row's distinct shingles in ascending order, and the offsets of the rows."""
    most = 0
    for row in range(len(rows) - 1):
        length = rows[row + 1] - rows[row]
        most += min(length, max(length - SHINGLE_WORDS + 1, 1))
    found = np.empty(most, np.uint64)
    offsets = np.zeros(len(rows), np.int64)
    at = 0
    for row in range(len(rows) - 1):
        begin = at
        size = min(SHINGLE_WORDS, rows[row + 1] - rows[row])
        if size > 0:
            for first in range(rows[row], rows[row + 1] - size + 1):
                state = ids[first]
                for token in range(first + 1, first + size):
                    state = mix(state * SEED + ids[token])
                found[at] = state
                at += 1
            found[begin:at].sort()
            kept = begin + 1
            for index in range(begin + 1, at):
                if found[index] != found[kept - 1]:
                    found[kept] = found[index]
                    kept += 1
            at = kept
        offsets[row + 1] = at
    return found[:at], offsets


@numba.njit(nogil=True, cache=True)
def _take_rows(ids, offsets, rows):  # type: ignore[no-untyped-def]
    taken = np.zeros(len(rows) + 1, np.int64)
    for index, row in enumerate(rows):
        taken[index + 1] = taken[index] + offsets[row + 1] - offsets[row]
    out = np.empty(taken[-1], np.uint64)
    for index, row in enumerate(rows):
        # Assigning a slice at once would do the same and take numba seconds more to compile.
        for at in range(offsets[row + 1] - offsets[row]):
            out[taken[index] + at] = ids[offsets[row] + at]
    return out, taken


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
def _band_keys(signatures, first, depth):  # type: ignore[no-untyped-def]
    keys = np.empty(len(signatures), np.uint64)
    for row in range(len(signatures)):
        state = SEED
        for k in range(first, first + depth):
            state = mix(state ^ np.uint64(signatures[row, k]))
        keys[row] = state
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
def _join_bucket_mates(signatures, bands, depth, ids, offsets, threshold, parents):  # type: ignore[no-untyped-def]
    """Join near-duplicates that share a bucket of any band; the smaller index becomes the root.

    A bucket is a chain from its last row to its first, so nothing has to be sorted.
    """
    rows = len(signatures)
    slots = 1
    while slots < 2 * rows:
        slots *= 2
    last = np.empty(slots, np.int32)
    names = np.empty(slots, np.uint64)
    before = np.empty(rows, np.int32)
    for band in range(bands):
        keys = _band_keys(signatures, band * depth, depth)
        last[:] = -1
        for row in range(rows):
            slot = np.int64(keys[row] & np.uint64(slots - 1))
            while last[slot] >= 0 and names[slot] != keys[row]:
                slot = (slot + 1) & (slots - 1)
            other = last[slot]
            before[row] = other
            last[slot], names[slot] = row, keys[row]
            looked = 0
            while other >= 0 and looked < _LOOK_BACK:
                _join(row, other, signatures, ids, offsets, threshold, parents)
                other = before[other]
                looked += 1


@numba.njit(nogil=True, cache=True)
def _join(row, other, signatures, ids, offsets, threshold, parents):  # type: ignore[no-untyped-def]
    left, right = _root(parents, row), _root(parents, other)
    if left == right:
        return
    similarity = _similarity(
        ids[offsets[row] : offsets[row + 1]],
        ids[offsets[other] : offsets[other + 1]],
        signatures[row],
        signatures[other],
        threshold,
    )
    if similarity >= threshold:
        parents[max(left, right)] = min(left, right)


@numba.njit(nogil=True, cache=True)
def _match_bucket_mates(wanted, firsts, keys, order, query, target, threshold, best, similarity):  # type: ignore[no-untyped-def]
    """Raise each query set's best target set by what shares its bucket in one band."""
    query_ids, query_offsets, query_signatures = query
    ids, offsets, signatures = target
    for row in range(len(wanted)):
        last = min(len(keys), firsts[row] + _LOOK_BACK)
        for at in range(firsts[row], last):
            if keys[at] != wanted[row] or similarity[row] == 1:
                break
            other = order[at]
            if other == best[row]:
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
            better = score > similarity[row] or (score == similarity[row] and other < best[row])
            if score >= np.float32(threshold) and better:
                best[row], similarity[row] = other, score
