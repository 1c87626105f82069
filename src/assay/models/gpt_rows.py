"""Rows as sequences of tokens: which are learned, how long rows are read, how an arm's rows fill its steps.

A row is its parts with a boundary before each and one at the end. A part that is learned is learned with the
boundary that ends it, so that the chances of all texts sum to one. A row longer than the context is read in windows
that overlap by a quarter; each token is learned and scored in the first window that holds it, so none is lost or
counted twice. Short rows share a sequence and can't see each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.models.bpe import BPE
from assay.models.learner import Part

Ints = npt.NDArray[np.int64]
_OPEN = 16  # sequences that still take pieces
_PADDING = -1  # the piece that fills up a sequence


@dataclass(frozen=True)
class Pieces:
    """Rows cut into what fits in the context.

    Attributes:
        rows: Number of rows.
        row: Row of each piece, in order, shape (pieces,).
        starts: Where each piece begins in the arrays of tokens, and where the last ends, shape (pieces + 1,).
        given: Token that is read, shape (tokens,).
        wanted: The token that follows it, shape (tokens,).
        learned: Whether that one is learned and scored, shape (tokens,).
    """

    rows: int
    row: Ints
    starts: Ints
    given: Ints
    wanted: Ints
    learned: npt.NDArray[np.bool_]

    @classmethod
    def cut(cls, rows: Sequence[Sequence[Part]], bpe: BPE, context: int) -> Pieces:
        """Tokenise rows and cut those longer than the context; pieces of which nothing is learned fall away."""
        row, lengths = [], []
        given, wanted, learned = [], [], []
        for number, (tokens, marks) in enumerate(tokenised(rows, bpe)):
            for start, first, end in windows(len(tokens) - 1, context):
                counts = marks[start + 1 : end + 1].copy()
                counts[: first - start] = False
                if counts.any():
                    row.append(number)
                    lengths.append(end - start)
                    given.append(tokens[start:end])
                    wanted.append(tokens[start + 1 : end + 1])
                    learned.append(counts)
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        empty = np.zeros(0, np.int64)
        return cls(
            len(rows),
            np.array(row, np.int64),
            starts.astype(np.int64),
            np.concatenate([empty, *given]),
            np.concatenate([empty, *wanted]),
            np.concatenate([np.zeros(0, np.bool_), *learned]),
        )

    @property
    def lengths(self) -> Ints:
        """Tokens of each piece, shape (pieces,)."""
        return np.diff(self.starts)


def tokenised(rows: Sequence[Sequence[Part]], bpe: BPE) -> Iterator[tuple[Ints, npt.NDArray[np.bool_]]]:
    """Each row's tokens and whether each of them is learned, both shape (tokens,)."""
    ids, offsets = bpe.encode(part.text for parts in rows for part in parts)
    place = 0
    for parts in rows:
        tokens, marks = [np.array([bpe.boundary], np.int64)], [np.zeros(1, np.bool_)]
        for part in parts:
            found = np.append(ids[offsets[place] : offsets[place + 1]], bpe.boundary).astype(np.int64)
            tokens.append(found)
            marks.append(np.full(len(found), part.learned))
            place += 1
        yield np.concatenate(tokens), np.concatenate(marks)


