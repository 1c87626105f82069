"""Rephrasings made on purpose, to see which of them are found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

MOST_CHARACTERS = 2_000
_PIECES = re.compile(r"[^\W_]+|[\W_]+")
_CLAUSES = re.compile(r"(?<=[.!?;:\n])")
# Shares of the different words that are exchanged, and of all words that go missing.
_EXCHANGED = (0.2, 0.6)
_DROPPED = 0.1


def rephrase(texts: Sequence[str], *, seed: int) -> list[str]:
    """Each text reworded: words exchanged for words of the other texts, the same word alike throughout (as a
    synonym or a renamed identifier would be), other numbers, clauses in another order, some words left out.

    Args:
        texts: Their first 2,000 characters are taken.
        seed: The same texts and seed give the same rephrasings.
    """
    pieces = [_PIECES.findall(text[:MOST_CHARACTERS]) for text in texts]
    vocabulary = [word for each in pieces for word in sorted(_words(each))]
    return [
        _reworded(each, vocabulary, np.random.default_rng([seed, number]))
        for number, each in enumerate(pieces)
    ]


def _words(pieces: Sequence[str]) -> set[str]:
    return {piece.lower() for piece in pieces if piece[0].isalnum() and not piece.isdecimal()}


def _reworded(pieces: Sequence[str], vocabulary: Sequence[str], rng: np.random.Generator) -> str:
    words = sorted(_words(pieces))
    exchanged = np.flatnonzero(rng.random(len(words)) < rng.uniform(*_EXCHANGED))
    instead = {words[at]: vocabulary[int(rng.integers(len(vocabulary)))] for at in exchanged}

    def told() -> Iterator[str]:
        for piece in pieces:
            if piece.isdecimal():
                yield "".join(str(digit) for digit in rng.integers(10, size=len(piece)))
            elif not piece[0].isalnum() or rng.random() >= _DROPPED:
                yield instead.get(piece.lower(), piece)

    clauses = _CLAUSES.split("".join(told()))
    turn = int(rng.integers(len(clauses)))
    return "".join([*clauses[turn:], *clauses[:turn]])
