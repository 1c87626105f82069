"""What every learner offers: rows in, many weighted trainings, a score per test item, text out.

A learner reads its rows once (`Learner.read`), trains any number of weightings of them (`Reading.fit`), and what
it trained scores items and, where it writes text, samples it. An arm of the trial is a vector of row weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from assay.core.progress import Progress, silent
from assay.core.trial import Cost

Floats = npt.NDArray[np.float32]

BINS = 15  # of equal width, of how sure a model is


@dataclass(frozen=True)
class Part:
    """A stretch of a row.

    Attributes:
        text: Its text.
        learned: Whether a model is trained and scored on it; else it is only read, as what came before.
        role: Who speaks: `system`, `user`, `assistant`, `tool`; empty for plain text.
    """

    text: str
    learned: bool = True
    role: str = ""


@dataclass(frozen=True)
class Examples:
    """Rows as learners see them.

    Attributes:
        parts: The stretches of each row, in order. Plain text is one learned part; an answer to a prompt is the
            prompt, not learned, and the answer, learned; a chat learns each assistant turn given all before it.
        labels: Class of each row, 0 to classes - 1, shape (rows,); None where the task has none.
        classes: Number of classes; 0 where the task has none.
        rejected: The last answer that lost against the row's own, as parts in place of its learned ones; None where
            rows are no pairs.
    """

    parts: tuple[tuple[Part, ...], ...]
    labels: npt.NDArray[np.int64] | None = None
    classes: int = 0
    rejected: tuple[tuple[Part, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.parts)

    def take(self, rows: npt.NDArray[np.int64]) -> Examples:
        """Some rows, in the order given."""
        return Examples(
            tuple(self.parts[row] for row in rows),
            None if self.labels is None else self.labels[rows],
            self.classes,
            None if self.rejected is None else tuple(self.rejected[row] for row in rows),
        )

    def losing(self) -> Examples:
        """Each row with the answer that lost in place of its own last one; no rows where rows are no pairs."""
        found = []
        for row, lost in zip(self.parts, self.rejected or (), strict=self.rejected is not None):
            kept = len(row)
            while kept and row[kept - 1].learned:
                kept -= 1
            # Turns that a pair has in common may be learned too; as many parts as were rejected give way.
            kept = max(kept, len(row) - len(lost))
            found.append((*row[:kept], *(replace(part, learned=True) for part in lost)))
        return Examples(tuple(found))

    def learned_bytes(self) -> npt.NDArray[np.int64]:
        """UTF-8 bytes of the learned parts of each row, shape (rows,)."""
        return np.array(
            [sum(len(part.text.encode()) for part in row if part.learned) for row in self.parts],
            dtype=np.int64,
        )


@dataclass(frozen=True)
class Scored:
    """What a block of trained arms did on items.

    Attributes:
        gain: Higher is better, shape (arms, items): right (1) or wrong (0) for classes; minus the bits of the
            learned parts for text, so that the sum over items divided by their bytes is minus the bits per byte.
        over: Sums of confidence minus correctness within bins of confidence, shape (arms, items, bins), over the
            item's decisions (one per item for classes, one per token for text); None where a learner has no
            cheap confidence.
        decisions: How many decisions `over` sums for each item, shape (items,); None with `over`.
        preferred: Whether the row's answer is likelier per byte than the rejected one, shape (arms, items); None
            where rows are no pairs.
        chosen: The class that was chosen, shape (arms, items); None where there are none.
    """

    gain: Floats
    over: Floats | None = None
    decisions: npt.NDArray[np.int64] | None = None
    preferred: npt.NDArray[np.bool_] | None = None
    chosen: npt.NDArray[np.int16] | None = None


@dataclass(frozen=True)
class Sampling:
    """How text is drawn.

    Attributes:
        temperature: Divides the logits; 0 takes the likeliest.
        top_p: Keeps the likeliest tokens up to this mass (Holtzman et al. 2020).
        beams: More than one searches for the likeliest text instead of drawing.
        most_tokens: Where a text ends at the latest.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    beams: int = 1
    most_tokens: int = 256


class Fitted(Protocol):
    """A block of trained arms."""

    @property
    def arms(self) -> npt.NDArray[np.int64]:
        """Which rows of the weights they are, shape (arms of the block,)."""
        ...

    @property
    def costs(self) -> tuple[Cost, ...]:
        """What each of them took."""
        ...

    def score(self, items: Examples) -> Scored:
        """Every arm of the block on every item."""
        ...

    def sample(
        self, number: int, sampling: Sampling, seed: int, prompts: Sequence[Sequence[Part]] | None = None
    ) -> list[list[str]]:
        """`number` texts by each arm, from nothing or one for each prompt.

        Raises: EngineError: the learner writes no text.
        """
        ...


class Reading(Protocol):
    """Rows a learner has read: tokenised and counted once, whatever is trained on them."""

    def expect(self, weights: npt.NDArray[np.float32]) -> tuple[Cost, ...]:
        """What each arm will cost on this machine, shape of weights (arms, rows); measured by a short probe."""
        ...

    def fit(
        self,
        weights: npt.NDArray[np.float32],
        seeds: npt.NDArray[np.int64],
        progress: Progress = silent,
        done: npt.NDArray[np.bool_] | None = None,
    ) -> Iterator[Fitted]:
        """Train the arms in blocks that depend on the weights alone; together they are all arms.

        Args:
            weights: How often each row counts in each arm, not negative, shape (arms, rows).
            seeds: Of each arm's own randomness (order of rows, first weights), shape (arms,).
            done: Arms that need no training any more, shape (arms,); a block of only such arms is passed over.
        """
        ...


class Learner(Protocol):
    """A way to train a model on weighted rows. Its settings are frozen when it is made."""

    @property
    def name(self) -> str:
        """`linear`, `ngram`, `gpt` or `finetune`."""
        ...

    def read(self, rows: Examples) -> Reading:
        """Take in the rows that arms will weigh."""
        ...


def calibration(sure: Floats, right: Floats) -> Floats:
    """`Scored.over` of one decision per item: how far confidence exceeds correctness, in its bin of confidence.

    Args:
        sure: Probability of what was chosen, shape (arms, items).
        right: Whether it was right, 1 or 0, shape (arms, items).
    Returns: Shape (arms, items, BINS).
    """
    out = np.zeros((*sure.shape, BINS), dtype=np.float32)
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    np.put_along_axis(out, place[..., None], (sure - right)[..., None], axis=2)
    return out
