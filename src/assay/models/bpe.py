"""Byte-level byte pair encoding: any UTF-8 text as a few thousand pieces, trained on the rows themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError, MissingExtra

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

_BYTES = 256
_PURPOSE = "Byte pair encoding"
_BATCH = 4_096  # rows encoded at once, so that their encodings do not all lie in memory


@dataclass(frozen=True)
class BPE:
    """A trained encoding. Every byte is a piece, so no text is out of vocabulary and no text is changed.

    Attributes:
        json: All of it, in the form of the package `tokenizers`.
        fingerprint: SHA-256 of `json`, 64 hexadecimal digits: equal where texts encode alike.

    Source: Sennrich et al. 2016, Neural machine translation of rare words with subword units; Radford et al.
        2019, Language models are unsupervised multitask learners (over bytes).
    """

    json: str = field(repr=False)
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", hashlib.sha256(self.json.encode()).hexdigest())

    @cached_property
    def _tokenizer(self) -> Any:
        return _package().Tokenizer.from_str(self.json)

    @cached_property
    def vocabulary(self) -> int:
        """Number of ids, the boundary's included."""
        return int(self._tokenizer.get_vocab_size()) + 1

    @property
    def boundary(self) -> int:
        """The id that stands where a row begins and ends; no text encodes to it."""
        return self.vocabulary - 1

    @cached_property
    def pieces(self) -> tuple[bytes, ...]:
        """The bytes of each id, empty for the boundary."""
        byte_of = _bytes_of_characters()
        out = [b""] * self.vocabulary
        for piece, at in self._tokenizer.get_vocab().items():
            out[at] = bytes(byte_of[character] for character in piece)
        return tuple(out)

    def encode(self, texts: Iterable[str]) -> tuple[Ids, Offsets]:
        """Ids of all texts end to end, without boundaries.

        Returns: ids, and offsets of shape (texts + 1,): text i is ``ids[offsets[i]:offsets[i + 1]]``.
        """
        texts = list(texts)
        found: list[Ids] = []
        lengths = np.zeros(len(texts) + 1, np.int64)
        for start in range(0, len(texts), _BATCH):
            batch = self._tokenizer.encode_batch_fast(texts[start : start + _BATCH], add_special_tokens=False)
            rows = [encoding.ids for encoding in batch]
            lengths[start + 1 : start + 1 + len(rows)] = [len(row) for row in rows]
            total = int(lengths[start + 1 : start + 1 + len(rows)].sum())
            found.append(np.fromiter(chain.from_iterable(rows), np.int32, total))
        return np.concatenate([np.zeros(0, np.int32), *found]), lengths.cumsum()

    def decode(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> str:
        """The text of these ids; boundaries are nothing, bytes that are no UTF-8 become U+FFFD."""
        return b"".join([self.pieces[at] for at in ids]).decode("utf-8", errors="replace")


def train_bpe(texts: Iterable[str], size: int = 4096) -> BPE:
    """Learn the pieces that occur most often; the same texts in any process give the same encoding.

    Args:
        size: Most ids, boundary included; text with few different pairs gives fewer.
    Raises:
        MissingExtra: the package `tokenizers` is not installed.
        InputError: `size` has no room for the 256 bytes and the boundary.
    """
    if size <= _BYTES:
        raise InputError(f"a vocabulary of {size} has no room for the {_BYTES} bytes and the boundary")
    package = _package()
    from tokenizers import decoders, models, pre_tokenizers, trainers

    tokenizer = package.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - 1,
        min_frequency=2,
        initial_alphabet=sorted(_bytes_of_characters()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return BPE(tokenizer.to_str())


def _package() -> Any:
    try:
        import tokenizers
    except ModuleNotFoundError:
        raise MissingExtra("tokenizers", "train", purpose=_PURPOSE) from None
    return tokenizers


def _bytes_of_characters() -> dict[str, int]:
    """Which byte each of the 256 printable stand-ins means, as the package writes its pieces.

    Bytes that print in Latin-1 stand for themselves; the others take the characters from U+0100 on in order.
    """
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(_BYTES) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(0x100 + at): byte for at, byte in enumerate(others)}
