"""How many of the word pairs are different ones?"""

from __future__ import annotations

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows
from assay.kernels.ngrams import ngram_ids


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    ids, offsets = ngram_ids(rows.tokens, 2)
    distinct, number = np.unique(ids, return_inverse=True)
    counts = np.diff(offsets)

    def share(kept: Bools, _: Bools) -> float:
        chosen = number[np.repeat(kept, counts)]
        seen = np.zeros(len(distinct), bool)
        seen[chosen] = True
        return float(seen.sum() / len(chosen)) if len(chosen) else float("nan")

    return share


PROBE = SampleProbe(
    "diversity.distinct_2",
    _prepare,
    "distinct bigrams / bigrams, of whole rows in random order",
    equal="tokens",
    against_real=False,
    most=200_000,
)
