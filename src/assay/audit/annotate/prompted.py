"""Whether what a row copies stood in its own prompt, where rows say which real rows they were shown."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from assay.audit.rows import Floats, Index, Rows
from assay.core.corpus import root_hash

SEEDS = ("seed_rows", "seed_row")


def prompted(rows: Rows, real: Rows, near: Index) -> Floats:
    """For each row that names the real rows of its prompt: 1 if its near-duplicate is one of them, else 0.

    Real rows are known by their root id, which `assay generate` writes as file:line.

    Args:
        near: A real row that each row nearly copies, or -1.
    Returns: Shape (rows,); NaN where a row names no real row.
    """
    found = np.full(len(rows), np.nan)
    for row, extras in _naming(rows):
        said = json.loads(extras)
        seeds = next((said[name] for name in SEEDS if said.get(name)), None)
        if seeds is None:
            continue
        names = [seeds] if isinstance(seeds, str) else [name for name in seeds if isinstance(name, str)]
        found[row] = near[row] >= 0 and int(real.root[near[row]]) in map(root_hash, names)
    return found


def _naming(rows: Rows) -> Iterator[tuple[int, str]]:
    """The rows that may name their seed rows, and their extras."""
    start = 0
    for batch in rows.batches():
        told = pc.match_substring(pc.fill_null(batch.extras, ""), '"seed_row')
        for row in np.flatnonzero(told.to_numpy(zero_copy_only=False)).tolist():
            yield start + row, batch.extras[row].as_py()
        start += len(batch)
