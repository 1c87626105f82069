"""Hostile text cut into parts fit to be shown: some marked, each with its unseen characters written out."""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.unseen import clean

Segments = list[tuple[str, bool]]
SHOWN = 20_000  # characters of a row that are sent to be shown


def segments(text: str, spans: Sequence[tuple[int, int]] = (), limit: int = SHOWN) -> Segments:
    """`text` up to `limit` as (part, whether it is marked); the spans are in order and do not overlap."""
    cut, found, at = text[:limit], [], 0
    for start, end in spans:
        found += [(cut[at:start], False), (cut[start:end], True)]
        at = max(at, end)
    found.append((cut[at:], False))
    return [(clean(part), marked) for part, marked in found if part]


def around(text: str, spans: Sequence[tuple[int, int]], limit: int) -> Segments:
    """As `segments`, but from a little before the first mark where the beginning would not show it."""
    start = max(0, spans[0][0] - limit // 4) if spans and spans[0][1] > limit else 0
    moved = [(begin - start, end - start) for begin, end in spans]
    found = segments(text[start:], moved, limit)
    lead: Segments = [("… ", False)] if start else []
    tail: Segments = [(" …", False)] if len(text) > start + limit else []
    return [*lead, *found, *tail]


def by_bytes(text: str, start: int | None, end: int | None) -> tuple[tuple[int, int], ...]:
    """A span of UTF-8 bytes as one of characters; nothing where there is none."""
    if start is None or end is None or end <= start:
        return ()
    raw = text.encode("utf-8", "replace")
    first, last = (len(raw[:at].decode("utf-8", "ignore")) for at in (start, end))
    return ((first, last),)
