"""What fine-tuning minimises on text, on classes and on pairs, and the same models scored.

Everything goes through windows of rows in batches that fit into memory, so a row of any length is learned from
and scored whole, and a step may be larger than a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from assay.models.encoding import Bools, Encoded, Ints, windows
from assay.models.learner import Floats
from assay.models.lora import Tunable
from assay.models.pretrained import imported

BINS = 15
# How far a policy may leave the base: the usual value of Rafailov et al.
_BETA = 0.1
_LOGITS_AT_ONCE = {"cpu": 2**26, "cuda": 2**29}
_TOKENS_AT_ONCE = {"cpu": 8_192, "cuda": 65_536}


class Stretch(NamedTuple):
    """A window's tokens, shape (tokens,), and which of them count, shape (tokens,); never the first."""

    ids: Ints
    counts: Bools


Stretches = list[list[Stretch]]


class Guesses(NamedTuple):
    """Of one stretch, over its tokens that count: nats, the likeliest token's chance, whether it is the right one."""

    nats: Floats
    confidence: Floats
    right: Bools


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


def stretches(rows: Sequence[Encoded], counts: Sequence[Bools], most: int) -> Stretches:
    """The windows of each row in which anything counts, every token in one of them only."""
    found: Stretches = []
    for place, (row, wanted) in enumerate(zip(rows, counts, strict=True)):
        found.append([])
        for window in windows(place, len(row.ids), wanted, most):
            inside = wanted[window.start : window.stop].copy()
            inside[: window.fresh - window.start] = False
            found[-1].append(Stretch(row.ids[window.start : window.stop], inside))
    return found