def windows(length: int, context: int) -> list[tuple[int, int, int]]:
    """Begin, first place that is new, and end of each window over a row of so many places.

    The last window reaches back as far as the context allows, so that no window is short without need.
    """
    found = [(0, 0, min(length, context))]
    while found[-1][2] < length:
        new = found[-1][2]
        end = min(new + context - context // 4, length)
        found.append((end - context, new, end))
    return found


@dataclass(frozen=True)
class Packed:
    """Pieces laid out in sequences, in the order they are read.

    Attributes:
        piece: Which piece, sorted by its sequence, shape (placed,).
        sequence: In which sequence it lies, shape (placed,).
        offset: At which place of it, shape (placed,).
        sequences: Number of sequences.
    """

    piece: npt.NDArray[np.int32]
    sequence: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int32]
    sequences: int

    @classmethod
    def fill(cls, order: Ints, lengths: Ints, context: int) -> Packed:
        """Put each piece into the first open sequence with room; a full house closes its oldest sequence.

        Args:
            order: Pieces in the order they come, shape (placed,).
            lengths: Tokens of every piece, none above the context, shape (pieces,).
            context: Places of a sequence.
        """
        # A trial holds these for all its arms at once.
        sequence, offset = np.empty(len(order), np.int32), np.empty(len(order), np.int32)
        used: list[int] = []
        oldest = 0
        for place, length in enumerate(lengths[order].tolist()):
            for number in range(oldest, len(used)):
                if used[number] + length <= context:
                    break
            else:
                number = len(used)
                used.append(0)
                oldest = max(oldest, len(used) - _OPEN)
            while oldest < len(used) and used[oldest] == context:
                oldest += 1
            sequence[place], offset[place] = number, used[number]
            used[number] += length
        by = np.argsort(sequence, kind="stable")
        return cls(order[by].astype(np.int32), sequence[by], offset[by], len(used))


@dataclass(frozen=True)
class Batch:
    """Sequences of some arms side by side, each array of shape (arms, sequences, context).

    Attributes:
        given: Tokens.
        wanted: The tokens that follow.
        learned: Which of those count.
        piece: Piece each place belongs to, -1 for none.
    """

    given: Ints
    wanted: Ints
    learned: npt.NDArray[np.bool_]
    piece: Ints


def batch(pieces: Pieces, packed: Sequence[Packed], first: int, number: int, context: int) -> Batch:
    """Sequences `first` to `first + number` of each arm; what lies beyond an arm's last is padding."""
    ends = [np.searchsorted(each.sequence, [first, first + number]) for each in packed]
    held = [slice(low, high) for low, high in ends]
    chosen = np.concatenate([each.piece[own] for each, own in zip(packed, held, strict=True)])
    sequence = [
        each.sequence[own].astype(np.int64) - first + arm * number
        for arm, (each, own) in enumerate(zip(packed, held, strict=True))
    ]
    offset = np.concatenate([each.offset[own] for each, own in zip(packed, held, strict=True)])
    starts = pieces.starts[chosen]
    lengths = pieces.starts[chosen + 1] - starts
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    source = np.repeat(starts, lengths) + within
    target = np.repeat(np.concatenate(sequence) * context + offset, lengths) + within
    size = (len(packed), number, context)
    found = Batch(
        np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros(size, np.bool_), np.full(size, _PADDING)
    )
    found.given.ravel()[target] = pieces.given[source]
    found.wanted.ravel()[target] = pieces.wanted[source]
    found.learned.ravel()[target] = pieces.learned[source]
    found.piece.ravel()[target] = np.repeat(chosen, lengths)
    return found


def order(pieces: Pieces, weights: npt.NDArray[np.floating], seed: int, epochs: int) -> Ints:
    """The pieces of an arm in the order they are read, over all epochs.

    A row of weight w is read w times an epoch; of a fraction, the seed draws for each epoch whether it is one more.
    Every row and copy has its own draw whatever the weights are: of two arms of one seed, the smaller reads what it
    shares with the larger in the same order.

    Args:
        pieces: The rows.
        weights: Of each row, not negative, shape (rows,).
        seed: The arm's.
        epochs: Number of epochs.
    """
    found = [np.zeros(0, np.int64)]
    for epoch in range(epochs):
        rounding = np.random.default_rng([seed, epoch, 0]).random(pieces.rows)
        copies = np.floor(weights + rounding).astype(np.int64)
        rows, places = [], []
        for copy in range(int(copies.max(initial=0))):
            draws = np.random.default_rng([seed, epoch, 1 + copy]).random(pieces.rows)
            held = np.flatnonzero(copies > copy)
            rows.append(held)
            places.append(draws[held])
        if rows:
            found.append(np.concatenate(rows)[np.argsort(np.concatenate(places), kind="stable")])
    rows_read = np.concatenate(found)
    low = np.searchsorted(pieces.row, rows_read)
    counts = np.searchsorted(pieces.row, rows_read, side="right") - low
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(np.repeat(low, counts) + within, dtype=np.int64)
