"""Rows as an n-gram model reads them: tokens with boundaries, and where their n-grams lie in the trie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.kernels.gram_trie import ABSENT, Nodes, Offsets, Trie
from assay.kernels.kneser_ney import Tables, token_bits
from assay.models.bpe import BPE
from assay.models.learner import Examples, Part

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class TokenRows:
    """Rows as tokens: a boundary, then each part and a boundary after it.

    Attributes:
        tokens: Rows end to end.
        offsets: Row i is ``tokens[offsets[i]:offsets[i + 1]]``, shape (rows + 1,).
        learned: Tokens of learned parts and the boundaries that end them, shape (tokens,).
    """

    tokens: Nodes
    offsets: Offsets
    learned: Mask

    @classmethod
    def of(cls, encoding: BPE, rows: Sequence[Sequence[Part]]) -> TokenRows:
        """Encode the rows, each part for itself, so that what is learned begins at a token."""
        ids, ends = encoding.encode(part.text for row in rows for part in row)
        parts = np.array([len(row) for row in rows], np.int64)
        learned = np.array([part.learned for row in rows for part in row], np.bool_)
        # The row of each part, whose first boundary comes before it, and the boundaries of the parts before.
        row = np.repeat(np.arange(len(rows)), parts)
        shift = row + 1 + np.arange(len(row))
        lengths = np.diff(ends)
        tokens = np.full(len(ids) + len(row) + len(rows), encoding.boundary, np.int32)
        mask = np.zeros(len(tokens), np.bool_)
        places = np.arange(len(ids)) + np.repeat(shift, lengths)
        tokens[places] = ids
        mask[places] = np.repeat(learned, lengths)
        mask[ends[1:] + shift] = learned
        before = np.concatenate([np.zeros(1, np.int64), parts.cumsum()])
        return cls(tokens, ends[before] + before + np.arange(len(rows) + 1), mask)

    def sums(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Sum of the values of each row's tokens, shape (rows,)."""
        running = np.concatenate([np.zeros(1), np.cumsum(values, dtype=np.float64)])
        return np.diff(running[self.offsets])


@dataclass(frozen=True)
class Located:
    """Items whose n-grams were found, to be scored by any number of models.

    Attributes:
        rows: Their tokens.
        nodes: As `Trie.locate` gives them.
        bytes: Of the learned parts, shape (items,).
        rejected: The same of the answers that lost; None where items are no pairs.
    """

    rows: TokenRows
    nodes: Nodes
    bytes: npt.NDArray[np.int64]
    rejected: Located | None = None

    @classmethod
    def of(cls, encoding: BPE, trie: Trie, items: Examples) -> Located:
        """Encode the items and find their n-grams."""
        rows = TokenRows.of(encoding, items.parts)
        lost = None if items.rejected is None else cls.of(encoding, trie, items.losing())
        return cls(rows, trie.locate(rows.tokens, rows.offsets), items.learned_bytes(), lost)

    def bits(self, tables: Tables, vocabulary: int) -> npt.NDArray[np.float64]:
        """Bits of the learned tokens of each item, shape (items,)."""
        return self.rows.sums(token_bits(tables, self.nodes, self.rows.learned, vocabulary))

    def contexts(self) -> Nodes:
        """Node of the longest context that ends each item, shape (items,)."""
        last = self.nodes[self.rows.offsets[1:] - 1, :-1]
        longest = last.shape[1] - 1 - (last[:, ::-1] != ABSENT).argmax(axis=1)
        found: Nodes = last[np.arange(len(last)), longest]
        return found
