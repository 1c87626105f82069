"""Rows: a corpus opened for the audit, its text tokenised once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assay.core.corpus import SLICE_PREFIX, Corpus
from assay.kernels.text import Characters, Tokens, characters, tokens

Index = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
GROUPS = 20


@dataclass(frozen=True)
class Rows:
    """Rows of one corpus, or of several joined.

    Attributes:
        text: What a reader sees, shape (rows,), large_string without chunks.
        prompt: What the model was given; null where the row has no prompt.
        answer: What the model should have written; the text where the row has no response.
        rejected: The response that was not preferred; null outside preference pairs.
        extras: Every other column and the lineage, as JSON; null where there is none.
        generation, batch, time: When the row was made; null where the row does not say.
        root: Hash of the root id; kin share it.
        row: Position in the corpus as it was read.
        parts: Label and slice columns by name, each a string array of shape (rows,) that may hold nulls.
        vectors: The rows in an embedding space, shape (rows, dimensions); no dimensions before `placed`.
    """

    text: pa.Array
    prompt: pa.Array
    answer: pa.Array
    rejected: pa.Array
    extras: pa.Array
    generation: pa.Array
    batch: pa.Array
    time: pa.Array
    root: npt.NDArray[np.uint64]
    row: Index
    parts: Mapping[str, pa.Array]
    tokens: Tokens
    characters: Characters
    vectors: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.root)

    @property
    def lengths(self) -> Index:
        """Tokens per row."""
        return np.diff(self.tokens.offsets)

    def take(self, index: Index) -> Rows:
        """The rows at `index`, in that order."""
        chosen = pa.array(index)
        return _rows(
            {name: getattr(self, name).take(chosen) for name in _TEXTS},
            self.root[index],
            self.row[index],
            {name: values.take(chosen) for name, values in self.parts.items()},
        ).placed(self.vectors[index])

    def placed(self, vectors: npt.NDArray[np.float32]) -> Rows:
        """The same rows with their place in an embedding space."""
        return replace(self, vectors=vectors)


# The columns that are kept as Arrow has them.
_TEXTS = ("text", "prompt", "answer", "rejected", "extras", "generation", "batch", "time")


def open_rows(corpus: Corpus) -> Rows:
    """The rows of a corpus."""
    names = {SLICE_PREFIX + name: name for name in corpus.slices} | {"label": "label"}
    kept = [name for name in _TEXTS if name != "answer"]
    table = corpus.table([*kept, "response", "root", "row", *names])
    whole = {name: _whole(table.column(name)) for name in kept}
    return _rows(
        whole | {"answer": pc.coalesce(_whole(table.column("response")), whole["text"])},
        table.column("root").to_numpy(),
        table.column("row").to_numpy(),
        {name: _whole(table.column(column)) for column, name in names.items()},
    )


def join(first: Rows, second: Rows) -> Rows:
    """The rows of both; slice columns that only one has are left out."""
    return _rows(
        {name: pa.concat_arrays([getattr(first, name), getattr(second, name)]) for name in _TEXTS},
        np.concatenate([first.root, second.root]),
        np.concatenate([first.row, second.row]),
        {
            name: pa.concat_arrays([values, second.parts[name]])
            for name, values in first.parts.items()
            if name in second.parts
        },
    )


def mixed(values: npt.NDArray[np.uint64], salt: int = 0) -> npt.NDArray[np.uint64]:
    """Every bit of each value, and of `salt`, spread over all 64 (splitmix64, Steele et al. 2014)."""
    state = values + np.uint64((salt * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def groups(rows: Rows) -> Index:
    """Which of 20 groups each row belongs to, shape (rows,); kin share one."""
    return (mixed(rows.root, salt=20) % np.uint64(GROUPS)).astype(np.int64)


def divide(rows: Rows, share: float, *, salt: int) -> tuple[Index, Index]:
    """Two disjoint parts by root id, as indices of rows; the second holds about `share` of the roots."""
    second = (mixed(rows.root, salt) >> np.uint64(11)).astype(np.float64) / 2.0**53 < share
    return np.flatnonzero(~second), np.flatnonzero(second)


def draw_rows(rows: Rows, number: int, rng: np.random.Generator) -> Rows:
    """`number` rows in random order; all of them as they stand if there are no more."""
    if number >= len(rows):
        return rows
    return rows.take(np.sort(rng.permutation(len(rows))[:number]))


def draw_tokens(rows: Rows, budget: int, rng: np.random.Generator) -> Rows:
    """Whole rows in random order until they hold `budget` tokens or the rows end."""
    order = rng.permutation(len(rows))
    enough = int(np.searchsorted(np.cumsum(rows.lengths[order]), budget)) + 1
    return rows.take(order[:enough])


def _rows(
    columns: Mapping[str, pa.Array],
    root: npt.NDArray[np.uint64],
    row: Index,
    parts: Mapping[str, pa.Array],
) -> Rows:
    text = columns["text"]
    return Rows(
        **columns,
        root=root,
        row=row,
        parts=parts,
        tokens=tokens(text),
        characters=characters(text),
        vectors=np.zeros((len(root), 0), np.float32),
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
