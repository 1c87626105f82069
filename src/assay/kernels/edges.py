"""Which rows hold one of many phrases near their start or end, regardless of case."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers
from assay.kernels.hashing import SEED
from assay.kernels.loads import WINDOW, beyond_bits, eight, lowest, word_bits
from assay.kernels.scripts import folds
from assay.kernels.text import decode

# Characters that tell whether a place is worth a look, and bits of their key: a table that stays near.
_FIRST, _BITS = 4, 13
# The same for words of ASCII, of which eight bytes are looked at together.
_MOST_HEAD, _HEAD_BITS = 8, 16


@dataclass(frozen=True)
class Literals:
    """Phrases of four characters or more.

    Attributes:
        known: Whether a phrase begins with four characters of this key, shape (2^13,).
        keys: Key of each phrase, ascending, shape (phrases,).
        letters: The folded characters of each phrase, 0 behind its end; shape (phrases, longest).
        opening: The phrase counts only where nothing but skipped characters stands before it, shape (phrases,).
        skipped: Which characters those are, by code point; shape (0x3100,).
        words: Letters, digits and the underscore of ASCII, between which no phrase begins or ends; shape (128,).
        head: So many bytes every phrase of ASCII has, eight at most.
        heads: Whether a phrase of ASCII begins with so many bytes of this key, a bit each, shape (2^16 / 8,).
    """

    known: npt.NDArray[np.bool_]
    keys: npt.NDArray[np.uint32]
    letters: npt.NDArray[np.uint32]
    opening: npt.NDArray[np.bool_]
    skipped: npt.NDArray[np.bool_]
    words: npt.NDArray[np.bool_]
    head: int
    heads: npt.NDArray[np.uint8]


def literals(openings: Sequence[str], anywhere: Sequence[str], *, skipped: str = "") -> Literals:
    """The table of phrases that count as a row's opening, and of those that count anywhere."""
    phrases = [*openings, *anywhere]
    letters = np.zeros((len(phrases), max(map(len, phrases), default=0) + 1), np.uint32)
    keys = np.zeros(len(phrases), np.uint32)
    for place, (row, phrase) in enumerate(zip(letters, phrases, strict=True)):
        row[: len(phrase)] = [folds()[ord(sign)] for sign in phrase]
        packed = 0
        for code in row[:_FIRST]:
            packed = packed << 8 & 0xFFFFFFFF | int(code) & 0xFF
        keys[place] = _key(packed)
    order = np.argsort(keys, kind="stable")
    known = np.zeros(1 << _BITS, np.bool_)
    known[keys] = True
    before = np.zeros(0x3100, np.bool_)
    before[[int(folds()[ord(sign)]) for sign in skipped]] = True
    words = np.zeros(128, np.bool_)
    words[[ord(sign) for sign in string.ascii_letters + string.digits + "_"]] = True
    return Literals(
        known, keys[order], letters[order], order < len(openings), before, words, *_heads(phrases)
    )


def _heads(phrases: Sequence[str]) -> tuple[int, npt.NDArray[np.uint8]]:
    plain = [phrase.encode() for phrase in phrases if phrase.isascii()]
    if not all(phrase[:1].isalnum() for phrase in plain):
        raise ValueError("a phrase of ASCII begins with a letter or digit")
    head = min([_MOST_HEAD, *map(len, plain)])
    heads = np.zeros(1 << _HEAD_BITS, np.bool_)
    for phrase in plain:
        heads[_head_key(np.uint64(int.from_bytes(phrase[:_MOST_HEAD], "little")), head)] = True
    return head, np.packbits(heads, bitorder="little")


def holding(
    column: TextColumn, phrases: Literals, most: int, *, at_end: bool = False
) -> npt.NDArray[np.bool_]:
    """Rows whose first `most` characters hold a phrase, shape (num_rows,).

    Args:
        column: Text; a null counts as an empty row.
        at_end: The last characters count, not the first.
    """
    if not len(phrases.letters):
        return np.zeros(len(column), bool)
    tables = (
        phrases.heads,
        phrases.head,
        phrases.known,
        phrases.keys,
        phrases.letters,
        phrases.opening,
        phrases.skipped,
        phrases.words,
    )
    parts = [
        _holding(offsets, data, folds(), *tables, most, at_end) for offsets, data in text_buffers(column)
    ]
    return np.concatenate([np.zeros(0, np.bool_), *parts])


