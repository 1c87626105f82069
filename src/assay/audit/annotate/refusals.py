"""Rows in which an assistant declines or speaks about itself, instead of doing the task."""

from __future__ import annotations

import pyarrow as pa

from assay.audit.annotate.stock import holds, stock
from assay.audit.rows import Bools

FILE = "refusals.txt"


def refuses(answers: pa.Array) -> Bools:
    """Rows whose answer opens with a phrase of ``refusals.txt``, or holds one marked ``*`` near its start.

    Args:
        answers: Text the model should have written, shape (rows,).
    """
    return holds(answers, stock(FILE))
