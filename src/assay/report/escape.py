"""Text of the data made harmless for each format that carries it."""

from __future__ import annotations

import re

from assay.core.unseen import clean

_LINE_END = re.compile(r"[\n\v\f\r]+")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~#&])")
_LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)  # what GitHub's Markdown makes a link of by itself
# Characters that XML 1.0 has no way to write and `clean` leaves.
_NOT_XML = re.compile("[\ufffe\uffff]")


def line(text: str, limit: int = 1000) -> str:
    """`text` on one line, cut to `limit` characters, unseen characters written out."""
    flat = _LINE_END.sub(" ", clean(text))
    return flat if len(flat) <= limit else f"{flat[: limit - 2].rstrip()} …"


def xml(text: str) -> str:
    """`text` in characters that XML can hold; the writer escapes the rest."""
    return _NOT_XML.sub("\ufffd", clean(text))


def markdown(text: str, limit: int = 1000) -> str:
    """`text` on one line of Markdown, where nothing in it is a tag, a link, a cell or a heading."""
    escaped = _MARKDOWN.sub(r"\\\1", line(text, limit))
    return _LINK.sub(lambda found: found.group().replace("/", r"\/").replace(".", r"\."), escaped)


def workflow(text: str, *, value: bool = False) -> str:
    """`text` as the message of a GitHub workflow command, or as the `value` of one of its properties."""
    escaped = clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if value else escaped
