"""As how many wholly different rows do these count?"""

from __future__ import annotations

import math

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.probes.neighbours import MOST_ROWS
from assay.audit.rows import Bools, Rows
from assay.stats.vendi import vendi_of_vectors


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    placed = rows.vectors.any(axis=1)

    def score(kept: Bools, _: Bools) -> float:
        chosen = rows.vectors[kept & placed]
        return vendi_of_vectors(chosen) if len(chosen) else float("nan")

    return score


# Against real rows although it speaks of one side: the embedder has learnt from half of the real rows, which
# must not stand on either side of the comparison.
PROBE = SampleProbe(
    "diversity.vendi",
    _prepare,
    "exponential of the entropy of the eigenvalues of the cosine similarities / rows; equally many rows a side",
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    bounds=(0.0, math.inf),
)
