"""Which groups each text mentions and which it is about, from where the phrases of the lists stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.engine.groups.lists import Lists
from assay.kernels.phrases import Found, find
from assay.kernels.text import tokens

Bits = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


def counted(found: Found, rows: int, lists: Lists) -> tuple[Bits, Bits]:
    """Which groups each of so many rows mentions and is about, as bits of shape (rows, groups / 8)."""
    number, themes = len(lists.groups), np.array(lists.theme_of, np.int64)
    mentions, about = np.zeros((2, rows, -(-number // 8)), np.uint8)
    if len(found.row):
        pairs, times = np.unique(found.row * number + found.group, return_counts=True)
        row, group = pairs // number, pairs % number
        of_theme = np.bincount(
            found.row * len(lists.themes) + themes[found.group], minlength=rows * len(lists.themes)
        )
        most = 2 * times > of_theme[row * len(lists.themes) + themes[group]]
        bit = (1 << (group & 7)).astype(np.uint8)
        np.add.at(mentions, (row, group >> 3), bit)  # no pair comes twice, so adding sets the bit
        np.add.at(about, (row[most], group[most] >> 3), bit[most])
    return mentions, about


def read(column: pa.Array, lists: Lists) -> tuple[Bits, Bits]:
    """`counted` of a column of strings."""
    return counted(find(column, tokens(column), lists.book), len(column), lists)


def holds(bits: Bits, group: int) -> Bools:
    """Rows whose bit of a group is set, shape (rows,)."""
    return (bits[:, group >> 3] >> np.uint8(group & 7)) & np.uint8(1) > 0


def mentions(texts: Sequence[str], lists: Lists) -> Bools:
    """Whether each text mentions each group, shape (texts, groups)."""
    return _apart(_read(texts, lists)[0], lists)


def about(texts: Sequence[str], lists: Lists) -> Bools:
    """Whether each text is about each group, shape (texts, groups)."""
    return _apart(_read(texts, lists)[1], lists)


def _read(texts: Sequence[str], lists: Lists) -> tuple[Bits, Bits]:
    return read(pa.array(texts, pa.large_string()), lists)


def _apart(bits: Bits, lists: Lists) -> Bools:
    return np.unpackbits(bits, axis=1, count=len(lists.groups), bitorder="little").astype(np.bool_)
