"""Frames: what rows of one template have in common once the words that fill its slots are taken out."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.rows import Bools, Rows, mixed
from assay.engine.batches import text_bytes
from assay.engine.local import map_batches
from assay.kernels import skeletons
from assay.kernels.numbering import index, kinds, places
from assay.kernels.text import LOOKS, PLAIN

# A slot filled from a long list of rare words shows when the commonest words alone are kept, those that make
# up this share of all. Filled from a short list it is frequent itself, so fewer words are kept too.
COMMON = (0.3, 0.4, 0.5, 0.6)
# Where only small words change, as when one sentence is told of him and of her, the others are kept.
RARE = 0.5
# Fewer kept words make no frame: "the ... of the ..." is grammar.
FEWEST_COMMON, FEWEST_RARE = 5, 3
# Rows of one frame that are no accident.
FEWEST_ROWS = 3
# So much text of a side tells which words are frequent: in this many bytes, the three hundred that make up half of
# all occur hundreds of times each. It is read in stretches of so many rows, spread over the side.
_READ_BYTES, _STRETCH_ROWS = 16 << 20, 256

_RARE_WAY = 1 << len(COMMON)

Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Frequent:
    """Words by how frequent they are.

    Attributes:
        ids: Hashes of the words, ascending, shape (words,).
        rank: 0 for the commonest word, shape (words,).
        share: Share of all words taken by those of each rank and before, shape (words,).
    """

    ids: Words
    rank: npt.NDArray[np.int64]
    share: npt.NDArray[np.float64]

    def ranks(self, ids: Words) -> npt.NDArray[np.int64]:
        """The rank of each word, shape (len(ids),); of an unknown one, that of none."""
        return np.asarray(self._ranks[places(self._slots, self.ids, ids)], dtype=np.int64)

    def ways(self, ids: Words) -> npt.NDArray[np.uint8]:
        """Which ways of taking words out keep each word, as bits, if it is neither a name nor a number."""
        return np.asarray(self._ways[places(self._slots, self.ids, ids)], dtype=np.uint8)

    @functools.cached_property
    def _ranks(self) -> npt.NDArray[np.int64]:
        # The place of an unknown word is -1, where the last entry stands.
        return np.append(self.rank, len(self.ids))

    @functools.cached_property
    def _ways(self) -> npt.NDArray[np.uint8]:
        rank = self._ranks
        bits = np.where(rank >= self.reaching(RARE), _RARE_WAY, 0)
        for way, share in enumerate(COMMON):
            bits |= (rank < self.reaching(share)).astype(np.int64) << way
        return bits.astype(np.uint8)

    @functools.cached_property
    def _slots(self) -> npt.NDArray[np.int32]:
        slots: npt.NDArray[np.int32] = index(self.ids)
        return slots

    def reaching(self, share: float) -> int:
        """How many of the commonest words it takes to make up `share` of all words."""
        return int(np.searchsorted(self.share, share)) + 1


def frequent(*sides: Rows) -> Frequent:
    """The words of the sides; each side has the same weight, however long it is.

    Of a side of more than 16 MiB that much is read, spread evenly; a word that is not met there is rare.
    """
    counted = [_counted(side) for side in sides]
    every = np.concatenate([ids for ids, _ in counted])
    weights = np.concatenate([counts / max(counts.sum(), 1) for _, counts in counted])
    ids, place = np.unique(every, return_inverse=True)
    totals = np.bincount(place, weights=weights, minlength=len(ids)) / max(len(sides), 1)
    order = np.argsort(-totals, kind="stable")
    rank = np.empty(len(ids), np.int64)
    rank[order] = np.arange(len(ids))
    return Frequent(ids, rank, np.cumsum(totals[order]))


def _counted(side: Rows) -> tuple[Words, npt.NDArray[np.int64]]:
    """The different words of a side and how often each occurs, read a batch at a time."""

    def of(batch: Rows) -> tuple[Words, npt.NDArray[np.int64]]:
        return batch.tokens.vocabulary.ids, batch.tokens.vocabulary.counts

    parts = list(map_batches(of, _spread(side).batches()))
    every = np.concatenate([np.zeros(0, np.uint64), *(ids for ids, _ in parts)])
    counts = np.concatenate([np.zeros(0, np.int64), *(counts for _, counts in parts)])
    ids, _, at = kinds(every)
    return ids, np.bincount(at, weights=counts, minlength=len(ids)).astype(np.int64)


def _spread(side: Rows) -> Rows:
    """The rows of a side, of many so many stretches of them as hold `_READ_BYTES`."""
    sizes = text_bytes(side.table.column("text"))
    size = int((sizes if side.at is None else sizes[side.at]).sum())
    stretch = np.arange(len(side)) // _STRETCH_ROWS
    # Of every so many stretches in a row one is read.
    each = max(-(-size // _READ_BYTES), 1)
    return side if each == 1 else side.take(np.flatnonzero(stretch % each == 0))


def keepings(rows: Rows, words: Frequent) -> npt.NDArray[np.uint8]:
    """Which ways to take words out keep each token, one bit each, shape (tokens,)."""
    known = rows.tokens.vocabulary
    of_look = np.full(LOOKS, _RARE_WAY, np.uint8)
    of_look[PLAIN] = 0xFF
    kept: npt.NDArray[np.uint8] = skeletons.keepings(
        words.ways(known.ids), known.at, rows.survey.looks, of_look
    )
    return kept


def frames(rows: Rows, words: Frequent) -> npt.NDArray[np.uint64]:
    """A hash of what each way of taking words out leaves of each row, shape (rows, ways); 0 for too little."""
    fewest = np.array([FEWEST_COMMON] * len(COMMON) + [FEWEST_RARE])
    return skeletons.skeletons(rows.tokens.ids, rows.tokens.offsets, keepings(rows, words), fewest)


def framed(
    frames: npt.NDArray[np.uint64], roots: npt.NDArray[np.uint64], texts: npt.NDArray[np.uint64]
) -> Bools:
    """Rows that share a frame with two others, no two of one root or word for word alike; shape (rows,).

    Args:
        frames: From `frames`, shape (rows, ways).
        roots, texts: Hashes of each row's root and of its words, shape (rows,).
    """
    found = np.zeros(len(frames), bool)
    for frame in frames.T:
        real = np.flatnonzero(frame)
        _, group = np.unique(frame[real], return_inverse=True)
        number = int(group.max()) + 1 if len(group) else 0
        fewest = np.full(number, len(frames))
        for names in (roots[real], texts[real]):
            pairs = np.unique(mixed(names) ^ group.astype(np.uint64), return_index=True)[1]
            fewest = np.minimum(fewest, np.bincount(group[pairs], minlength=number))
        found[real] |= fewest[group] >= FEWEST_ROWS
    return found
