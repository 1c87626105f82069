"""Rows: a corpus opened for the audit, read from disk where it is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.turns import joined, said_by
from assay.core.corpus import MESSAGES, SLICE_PREFIX, Corpus
from assay.core.lazy import lazy
from assay.engine.batches import bounds, gather, text_bytes
from assay.engine.sketch import sketch_batches
from assay.kernels.exact import row_hashes
from assay.kernels.minhash import Sketches
from assay.kernels.text import Characters, Survey, Tokens, characters, survey, tokens

Index = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
GROUPS = 20
_CHATS = ("messages", "sharegpt")
# Jaccard similarity of near-duplicates. On planted ones (docs/audit/diversity.md) 0.7, the habit for long documents,
# overlooks a quarter of the rows of twenty words in which one word was edited; 0.5 finds 19 of 20 of them.
NEAR = 0.5
# Of so much text the words stay in memory, where they take three times as much.
_FEW_BYTES = 16 << 20


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of one corpus, or of several joined.

    Only `root`, `row` and which rows of the memory-mapped table are meant lie in memory. All else is read when it
    is asked for and kept as long as these Rows are: ask it of `batches` or of a sample, not of a whole corpus.

    Attributes:
        root: Hash of the root id; kin share it.
        row: Position in the corpus as it was read.
        table: The table they lie in; `at` says where, None if they are all of it.
        folder: Where files may lie that are too large for memory.
        chats: Rows with turns are conversations; elsewhere the turns are those of prompt and response.
        source: The Rows these were taken from, and which of them they are.
        space: What `vectors` gives, if the rows were placed themselves.
        text: What a reader sees, shape (rows,), large_string without chunks.
        prompt: What the model was given, in a chat all that the user says; null where the row has no prompt.
        answer: What the model should have written, in a chat all that the assistant says; the text where the
            row has no response.
        messages: The turns of a chat; null elsewhere.
        rejected: The response that was not preferred; null outside preference pairs.
        extras: Every other column and the lineage, as JSON; null where there is none.
        generation, batch, time: When the row was made; null where the row does not say.
        parts: Label and slice columns by name, each a string array of shape (rows,) that may hold nulls.
        vectors: The rows in an embedding space, shape (rows, dimensions); no dimensions before `placed`.
    """

    root: npt.NDArray[np.uint64]
    row: Index
    table: pa.Table
    folder: Path
    chats: bool = False
    at: Index | None = None
    source: tuple[Rows, Index] | None = None
    space: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.root)

    @lazy
    def text(self) -> pa.Array:
        return self.column("text")

    @lazy
    def answer(self) -> pa.Array:
        response = self.column("response")
        if self.chats:
            response = pc.coalesce(joined(said_by(self.messages, "assistant"), len(self)), response)
        return self.text if response.null_count == len(self) else pc.coalesce(response, self.text)

    @lazy
    def prompt(self) -> pa.Array:
        prompt = self.column("prompt")
        if not self.chats:
            return prompt
        return pc.if_else(self.messages.is_valid(), joined(said_by(self.messages, "user"), len(self)), prompt)

    @lazy
    def messages(self) -> pa.Array:
        return self.column("messages") if self.chats else pa.nulls(len(self), MESSAGES)

    @property
    def asks(self) -> bool:
        """Whether any row has a prompt."""
        return self.chats or self.holds("prompt")

    def holds(self, name: str) -> bool:
        """Whether any row of the table has a value in the column."""
        return bool(self.table.column(name).null_count < len(self.table))

    @lazy
    def rejected(self) -> pa.Array:
        return self.column("rejected")

    @lazy
    def extras(self) -> pa.Array:
        return self.column("extras")

    @lazy
    def generation(self) -> pa.Array:
        return self.column("generation")

    @lazy
    def batch(self) -> pa.Array:
        return self.column("batch")

    @lazy
    def time(self) -> pa.Array:
        return self.column("time")

    @lazy
    def parts(self) -> Mapping[str, pa.Array]:
        return {
            name.removeprefix(SLICE_PREFIX): self.column(name)
            for name in self.table.column_names
            if name == "label" or name.startswith(SLICE_PREFIX)
        }

    @property
    def tokens(self) -> Tokens:
        """The words of each row."""
        return self.survey.words

    @lazy
    def survey(self) -> Survey:
        """The words of each row and their looks; of few rows they are found once, for every part of them."""
        above, index = self, None
        while above.source is not None and "survey" not in above.__dict__:
            index = above.source[1] if index is None else above.source[1][index]
            above = above.source[0]
        if index is not None and ("survey" in above.__dict__ or above.few):
            return above.survey.take(index)
        return survey(self.text)

    @lazy
    def hashes(self) -> npt.NDArray[np.uint64]:
        """A hash of the words of each row."""
        return row_hashes(self.tokens)

    @lazy
    def prompt_words(self) -> Tokens:
        """The words of each prompt."""
        return tokens(self.prompt)

    @lazy
    def answer_words(self) -> Tokens:
        """The words of each answer; where that is the text, they are known."""
        return self.tokens if self.answer is self.text else tokens(self.answer)

    @property
    def surveyed(self) -> bool:
        """Whether the words are known or soon made of those of more rows."""
        above = self
        while above.source is not None and "survey" not in above.__dict__:
            above = above.source[0]
        return "survey" in above.__dict__ or above.few

    @lazy
    def few(self) -> bool:
        """Whether the words of the whole table may stay in memory."""
        return self.at is None and self.table.column("text").nbytes <= _FEW_BYTES

    @lazy
    def characters(self) -> Characters:
        """The characters of each row by kind."""
        return characters(self.text)

    @lazy
    def vectors(self) -> npt.NDArray[np.float32]:
        if self.space is not None:
            return self.space
        if self.source is not None:
            return self.source[0].vectors[self.source[1]]
        return np.zeros((len(self), 0), np.float32)

    @lazy
    def sketches(self) -> Sketches:
        """What near-duplicates of each row are found by."""
        return sketch_batches(
            self.batches(), lambda each: each.tokens, len(self), self.folder, threshold=NEAR
        )

    @lazy
    def lengths(self) -> Index:
        """Tokens per row."""
        if "sketches" in self.__dict__:
            return self.sketches.lengths
        if "survey" not in self.__dict__ and self.source is not None and "lengths" in self.source[0].__dict__:
            return self.source[0].lengths[self.source[1]]
        if next(self.batches(), self) is self:
            return np.diff(self.tokens.offsets)
        if self.at is None:
            return self.sketches.lengths  # sooner or later they are needed too, and take the same reading
        return np.concatenate([each.lengths for each in self.batches()])

    def column(self, name: str) -> pa.Array:
        """A column of the table, without chunks, of these rows."""
        column = self.table.column(name)
        if self.at is not None:
            return gather(column, self.at)
        if column.num_chunks == 1:
            return column.chunk(0)
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)

    def take(self, index: Index) -> Rows:
        """The rows at `index`, in that order."""
        at = index if self.at is None else self.at[index]
        return Rows(self.root[index], self.row[index], self.table, self.folder, self.chats, at, (self, index))

    def placed(self, vectors: npt.NDArray[np.float32]) -> Rows:
        """The same rows with their place in an embedding space."""
        return replace(self, space=vectors)

    def batches(self) -> Iterator[Rows]:
        """The rows in order, so many at a time as hold 2 MiB of text; these Rows themselves if they do."""
        sizes = text_bytes(self.table.column("text"))
        for start, stop in bounds(sizes if self.at is None else sizes[self.at]):
            yield self if stop - start == len(self) else self._slice(start, stop)

    def _slice(self, start: int, stop: int) -> Rows:
        if self.at is not None:
            return self.take(np.arange(start, stop))
        table = self.table.slice(start, stop - start)
        source = (self, np.arange(start, stop)) if self.few else None
        space = None if self.space is None else self.space[start:stop]
        return Rows(
            self.root[start:stop],
            self.row[start:stop],
            table,
            self.folder,
            self.chats,
            source=source,
            space=space,
        )


def open_rows(corpus: Corpus) -> Rows:
    """The rows of a corpus."""
    table = corpus.table()
    return Rows(
        table.column("root").to_numpy(),
        table.column("row").to_numpy(),
        table,
        corpus.folder,
        corpus.shape in _CHATS,
    )


def join(first: Rows, second: Rows) -> Rows:
    """The rows of both; slice columns that only one has are left out."""
    shared = [name for name in first.table.column_names if name in second.table.column_names]
    return Rows(
        np.concatenate([first.root, second.root]),
        np.concatenate([first.row, second.row]),
        pa.concat_tables([_table(first, shared), _table(second, shared)]),
        first.folder,
        first.chats or second.chats,
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


def _table(rows: Rows, names: list[str]) -> pa.Table:
    table = rows.table.select(names)
    return table if rows.at is None else pa.table({name: rows.column(name) for name in names}, table.schema)
