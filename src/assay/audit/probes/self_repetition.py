"""How many rows go round in circles?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    return np.column_stack([columns.repetition, np.ones(len(columns))]).astype(float)


PROBE = Probe(
    "quality.repetition_share",
    _tally,
    "rows in which more than 15 % of the 5-grams or 10 % of the 10-grams already occurred in the row / rows",
)
