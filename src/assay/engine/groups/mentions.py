"""Which groups each text mentions and which it is about, from where the phrases of the lists stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.engine.groups.lists import Lists
from assay.kernels.mentions import group_bits
from assay.kernels.phrases import Found, find
from assay.kernels.text import tokens

Bits = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


def counted(found: Found, rows: int, lists: Lists) -> tuple[Bits, Bits]:
    """Which groups each of so many rows mentions and is about, as bits of shape (rows, groups / 8)."""
    mentions, about = group_bits(found.row, found.group, np.array(lists.theme_of, np.int64), rows)
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
