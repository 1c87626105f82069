"""Byte-level byte pair encoding: any UTF-8 text as a few thousand pieces, trained on the rows themselves."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.core.errors import InputError, MissingExtra
from assay.kernels.arrow import text_buffers
from assay.kernels.byte_pairs import ELSEWHERE, Merges
from assay.kernels.word_chunks import chunks, spread

Ids = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

_BYTES = 256
_PURPOSE = "Byte pair encoding"
_BATCH = 4_096  # words encoded at once, so that their encodings do not all lie in memory
_MOST_KNOWN, _LONGEST_KNOWN = 100_000, 40  # words kept once encoded, and their characters


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
        """Ids of all texts end to end, without boundaries; a word that occurs again is not encoded again.

        Returns: ids, and offsets of shape (texts + 1,): text i is ``ids[offsets[i]:offsets[i + 1]]``.
        """
        ((starts, data),) = text_buffers(pa.array(list(texts), pa.large_string()))
        cut = chunks(starts, data)
        text = data.tobytes()
        ids, lengths = self._merges.encode(data, cut.starts, cut.stops)
        firsts = np.cumsum(np.maximum(lengths, 0)) - np.maximum(lengths, 0)
        rest = np.flatnonzero(lengths == ELSEWHERE)
        if len(rest):
            text = data.tobytes()
            words = [text[cut.starts[at] : cut.stops[at]].decode() for at in rest.tolist()]
            others, ends = self._encode(words)
            firsts[rest], lengths[rest] = len(ids) + ends[:-1], np.diff(ends)
            ids = np.concatenate([ids, others])
        return spread(ids, firsts, lengths, cut)

    @cached_property
    def _merges(self) -> Merges:
        """What the kernel needs."""
        model = json.loads(self.json)["model"]
        at, pairs = model["vocab"], model["merges"]
        stands_for = sorted(_bytes_of_characters().items(), key=lambda item: item[1])
        merges = Merges.of(
            [at[name] for name, _ in stands_for],
            [(at[left], at[right]) for left, right in pairs],
            [at[left + right] for left, right in pairs],
        )
        # Where whole words are pieces whatever they are made of, merging finds none of them.
        return replace(merges, longest=0) if model["ignore_merges"] else merges

    def _encode(self, words: list[str]) -> tuple[Ids, Offsets]:
        known = self._known
        new = [word for word in words if word not in known]
        fresh: dict[str, list[int]] = {}
        for start in range(0, len(new), _BATCH):
            batch = new[start : start + _BATCH]
            encodings = self._tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            fresh.update(zip(batch, (encoding.ids for encoding in encodings), strict=True))
        rows = [known[word] if word in known else fresh[word] for word in words]
        if len(known) < _MOST_KNOWN:
            known.update({word: ids for word, ids in fresh.items() if len(word) <= _LONGEST_KNOWN})
        lengths = np.array([0, *map(len, rows)], np.int64).cumsum()
        return np.fromiter(chain.from_iterable(rows), np.int32, int(lengths[-1])), lengths

    @cached_property
    def _known(self) -> dict[str, list[int]]:
        """Words that were encoded before: generation after generation of text is made of the same ones."""
        return {}

    def decode(self, ids: Sequence[int] | npt.NDArray[np.integer]) -> str:
        """The text of these ids; boundaries are nothing, bytes that are no UTF-8 become U+FFFD."""
        return b"".join([self.pieces[at] for at in ids]).decode("utf-8", errors="replace")

    def decode_rows(self, ids: Ids, offsets: Offsets) -> list[str]:
        """The texts of many rows at once, in the form in which `encode` returns them."""
        data, starts = self._spelling
        sizes = np.diff(starts)[ids]
        ends = np.concatenate([np.zeros(1, np.int64), sizes.cumsum()])
        text = data[np.repeat(starts[ids] - ends[:-1], sizes) + np.arange(ends[-1])].tobytes()
        cuts = ends[offsets].tolist()
        return [text[first:last].decode("utf-8", errors="replace") for first, last in pairwise(cuts)]

    @cached_property
    def _spelling(self) -> tuple[npt.NDArray[np.uint8], Offsets]:
        """The bytes of all pieces end to end, and where each begins."""
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(piece) for piece in self.pieces])])
        return np.frombuffer(b"".join(self.pieces), np.uint8), starts


def train_bpe(texts: Iterable[str], size: int = 4096) -> BPE:
    """Learn the pieces that occur most often; the same texts in any process give the same encoding.

    Args:
        size: Most ids, boundary included; text with few different pairs gives fewer.
    Raises:
        MissingExtra: the package `tokenizers` is not installed.
        InputError: `size` has no room for the 256 bytes and the boundary.
    """
    _check(size)
    tokenizer = _blank()
    from tokenizers import trainers

    trainer = trainers.BpeTrainer(
        vocab_size=size - 1,
        min_frequency=2,
        initial_alphabet=sorted(_bytes_of_characters()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return BPE(tokenizer.to_str())


def train_words(texts: Iterable[str], size: int = 32_768) -> BPE:
    """Keep the most frequent words whole, each with the space before it, and spell every other word in bytes.

    Args:
        size: Most ids, bytes and boundary included; only words that occur twice are kept.
    Raises: MissingExtra, InputError: as `train_bpe`.
    """
    _check(size)
    counting = _blank()
    from tokenizers import models, trainers

    counting.model = models.WordLevel()
    trainer = trainers.WordLevelTrainer(vocab_size=size, min_frequency=2, show_progress=False)
    counting.train_from_iterator(texts, trainer)
    frequent = sorted(counting.get_vocab().items(), key=lambda item: item[1])
    # A word of one byte is that byte.
    names = [*sorted(_bytes_of_characters()), *(word for word, _ in frequent if len(word) > 1)][: size - 1]
    tokenizer = _blank()
    tokenizer.model = models.BPE({name: at for at, name in enumerate(names)}, [], ignore_merges=True)
    return BPE(tokenizer.to_str())


def _check(size: int) -> None:
    if size <= _BYTES:
        raise InputError(f"a vocabulary of {size} has no room for the {_BYTES} bytes and the boundary")


def _blank() -> Any:
    """An encoding that has learned nothing: text to words, words to the stand-ins of their bytes."""
    package = _package()
    from tokenizers import decoders, models, pre_tokenizers

    tokenizer = package.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


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
