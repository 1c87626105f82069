"""How many rows hold no word?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    return np.column_stack([columns.empty, np.ones(len(columns))]).astype(float)


PROBE = Probe("quality.empty_share", _tally, "rows whose text or response holds no word / rows")
