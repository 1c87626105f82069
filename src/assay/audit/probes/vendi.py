"""As how many wholly different rows do these count?"""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from assay.audit.probe import Reader, SampleProbe
from assay.audit.probes.neighbours import MOST_ROWS
from assay.audit.rows import Bools, Rows
from assay.kernels.text import tokens
from assay.models.embed import fit_embedder
from assay.models.vectors import Vectors
from assay.stats.vendi import vendi_of_vectors


def _learnt(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    # In a space learnt from real rows alone, words they do not have would count for nothing: rows richer in
    # words would look poorer. Learnt from both samples it knows the words of either.
    both = tokens(pa.concat_arrays([rows.text, real.text]))
    return _reader(fit_embedder("lsa", both, int(rng.integers(2**31))).embed(rows.text, rows.tokens))


def _trained(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    return _reader(rows.vectors)


def _reader(vectors: Vectors) -> Reader:
    placed = vectors.any(axis=1)

    def score(kept: Bools, _: Bools) -> float:
        chosen = vectors[kept & placed]
        return vendi_of_vectors(chosen) if len(chosen) else float("nan")

    return score


_METHOD = "exponential of the entropy of the eigenvalues of the cosine similarities; equally many rows a side"
# Against real rows although it speaks of one side: the space is learnt from both samples, and the reference is
# then a space of as many real rows a side.
PROBE = SampleProbe(
    "diversity.vendi",
    _learnt,
    f"{_METHOD}, in the space of a latent semantic analysis of both samples",
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    bounds=(0.0, math.inf),
)
TRAINED = SampleProbe(
    "diversity.vendi",
    _trained,
    _METHOD,
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    bounds=(0.0, math.inf),
)
