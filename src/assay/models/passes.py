"""A pretrained model read forward and backward over windows of rows, in batches that fit into memory.

So a row of any length is learned from and scored whole, and a step may be larger than a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from assay.models.encoding import Bools, Encoded, Ints, windows
from assay.models.learner import Floats
from assay.models.lora import Tunable
from assay.models.pretrained import imported

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


def class_stretches(rows: Sequence[Encoded], most: int) -> list[list[Ints]]:
    """The windows of each row; a class is asked of each."""
    return [
        [row.ids[w.start : w.stop] for w in windows(place, len(row.ids), None, most)]
        for place, row in enumerate(rows)
    ]


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
