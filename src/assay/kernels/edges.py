"""Which rows may hold one of many phrases near their start or end: asked before any pattern is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers
from assay.kernels.scripts import folds
from assay.kernels.text import decode

# Characters that a phrase is known by at first, and at most.
_FIRST, _MOST = 4, 12
_BITS = 14


@dataclass(frozen=True)
class Prefixes:
    """How phrases begin, regardless of case.

    Attributes:
        known: Keys of the first four characters, shape (2^14,).
        letters: The first characters of each phrase, 0 behind a shorter one; shape (phrases, 12).
    """

    known: npt.NDArray[np.bool_]
    letters: npt.NDArray[np.uint32]


def prefixes(phrases: Sequence[str]) -> Prefixes:
    """The table of `phrases`, of at least four characters each."""
    letters = np.zeros((len(phrases), _MOST), np.uint32)
    for row, phrase in enumerate(phrases):
        codes = [int(folds()[ord(sign)]) for sign in phrase[:_MOST]]
        letters[row, : len(codes)] = codes
    known = np.zeros(1 << _BITS, np.bool_)
    for row in letters:
        known[_key(row, 0)] = True
    return Prefixes(known, letters)


def beginning(column: TextColumn, sought: Prefixes, most: int, *, at_end: bool) -> npt.NDArray[np.bool_]:
    """Rows whose first or last `most` characters hold the beginning of a phrase, shape (num_rows,).

    Args:
        column: Text; a null counts as an empty row.
    """
    if not len(sought.letters):
        return np.zeros(len(column), bool)
    parts = [
        _beginning(offsets, data, folds(), sought.known, sought.letters, most, at_end)
        for offsets, data in text_buffers(column)
    ]
    return np.concatenate([np.zeros(0, np.bool_), *parts])


@numba.njit(nogil=True, cache=True, inline="always")
def _key(codes, at):  # type: ignore[no-untyped-def]
    state = np.uint32(0)
    for place in range(at, at + _FIRST):
        state = np.uint32(state * np.uint32(0x9E3779B1)) ^ np.uint32(codes[place])
    return np.int64(np.uint32(state * np.uint32(0x85EBCA6B)) >> np.uint32(32 - _BITS))


@numba.njit(nogil=True, cache=True)
def _beginning(offsets, data, folds, known, letters, most, at_end):  # type: ignore[no-untyped-def]
    found = np.zeros(len(offsets) - 1, np.bool_)
    codes = np.zeros(most + _MOST, np.uint32)
    for row in range(len(found)):
        at, stop = offsets[row], offsets[row + 1]
        if at_end:
            begin, at, number = at, stop, 0
            while at > begin and number < most:
                at -= 1
                number += data[at] & 0xC0 != 0x80
        number = 0
        while at < stop and number < most:
            code, at = decode(data, at)
            codes[number] = folds[code] if code < len(folds) else code
            number += 1
        # Behind the last one nothing may be left of another row.
        codes[number : number + _MOST] = 0
        for first in range(number - _FIRST + 1):
            if not known[_key(codes, first)]:
                continue
            for phrase in letters:
                same = True
                for place in range(_MOST):
                    if phrase[place] != 0 and phrase[place] != codes[first + place]:
                        same = False
                        break
                if same:
                    found[row] = True
                    break
            if found[row]:
                break
    return found
