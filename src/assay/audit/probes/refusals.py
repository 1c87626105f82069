"""How many rows refuse, or speak as an assistant?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    return np.column_stack([columns.refusal, np.ones(len(columns))]).astype(float)


PROBE = Probe(
    "quality.refusal_share",
    _tally,
    "rows that open with a phrase of the refusal list, or hold one of its self-references in their first "
    "200 characters / rows",
)
