"""Are the rows as long as real ones?"""

from __future__ import annotations

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    lengths, number = np.unique(np.concatenate([rows.lengths, real.lengths]), return_inverse=True)
    ours, theirs = number[: len(rows)], number[len(rows) :]

    def distance(kept: Bools, kept_real: Bools) -> float:
        parts = (ours[kept], theirs[kept_real])
        if not all(len(part) for part in parts):
            return float("nan")
        below = [np.cumsum(np.bincount(part, minlength=len(lengths))) / len(part) for part in parts]
        return float(np.abs(below[0] - below[1]).max())

    return distance


PROBE = SampleProbe(
    "fidelity.length_ks",
    _prepare,
    "Kolmogorov-Smirnov distance between the tokens per row",
    equal="rows",
    against_real=True,
    most=20_000,
)
