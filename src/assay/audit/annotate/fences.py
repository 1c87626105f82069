"""Code fences in Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+#.-]*)[^\n`]*\n(.*?)(?:^[ \t]*```|\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """What stands in a fence: the language it names in lower case, the text, and its place in characters."""

    tag: str
    text: str
    start: int
    end: int


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a text; one that is never closed reaches to the end."""
    if "```" not in text:
        return []
    return [Block(found[1].lower(), found[2], *found.span(2)) for found in _FENCE.finditer(text)]
