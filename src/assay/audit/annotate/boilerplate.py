"""Rows in which an assistant wraps its answer: announces it, or offers further help after it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from assay.audit.annotate.checked import Checked
from assay.audit.annotate.stock import holds, stock

FILE = "boilerplate.txt"


def boilerplate(answers: pa.Array) -> Checked:
    """Rows whose answer opens or closes with a phrase of ``boilerplate.txt``.

    Args:
        answers: Text the model should have written, shape (rows,).
    """
    return Checked(np.ones(len(answers), bool), holds(answers, stock(FILE)))
