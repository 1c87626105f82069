"""The `linear` learner: logistic regression over hashed TF-IDF, all arms over one matrix of features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp

from assay.core.errors import EngineError
from assay.core.progress import Progress, silent
from assay.core.trial import Cost
from assay.kernels.ngrams import hashed_counts
from assay.kernels.text import tokens
from assay.models import linear
from assay.models.learner import Examples, Part, Sampling, Scored, calibration

_USUAL_PASSES, _PROBE_ARMS, _PROBE_ROWS = 20, 16, 2000


@dataclass(frozen=True)
class Linear:
    """Multinomial logistic regression on the rows' labels.

    Attributes:
        l2: Penalty on the coefficients, scikit-learn's 1 / C.
    """

    l2: float = 1.0
    name: str = "linear"

    def read(self, rows: Examples) -> LinearReading:
        """Count the rows' words. Raises: EngineError: the rows have no labels."""
        if rows.labels is None:
            raise EngineError(
                "the linear learner needs labels", fix="Use the learner ngram, gpt or finetune."
            )
        counts, lengths = _counts(rows)
        known = linear.Tfidf.fitted(counts)
        return LinearReading(known, known.of(counts), lengths, rows.labels, rows.classes, self.l2)


@dataclass(frozen=True)
class LinearReading:
    """Rows as features, float32 of shape (rows, features), with their labels and lengths in tokens."""

    known: linear.Tfidf
    features: sp.csr_matrix
    lengths: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    classes: int
    l2: float
    seen: dict[int, tuple[Examples, sp.csr_matrix]] = field(default_factory=dict, repr=False)

    def features_of(self, items: Examples) -> sp.csr_matrix:
        """Items as features; the last ones are kept, since every block of arms asks for them."""
        if id(items) not in self.seen:
            self.seen.clear()
            self.seen[id(items)] = items, self.known.of(_counts(items)[0])
        return self.seen[id(items)][1]

    def expect(self, weights: npt.NDArray[np.float32]) -> tuple[Cost, ...]:
        """From the time that a few arms of a few thousand rows take."""
        probe = np.zeros((_PROBE_ARMS, len(self.labels)), dtype=np.float32)
        probe[:, np.random.default_rng(0).permutation(len(self.labels))[:_PROBE_ROWS]] = 1
        taken = 0.0
        for _ in range(2):  # the first call may compile
            found = list(linear.fit(self.features, self.labels, probe, classes=self.classes, l2=self.l2))
            taken = sum(fits.seconds for fits in found)
        passes = np.concatenate([fits.passes for fits in found])
        rate = taken / linear.THREADS / self._operations(probe, passes).sum()
        operations = self._operations(weights, np.full(len(weights), _USUAL_PASSES))
        return self._costs(weights, operations, operations * rate)

    def fit(
        self,
        weights: npt.NDArray[np.float32],
        seeds: npt.NDArray[np.int64],
        progress: Progress = silent,
        done: npt.NDArray[np.bool_] | None = None,
    ) -> Iterator[LinearFitted]:
        """All arms at once; nothing about a fit is random, so `seeds` say nothing here."""
        for fits in linear.fit(
            self.features, self.labels, weights, classes=self.classes, l2=self.l2, done=done
        ):
            operations = self._operations(weights[fits.arms], fits.passes)
            shared = fits.seconds / linear.THREADS * operations / operations.sum()
            yield LinearFitted(fits.arms, self._costs(weights[fits.arms], operations, shared), fits, self)

    def _operations(
        self, weights: npt.NDArray[np.float32], passes: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Each pass reads every non-zero feature of the arm's rows twice (logits of a direction and gradient), a
        multiplication and an addition per output each time: 4 * non-zeros * outputs * passes.
        """
        nonzeros = (weights > 0).astype(np.float32) @ np.diff(self.features.indptr).astype(np.float32)
        outputs = 1 if self.classes == 2 else self.classes
        operations: npt.NDArray[np.float64] = 4.0 * nonzeros.astype(np.float64) * outputs * passes
        return operations

    def _costs(
        self,
        weights: npt.NDArray[np.float32],
        operations: npt.NDArray[np.float64],
        seconds: npt.NDArray[np.float64],
    ) -> tuple[Cost, ...]:
        seen = weights.astype(np.float64) @ self.lengths
        return tuple(
            Cost(seconds=float(second), tokens=int(token), flops=float(flop))
            for second, token, flop in zip(seconds, seen, operations, strict=True)
        )


@dataclass(frozen=True)
class LinearFitted:
    """A block of trained arms."""

    arms: npt.NDArray[np.int64]
    costs: tuple[Cost, ...]
    fits: linear.Fits
    reading: LinearReading

    def score(self, items: Examples) -> Scored:
        """Right or wrong, and how sure."""
        chances = self.fits.predict_proba(self.reading.features_of(items))
        chosen = chances.argmax(axis=2).astype(np.int16)
        right = (chosen == items.labels).astype(np.float32)
        sure = chances.max(axis=2)
        ones = np.ones(len(items), dtype=np.int64)
        return Scored(right, calibration(sure, right), ones, chosen=chosen)

    def sample(
        self, number: int, sampling: Sampling, seed: int, prompts: Sequence[Sequence[Part]] | None = None
    ) -> list[list[str]]:
        """Raises: EngineError: always."""
        raise EngineError("the linear learner writes no text", fix="Use the learner ngram, gpt or finetune.")


def _counts(rows: Examples) -> tuple[sp.csr_matrix, npt.NDArray[np.int64]]:
    texts = ["\n".join(part.text for part in row) for row in rows.parts]
    found = tokens(pa.chunked_array([pa.array(texts, pa.large_string())]))
    return hashed_counts(found), np.diff(found.offsets)
