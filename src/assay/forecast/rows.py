"""Rows as a recursion handles them: some of them, several lots joined, what an answer was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.kernels.text import Tokens, tokens
from assay.models.learner import Examples, Part

Index = npt.NDArray[np.int64]


def taken(rows: Examples, index: Index) -> Examples:
    """Some rows, without answers that lost: generations do not write any."""
    return replace(rows.take(index), rejected=None)


def joined(lots: Sequence[Examples]) -> Examples:
    """Rows one after another."""
    labels = [lot.labels for lot in lots if lot.labels is not None]
    return Examples(
        tuple(row for lot in lots for row in lot.parts),
        np.concatenate(labels) if labels else None,
        max(lot.classes for lot in lots),
    )


def asked(rows: Examples) -> list[tuple[Part, ...]] | None:
    """What stands before the last learned part of each row; None where nothing does in any."""
    before = []
    for row in rows.parts:
        last = max((at for at, part in enumerate(row) if part.learned), default=0)
        before.append(row[:last])
    return before if any(before) else None


def answered(prompts: Sequence[tuple[Part, ...]] | None, texts: Sequence[str], role: str) -> Examples:
    """Rows of written texts, each behind its prompt."""
    if prompts is None:
        return Examples(tuple((Part(text, True, role),) for text in texts))
    # Earlier answers of a conversation are read, not learned again.
    heads = [tuple(replace(part, learned=False) for part in prompt) for prompt in prompts]
    return Examples(tuple((*head, Part(text, True, role)) for head, text in zip(heads, texts, strict=True)))


def texts_of(rows: Examples) -> list[str]:
    """The learned text of each row."""
    return ["\n".join(part.text for part in row if part.learned) for row in rows.parts]


def words_of(rows: Examples) -> Tokens:
    """The words of each row's learned text; for rows with labels, of all its text."""
    return tokens(pa.chunked_array([pa.array(texts_of(rows), pa.large_string())]))


def sizes_of(rows: Examples) -> npt.NDArray[np.float64]:
    """What a row's score is divided by, shape (rows,): 1 for a class, the learned bytes for text."""
    return np.ones(len(rows)) if rows.labels is not None else rows.learned_bytes().astype(np.float64)
