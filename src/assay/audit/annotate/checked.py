"""The answer to one question about every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.rows import Bools
from assay.kernels.signs import holding


@dataclass(frozen=True)
class Checked:
    """Which rows a question fits, and which of them fail it; both of shape (rows,).

    A row without code can hold no broken code: it is no evidence either way, so it does not count.
    """

    fits: Bools
    fails: Bools


def matches(texts: pa.Array, pattern: str, *, needs: str | None = None) -> Bools:
    """Rows that the pattern finds something in, shape (rows,); null is an empty row.

    Args:
        needs: A character of ASCII that every find holds; to look for it first costs a tenth of trying a pattern.
    """
    texts = pc.fill_null(texts, "")
    if needs is None:
        return _bools(pc.match_substring_regex(texts, pattern))
    found = holding(texts, needs)
    if found.any():
        found[found] = _bools(pc.match_substring_regex(texts.filter(pa.array(found)), pattern))
    return found


def _bools(values: pa.BooleanArray) -> Bools:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)