@dataclass(frozen=True)
class Passes:
    """A model read forward and backward, over as many stretches at once as memory allows.

    Attributes:
        tunable: The model and its head.
        fill: The token that fills short rows up; it is never looked at.
    """

    tunable: Tunable
    fill: int

    def learn(self, given: Sequence[Stretch], weights: Sequence[float]) -> None:
        """Add the gradient of the sum of nats of all tokens that count, times each stretch's weight."""
        torch = imported("torch")
        for places in self._batches([len(stretch.ids) for stretch in given]):
            ids, mask = self._padded([given[place] for place in places])
            weight = torch.tensor([weights[place] for place in places], device=self.tunable.device)
            where = mask[:, 1:]
            with self._precision():
                logits = self._logits(ids)[where]
            nats = torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][where], reduction="none")
            (nats * weight[:, None].expand_as(where)[where]).sum().backward()

    def guess(self, given: Sequence[Stretch]) -> Iterator[tuple[int, Guesses]]:
        """The place of each stretch, in some order, and what the model makes of its tokens that count."""
        torch = imported("torch")
        for places in self._batches([len(stretch.ids) for stretch in given]):
            ids, mask = self._padded([given[place] for place in places])
            where = mask[:, 1:]
            with torch.inference_mode(), self._precision():
                logits = self._logits(ids)[where].float()
                wanted = ids[:, 1:][where]
                total = logits.logsumexp(dim=1)
                nats = total - logits.gather(1, wanted[:, None])[:, 0]
                top, likeliest = logits.max(dim=1)
                confidence, right = (top - total).exp(), likeliest == wanted
            ends = where.sum(dim=1).cumsum(dim=0).cpu().numpy()[:-1]
            columns = (np.split(each.cpu().numpy(), ends) for each in (nats, confidence, right))
            for place, *columns_of_one in zip(places, *columns, strict=True):
                yield place, Guesses(*columns_of_one)

    def nats(self, rows: Stretches) -> npt.NDArray[np.float64]:
        """Sum over the tokens of each row that count, shape (rows,)."""
        owner = [row for row, found in enumerate(rows) for _ in found]
        out = np.zeros(len(rows))
        for place, guesses in self.guess([stretch for found in rows for stretch in found]):
            out[owner[place]] += guesses.nats.sum(dtype=np.float64)
        return out

    def learn_classes(self, given: Sequence[Ints], labels: Ints, weights: Sequence[float]) -> None:
        """Add the gradient of each stretch's nats of its class, times its weight."""
        torch = imported("torch")
        for places in self._batches([len(ids) for ids in given]):
            wanted = torch.as_tensor(labels[places], device=self.tunable.device)
            weight = torch.tensor([weights[place] for place in places], device=self.tunable.device)
            logits = self._class_logits([given[place] for place in places])
            nats = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
            (nats * weight).sum().backward()

    def classes(self, given: Sequence[Ints]) -> npt.NDArray[np.float64]:
        """Log chance of each class, shape (stretches, classes)."""
        torch = imported("torch")
        out = np.zeros((len(given), self.tunable.head.out_features))
        for places in self._batches([len(ids) for ids in given]):
            with torch.inference_mode():
                logits = self._class_logits([given[place] for place in places])
                out[places] = logits.double().log_softmax(dim=1).cpu().numpy()
        return out

    def _class_logits(self, given: Sequence[Ints]) -> Any:
        """The head on the state of each stretch's last token."""
        torch = imported("torch")
        ids, mask = self._padded([Stretch(ids, np.ones(len(ids), np.bool_)) for ids in given])
        with self._precision():
            read = self.tunable.model.base_model(input_ids=ids, attention_mask=mask.long(), use_cache=False)
        last = mask.sum(dim=1) - 1
        states = read.last_hidden_state[torch.arange(len(given), device=ids.device), last]
        return self.tunable.head(states.float())

    def _logits(self, ids: Any) -> Any:
        # Rows are filled up on the right, where no earlier token looks, so no mask of attention is needed.
        return self.tunable.model(input_ids=ids[:, :-1], use_cache=False).logits

    def _padded(self, given: Sequence[Stretch]) -> tuple[Any, Any]:
        torch = imported("torch")
        width = max(2, *(len(stretch.ids) for stretch in given))
        ids = np.full((len(given), width), self.fill, np.int64)
        mask = np.zeros((len(given), width), np.bool_)
        for row, stretch in enumerate(given):
            ids[row, : len(stretch.ids)] = stretch.ids
            mask[row, : len(stretch.ids)] = stretch.counts
        device = self.tunable.device
        return torch.as_tensor(ids, device=device), torch.as_tensor(mask, device=device)

    def _batches(self, lengths: Sequence[int]) -> Iterator[Ints]:
        """Places of stretches of like length, as many as fit with what fills them up."""
        kind = "cuda" if self.tunable.device.type == "cuda" else "cpu"
        vocabulary = self.tunable.model.get_input_embeddings().num_embeddings
        room = min(_TOKENS_AT_ONCE[kind], _LOGITS_AT_ONCE[kind] // vocabulary)
        order = np.argsort(lengths, kind="stable")[::-1]
        while len(order):
            fits = max(1, room // max(2, lengths[order[0]]))
            yield order[:fits]
            order = order[fits:]

    def _precision(self) -> AbstractContextManager[Any]:
        if self.tunable.device.type != "cuda":
            return nullcontext()
        torch = imported("torch")
        return torch.autocast("cuda", dtype=torch.bfloat16)  # type: ignore[no-any-return]


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


def class_stretches(rows: Sequence[Encoded], most: int) -> list[list[Ints]]:
    """The windows of each row; a class is asked of each."""
    return [
        [row.ids[w.start : w.stop] for w in windows(place, len(row.ids), None, most)]
        for place, row in enumerate(rows)
    ]


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


def class_scores(passes: Passes, rows: list[list[Ints]], labels: Ints) -> tuple[Bools, Floats]:
    """Whether each row's likeliest class is right, shape (rows,); confidence minus that in its bin, (rows, BINS)."""
    logs = passes.classes([ids for row in rows for ids in row])
    starts = np.cumsum([0] + [len(row) for row in rows])[:-1]
    mean = np.add.reduceat(logs, starts) / np.array([[len(row)] for row in rows])
    chances = np.exp(mean - mean.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    right = chances.argmax(axis=1) == labels
    confidence = chances.max(axis=1)
    over = np.zeros((len(rows), BINS), np.float32)
    over[np.arange(len(rows)), _bins(confidence)] = confidence - right
    return right, over


def _bins(confidence: npt.NDArray[np.floating]) -> Ints:
    return np.minimum((confidence * BINS).astype(np.int64), BINS - 1)


def _lengths(rows: Stretches) -> Ints:
    return np.array([sum(len(stretch.ids) for stretch in row) for row in rows], np.int64)
