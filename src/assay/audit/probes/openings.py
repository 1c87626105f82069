"""How many rows begin in the same few ways?"""

from __future__ import annotations

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Index, Rows
from assay.kernels.ngrams import ngram_ids

WORDS, COMMONEST = 3, 10


def openings(rows: Rows) -> Index:
    """Number of each row's first three words, shape (rows,); equal openings share one, and -1 means none."""
    numbers = np.full(len(rows), -1, np.int64)
    found, start = [np.zeros(0, np.uint64)], 0
    for batch in rows.batches():
        ids, offsets = ngram_ids(batch.tokens, WORDS)
        long_enough = np.flatnonzero(np.diff(offsets) > 0)
        found.append(ids[offsets[long_enough]])
        numbers[start + long_enough] = 0
        start += len(batch)
    numbers[numbers == 0] = np.unique(np.concatenate(found), return_inverse=True)[1]
    return numbers


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    numbers = openings(rows)

    def share(kept: Bools, _: Bools) -> float:
        chosen = numbers[kept & (numbers >= 0)]
        if not len(chosen):
            return float("nan")
        return float(np.sort(np.bincount(chosen))[-COMMONEST:].sum() / len(chosen))

    return share


PROBE = SampleProbe(
    "diversity.opening_share",
    _prepare,
    f"rows that begin with one of the {COMMONEST} commonest {WORDS}-word openings / rows of {WORDS} words or more",
    equal="rows",
    against_real=False,
    most=20_000,
    least=50,
)
