"""What synthetic rows say of what they took to make, whoever made them.

`assay generate` writes it into the column `usage`: completion_tokens and prompt_tokens, by the names of the OpenAI
protocol, which other tools keep too, and the seconds and joules since the row before. Summed over a file they are what
the whole took, however often it was stopped and went on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from assay.core.corpus import Corpus
from assay.core.cost import GENERATION, Amount, Spent, total

USAGE = "usage"
FIELDS = {
    "written": "completion_tokens",
    "read": "prompt_tokens",
    "seconds": "seconds",
    "gpu_seconds": "gpu_seconds",
    "joules": "joules",
}
_TOKENS = "tokens"  # of rows that `assay generate` wrote before it kept `usage`


def spent(corpus: Corpus) -> Spent:
    """What all rows of a corpus took together; what fewer than two of its rows say is not known."""
    counted: dict[str, list[float]] = {name: [] for name in FIELDS}
    for said in _said(corpus):
        for name, key in FIELDS.items():
            value = said.get(key)
            if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
                counted[name].append(float(value))
    totals: dict[str, Amount | None] = {
        name: total(np.array(values), corpus.rows) for name, values in counted.items()
    }
    known = {name: amount for name, amount in totals.items() if amount is not None}
    unsaid = f"the rows do not say; `assay generate` notes it in their column {USAGE}"
    return Spent(GENERATION, corpus.rows, known, dict.fromkeys((*FIELDS, "flops"), unsaid))


def _said(corpus: Corpus) -> Iterator[Mapping[str, Any]]:
    """What each row says it took; nothing of rows that say nothing."""
    for batch in corpus.batches():
        for extras in batch.column("extras").to_pylist():
            if extras and (USAGE in extras or _TOKENS in extras):
                yield _usage(json.loads(extras))


def _usage(row: dict[str, Any]) -> Mapping[str, Any]:
    usage = row.get(USAGE)
    if isinstance(usage, dict):
        return usage
    # A column of this name may count anything; beside a generator's name it counts what that wrote.
    return {FIELDS["written"]: row.get(_TOKENS)} if "generator" in row else {}
