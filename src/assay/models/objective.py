"""What fine-tuning minimises on text, on classes and on pairs, and how the same three are scored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from assay.models.encoding import Ints
from assay.models.learner import Floats
from assay.models.passes import Passes, Stretch, Stretches

BINS = 15
# How far a policy may leave the base: the usual value of Rafailov et al.
_BETA = 0.1


class Objective(Protocol):
    """Something to minimise.

    Attributes:
        tokens: What each row costs, shape (rows,).
        more_reads: How often a token is read without being learned from.
    """

    tokens: Ints
    more_reads: int

    def backward(self, rows: Ints) -> None:
        """Add the gradient of the mean loss of these rows, which may repeat."""
        ...

    def prepare(self) -> None:
        """What must be known of the untrained model, once for all arms."""
        ...


@dataclass
class Text:
    """Nats per token that counts, over all rows of a step."""

    passes: Passes
    rows: Stretches
    more_reads: int = 0

    def __post_init__(self) -> None:
        self.tokens = _lengths(self.rows)

    def prepare(self) -> None:
        """Nothing."""

    def backward(self, rows: Ints) -> None:
        """See `Objective`."""
        given = [stretch for row in rows for stretch in self.rows[row]]
        total = sum(int(stretch.counts.sum()) for stretch in given)
        if total:
            self.passes.learn(given, [1 / total] * len(given))


@dataclass
class Classes:
    """Nats of the row's class from the state of its last token; of a long row, the mean over its windows."""

    passes: Passes
    rows: list[list[Ints]]
    labels: Ints
    more_reads: int = 0

    def __post_init__(self) -> None:
        self.tokens = np.array([sum(map(len, row)) for row in self.rows], np.int64)

    def prepare(self) -> None:
        """Nothing."""

    def backward(self, rows: Ints) -> None:
        """See `Objective`."""
        given = [ids for row in rows for ids in self.rows[row]]
        labels = np.array([self.labels[row] for row in rows for _ in self.rows[row]], np.int64)
        weights = [1 / (len(rows) * len(self.rows[row])) for row in rows for _ in self.rows[row]]
        self.passes.learn_classes(given, labels, weights)


@dataclass
class Pairs:
    """Direct preference optimisation: the answer should gain on the rejected one, against the base model.

    The loss of a pair is ``-log sigmoid(beta * margin)``, the margin being how much more than the base the model
    prefers the answer. Its gradient is that of the two texts' nats, times a factor that is known once both are
    read; so texts of any length go through the same windows, for one more reading.

    Source: Rafailov et al. 2023, Direct Preference Optimization, NeurIPS 36 (beta 0.1).
    """

    passes: Passes
    rows: Stretches
    rejected: Stretches
    more_reads: int = 1
    reference: npt.NDArray[np.float64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.tokens = _lengths(self.rows) + _lengths(self.rejected)

    def prepare(self) -> None:
        """How much the base prefers each answer, in nats."""
        if self.reference is None:
            self.reference = self._preference(np.arange(len(self.rows)))

    def backward(self, rows: Ints) -> None:
        """See `Objective`."""
        reference = np.zeros(len(rows)) if self.reference is None else self.reference[rows]
        margin = self._preference(rows) - reference
        pull = _BETA / (1 + np.exp(np.clip(_BETA * margin, -500, 500))) / len(rows)
        given: list[Stretch] = []
        weights: list[float] = []
        for row, weight in zip(rows, pull.tolist(), strict=True):
            given += self.rows[row] + self.rejected[row]
            weights += [weight] * len(self.rows[row]) + [-weight] * len(self.rejected[row])
        self.passes.learn(given, weights)

    def _preference(self, rows: Ints) -> npt.NDArray[np.float64]:
        nats = self.passes.nats
        return nats([self.rejected[row] for row in rows]) - nats([self.rows[row] for row in rows])


def text_scores(passes: Passes, rows: Stretches) -> tuple[npt.NDArray[np.float64], Floats, Ints]:
    """Bits of each row, shape (rows,); sums of confidence minus correctness, shape (rows, BINS); tokens, (rows,)."""
    owner = [row for row, found in enumerate(rows) for _ in found]
    bits, over = np.zeros(len(rows)), np.zeros((len(rows), BINS))
    tokens = np.zeros(len(rows), np.int64)
    for place, guesses in passes.guess([stretch for found in rows for stretch in found]):
        row = owner[place]
        bits[row] += guesses.nats.sum(dtype=np.float64) / np.log(2)
        np.add.at(over[row], _bins(guesses.confidence), guesses.confidence - guesses.right)
        tokens[row] += len(guesses.nats)
    return bits, over.astype(np.float32), tokens


def class_scores(passes: Passes, rows: list[list[Ints]], labels: Ints) -> tuple[Ints, Floats]:
    """Each row's likeliest class, shape (rows,); confidence minus its being right, in its bin, (rows, BINS)."""
    logs = passes.classes([ids for row in rows for ids in row])
    starts = np.cumsum([0] + [len(row) for row in rows])[:-1]
    mean = np.add.reduceat(logs, starts) / np.array([[len(row)] for row in rows])
    chances = np.exp(mean - mean.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    chosen = chances.argmax(axis=1)
    confidence = chances.max(axis=1)
    over = np.zeros((len(rows), BINS), np.float32)
    over[np.arange(len(rows)), _bins(confidence)] = confidence - (chosen == labels)
    return chosen, over


def _bins(confidence: npt.NDArray[np.floating]) -> Ints:
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)


def _lengths(rows: Stretches) -> Ints:
    return np.array([sum(len(stretch.ids) for stretch in row) for row in rows], np.int64)
