"""Vendi score: as how many wholly different things do these count?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def vendi(kernel: npt.NDArray[np.floating]) -> float:
    """Exponential of the entropy of the eigenvalues of ``kernel / n``.

    Args:
        kernel: Similarities, positive semi-definite, ones on the diagonal, shape (n, n).
    Returns: Within [1, n].
    Reads as: 1: all are alike. n: no two have anything in common.
    Source: Friedman & Dieng 2022, The Vendi Score, equation 1.
    """
    return _effective_rank(np.asarray(kernel, np.float64) / len(kernel))


def vendi_of_vectors(vectors: npt.NDArray[np.floating]) -> float:
    """The Vendi score under cosine similarity, through the smaller of the two Gram matrices.

    ``X X'`` (n x n) and ``X' X`` (d x d) have the same eigenvalues but for zeros, which add nothing.

    Args:
        vectors: Shape (n, d), rows of length one.
    """
    rows, dimensions = vectors.shape
    wide = np.asarray(vectors, np.float64)
    gram = wide @ wide.T if rows < dimensions else wide.T @ wide
    return _effective_rank(gram / rows)


def _effective_rank(gram: npt.NDArray[np.float64]) -> float:
    values = np.linalg.eigvalsh(gram)
    positive = values[values > 1e-12]
    return float(np.exp(-np.sum(positive * np.log(positive))))
