"""Do synthetic and real rows lie in the same places of an embedding space?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows
from assay.stats.prdc import K, Neighbours, Prdc

MOST_ROWS = 2_000


def _probe(name: str, question: str, read: Callable[[Prdc], float], most: float = 1.0) -> SampleProbe:
    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        neighbours = Neighbours.of(rows.vectors, real.vectors)

        def reader(kept: Bools, kept_real: Bools) -> float:
            return read(neighbours.read(kept, kept_real))

        return reader

    return SampleProbe(
        name,
        prepare,
        f"{question}; balls reach to the {K}th neighbour of the same side; equally many rows a side",
        equal="rows",
        against_real=True,
        most=MOST_ROWS,
        least=50,
        bounds=(0.0, most),
        share_of=1.0 if most == 1.0 else None,
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
