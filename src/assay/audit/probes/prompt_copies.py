"""Do near copies come from the row's own prompt or from elsewhere?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Probe

_METHOD = "rows that nearly copy {} / rows that name the real rows of their prompt"


def _own(columns: Columns) -> Floats:
    known = ~np.isnan(columns.shared.prompted)
    return np.column_stack([np.where(known, columns.shared.prompted, 0.0), known]).astype(float)


def _other(columns: Columns) -> Floats:
    known = ~np.isnan(columns.shared.prompted)
    return np.column_stack([known & columns.near_copy & (columns.shared.prompted == 0), known]).astype(float)


_PROBES = (
    Probe(
        "copying.near_share", _own, _METHOD.format("a row of their own prompt"), slice={"of": "own prompt"}
    ),
    Probe("copying.near_share", _other, _METHOD.format("another real row"), slice={"of": "other real rows"}),
)


def prompt_probes(columns: Columns) -> tuple[Probe, ...]:
    """Both, if any row names the real rows of its prompt."""
    return () if np.isnan(columns.shared.prompted).all() else _PROBES
