"""Do synthetic and real rows lie in the same places of an embedding space?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows
from assay.stats.prdc import K, Neighbours, Prdc

MOST_ROWS = 2_000
LEAST_ROWS = 50
TAIL = 0.1


@dataclass(frozen=True)
class Places:
    """What the balls of a part of two samples say, and the share of its rare real rows that are covered."""

    all: Prdc
    tail: float


def in_tail(found: Prdc) -> Bools:
    """The tenth of the real rows that lie farthest from their neighbours, shape (real rows,)."""
    tail = np.zeros(len(found.radii), bool)
    tail[np.argsort(-found.radii, kind="stable")[: round(TAIL * len(tail))]] = True
    return tail


def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    """A reader of `Places`: all distances are found once, and each part of the rows is read once for every probe."""
    neighbours = Neighbours.of(rows.vectors, real.vectors)
    # Which rows are rare is settled once: drawn anew for each part, the border would drown what it asks.
    tail = in_tail(neighbours.read(np.ones(len(rows), bool), np.ones(len(real), bool)))

    def places(kept: Bools, kept_real: Bools) -> Places:
        found, rare = neighbours.read(kept, kept_real), tail & kept_real
        return Places(found, float(found.covered[rare].mean()) if rare.any() else float("nan"))

    return places


def _probe(name: str, question: str, number: Callable[[Prdc], float], most: float = 1.0) -> SampleProbe:
    return SampleProbe(
        name,
        prepare,
        f"{question}; balls reach to the {K}th neighbour of the same side; equally many rows a side",
        equal="rows",
        against_real=True,
        most=MOST_ROWS,
        least=LEAST_ROWS,
        bounds=(0.0, most),
        share_of=1.0 if most == 1.0 else None,
        number=lambda places: number(places.all),
    )


PRECISION = _probe(
    "fidelity.precision",
    "synthetic rows within the ball of a real row / synthetic rows",
    lambda it: it.precision,
)
RECALL = _probe(
    "fidelity.recall", "real rows within the ball of a synthetic row / real rows", lambda it: it.recall
)
DENSITY = _probe(
    "fidelity.density",
    f"real balls around a synthetic row, on average, / {K}",
    lambda it: it.density,
    most=float("inf"),
)
COVERAGE = _probe(
    "fidelity.coverage", "real rows with a synthetic row in their ball / real rows", lambda it: it.coverage
)
