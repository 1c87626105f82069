"""Embedders: text to vectors of length one, whose nearness is likeness."""

from __future__ import annotations

from typing import Literal, Protocol

import pyarrow as pa

from assay.kernels.text import Tokens
from assay.models.vectors import Vectors

EmbedderName = Literal["lsa", "minilm"]


class Embedder(Protocol):
    """Turns rows into vectors."""

    @property
    def about(self) -> str:
        """Name, version and hash, as they stand in the method of each measure."""

    def embed(self, text: pa.Array, words: Tokens) -> Vectors:
        """Vectors of length one, shape (rows, dimensions); zeros for a row without a known word.

        Args:
            text: The rows, large_string.
            words: The same rows tokenised.
        """


def fit_embedder(name: EmbedderName, words: Tokens, seed: int) -> Embedder:
    """The embedder of that name; `lsa` learns from `words`, the others come trained.

    Raises: MissingExtra, EngineError: a package that it needs is not installed.
    """
    if name == "minilm":
        from assay.models.minilm import MiniLm

        return MiniLm.open()
    from assay.models.lsa import Lsa

    return Lsa.fit(words, seed)
