"""Which script each row is written in, and how many letters of each it holds."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers
from assay.kernels.loads import WINDOW, backtick_bits, beyond_bits, letter_bits, number_of
from assay.kernels.scripts import SCRIPTS, alphabets, composed
from assay.kernels.text import decode

HAN, KANA, LATIN = (np.uint8(SCRIPTS.index(name) + 1) for name in ("Han", "Kana", "Latin"))
# Japanese prose is a third kana or more; Chinese prose has none.
_JAPANESE = 0.1


def scripts(column: TextColumn) -> npt.NDArray[np.uint8]:
    """The script that most letters of each row belong to, shape (num_rows,).

    Returns: Place in `SCRIPTS` plus one; 0 for a row without letters. Han with a tenth of kana is Kana.
    """
    parts = [_commonest(offsets, data, alphabets()) for offsets, data in text_buffers(column)]
    return np.concatenate([np.zeros(0, np.uint8), *parts])


@dataclass(frozen=True)
class Openings:
    """The first characters of each row.

    Attributes:
        letters: Letters among them by script, shape (num_rows, len(SCRIPTS)).
        reach: Bytes they take, shape (num_rows,).
        plain: They hold no code fence and nothing that composing (NFC) could change, shape (num_rows,).
    """

    letters: npt.NDArray[np.int64]
    reach: npt.NDArray[np.int64]
    plain: npt.NDArray[np.bool_]


def openings(column: TextColumn, most: int) -> Openings:
    """The first `most` characters of each row; a null counts as an empty row."""
    width = len(SCRIPTS) + 1
    none = np.zeros((0, width), np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_)
    parts = [
        _open(offsets, data, alphabets(), composed(), width, most) for offsets, data in text_buffers(column)
    ]
    letters, reach, plain = (np.concatenate(each) for each in zip(none, *parts, strict=True))
    return Openings(letters[:, 1:], reach, plain)


def letters(column: TextColumn) -> npt.NDArray[np.int64]:
    """Letters of each row by script, shape (num_rows, len(SCRIPTS)); a null counts as an empty row."""
    parts = [_count(offsets, data, alphabets(), len(SCRIPTS) + 1) for offsets, data in text_buffers(column)]
    return np.concatenate([np.zeros((0, len(SCRIPTS) + 1), np.int64), *parts])[:, 1:]


@numba.njit(nogil=True, cache=True)
def _count(offsets, data, alphabets, width):  # type: ignore[no-untyped-def]
    counts = np.zeros((len(offsets) - 1, width), np.int64)
    for row in range(len(counts)):
        at, stop = offsets[row], offsets[row + 1]
        while at < stop:
            code, at = decode(data, at)
            counts[row, alphabets[code]] += 1
    return counts


@numba.njit(nogil=True, cache=True)
def _open(offsets, data, alphabets, composed, width, most):  # type: ignore[no-untyped-def]
    rows = len(offsets) - 1
    counts, reach = np.zeros((rows, width), np.int64), np.zeros(rows, np.int64)
    plain = np.ones(rows, np.bool_)
    for row in range(rows):
        at, stop = offsets[row], offsets[row + 1]
        seen = ticks = latin = 0
        while at < stop and seen < most:
            ahead = min(WINDOW, stop - at, most - seen)
            inside = ~np.uint64(0) >> np.uint64(WINDOW - ahead)
            known = at + WINDOW <= len(data)
            if known and (beyond_bits(data, at) | backtick_bits(data, at)) & inside == 0:
                # Most of text, of which each character is one byte.
                latin += number_of(letter_bits(data, at) & inside)
                at += ahead
                seen += ahead
                ticks = 0
                continue
            for _ in range(ahead):
                if at >= stop:
                    break
                code, at = decode(data, at)
                seen += 1
                counts[row, alphabets[code]] += 1
                ticks = ticks + 1 if code == 96 else 0
                if ticks == 3 or not composed[code]:
                    plain[row] = False
        counts[row, LATIN] += latin
        reach[row] = at - offsets[row]
    return counts, reach, plain


@numba.njit(nogil=True, cache=True)
def _commonest(offsets, data, alphabets):  # type: ignore[no-untyped-def]
    found = np.zeros(len(offsets) - 1, np.uint8)
    for row in range(len(found)):
        counts = np.zeros(len(SCRIPTS) + 1, np.int64)
        at = offsets[row]
        while at < offsets[row + 1]:
            code, at = decode(data, at)
            counts[alphabets[code]] += 1
        counts[0] = 0
        east = counts[HAN] + counts[KANA]
        if counts[KANA] > _JAPANESE * east:
            counts[KANA], counts[HAN] = east, 0
        most = counts.argmax()
        if counts[most] > 0:
            found[row] = most
    return found
