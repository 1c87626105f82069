"""What a model is to learn from the rows: their class, their text, or the answers to their prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.core.corpus import SLICE_PREFIX, Corpus
from assay.models.learner import Examples, Part

Task = Literal["classification", "language-model", "chat"]
LEARNERS: Mapping[Task, tuple[str, ...]] = {  # the first is the default
    "classification": ("linear", "finetune"),
    "language-model": ("ngram", "gpt", "finetune"),
    "chat": ("ngram", "gpt", "finetune"),
}
_CHATS = {"prompt-completion", "messages", "sharegpt", "alpaca", "preference", "kto", "stepwise"}
_COLUMNS = ["text", "prompt", "response", "rejected", "messages", "label", "root"]
_UNWANTED = {"false", "0", "undesirable"}  # how the shape kto marks an answer that nobody should learn


@dataclass(frozen=True)
class Side:
    """The rows of one corpus that the task can use.

    Attributes:
        examples: What a learner sees.
        names: Class of each row by name, shape (rows,); None where the task has none.
        roots: Shape (rows,).
        slices: Values by name, shape (rows,); None where a row has none.
        left_out: Rows that the task cannot use, by reason.
        kept: Where in the corpus each row stands, shape (rows,).
    """

    examples: Examples
    names: npt.NDArray[np.object_]
    roots: npt.NDArray[np.uint64]
    slices: dict[str, npt.NDArray[np.object_]]
    left_out: dict[str, int]
    kept: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.roots)

    @property
    def sizes(self) -> npt.NDArray[np.float64]:
        """What each row's score is divided by, shape (rows,): 1 for a class, the bytes to be learned for text."""
        if self.examples.labels is not None:
            return np.ones(len(self))
        return self.examples.learned_bytes().astype(np.float64)


def task_of(real: Corpus) -> Task:
    """The task that real rows set: classes where they carry labels, answers where they have prompts, else text."""
    labels = real.table(["label"]).column("label")
    labelled = real.shape not in ("kto", "preference") and labels.null_count < real.rows / 2
    if labelled and len(labels.drop_null().unique()) > 1:
        return "classification"
    return "chat" if real.shape in _CHATS else "language-model"


def read_side(corpus: Corpus, task: Task, classes: Sequence[str], slices: tuple[str, ...] = ()) -> Side:
    """The usable rows.

    Args:
        classes: Names of the classes, sorted; rows of another are left out.
    """
    table = corpus.table([*_COLUMNS, *(SLICE_PREFIX + name for name in slices)])
    names = _objects(table.column("label"))
    if task == "classification":
        texts = table.column("text").to_pylist()
        parts: tuple[tuple[Part, ...], ...] = tuple((Part(text),) for text in texts)
        reasons = [
            "without a label"
            if name is None
            else ""
            if name in classes
            else "with a label no real training row has"
            for name in names
        ]
    else:
        parts = tuple(_parts(row, task) for row in table.select(_COLUMNS).to_pylist())
        unwanted = corpus.shape == "kto"
        reasons = [
            _unusable(row, unwanted and str(name).lower() in _UNWANTED)
            for row, name in zip(parts, names, strict=True)
        ]
    keep = np.flatnonzero([not reason for reason in reasons])
    labels = (
        np.searchsorted(np.array(classes, dtype=object), names[keep]) if task == "classification" else None
    )
    rejected = _rejected(table, keep) if corpus.shape == "preference" and task == "chat" else None
    found = sorted({reason for reason in reasons if reason})
    return Side(
        Examples(
            tuple(parts[row] for row in keep), labels, len(classes) if labels is not None else 0, rejected
        ),
        names[keep],
        table.column("root").to_numpy()[keep],
        {name: _objects(table.column(SLICE_PREFIX + name))[keep] for name in slices},
        {f"{corpus.name} rows {reason}": reasons.count(reason) for reason in found},
        keep,
    )


def class_names(real: Corpus) -> tuple[str, ...]:
    """The labels of the real rows, sorted."""
    return tuple(sorted(real.table(["label"]).column("label").drop_null().unique().to_pylist()))


def _parts(row: dict[str, Any], task: Task) -> tuple[Part, ...]:
    if task == "language-model":
        return (Part(row["text"]),)
    if row["messages"]:
        return tuple(
            Part(turn["content"] or "", turn["role"] == "assistant", turn["role"] or "")
            for turn in row["messages"]
        )
    if row["response"] is None:
        return (Part(row["text"], True, "assistant"),)
    return (Part(row["prompt"] or "", False, "user"), Part(row["response"], True, "assistant"))


def _unusable(parts: tuple[Part, ...], unwanted: bool) -> str:
    if unwanted:
        return "judged undesirable"
    return "" if any(part.learned and part.text for part in parts) else "with no text to learn"


def _rejected(table: pa.Table, keep: npt.NDArray[np.int64]) -> tuple[tuple[Part, ...], ...]:
    lost = table.column("rejected").to_pylist()
    return tuple((Part(lost[row] or "", True, "assistant"),) for row in keep)


def _objects(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    return np.array(column.to_pylist(), dtype=object)
