"""Are rows closer to real rows that the generator saw than to real rows that it did not see?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.closest import MOST_REAL, MOST_ROWS
from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    asked = ~np.isnan(columns.shared.closest)
    return np.column_stack([np.where(asked, columns.shared.closest, 0.0), asked]).astype(float)


PROBE = Probe(
    "copying.dcr_share",
    _tally,
    f"rows whose closest real row, by the cosine of TF-IDF vectors, is a seen one, ties a half / rows; at most "
    f"{MOST_ROWS:,} rows, equally many seen and held-out rows of like lengths, at most {MOST_REAL:,} a side; "
    "reference: one half of the real rows against the other half and the hold-out",
    needs_holdout=True,
)
