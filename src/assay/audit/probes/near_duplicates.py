"""How many rows nearly repeat an earlier row?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe
from assay.audit.rows import NEAR


def _tally(columns: Columns) -> Floats:
    filled = columns.tokens > 0
    return np.column_stack([columns.near_repeat, filled]).astype(float)


def near_probe(near: float) -> Probe:
    """The probe where rows are near-duplicates from the similarity `near` on."""
    said = "" if near == NEAR else f" instead of {NEAR}, for it joins hardly any further real rows"
    return Probe(
        "duplicates.near_share",
        _tally,
        f"rows in a cluster of near-duplicates (Jaccard over 3-word shingles at least {near}{said}; candidates by "
        "MinHash, then verified), its first row excepted / rows with words; as many real rows as synthetic ones",
        equal_rows=True,
    )


PROBE = near_probe(NEAR)
