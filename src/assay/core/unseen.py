"""Characters that nobody sees but a terminal or a page obeys, written out."""

from __future__ import annotations

import re

# Controls that print nothing, and marks that turn the direction of the text after them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def clean(text: str) -> str:
    """`text` with every unseen character written out as ``⟨U+202E⟩``; tabs and line ends stay."""
    return _UNSEEN.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text.replace("\r\n", "\n"))
