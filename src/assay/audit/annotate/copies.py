"""What each row has copied from the real rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.rows import Bools, Index, Rows, mixed
from assay.kernels.minhash import near_matches
from assay.kernels.spans import verbatim

SPAN_TOKENS = 50
THRESHOLD = 0.7
_FOLDS = 5


@dataclass(frozen=True)
class Copied:
    """Arrays of shape (rows,), but for the mask.

    Attributes:
        near: Best near-duplicate among the real rows, or -1.
        similarity: Jaccard similarity to it over 3-word shingles.
        tokens: Tokens of the row that lie in a copied passage.
        passage: A real row with the longest passage, or -1.
        mask: Tokens within copied passages, shape (tokens,).
    """

    near: Index
    similarity: npt.NDArray[np.float32]
    tokens: Index
    passage: Index
    mask: Bools


def copied(rows: Rows, real: Rows) -> Copied:
    """What `rows` has copied from `real`: whole rows nearly, passages of 50 words exactly."""
    near, similarity = near_matches(rows.tokens, real.tokens, threshold=THRESHOLD)
    mask, passage = verbatim(rows.tokens, real.tokens, min_tokens=SPAN_TOKENS)
    running = np.concatenate([np.zeros(1, np.int64), np.cumsum(mask)])
    counts = running[rows.tokens.offsets[1:]] - running[rows.tokens.offsets[:-1]]
    return Copied(near, similarity, counts, passage, mask)


def copied_among(real: Rows, *, salt: int) -> Copied:
    """What real rows share with other real rows: each fifth, by root id, searched in the other four.

    The reference for `copied`: how much alike rows are that nobody copied.
    """
    fold = mixed(real.root, salt) % np.uint64(_FOLDS)
    whole = Copied(
        np.full(len(real), -1, np.int64),
        np.zeros(len(real), np.float32),
        np.zeros(len(real), np.int64),
        np.full(len(real), -1, np.int64),
        np.zeros(len(real.tokens.ids), bool),
    )
    for each in range(_FOLDS):
        here, others = np.flatnonzero(fold == each), np.flatnonzero(fold != each)
        part = copied(real.take(here), real.take(others))
        found, shared = part.near >= 0, part.passage >= 0
        whole.near[here[found]] = others[part.near[found]]
        whole.similarity[here] = part.similarity
        whole.tokens[here] = part.tokens
        whole.passage[here[shared]] = others[part.passage[shared]]
        whole.mask[np.repeat(fold == each, real.lengths)] = part.mask
    return whole
