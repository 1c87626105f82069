"""Latent semantic analysis: the embedder that needs no download, in any language that has words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp

from assay.kernels.ngrams import hashed_counts
from assay.kernels.text import Tokens
from assay.models.vectors import Vectors, unit

VERSION = 1
DIMENSIONS = 128
MOST_ROWS = 5_000
_BITS = 18
_FEWEST_ROWS = 2
_ROWS_PER_DIMENSION = 8
_SPARE, _POWERS = 10, 2
_BATCH = 20_000


@dataclass(frozen=True)
class Lsa:
    """The leading directions in which rows differ in their words.

    Attributes:
        columns: Hashed columns that count, shape (columns,).
        idf: Inverse document frequency of each, shape (columns,).
        axes: Shape (columns, dimensions).
        centre: Mean of the rows it learnt from, shape (dimensions,). Without its removal the first axis, on
            which all rows lie alike, would drown the others.
    """

    columns: npt.NDArray[np.int64]
    idf: npt.NDArray[np.float32]
    axes: Vectors
    centre: Vectors
    about: str

    @classmethod
    def fit(cls, words: Tokens, seed: int) -> Lsa:
        """Learn from rows, in random order the first 5,000.

        Rows of another side are never learnt from: each side that is compared must be equally strange to
        the embedder.

        Source: Deerwester et al. 1990, Indexing by Latent Semantic Analysis; randomised decomposition by Halko,
            Martinsson & Tropp 2011, SIAM Review 53, 217-288, algorithms 4.4 and 5.1.
        """
        rng = np.random.default_rng([seed, VERSION])
        counts = hashed_counts(words, bits=_BITS, orders=(1,))
        if counts.shape[0] > MOST_ROWS:
            counts = counts[np.sort(rng.permutation(counts.shape[0])[:MOST_ROWS])]
        rows = counts.shape[0]
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        columns = np.flatnonzero(frequency >= _FEWEST_ROWS)
        idf = (np.log((1 + rows) / (1 + frequency[columns])) + 1).astype(np.float32)
        features = _weighted(counts, columns, idf)
        wanted = min(DIMENSIONS, rows // _ROWS_PER_DIMENSION, len(columns))
        axes = _leading_axes(features, wanted, rng)
        placed = features @ axes
        centre = placed.mean(axis=0) if rows else np.zeros(wanted, np.float32)
        facts = hashlib.sha256(f"{VERSION} {_BITS} {wanted} {seed}".encode())
        for part in (counts.indptr, counts.indices, counts.data):
            facts.update(part.tobytes())
        about = (
            f"LSA version {VERSION}, {wanted} dimensions of TF-IDF of words, "
            f"fitted on {rows:,} real rows, sha256 {facts.hexdigest()[:12]}"
        )
        return cls(columns, idf, axes, np.asarray(centre, np.float32), about)

    def embed(self, text: pa.Array, words: Tokens) -> Vectors:
        """Vectors of length one, shape (rows, dimensions); zeros for a row without a known word."""
        counts = hashed_counts(words, bits=_BITS, orders=(1,))
        out = np.zeros((counts.shape[0], self.axes.shape[1]), np.float32)
        for start in range(0, len(out), _BATCH):
            features = _weighted(counts[start : start + _BATCH], self.columns, self.idf)
            known = np.diff(features.indptr) > 0
            out[start : start + _BATCH][known] = unit((features @ self.axes - self.centre)[known])
        return out


def _weighted(
    counts: sp.csr_matrix, columns: npt.NDArray[np.int64], idf: npt.NDArray[np.float32]
) -> sp.csr_matrix:
    """Log term frequency times inverse document frequency, rows of length one."""
    features = counts[:, columns].astype(np.float32)
    features.data = (1 + np.log(features.data)) * idf[features.indices]
    length = np.sqrt(np.asarray(features.multiply(features).sum(axis=1)).ravel())
    features.data /= np.repeat(np.maximum(length, np.float32(1e-12)), np.diff(features.indptr))
    features.data = features.data.astype(np.float32)
    return features


def _leading_axes(features: sp.csr_matrix, wanted: int, rng: np.random.Generator) -> Vectors:
    """Right singular vectors of the largest singular values, shape (columns, wanted)."""
    if wanted == 0:
        return np.zeros((features.shape[1], 0), np.float32)
    rows = features.shape[0]
    transposed = features.T.tocsr()
    # Rows are fewer than columns, so the tall factorisations all happen on their side.
    basis = rng.standard_normal((rows, min(wanted + _SPARE, rows)), dtype=np.float32)
    for _ in range(_POWERS):
        basis, _ = np.linalg.qr(features @ (transposed @ basis))
    across = transposed @ basis
    values, turned = np.linalg.eigh((across.T @ across).astype(np.float64))
    leading = np.argsort(-values)[:wanted]
    scale = np.sqrt(np.maximum(values[leading], 1e-12))
    return np.asarray(across @ (turned[:, leading] / scale).astype(np.float32), dtype=np.float32)
