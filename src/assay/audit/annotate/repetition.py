"""Rows that go round in circles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.audit.rows import Bools
from assay.kernels.ngrams import distinct_share
from assay.kernels.text import Tokens

# Rae et al. 2021, table A1, drop a document when more than this share of it lies in repeated n-grams.
CUTS = {5: 0.15, 10: 0.10}


def repeats_itself(tokens: Tokens) -> Bools:
    """Rows in which repeated runs of 5 or of 10 words pass the cuts of the Gopher filters.

    Source: Rae et al. 2021, table A1, of which the 5-gram and the 10-gram line serve; counted in words, not
        characters.
    """
    over, repeating = np.zeros(tokens.rows, bool), np.arange(tokens.rows)
    for n, cut in CUTS.items():
        share = repeated_share(tokens.take(repeating), n)
        over[repeating[share > cut]] = True
        # Where no short run comes twice, no longer one does.
        repeating = repeating[share > 0]
    return over


def repeated_share(tokens: Tokens, n: int) -> npt.NDArray[np.float64]:
    """Share of each row's n-grams that already occurred in the row, shape (rows,); 0 where it has none."""
    return 1.0 - distinct_share(tokens, n)
