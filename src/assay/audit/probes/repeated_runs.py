"""How much of the text says, word for word, what other rows say?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Index, Rows
from assay.kernels.ngrams import ngram_ids
from assay.kernels.numbering import numbered

WORDS = 4


def held(rows: Rows, words: int) -> tuple[npt.NDArray[np.uint64], Index, Index]:
    """Which row holds which runs of `words` words, each run once a row.

    Returns: The distinct runs in the rows, shape (runs,); then, one entry for each run that a row holds, the
        place of the run among them and the row, shape (held,).
    """
    found = numbered(*ngram_ids(rows.tokens, words))
    return found.items, found.number, found.row


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    distinct, place, row = held(rows, WORDS)

    def share(kept: Bools, _: Bools) -> float:
        chosen = place[kept[row]]
        holders = np.bincount(chosen, minlength=len(distinct))
        return float((holders[chosen] > 1).mean()) if len(chosen) else float("nan")

    return share


PROBE = SampleProbe(
    "diversity.self_repetition",
    _prepare,
    f"{WORDS}-word runs that another row of the sample holds too / {WORDS}-word runs, a run counted once a row; "
    "whole rows in random order",
    equal="tokens",
    against_real=False,
    most=200_000,
)
