"""Small Markdown: table cells, anchors, and what the generated pages begin with."""

from __future__ import annotations

import re

WRITTEN = "<!-- Written by `make docs`; change the code it follows from, not this page. -->"


def cell(text: str) -> str:
    """Text that stays within its cell of a table."""
    return " ".join(text.replace("|", "\\|").split())


def anchor(heading: str) -> str:
    """The anchor that a heading gets, on the site as on GitHub."""
    kept = re.sub(r"[^\w\s-]", "", heading.lower()).strip()
    return re.sub(r"\s", "-", kept)


def sentence(text: str) -> str:
    """With a capital letter and one full stop."""
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")
