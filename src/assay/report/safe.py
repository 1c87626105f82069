"""Making hostile text fit to be shown: nothing in a row may steer the page or the reader's eye."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.unseen import clean as clean

ROW_LIMIT = 600  # characters of one row on the page
NAME_LIMIT = 80  # characters of a name, label or phrase


@dataclass(frozen=True)
class Marked:
    """A row's text in three parts; the middle one is what is meant, and may be empty."""

    before: str
    marked: str
    after: str


def visible(text: str, limit: int = NAME_LIMIT) -> str:
    """`text` cut to `limit` characters and cleaned."""
    cut = text if len(text) <= limit else f"{text[:limit].rstrip()} … ({len(text) - limit:,} characters more)"
    return clean(cut)


def marked(text: str, start: int | None, end: int | None) -> Marked:
    """`text` around its byte span, each part cut for display; without a span, its beginning."""
    if start is None or end is None:
        return Marked(visible(text, ROW_LIMIT), "", "")
    raw = text.encode("utf-8", "replace")
    parts = (part.decode("utf-8", "replace") for part in (raw[:start], raw[start:end], raw[end:]))
    return _around(*parts)


def marked_like(text: str, wanted: str) -> Marked:
    """`text` with the first place that reads like `wanted` marked, if there is one."""
    folded = text.lower()
    at = folded.find(wanted.lower()) if wanted and len(folded) == len(text) else -1
    if at < 0:
        return Marked(visible(text, ROW_LIMIT), "", "")
    return _around(text[:at], text[at : at + len(wanted)], text[at + len(wanted) :])


def _around(before: str, middle: str, after: str) -> Marked:
    third = ROW_LIMIT // 3
    lead = before if len(before) <= third else "… " + before[-third:]
    return Marked(visible(lead, ROW_LIMIT), visible(middle, ROW_LIMIT), visible(after, third))
