"""What each row has copied from the real rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.passages import Folded, passages
from assay.audit.rows import Bools, Index, Rows, mixed
from assay.kernels.minhash import matches

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
    near, similarity = matches(rows.sketches, real.sketches, threshold=THRESHOLD)
    shared = passages(
        Folded(rows, np.full(len(rows), -1)), Folded(real, np.zeros(len(real), np.int64)), SPAN_TOKENS
    )
    return Copied(near, similarity, shared.tokens, shared.source, shared.mask)


def copied_among(real: Rows, *, salt: int) -> Copied:
    """What real rows share with other real rows: each fifth, by root id, searched in the other four.

    The reference for `copied`: how much alike rows are that nobody copied.
    """
    folds = (mixed(real.root, salt) % np.uint64(_FOLDS)).astype(np.int64)
    near, similarity = matches(real.sketches, real.sketches, folds, folds, threshold=THRESHOLD)
    shared = passages(Folded(real, folds), Folded(real, folds), SPAN_TOKENS)
    return Copied(near, similarity, shared.tokens, shared.source, shared.mask)
