"""Vectors of length one: what every embedder makes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


def unit(vectors: Vectors) -> Vectors:
    """Each row scaled to length one; rows of zeros stay so."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    length[length == 0] = 1
    return np.asarray(vectors / length, dtype=np.float32)
