"""What the readers of all formats give out: a row as the file has it, or a place where none could be read."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NamedTuple

from assay.core.errors import InputError

RAW_CHARACTERS = 2_000


class Record(NamedTuple):
    """One row as the file has it; `line` is the 1-based line it starts on, or its number in the file."""

    line: int
    values: dict[str, Any]


class Broken(NamedTuple):
    """A place where no row could be read. `raw` holds what stands there, invalid bytes escaped."""

    line: int
    reason: str
    raw: str


Item = Record | Broken


def excerpt(raw: bytes) -> str:
    """The first characters of `raw`, invalid UTF-8 escaped."""
    # A character takes at most four bytes.
    return raw[: 4 * RAW_CHARACTERS].decode("utf-8", "backslashreplace")[:RAW_CHARACTERS]


def spelt(value: Any) -> str:
    """The first characters of what could be parsed, as JSON; of a row nested too deeply, its columns."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except RecursionError:
        text = json.dumps(list(value) if isinstance(value, dict) else type(value).__name__)
    return text[:RAW_CHARACTERS]


def refuse_twins(names: list[str], where: str) -> None:
    """Raises: InputError: two columns share a name, so that it is not clear which one is meant."""
    twins = [name for name, columns in Counter(names).items() if columns > 1]
    if twins:
        raise InputError(
            f"two columns have the same name: {', '.join(twins)}",
            where=where,
            fix="Rename one of them.",
        )
