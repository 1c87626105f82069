"""Which rows hold which phrase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from assay.audit.rows import Bools, Rows
from assay.kernels.ngrams import ngram_ids


@dataclass(frozen=True)
class Phrase:
    """A run of `words` words, by id and as people read it."""

    id: int
    words: int
    text: str


def find(rows: Rows, id: int, orders: Iterable[int]) -> Phrase:
    """The phrase of that id as it first stands in `rows`. Raises: KeyError: no row holds it."""
    for words in orders:
        ids, offsets = ngram_ids(rows.tokens, words)
        places = np.flatnonzero(ids == np.uint64(id))
        if len(places):
            row = int(np.searchsorted(offsets, places[0], "right")) - 1
            start, end = span(rows, row, int(places[0] - offsets[row]), words)
            text = rows.text[row].as_py().encode()[start:end].decode()
            return Phrase(id, words, " ".join(text.lower().split()))
    raise KeyError(id)


def holds(rows: Rows, phrase: Phrase) -> Bools:
    """Rows that hold the phrase, shape (rows,)."""
    return holding(rows, (phrase,))[phrase.text]


def holding(rows: Rows, phrases: Iterable[Phrase]) -> dict[str, Bools]:
    """Rows that hold each of the phrases, by its text, each of shape (rows,)."""
    chosen = tuple(phrases)
    found = {}
    for words in {phrase.words for phrase in chosen}:
        ids, offsets = ngram_ids(rows.tokens, words)
        for phrase in chosen:
            if phrase.words == words:
                row = np.searchsorted(offsets, np.flatnonzero(ids == np.uint64(phrase.id)), "right") - 1
                found[phrase.text] = np.bincount(row, minlength=len(rows)) > 0
    return {phrase.text: found[phrase.text] for phrase in chosen}


def locate(rows: Rows, row: int, phrase: Phrase) -> tuple[int, int]:
    """Byte span of the phrase's first occurrence in a row that holds it."""
    one = rows.take(np.array([row]))
    ids, _ = ngram_ids(one.tokens, phrase.words)
    return span(one, 0, int(np.flatnonzero(ids == np.uint64(phrase.id))[0]), phrase.words)


def span(rows: Rows, row: int, first: int, words: int) -> tuple[int, int]:
    """Byte span of `words` tokens of a row from its token `first` on."""
    token = int(rows.tokens.offsets[row]) + first
    return int(rows.tokens.starts[token]), int(rows.tokens.ends[token + words - 1])
