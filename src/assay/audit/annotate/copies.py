"""What each row has copied from the real rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.rows import Bools, Index, Rows
from assay.kernels.minhash import near_matches
from assay.kernels.spans import verbatim

SPAN_TOKENS = 50
THRESHOLD = 0.7


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
