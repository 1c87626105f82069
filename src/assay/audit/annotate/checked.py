"""The answer to one question about every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.rows import Bools
from assay.kernels.signs import signs


@dataclass(frozen=True)
class Checked:
    """Which rows a question fits, and which of them fail it; both of shape (rows,).

    A row without code can hold no broken code: it is no evidence either way, so it does not count.
    """

    fits: Bools
    fails: Bools


# Every pattern below needs one of these strings: whoever holds none is done with after one pass over the bytes.
_GAPS = (
    "[",
    "{{",
    "<ins",
    "<you",
    "<ent",
    "<add",
    "(ins",
    "(you",
    "psum",
    "XX",
    "TODO",
    "FIXME",
    "TBD",
    "YOUR_",
)
_FENCE, _EQUALS = "```", "="


@dataclass(frozen=True)
class Hints:
    """Rows in which a check may find something, each of shape (rows,).

    Attributes:
        gaps: They hold what some gap to be filled in holds.
        fences: They hold three backticks.
        equals: They hold an equals sign.
    """

    gaps: Bools
    fences: Bools
    equals: Bools


def hints(texts: pa.Array) -> Hints:
    """Where the checks must look."""
    found = signs(texts, (*_GAPS, _FENCE, _EQUALS))
    return Hints(found.any_of(*_GAPS), found.any_of(_FENCE), found.any_of(_EQUALS))


def matches(texts: pa.Array, pattern: str, *, where: Bools | None = None) -> Bools:
    """Rows that the pattern finds something in, shape (rows,); null is an empty row.

    Args:
        where: Rows to look in, shape (rows,); by default all.
    """
    if where is None:
        return _matches(texts, pattern)
    found = where.copy()
    if found.any():
        found[found] = _matches(texts.filter(pa.array(found)), pattern)
    return found


def _matches(texts: pa.Array, pattern: str) -> Bools:
    found = pc.match_substring_regex(pc.fill_null(texts, "") if texts.null_count else texts, pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
