"""How much of the text repeats rare runs of words from seen real rows, beyond what chance explains?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.copies import MOST_WORDS, RARE_WORDS
from assay.audit.probe import Floats, Probe


def _tally(columns: Columns) -> Floats:
    return np.column_stack([columns.shared.seen.rare, columns.shared.ngrams]).astype(float)


def _by_chance(columns: Columns) -> Floats:
    return np.column_stack([columns.shared.held.rare, columns.shared.ngrams]).astype(float)


PROBE = Probe(
    "copying.rare_ngram_excess",
    _tally,
    f"runs of {RARE_WORDS} words that stand in the rows of one real root alone / such runs, less what chance explains; "
    f"rows of at most {MOST_WORDS:,} words together",
    by_chance=_by_chance,
    excess=True,
)
