"""How many rows hold personal values, and how many repeat those of real rows?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.pii import KINDS
from assay.audit.probe import Floats, Probe

_METHOD = "rows with an e-mail, phone, card, bank account, social security or IP number, or a key, checked by {} / rows"
_CHECKS = "check sums, lengths and ranges"


def _held(columns: Columns) -> Floats:
    held = np.any(list(columns.pii.values()), axis=0)
    return np.column_stack([held, np.ones(len(columns))]).astype(float)


def _of_kind(kind: str) -> Probe:
    def tally(columns: Columns) -> Floats:
        return np.column_stack([columns.pii[kind], np.ones(len(columns))]).astype(float)

    return Probe(
        "copying.pii_share",
        tally,
        f"rows with a value of this kind, checked by {_CHECKS} / rows",
        slice={"kind": kind},
    )


def _leaked(columns: Columns) -> Floats:
    return np.column_stack([columns.shared.seen.pii, np.ones(len(columns))]).astype(float)


def _leaked_by_chance(columns: Columns) -> Floats:
    return np.column_stack([columns.shared.held.pii, np.ones(len(columns))]).astype(float)


PROBE = Probe("copying.pii_share", _held, _METHOD.format(_CHECKS))
EACH = tuple(_of_kind(kind) for kind in KINDS)
EXCESS = Probe(
    "copying.pii_excess",
    _leaked,
    "rows with a personal value that a real row holds / rows, less what chance explains",
    by_chance=_leaked_by_chance,
    excess=True,
)
