"""Which rows hold which of a few signs or short strings: one pass over the bytes, before any pattern is tried."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers

Bits = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Signs:
    """What `signs` found.

    Attributes:
        sought: The strings.
        bits: The bit of a string's last letter, all of them counted through, says that the row holds it; shape
            (num_rows,).
    """

    sought: tuple[str, ...]
    bits: Bits

    def any_of(self, *wanted: str) -> npt.NDArray[np.bool_]:
        """Rows that hold one of the strings at least, shape (num_rows,)."""
        lasts = _lasts(self.sought)
        mask = np.uint64(sum(1 << lasts[self.sought.index(each)] for each in wanted))
        return np.asarray(self.bits & mask != 0)


def signs(column: TextColumn, sought: tuple[str, ...]) -> Signs:
    """Which rows hold which strings.

    Args:
        column: Text, shape (num_rows,); a null counts as an empty row.
        sought: Strings of ASCII, of 64 letters in all. Small letters stand for both cases, capitals for themselves.
    Source: Baeza-Yates & Gonnet 1992, A new approach to text searching, CACM 35(10), 74-82.
    """
    parts = [_signs(offsets, data, *_tables(sought)) for offsets, data in text_buffers(column)]
    return Signs(sought, np.concatenate([np.zeros(0, np.uint64), *parts]))


def _lasts(sought: tuple[str, ...]) -> list[int]:
    return [int(end) - 1 for end in np.cumsum([len(each) for each in sought])]


@functools.cache
def _tables(sought: tuple[str, ...]) -> tuple[Bits, np.uint64]:
    """The letters that each byte may stand for, as bits, shape (256,); and those that begin a string."""
    letters, begins = np.zeros(256, np.uint64), 0
    for place, letter in enumerate("".join(sought)):
        for byte in {letter, letter.upper()}:
            letters[ord(byte)] |= np.uint64(1 << place)
    for each, last in zip(sought, _lasts(sought), strict=True):
        begins |= 1 << (last + 1 - len(each))
    letters.flags.writeable = False
    return letters, np.uint64(begins)


@numba.njit(nogil=True, cache=True)
def _signs(offsets, data, letters, begins):  # type: ignore[no-untyped-def]
    found = np.zeros(len(offsets) - 1, np.uint64)
    for row in range(len(found)):
        # A bit is set where the text so far ends in its string up to its letter.
        state = bits = np.uint64(0)
        for byte in data[offsets[row] : offsets[row + 1]]:
            state = (state << np.uint64(1) | begins) & letters[byte]
            bits |= state
        found[row] = bits
    return found
