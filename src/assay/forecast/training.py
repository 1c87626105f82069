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
from assay.forecast.rows import asked, joined, taken
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
        return Scored(
            block.gain[here],
            None if block.over is None else block.over[here],
            block.decisions,
            chosen=None if block.chosen is None else block.chosen[here],
        )

    def write(self, number: int, sampling: Sampling, seed: int, prompts: Prompts) -> list[str]:
        """Texts by this arm."""
        return self.batch.write(number, sampling, seed, prompts)[self.place]


Work = Callable[[int, Trained], T]


class Trainer:
    """A learner whose pieces of text are learned once, from the real rows.

    Attributes:
        fits: Which of the real rows ask no more than the learner can read, shape (rows,).
        most_tokens: That it can write after any of those; None sets no limit.
    """

    def __init__(self, learner: Learner, real: Examples) -> None:
        """Raises: InputError: every prompt is longer than what the learner can read."""
        self.learner = _with_encoding(learner, real)
        self.fits, self.most_tokens = _room(self.learner, real)

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

    def luck(self, drawn: int, seed: int) -> int:
        """What text is drawn with: one number for all seeds where a batch tells them apart, for each its own else."""
        return drawn if self.learner.name == "gpt" else drawn + seed

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
    """The class that the model gives each row, and how sure it is, each of shape (rows,)."""
    scored = model.score(rows)
    assert scored.chosen is not None
    assert scored.over is not None
    # Confidence minus correctness lies in one bin of each row, and correctness is the gain.
    sure = scored.over[0].sum(axis=1, dtype=np.float64) + scored.gain[0]
    return scored.chosen[0].astype(np.int64), sure


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


def _room(learner: Learner, real: Examples) -> tuple[npt.NDArray[np.bool_], int | None]:
    """See `Trainer`: a pretrained model reads so many tokens; the others read what lies nearest."""
    every = np.ones(len(real), bool)
    if learner.name != "finetune" or real.labels is not None or not len(real):
        return every, None
    from assay.models.finetune import Tuning

    reading = learner.read(taken(real, np.arange(1)))
    assert isinstance(reading, Tuning)
    encoder, context = reading.encoder, reading.base.context
    lengths = np.array([len(encoder.prompt(prompt)) for prompt in asked(real) or [()] * len(real)])
    fits = lengths <= context // 2
    if not fits.any():
        raise InputError(
            f"the shortest prompt takes {lengths.min():,} of the {context:,} tokens that the model reads, more than half",
            where=reading.base.name,
            fix="Shorten the prompts, or give --base a model that reads more.",
        )
    return fits, context - int(lengths[fits].max())
