"""Numbers and their signs set as a book sets them."""

from __future__ import annotations

import re

_HELD = re.compile(r"(?<=\d) (?=%|points)")
_RANGE = re.compile(r"\(([+\-\d.,]+) to ([+\-\d.,]+)\)")
_MINUS = re.compile(r"(?<![^\s(])-(?=\d)")


def tidy(text: str) -> str:
    """`text` with each number held to its per cent sign and each interval in one piece, and a minus that is one."""
    held = _RANGE.sub("(\\1\u00a0to\u00a0\\2)", _HELD.sub("\u00a0", text))
    return re.sub("\u00a0-(?=\\d)", "\u00a0\u2212", _MINUS.sub("\u2212", held))
