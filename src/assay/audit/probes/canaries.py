"""Did secrets that were planted in the real rows come out again?

The units are canaries, not rows: planted ones are the questioned side, controls that were never planted stand in
for chance.

Source: Carlini et al. 2019, The Secret Sharer, USENIX Security (planted secrets against others that were not);
    Meeus et al. 2025, The Canary's Echo, ICML (an in-distribution beginning and an unlikely end leave a trace in
    synthetic text).
"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.canaries import ECHO_WORDS, traces
from assay.audit.annotate.columns import Columns
from assay.audit.probe import Floats, Found, Kinship, Probe, measure, tallied
from assay.audit.rows import Rows
from assay.core.canary import Canaries
from assay.core.measure import Measure

NAME = "copying.canary_recall"
_MISSING = "no canaries were planted; `assay canary plant` makes a copy of the real rows with some, and a key"


def _no_row(columns: Columns) -> Floats:
    """The units are canaries; no row is one."""
    return np.zeros((len(columns), 2))


def recalled(canaries: Canaries | None, rows: Rows, level: float) -> list[Measure]:
    """Whole secrets that stand in the rows, and how much of the secrets echoes there."""
    whole, echo = Found(missing=_MISSING), Found(missing=_MISSING)
    whole_chance, echo_chance, said, said_echo = (
        whole,
        echo,
        "planted secrets found",
        "words of secrets found",
    )
    if canaries is not None and len(rows):
        planted, controls = (traces(each, rows) for each in (canaries.planted, canaries.controls))
        whole, whole_chance = (_found(each.whole.astype(float), level) for each in (planted, controls))
        echo, echo_chance = (_found(each.echo, level) for each in (planted, controls))
        said = (
            f"{int(planted.whole.sum())} of {len(planted.whole)} planted secrets of {canaries.words} words stand "
            f"in some row; reference: {int(controls.whole.sum())} of {len(controls.whole)} that were planted nowhere"
        )
        said_echo = (
            f"mean share of a secret's words in runs of {ECHO_WORDS} or more that some row holds; reference: "
            "secrets that were planted nowhere"
        )
    elif canaries is not None:
        whole = echo = Found(missing="there are no rows to search")
    return [
        measure(Probe(NAME, _no_row, said), whole, whole_chance, level),
        *(
            [measure(Probe(NAME, _no_row, said_echo, slice={"trace": "part"}), echo, echo_chance, level)]
            if canaries is not None
            else []
        ),
    ]


def _found(hits: Floats, level: float) -> Found:
    units = np.column_stack([hits, np.ones(len(hits))])
    return tallied(units, Kinship(np.arange(len(hits), dtype=np.uint64)), level)
