"""A small transformer language model trained from scratch, many arms and seeds as one batched network."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError, MissingExtra
from assay.core.progress import Progress, silent
from assay.core.trial import Cost
from assay.models.bpe import BPE, train_bpe
from assay.models.gpt_rows import Pieces, tokenised
from assay.models.gpt_shape import Shape
from assay.models.learner import Examples, Part, Sampling, Scored

if TYPE_CHECKING:
    import torch

    from assay.models.gpt_network import Network
    from assay.models.gpt_training import Plan

DEPTH = 3
# Tokens hardly change with more text than this, and learning them takes a while.
_CHARACTERS_OF_TOKENS = 4_000_000


@dataclass(frozen=True)
class GPT:
    """Trains small transformers on rows, from nothing.

    Attributes:
        depth: The one dial: layers; all else follows from it (`Shape.of`). At 3, 1.7 million parameters.
        shape: In place of the dial, every setting by hand.
        encoding: Tokens learned before, instead of learning them from the rows.
        device: `cpu`, `cuda` or `cuda:1`; None takes a GPU where there is one.
    """

    depth: int = DEPTH
    shape: Shape | None = None
    encoding: BPE | None = None
    device: str | None = None
    name: str = field(default="gpt", init=False)

    def read(self, rows: Examples) -> GPTReading:
        """Learn the tokens from all rows, whatever arms weigh of them, and cut the rows into pieces.

        Raises:
            MissingExtra: torch or the tokenizers are not installed.
            InputError: there are no rows, or the depth is out of range.
        """
        if importlib.util.find_spec("torch") is None:
            raise MissingExtra("torch", "train", purpose="The learner gpt")
        if not len(rows):
            raise InputError("a language model needs rows to be trained on")
        shape = self.shape or Shape.of(self.depth)
        bpe = self.encoding or _learned(rows, shape.vocabulary)
        return GPTReading(shape, bpe, Pieces.cut(rows.parts, bpe, shape.context), self.device)


def _learned(rows: Examples, size: int) -> BPE:
    texts = [part.text for parts in rows.parts for part in parts]
    every = max(1, -(-sum(map(len, texts)) // _CHARACTERS_OF_TOKENS))
    return train_bpe(texts[::every], size)


@dataclass(frozen=True)
class GPTReading:
    """Rows as tokens.

    Attributes:
        shape: The network and its training.
        bpe: The tokenizer.
        pieces: The rows, cut to the context.
        device: As given to `GPT`.
    """

    shape: Shape
    bpe: BPE
    pieces: Pieces
    device: str | None

    def expect(self, weights: npt.NDArray[np.float32]) -> tuple[Cost, ...]:
        """What each arm will cost, shape of weights (arms, rows).

        Tokens and operations are counted; the seconds are an arm's steps times what a step takes within the first
        block, measured over a few that are thrown away. Scoring is not in it.
        """
        from assay.models.gpt_training import probe

        plans = self._plans(weights, np.zeros(len(weights), np.int64))
        seconds = probe(self._network, self.pieces, plans, self._device) if plans and plans[0].steps else 0.0
        costs = {plan.arm: self._cost(plan, seconds * plan.steps) for plan in plans}
        return tuple(costs[arm] for arm in range(len(weights)))

    def fit(
        self,
        weights: npt.NDArray[np.float32],
        seeds: npt.NDArray[np.int64],
        progress: Progress = silent,
        done: npt.NDArray[np.bool_] | None = None,
    ) -> Iterator[GPTFitted]:
        """Train every arm, those with most steps first, in blocks that the memory holds.

        An arm reads each row as often as its weight says, times the epochs, and takes as many steps as that fills.
        Arms of one seed start from the same weights and read the rows they share in the same order.

        Args:
            weights: How often each row counts in each arm, not negative, shape (arms, rows).
            seeds: Of each arm, shape (arms,).
            progress: Hears the steps of all arms.
            done: Arms that need no training, shape (arms,); blocks of only such arms are passed over.
        Yields: The trained arms in blocks; together they are all arms.
        """
        from assay.models.gpt_training import blocks, train

        wanted = [
            planned
            for planned in blocks(self._network, self._plans(weights, seeds), self._device)
            if done is None or not all(done[plan.arm] for plan in planned)
        ]
        total, taken = sum(plan.steps for planned in wanted for plan in planned), 0

        def told(active: int) -> None:
            nonlocal taken
            taken += active
            progress("steps", taken, total, "steps")

        for planned in wanted:
            trained, seconds = train(self._network, self.pieces, planned, self._device, told)
            share = seconds / max(1, sum(plan.steps for plan in planned))
            yield GPTFitted(
                arms=np.array([plan.arm for plan in planned], np.int64),
                costs=tuple(self._cost(plan, share * plan.steps) for plan in planned),
                seeds=np.array([plan.seed for plan in planned], np.int64),
                network=self._network,
                weights=trained,
                bpe=self.bpe,
            )

    @property
    def _network(self) -> Network:
        from assay.models.gpt_network import Network

        return Network(self.shape, self.bpe.vocabulary)

    @property
    def _device(self) -> torch.device:
        import torch

        return torch.device(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))

    def _plans(self, weights: npt.NDArray[np.float32], seeds: npt.NDArray[np.int64]) -> list[Plan]:
        from assay.models.gpt_training import plans

        return plans(self._network, self.pieces, weights, seeds)

    def _cost(self, plan: Plan, seconds: float) -> Cost:
        flops = self.shape.flops(self.bpe.vocabulary) * plan.tokens
        return Cost(seconds=seconds, tokens=plan.tokens, flops=flops)


@dataclass(frozen=True)
class GPTFitted:
    """A block of trained transformers.

    Attributes:
        arms: Which rows of the weights, shape (arms of the block,).
        costs: Of each of them.
        seeds: Of each of them.
        network: How to read the parameters.
        weights: The parameters, shape (arms of the block, parameters).
        bpe: The tokenizer.
    """

    arms: npt.NDArray[np.int64]
    costs: tuple[Cost, ...]
    seeds: npt.NDArray[np.int64]
    network: Network
    weights: torch.Tensor
    bpe: BPE

    def score(self, items: Examples) -> Scored:
        """Minus the bits of every item's learned parts and of the boundaries that end them; calibration by token."""
        from assay.models.gpt_scoring import judge

        found = judge(self.network, self.weights, self._pieces(items.parts))
        preferred = None
        if items.rejected is not None:
            other = items.losing()
            lost = judge(self.network, self.weights, self._pieces(other.parts)).bits
            ours, theirs = (np.maximum(each.learned_bytes(), 1) for each in (items, other))
            preferred = found.bits / ours < lost / theirs
        return Scored(
            gain=-found.bits.astype(np.float32),
            over=found.over.astype(np.float32),
            decisions=found.decisions,
            preferred=preferred,
        )

    def sample(
        self, number: int, sampling: Sampling, seed: int, prompts: Sequence[Sequence[Part]] | None = None
    ) -> list[list[str]]:
        """`number` texts by each arm from nothing, or one for each prompt.

        A text ends at a boundary or after `most_tokens`. What is drawn depends on `seed` and on the seed that the arm
        was trained with, so that arms of one seed differ by what they learned and seeds are independent of each other.
        With beams, texts are the likeliest per token that the search meets, and from nothing all are the same.

        Raises: InputError: a temperature below 0, a mass outside (0, 1], no beam or no token.
        """
        from assay.models.gpt_sampling import write

        if (
            sampling.temperature < 0
            or not 0 < sampling.top_p <= 1
            or min(sampling.beams, sampling.most_tokens) < 1
        ):
            raise InputError(f"text can't be drawn with {sampling}")
        given = [()] * number if prompts is None else prompts
        starts = [tokens for tokens, _ in tokenised(given, self.bpe)]
        seeds = [(seed, own) for own in self.seeds.tolist()]
        texts = write(self.network, self.weights, starts, self.bpe.boundary, sampling, seeds)
        return [[self.bpe.decode(tokens) for tokens in arm] for arm in texts]

    def _pieces(self, rows: Sequence[Sequence[Part]]) -> Pieces:
        return Pieces.cut(rows, self.bpe, self.network.shape.context)
