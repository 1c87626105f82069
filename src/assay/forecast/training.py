"""Train one model on each of several sets of rows, and do something with each before it is let go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.forecast.encoding import Remembering
from assay.forecast.rows import joined
from assay.models.learner import Examples, Fitted, Learner, Part, Reading, Sampling, Scored

S = TypeVar("S")
T = TypeVar("T")
Prompts = list[tuple[Part, ...]] | None

# These train many arms as one batch; the others are quicker on a set of rows each, side by side.
TOGETHER = ("gpt", "finetune")
_REMEMBERED = 4  # sets of items whose scores a batch keeps


@dataclass
class Batch:
    """A trained block. What it does for all its arms at once is done once, whichever of them asks first."""

    fitted: Fitted
    reading: Reading
    scores: list[tuple[Examples, Scored]] = field(default_factory=list)
    texts: dict[tuple[int, Sampling, int], list[list[str]]] = field(default_factory=dict)

    def score(self, items: Examples) -> Scored:
        """Every arm on every item."""
        for known, scored in self.scores:
            if known is items:
                return scored
        scored = self.fitted.score(items)
        if len(self.fitted.arms) > 1:
            self.scores = [(items, scored), *self.scores[: _REMEMBERED - 1]]
        return scored

    def write(self, number: int, sampling: Sampling, seed: int, prompts: Prompts) -> list[list[str]]:
        """Texts by every arm; who asks for as many with the same seed asks the same."""
        key = (number, sampling, seed)
        if key not in self.texts:
            self.texts = {key: self.fitted.sample(number, sampling, seed, prompts)}
        return self.texts[key]


@dataclass(frozen=True)
class Trained:
    """One arm of a trained block.

    Attributes:
        place: Of the arm in the block.
    """

    batch: Batch
    place: int

    @property
    def fitted(self) -> Fitted:
        """The block."""
        return self.batch.fitted

    def score(self, items: Examples) -> Scored:
        """What this arm did on the items; the first axis of every array has length 1."""
        block = self.batch.score(items)
        here = slice(self.place, self.place + 1)
        return Scored(block.gain[here], None if block.over is None else block.over[here], block.decisions)

    def write(self, number: int, sampling: Sampling, seed: int, prompts: Prompts) -> list[str]:
        """Texts by this arm."""
        return self.batch.write(number, sampling, seed, prompts)[self.place]


Work = Callable[[int, Trained], T]


class Trainer:
    """A learner whose pieces of text are learned once, from the real rows."""

    def __init__(self, learner: Learner, real: Examples) -> None:
        self.learner = _with_encoding(learner, real)

    def each(self, sets: Sequence[Examples], seeds: Sequence[int], work: Work[T]) -> list[T]:
        """Train on every set, and return what `work` makes of each, given its place and its model.

        Args:
            seeds: Of each training's own randomness; sets of one seed have as much in common as the learner lets them.
        """
        if not self.together:

            def alone(place: int) -> T:
                reading = self.learner.read(sets[place])
                weights = np.ones((1, len(sets[place])), np.float32)
                (fitted,) = reading.fit(weights, np.array([seeds[place]], np.int64))
                return work(place, Trained(Batch(fitted, reading), 0))

            return self.side_by_side(alone, range(len(sets)))
        reading = self.learner.read(joined(sets))
        ends = np.cumsum([0, *map(len, sets)])
        weights = np.zeros((len(sets), ends[-1]), np.float32)
        for place in range(len(sets)):
            weights[place, ends[place] : ends[place + 1]] = 1
        found: dict[int, T] = {}
        for block in reading.fit(weights, np.array(seeds, np.int64)):
            batch = Batch(block, reading)
            for place, arm in enumerate(block.arms.tolist()):
                found[arm] = work(arm, Trained(batch, place))
        return [found[place] for place in range(len(sets))]

    @property
    def together(self) -> bool:
        """Whether the learner trains many sets as one batch."""
        return self.learner.name in TOGETHER

    def side_by_side(self, work: Callable[[S], T], items: Iterable[S]) -> list[T]:
        """The work on each item; in threads, unless the learner uses the whole machine anyway."""
        if self.together:
            return [work(item) for item in items]
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return list(pool.map(work, items))


def labelled(model: Trained, rows: Examples) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The class that the model gives each row, and how sure it is, each of shape (rows,).

    Raises: InputError: the learner does not say which class it takes.
    """
    from assay.models.classifier import LinearFitted

    if not isinstance(model.fitted, LinearFitted):
        raise InputError(
            "labels can be handed on by the learner linear only", fix="Use --learner linear, or --task chat."
        )
    fitted = model.fitted
    chances = fitted.fits.predict_proba(fitted.reading.features_of(rows))[model.place]
    return chances.argmax(axis=1).astype(np.int64), chances.max(axis=1).astype(np.float64)


def _with_encoding(learner: Learner, real: Examples) -> Learner:
    """The same learner with the pieces that it would learn from the real rows, so that no generation learns its own."""
    from assay.models.ngram import Counts, NGram

    if isinstance(learner, NGram) and learner.encoding is None:
        reading = learner.read(real)
        assert isinstance(reading, Counts)
        return replace(learner, encoding=Remembering(reading.encoding.json))
    if learner.name == "gpt":
        from assay.models.gpt import GPT, GPTReading

        if isinstance(learner, GPT) and learner.encoding is None:
            read = learner.read(real)
            assert isinstance(read, GPTReading)
            return replace(learner, encoding=Remembering(read.bpe.json))
    return learner
