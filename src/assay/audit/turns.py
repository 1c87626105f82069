"""What the two sides of a chat say: turns by role, one by one or joined per conversation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Turns:
    """Texts, large_string of shape (turns,), and the row that each stands in."""

    text: pa.Array
    row: npt.NDArray[np.int64]


def said_by(messages: pa.Array, role: str) -> Turns:
    """The turns of one role.

    Args:
        messages: Lists of {role, content}, shape (rows,); null where the row is no chat.
    """
    flat = messages.flatten()
    chosen = pc.fill_null(pc.equal(pc.struct_field(flat, "role"), role), False)
    row = pc.list_parent_indices(messages).filter(chosen).to_numpy()
    return Turns(pc.fill_null(pc.struct_field(flat, "content").filter(chosen), ""), row.astype(np.int64))


def joined(turns: Turns, rows: int) -> pa.Array:
    """Each row's turns with a line feed between them, shape (rows,); null where it has none.

    Args:
        turns: In the order of their rows, as `said_by` gives them.
    """
    counts = np.bincount(turns.row, minlength=rows)
    ends = np.cumsum(counts)
    is_last = np.zeros(len(turns.row), bool)
    is_last[ends[counts > 0] - 1] = True
    glue = pa.array(["\n", ""], pa.large_string()).take(pa.array(is_last.astype(np.int8)))
    glued = pc.binary_join_element_wise(turns.text, glue, pa.scalar("", pa.large_string()))
    # The turns of a row lie side by side, so the row's text is theirs without copying any.
    _, places, data = glued.buffers()
    starts = np.frombuffer(places, np.int64)[glued.offset :] if len(glued) else np.zeros(1, np.int64)
    offsets = starts[np.concatenate([np.zeros(1, np.int64), ends])]
    whole = pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), data or pa.py_buffer(b""))
    return pc.if_else(pa.array(counts > 0), whole, pa.scalar(None, pa.large_string()))
