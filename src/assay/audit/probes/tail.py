"""Do the rows still reach the rare real ones?"""

from __future__ import annotations

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.probes.neighbours import MOST_ROWS
from assay.audit.rows import Bools, Rows
from assay.stats.prdc import K, Neighbours, Prdc

SHARE = 0.1
LEAST_ROWS = 200


def in_tail(found: Prdc) -> Bools:
    """The tenth of the real rows that lie farthest from their neighbours, shape (real rows,)."""
    tail = np.zeros(len(found.radii), bool)
    tail[np.argsort(-found.radii, kind="stable")[: round(SHARE * len(tail))]] = True
    return tail


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    neighbours = Neighbours.of(rows.vectors, real.vectors)
    # Which rows are rare is settled once: drawn anew for each part, the border would drown what it asks.
    tail = in_tail(neighbours.read(np.ones(len(rows), bool), np.ones(len(real), bool)))

    def reached(kept: Bools, kept_real: Bools) -> float:
        rare = tail & kept_real
        return float(neighbours.read(kept, kept_real).covered[rare].mean()) if rare.any() else float("nan")

    return reached


PROBE = SampleProbe(
    "coverage.tail",
    _prepare,
    f"rare real rows with a row of the other side no farther than their {K}th real neighbour / rare real rows; rare "
    f"are the {SHARE:.0%} of a real sample whose {K}th neighbour is farthest; equally many rows a side",
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    least=LEAST_ROWS,
    share_of=SHARE,
)
