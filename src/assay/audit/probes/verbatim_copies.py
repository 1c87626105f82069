"""How much of the text stands word for word in real rows?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    return np.column_stack([columns.copied_tokens, columns.tokens]).astype(float)


PROBE = Probe(
    "copying.verbatim_share",
    _tally,
    "tokens in passages of at least 50 tokens that stand in a real row / tokens",
)
