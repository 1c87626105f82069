"""How many rows repeat an earlier row word for word?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    filled = columns.tokens > 0
    return np.column_stack([columns.exact_repeat, filled]).astype(float)


PROBE = Probe(
    "duplicates.exact_share",
    _tally,
    "rows whose words, case and punctuation aside, are those of an earlier row / rows with words; "
    "as many real rows as synthetic ones",
    equal_rows=True,
)
