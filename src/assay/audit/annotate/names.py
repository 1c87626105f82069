"""Which rows name a person, and whom."""

from __future__ import annotations

import hashlib

import numpy as np

from assay.audit.annotate.pii import Pii
from assay.audit.rows import Index, Rows
from assay.models.names import NameFinder

# Names are asked of rows with so many words together, drawn at random where there are more: a model of language reads
# some thousands of words a second.
MOST_WORDS = 200_000


def asked(rows: Rows, rng: np.random.Generator) -> Index:
    """The rows whose names are looked for, in their order."""
    if rows.lengths.sum() <= MOST_WORDS:
        return np.arange(len(rows))
    order = rng.permutation(len(rows))
    return np.sort(order[: int(np.searchsorted(np.cumsum(rows.lengths[order]), MOST_WORDS)) + 1])


def find_names(rows: Rows, finder: NameFinder) -> Pii:
    """All whole names in the rows; whoever is named alike in other case or spacing is one."""
    row, value, start, end = [], [], [], []
    base = 0
    for batch in rows.batches():
        texts = [text or "" for text in batch.text.to_pylist()]
        for at, (text, spans) in enumerate(zip(texts, finder.find(texts), strict=True)):
            for begin, stop in spans:
                row.append(base + at)
                value.append(_hash(text[begin:stop]))
                first = len(text[:begin].encode())
                start.append(first)
                end.append(first + len(text[begin:stop].encode()))
        base += len(batch)
    return Pii(
        len(rows),
        np.array(row, np.int64),
        np.zeros(len(row), np.int8),
        np.array(value, np.uint64),
        np.array(start, np.int64),
        np.array(end, np.int64),
    )


def _hash(name: str) -> int:
    same = " ".join(name.replace(".", " ").casefold().split())
    return int.from_bytes(hashlib.blake2b(same.encode(), digest_size=8).digest(), "little")
