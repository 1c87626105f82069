"""How many rows nearly copy a real row?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    return np.column_stack([columns.shared.seen.near, columns.tokens > 0]).astype(float)


def _by_chance(columns: Columns) -> Floats:
    return np.column_stack([columns.shared.held.near, columns.tokens > 0]).astype(float)


PROBE = Probe(
    "copying.near_share",
    _tally,
    "rows with a real row at Jaccard 0.7 or more over 3-word shingles / rows with words",
    by_chance=_by_chance,
)
