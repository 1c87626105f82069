"""Which rows hold which of a few signs or short strings: one pass over the bytes, before any pattern is tried."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers


@dataclass(frozen=True)
class Signs:
    """What `signs` found.

    Attributes:
        sought: The strings, in the order of their bits.
        bits: Bit i says that the row holds ``sought[i]``, shape (num_rows,).
    """

    sought: tuple[str, ...]
    bits: npt.NDArray[np.uint64]

    def any_of(self, *wanted: str) -> npt.NDArray[np.bool_]:
        """Rows that hold one of the strings at least, shape (num_rows,)."""
        mask = np.uint64(sum(1 << self.sought.index(each) for each in wanted))
        return np.asarray(self.bits & mask != 0)


def signs(column: TextColumn, sought: tuple[str, ...]) -> Signs:
    """Which rows hold which strings.

    Args:
        column: Text, shape (num_rows,); a null counts as an empty row.
        sought: At most 64 strings of ASCII. Small letters stand for both cases, capitals for themselves.
    """
    parts = [_signs(offsets, data, *_tables(sought)) for offsets, data in text_buffers(column)]
    return Signs(sought, np.concatenate([np.zeros(0, np.uint64), *parts]))


@functools.cache
def _tables(
    sought: tuple[str, ...],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """For each byte the strings that begin with it, as a first one and, by string, the next, -1 at the end; the
    strings end to end; and where each begins."""
    letters = [each.encode("ascii") for each in sought]
    first, after = np.full(256, -1, np.int64), np.full(len(letters), -1, np.int64)
    for place, each in enumerate(letters):
        capital = each[:1].upper()[0]
        after[place] = first[capital]
        first[capital] = place
    for each in letters:
        first[each[0]] = first[each[:1].upper()[0]]
    return first, after, np.frombuffer(b"".join(letters), np.uint8), np.cumsum([0, *map(len, letters)])


@numba.njit(nogil=True, cache=True)
def _signs(offsets, data, first, after, letters, starts):  # type: ignore[no-untyped-def]
    found = np.zeros(len(offsets) - 1, np.uint64)
    for row in range(len(found)):
        bits = np.uint64(0)
        stop = offsets[row + 1]
        for at in range(offsets[row], stop):
            each = first[data[at]]
            while each >= 0:
                size = starts[each + 1] - starts[each]
                same = at + size <= stop
                place = 0
                while same and place < size:
                    letter, byte = letters[starts[each] + place], data[at + place]
                    same = byte == letter or (97 <= letter <= 122 and byte == letter - 32)
                    place += 1
                if same:
                    bits |= np.uint64(1) << np.uint64(each)
                each = after[each]
        found[row] = bits
    return found
