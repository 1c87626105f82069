"""What users ask and assistants answer: repeats among the questions, faults among the answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.annotate.refusals import refuses
from assay.audit.annotate.repeats import repeats
from assay.audit.annotate.repetition import repeats_itself
from assay.audit.rows import NEAR, Bools, Index, Rows
from assay.audit.turns import Turns, said_by
from assay.engine.sketch import sketch_batches
from assay.kernels.exact import row_hashes
from assay.kernels.minhash import clusters
from assay.kernels.text import tokens


@dataclass(frozen=True)
class Asked:
    """What the user side of each row says; every array of shape (rows,).

    Attributes:
        filled: The row has a prompt with words.
        exact_group, near_group: Prompts of one group say the same, word for word or nearly.
        exact_repeat, near_repeat: An earlier row asks the same.
    """

    filled: Bools
    exact_group: npt.NDArray[np.uint64]
    near_group: Index
    exact_repeat: Bools
    near_repeat: Bools

    def with_repeats(self) -> Asked:
        """The same rows as if there were no others: only repeats of each other count."""
        return replace(
            self,
            exact_repeat=repeats(self.exact_group, self.filled),
            near_repeat=repeats(self.near_group, self.filled),
        )


@dataclass(frozen=True)
class Answered:
    """How many answers each row holds and how many of them are faulty; every array of shape (rows,)."""

    turns: Index
    empty: Index
    refusal: Index
    repetition: Index


def asked(rows: Rows) -> Asked:
    """What the rows of a batch ask, in chats all that the user says in one conversation."""
    words = rows.prompt_words
    filled, nowhere = np.diff(words.offsets) > 0, np.zeros(len(rows), bool)
    return Asked(filled, row_hashes(words), np.zeros(len(rows), np.int64), nowhere, nowhere)


def asked_alike(rows: Rows) -> Index:
    """Groups of rows whose prompts nearly say the same, shape (rows,)."""
    if not rows.asks:
        return np.arange(len(rows))
    return clusters(
        sketch_batches(
            rows.batches(), lambda each: tokens(each.prompt), len(rows), rows.folder, threshold=NEAR
        )
    )


def answered(rows: Rows) -> Answered:
    """Faults among the answers of `rows`: the assistant's turns in a chat, else the one answer there is."""
    turns = answers(rows)
    words = rows.answer_words if turns.text is rows.answer else tokens(turns.text)
    faults = (np.diff(words.offsets) == 0, refuses(turns.text), repeats_itself(words))
    counts = (np.bincount(turns.row[fault], minlength=len(rows)) for fault in faults)
    return Answered(np.bincount(turns.row, minlength=len(rows)), *counts)


def answers(rows: Rows) -> Turns:
    """Every turn of an assistant; of rows that have none, the answer."""
    turns = said_by(rows.messages, "assistant")
    alone = np.bincount(turns.row, minlength=len(rows)) == 0
    if alone.all():
        return Turns(rows.answer, np.arange(len(rows)))
    rest = rows.answer.filter(pa.array(alone))
    return Turns(pa.concat_arrays([turns.text, rest]), np.concatenate([turns.row, np.flatnonzero(alone)]))
