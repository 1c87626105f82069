"""Where rows have two sides: do users ask the same again, and which of the assistant's turns are broken?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.roles import Answered
from assay.audit.probe import Floats, Probe
from assay.audit.rows import Bools, Rows

USER, ASSISTANT = {"role": "user"}, {"role": "assistant"}


def role_probes(rows: Rows) -> tuple[Probe, ...]:
    """The user's side where rows have prompts; the assistant's, turn by turn, where they are chats."""
    return (*(_ASKED if rows.asks else ()), *(_ANSWERED if rows.chats else ()))


def _repeated(name: str, said: str, repeat: Callable[[Columns], Bools]) -> Probe:
    def tally(columns: Columns) -> Floats:
        return np.column_stack([repeat(columns), columns.asked.filled]).astype(float)

    return Probe(
        name,
        tally,
        f"rows whose prompt, in a chat all that the user says, {said} that of an earlier row / rows with one; "
        "as many real rows as synthetic ones",
        equal_rows=True,
        slice=USER,
    )


def _faulty(name: str, said: str, fault: Callable[[Answered], np.ndarray]) -> Probe:
    def tally(columns: Columns) -> Floats:
        return np.column_stack([fault(columns.answered), columns.answered.turns]).astype(float)

    return Probe(
        name, tally, f"turns of the assistant that {said} / its turns", slice=ASSISTANT, unit="share of turns"
    )


_ASKED = (
    _repeated("duplicates.exact_share", "repeats the words of", lambda columns: columns.asked.exact_repeat),
    _repeated("duplicates.near_share", "nearly repeats", lambda columns: columns.asked.near_repeat),
)
_ANSWERED = (
    _faulty("quality.empty_share", "hold no word", lambda found: found.empty),
    _faulty("quality.refusal_share", "refuse or speak of the assistant", lambda found: found.refusal),
    _faulty("quality.repetition_share", "repeat themselves", lambda found: found.repetition),
)
