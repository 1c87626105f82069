"""How many of the rarer real words does the text still use?"""

from __future__ import annotations

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows

FEWEST, MOST = 2, 20


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    types, counts = np.unique(real.tokens.ids, return_counts=True)
    rare = types[(counts >= FEWEST) & (counts <= MOST)]
    if not len(rare):
        return lambda kept, kept_real: float("nan")
    at = np.minimum(np.searchsorted(rare, rows.tokens.ids), len(rare) - 1)
    hit = rare[at] == rows.tokens.ids
    lengths = rows.lengths

    def coverage(kept: Bools, _: Bools) -> float:
        seen = np.zeros(len(rare), bool)
        seen[at[hit & np.repeat(kept, lengths)]] = True
        return float(seen.mean())

    return coverage


PROBE = SampleProbe(
    "diversity.type_coverage",
    _prepare,
    f"word types with {FEWEST} to {MOST} occurrences in a real sample that occur in a sample of as many tokens "
    "of the other side / such types",
    equal="tokens",
    against_real=True,
    most=200_000,
)