@numba.njit(nogil=True, cache=True, inline="always")
def _key(packed):  # type: ignore[no-untyped-def]
    """Of the last bytes of four characters."""
    return np.uint32(np.uint32(packed) * np.uint32(0x9E3779B1)) >> np.uint32(32 - _BITS)


@numba.njit(nogil=True, cache=True)
def _head_key(eight_bytes, head):  # type: ignore[no-untyped-def]
    """Of the first bytes, in which capitals do not differ from small letters."""
    bits = np.uint64(64 - 8 * head)
    letters = (eight_bytes | np.uint64(0x2020202020202020)) << bits
    return (letters * SEED) >> np.uint64(64 - _HEAD_BITS)


@numba.njit(nogil=True, cache=True)
def _worth_a_look(data, at, number, heads, head):  # type: ignore[no-untyped-def]
    """Whether a word of the next bytes begins as a phrase does, or one of them is beyond ASCII."""
    one, stop = np.uint64(1), at + number
    before = np.uint64(0)
    while at < stop:
        if at + WINDOW + _MOST_HEAD > len(data):
            return True
        inside = ~np.uint64(0) if stop - at >= WINDOW else (one << np.uint64(stop - at)) - one
        if beyond_bits(data, at) & inside != 0:
            return True
        letters = word_bits(data, at)
        firsts = letters & ~(letters << one | before) & inside
        before = letters >> np.uint64(WINDOW - 1)
        while firsts != 0:
            key = _head_key(eight(data, at + lowest(firsts)), head)
            if heads[key >> np.uint64(3)] >> (key & np.uint64(7)) & 1:
                return True
            firsts &= firsts - one
        at += WINDOW
    return False


@numba.njit(nogil=True, cache=True)
def _stands(codes, first, end, phrase, words):  # type: ignore[no-untyped-def]
    """Whether the phrase stands at `first`, and is no part of a longer word."""
    size = 0
    while phrase[size] != 0:
        if first + size >= end or codes[first + size] != phrase[size]:
            return False
        size += 1
    after = first + size
    cut = phrase[0] < 128 and words[phrase[0]] and first > 0 and codes[first - 1] < 128
    if cut and words[codes[first - 1]]:
        return False
    last = phrase[size - 1]
    cut = last < 128 and words[last] and after < end and codes[after] < 128
    return not (cut and words[codes[after]])


@numba.njit(nogil=True, cache=True)
def _holding(offsets, data, folds, heads, head, known, keys, letters, opening, skipped, words, most, at_end):  # type: ignore[no-untyped-def]
    found = np.zeros(len(offsets) - 1, np.bool_)
    codes, places = np.zeros(most, np.uint32), np.zeros(most + 1, np.int64)
    found_keys = np.zeros(most + 1, np.uint32)
    for row in range(len(found)):
        at, stop = offsets[row], offsets[row + 1]
        near = min(most, stop - at)
        if not _worth_a_look(data, stop - near if at_end else at, near, heads, head):
            continue
        if at_end:
            begin, at, number = at, stop, 0
            while at > begin and number < most:
                at -= 1
                number += data[at] & 0xC0 != 0x80
        number = looks = 0
        packed = np.uint32(0)
        while at < stop and number < most:
            byte = data[at]
            if byte < 128:
                at += 1
                code = folds[byte]
            else:
                other, at = decode(data, at)
                code = folds[other] if other < len(folds) else other
            codes[number] = code
            number += 1
            packed = np.uint32(packed << np.uint32(8)) | np.uint32(code & 0xFF)
            key = _key(packed)
            places[looks], found_keys[looks] = number - _FIRST, key
            looks += known[key]
        skips = 0
        while skips < number and codes[skips] < len(skipped) and skipped[codes[skips]]:
            skips += 1
        for look in range(looks):
            first, key = places[look], found_keys[look]
            place = np.searchsorted(keys, key)
            while place < len(keys) and keys[place] == key and not found[row]:
                if first >= 0 and (first <= skips or not opening[place]):
                    found[row] = _stands(codes, first, number, letters[place], words)
                place += 1
    return found
