"""How many rows nearly repeat an earlier row?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.nearness import USUAL, Nearness
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    filled = columns.tokens > 0
    return np.column_stack([columns.near_repeat, filled]).astype(float)


def near_probe(near: Nearness) -> Probe:
    """The probe where near-duplicates are as alike as `near` says."""
    return Probe(
        "duplicates.near_share",
        _tally,
        f"rows in a cluster of near-duplicates ({near}; candidates by "
        "MinHash, then verified), its first row excepted / rows with words; as many real rows as synthetic ones",
        equal_rows=True,
    )


PROBE = near_probe(USUAL)
