"""The learner that fine-tunes a pretrained language model, by adapters of low rank or as a whole.

Arms are trained one after another from the same base, which is loaded once. Chats go through the model's own
template and only the answers are learned and scored; labelled rows train a head on the last token; pairs are
learned by direct preference optimisation. Dropout is off, so that arms differ by their rows alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.core.errors import EngineError, InputError
from assay.core.progress import Progress, silent
from assay.core.trial import Cost
from assay.models.encoding import Encoded, Encoder, Ints
from assay.models.endpoint import SMOLLM2
from assay.models.learner import Examples, Part, Sampling, Scored
from assay.models.lora import Kept, Method, Tunable
from assay.models.objective import Classes, Objective, Pairs, Text, class_scores, text_scores
from assay.models.passes import Passes, Stretches, class_stretches, stretches
from assay.models.pretrained import Base, imported, open_base
from assay.models.schedule import height, schedule
from assay.models.writing import write

_RATES: dict[Method, float] = {"lora": 5e-4, "full": 5e-5}
_PAIR_RATE = 0.1  # of the others: pairs drive a model away from the base as far as the rate allows
_LARGEST_GRADIENT = 1.0
_PROBE_STEPS = 3
_PROBE_TOKENS = 1_024


@dataclass(frozen=True)
class Finetune:
    """Settings of the learner.

    Attributes:
        base: The model to start from, as `pretrained.open_base` takes it.
        method: ``lora`` trains adapters beside every linear layer, ``full`` every weight.
        rank: Of the adapters.
        epochs: How often a row of weight one is seen.
        learning_rate: At its height; it rises over the first tenth of the steps and falls to zero over the rest.
            None takes 5e-4 for ``lora`` and 5e-5 for ``full``, a tenth of that for pairs.
        batch: Rows per step.
        most_tokens: Tokens that the model reads at once; longer rows are read in overlapping windows.
        device: As torch names it; ``auto`` takes a GPU where there is one. On a GPU, passes run in bfloat16.

    Source: Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization (the optimiser; without decay).
    """

    base: str = SMOLLM2
    method: Method = "lora"
    rank: int = 16
    epochs: int = 1
    learning_rate: float | None = None
    batch: int = 8
    most_tokens: int = 1024
    device: str = "auto"

    name = "finetune"

    def __post_init__(self) -> None:
        """Raises: InputError: a setting that cannot be."""
        if self.method not in _RATES:
            raise InputError(f"no method {self.method!r}", fix="Use 'lora' or 'full'.")
        if min(self.rank, self.epochs, self.batch) < 1 or self.most_tokens < 8:
            raise InputError("rank, epochs and batch must be 1 or more, most_tokens 8 or more")
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise InputError(f"learning_rate is {self.learning_rate}, which is not between 0 and 1")

    def read(self, rows: Examples) -> Tuning:
        """Open the base and turn the rows into its tokens.

        Raises: MissingExtra, InputError, EngineError: as `pretrained.open_base`; InputError: the model's chat
            template does not take the turns of a row.
        """
        base = open_base(self.base, device=self.device, frozen=self.method == "lora")
        classes = rows.classes if rows.labels is not None else 0
        return Tuning(
            self, base, Encoder(base.tokenizer), Tunable(base, self.method, self.rank, classes), rows
        )


class Tuning:
    """Rows as tokens of a base, ready for any number of arms.

    Attributes:
        base: The model that arms start from.
        tokens: What each row costs an arm, shape (rows,).
    """

    def __init__(
        self, settings: Finetune, base: Base, encoder: Encoder, tunable: Tunable, rows: Examples
    ) -> None:
        self.settings, self.base = settings, base
        self.encoder, self.tunable = encoder, tunable
        self.most = min(settings.most_tokens, base.context)
        self.passes = Passes(tunable, encoder.end)
        self._objective = self._made(rows)
        self.tokens = self._objective.tokens

    def expect(self, weights: npt.NDArray[np.float32]) -> tuple[Cost, ...]:
        """What each arm will cost: a few steps on some of the rows are timed, and thrown away.

        Operations are counted as 6 per weight and token where every weight is trained: 2 forward, 2 for the
        gradient of what passes through and 2 for that of the weights, of which adapters spare the base the last.

        Source: Kaplan et al. 2020, Scaling Laws for Neural Language Models, section 2.1.
        """
        tokens = weights.astype(np.float64) @ self.tokens * self.settings.epochs
        used = np.flatnonzero((weights > 0).any(axis=0))
        seconds = self._seconds_per_token(used) if len(used) else 0.0
        return tuple(self._cost(float(each), seconds * float(each)) for each in tokens)

    def fit(
        self,
        weights: npt.NDArray[np.float32],
        seeds: npt.NDArray[np.int64],
        progress: Progress = silent,
        done: npt.NDArray[np.bool_] | None = None,
    ) -> Iterator[Tuned]:
        """Train the arms one after another; each block is one arm.

        Equal seeds give arms the same order of rows, the same draws and the same first adapters.

        Args:
            done: Arms that need no training, shape (arms,).

        Raises: EngineError: a training diverged.
        """
        orders = {
            arm: schedule(weights[arm], self.settings.epochs, int(seeds[arm]))
            for arm in range(len(weights))
            if done is None or not done[arm]
        }
        total = sum(-(-len(order) // self.settings.batch) for order in orders.values())
        taken = 0

        def step() -> None:
            nonlocal taken
            taken += 1
            progress("steps", taken, total, "steps")

        if orders:
            self.tunable.reset(0)
            self._objective.prepare()
        for arm, order in orders.items():
            seed = seeds[arm]
            started = time.perf_counter()
            self._train(order, int(seed), self.settings.batch, step)
            kept = self.tunable.take()
            cost = self._cost(float(self.tokens[order].sum()), time.perf_counter() - started)
            yield Tuned(np.array([arm], np.int64), (cost,), self, kept)

    def encode(self, parts: Sequence[Sequence[Part]]) -> list[Encoded]:
        """Rows as tokens. Raises: InputError: the chat template does not take a row's turns."""
        found = []
        for place, row in enumerate(parts):
            try:
                found.append(self.encoder.encode(row))
            except InputError as error:
                raise InputError(error.what, where=f"row {place}", fix=error.fix) from error
        return found

    def scored(self, parts: Sequence[Sequence[Part]]) -> Stretches:
        """The windows of rows in which the learned parts count, without marks."""
        rows = self.encode(parts)
        return stretches(rows, [row.scored for row in rows], self.most)

    def class_windows(self, parts: Sequence[Sequence[Part]]) -> list[list[Ints]]:
        """The windows of rows at whose ends a class is asked."""
        return class_stretches(self.encode(parts), self.most)

    def _made(self, rows: Examples) -> Objective:
        if rows.labels is not None:
            return Classes(self.passes, self.class_windows(rows.parts), rows.labels)
        trained = self._trained(rows.parts)
        if rows.rejected is not None:
            return Pairs(self.passes, trained, self._trained(rows.losing().parts))
        return Text(self.passes, trained)

    def _trained(self, parts: Sequence[Sequence[Part]]) -> Stretches:
        rows = self.encode(parts)
        return stretches(rows, [row.trained for row in rows], self.most)

    def _train(self, order: Ints, seed: int, batch: int, step: Callable[[], None]) -> None:
        """One arm, from the base, `batch` rows a step."""
        torch = imported("torch")
        self.tunable.reset(seed)
        changeable = self.tunable.changeable()
        rate = self.settings.learning_rate
        if rate is None:
            rate = _RATES[self.settings.method] * (_PAIR_RATE if isinstance(self._objective, Pairs) else 1.0)
        optimiser = torch.optim.AdamW(changeable, lr=rate, weight_decay=0.0)
        steps = -(-len(order) // batch)
        with repeatable(torch, self.tunable):
            for number in range(steps):
                optimiser.zero_grad(set_to_none=True)
                optimiser.param_groups[0]["lr"] = rate * height(number, steps)
                self._objective.backward(order[number * batch : (number + 1) * batch])
                size = torch.nn.utils.clip_grad_norm_(changeable, _LARGEST_GRADIENT)
                if not bool(torch.isfinite(size)):
                    raise EngineError(
                        f"the training diverged at step {number + 1} of {steps}",
                        where=self.base.name,
                        fix=f"Use a learning_rate below {rate:g}.",
                    )
                optimiser.step()
                step()

    def _seconds_per_token(self, used: Ints) -> float:
        """Of a training step, over rows as long as the used ones are; the first step warms up."""
        spread = used[np.argsort(self.tokens[used], kind="stable")]
        rows = max(
            1, min(self.settings.batch, int(_PROBE_TOKENS / max(1.0, float(self.tokens[used].mean()))))
        )
        chosen = spread[np.linspace(0, len(spread) - 1, rows).round().astype(np.int64)]
        marks: list[float] = []
        self._train(np.tile(chosen, _PROBE_STEPS), 0, rows, lambda: marks.append(time.perf_counter()))
        return (marks[-1] - marks[0]) / (_PROBE_STEPS - 1) / max(1, int(self.tokens[chosen].sum()))

    def _cost(self, tokens: float, seconds: float) -> Cost:
        every, changed = self.tunable.parameters
        per_token = 4 * every + 2 * min(every, changed) + 2 * every * self._objective.more_reads
        return Cost(seconds=seconds, tokens=round(tokens), flops=tokens * per_token)


@dataclass(frozen=True)
class Tuned:
    """A trained arm. Its weights go into the shared model when it scores or writes."""

    arms: npt.NDArray[np.int64]
    costs: tuple[Cost, ...]
    tuning: Tuning
    kept: Kept

    def score(self, items: Examples) -> Scored:
        """Right or wrong for classes; for text minus the bits of the learned parts, and which answer is preferred.

        Raises: InputError: classes were trained and the items have no labels.
        """
        tuning = self.tuning
        tuning.tunable.put(self.kept)
        with repeatable(imported("torch"), tuning.tunable):
            if tuning.tunable.head is not None:
                if items.labels is None:
                    raise InputError("the model was trained on labels and these items have none")
                chosen, over = class_scores(tuning.passes, tuning.class_windows(items.parts), items.labels)
                ones = np.ones(len(items), np.int64)
                right = (chosen == items.labels).astype(np.float32)
                return Scored(right[None], over[None], ones, chosen=chosen.astype(np.int16)[None])
            bits, over, tokens = text_scores(tuning.passes, tuning.scored(items.parts))
            preferred = None
            if items.rejected is not None:
                lost = items.losing()
                other, _, _ = text_scores(tuning.passes, tuning.scored(lost.parts))
                sizes = (np.maximum(each.learned_bytes(), 1) for each in (items, lost))
                own_size, lost_size = sizes
                preferred = (bits / own_size < other / lost_size)[None]
            return Scored(-bits.astype(np.float32)[None], over[None], tokens, preferred)

    def sample(
        self, number: int, sampling: Sampling, seed: int, prompts: Sequence[Sequence[Part]] | None = None
    ) -> list[list[str]]:
        """`number` texts from nothing, or one for each prompt, whose answer the chat template opens.

        Raises:
            EngineError: the arm tells classes and writes no text.
            InputError: a prompt and the text do not fit into what the model can read.
        """
        tuning = self.tuning
        if tuning.tunable.head is not None:
            raise EngineError("a model trained on labels writes no text", where=tuning.base.name)
        tuning.tunable.put(self.kept)
        starts = [tuning.encoder.prompt(row) for row in ([()] * number if prompts is None else prompts)]
        with repeatable(imported("torch"), tuning.tunable):
            return [write(tuning.base, tuning.encoder, starts, sampling, seed)]


@contextmanager
def repeatable(torch: Any, tunable: Tunable) -> Iterator[None]:
    """Operations whose result does not change from run to run, while this lasts."""
    before = torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()
    if tunable.device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=lenient)
