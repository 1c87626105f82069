"""Which script the letters of a text belong to."""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers
from assay.kernels.scripts import LETTER, kinds
from assay.kernels.text import _decode

# Blocks of the Unicode standard by script; letters outside them belong to none.
_BLOCKS: tuple[tuple[str, tuple[tuple[int, int], ...]], ...] = (
    ("Latin", ((0x41, 0x24F), (0x1E00, 0x1EFF), (0xA720, 0xA7FF), (0xFF21, 0xFF5A))),
    ("Greek", ((0x370, 0x3FF), (0x1F00, 0x1FFF))),
    ("Cyrillic", ((0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F))),
    ("Armenian", ((0x530, 0x58F),)),
    ("Hebrew", ((0x590, 0x5FF),)),
    ("Arabic", ((0x600, 0x6FF), (0x750, 0x77F), (0x8A0, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFF))),
    ("Devanagari", ((0x900, 0x97F),)),
    ("Bengali", ((0x980, 0x9FF),)),
    ("Gurmukhi", ((0xA00, 0xA7F),)),
    ("Gujarati", ((0xA80, 0xAFF),)),
    ("Tamil", ((0xB80, 0xBFF),)),
    ("Telugu", ((0xC00, 0xC7F),)),
    ("Kannada", ((0xC80, 0xCFF),)),
    ("Malayalam", ((0xD00, 0xD7F),)),
    ("Sinhala", ((0xD80, 0xDFF),)),
    ("Thai", ((0xE00, 0xE7F),)),
    ("Lao", ((0xE80, 0xEFF),)),
    ("Myanmar", ((0x1000, 0x109F),)),
    ("Georgian", ((0x10A0, 0x10FF), (0x1C90, 0x1CBF))),
    ("Hangul", ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF))),
    ("Ethiopic", ((0x1200, 0x139F),)),
    ("Khmer", ((0x1780, 0x17FF),)),
    ("Kana", ((0x3040, 0x30FF), (0xFF66, 0xFF9F))),
    ("Han", ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))),
)
ALPHABETS: tuple[str, ...] = tuple(name for name, _ in _BLOCKS)
_NONE = len(ALPHABETS)


def alphabets(column: TextColumn) -> npt.NDArray[np.int64]:
    """Letters of each row by script, shape (rows, len(ALPHABETS)).

    Args:
        column: Text, shape (rows,); a null counts as an empty row.
    """
    parts = [_count(offsets, data, _table(), _NONE + 1) for offsets, data in text_buffers(column)]
    return np.concatenate([np.zeros((0, _NONE + 1), np.int64), *parts])[:, :_NONE]


@functools.cache
def _table() -> npt.NDArray[np.uint8]:
    """The script of every code point, shape (0x110000,); `_NONE` where it is no letter of any."""
    table = np.full(0x110000, _NONE, np.uint8)
    for number, (_, blocks) in enumerate(_BLOCKS):
        for first, last in blocks:
            table[first : last + 1] = number
    table[(kinds() & LETTER) == 0] = _NONE
    table[0x20000:0x40000] = ALPHABETS.index("Han")
    table.flags.writeable = False
    return table


@numba.njit(nogil=True, cache=True)
def _count(offsets, data, table, width):  # type: ignore[no-untyped-def]
    counts = np.zeros((len(offsets) - 1, width), np.int64)
    for row in range(len(counts)):
        at, stop = offsets[row], offsets[row + 1]
        while at < stop:
            code, at = _decode(data, at)
            counts[row, table[code]] += 1
    return counts
