"""How much of the text stands word for word in real rows?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.copies import SPAN_TOKENS
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    return np.column_stack([columns.shared.seen.tokens, columns.tokens]).astype(float)


def _by_chance(columns: Columns) -> Floats:
    return np.column_stack([columns.shared.held.tokens, columns.tokens]).astype(float)


def verbatim_probe(span: int) -> Probe:
    """The probe for passages of at least `span` tokens."""
    return Probe(
        "copying.verbatim_share",
        _tally,
        f"tokens in passages of at least {span} tokens that stand in a real row / tokens",
        by_chance=_by_chance,
    )


PROBE = verbatim_probe(SPAN_TOKENS)
