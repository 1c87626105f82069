"""How many rows are made after the same template?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.frames import COMMON, FEWEST_COMMON, FEWEST_RARE, FEWEST_ROWS, RARE
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    return np.column_stack([columns.template, columns.tokens > 0]).astype(float)


PROBE = Probe(
    "duplicates.template_share",
    _tally,
    f"rows that share a frame with {FEWEST_ROWS - 1} others or more, of other roots and other words / rows with "
    "words; a frame is the row without names, numbers and all words but the commonest, that make up "
    f"{', '.join(f'{share:.0%}' for share in COMMON)} of both sides ({FEWEST_COMMON} words or more must stay), or "
    f"without the commonest, that make up {RARE:.0%} ({FEWEST_RARE} or more); as many real rows as synthetic ones",
    equal_rows=True,
)
