"""The answer to one question about every row."""

from __future__ import annotations

from dataclasses import dataclass

from assay.audit.rows import Bools


@dataclass(frozen=True)
class Checked:
    """Which rows a question fits, and which of them fail it; both of shape (rows,).

    A row without code can hold no broken code: it is no evidence either way, so it does not count.
    """

    fits: Bools
    fails: Bools
