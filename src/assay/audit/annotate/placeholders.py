"""Rows that were to be filled in and were not."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from assay.audit.annotate.checked import Checked, Hints, hints, matches

_NAMED = (
    r"(?:(?:your|recipient(?:'s)?|sender(?:'s)?|company|customer|client|employee|employer|"
    r"hiring manager|user|person|friend|author|first|last|full|product|project|event|school|university|city|"
    r"job|street|insert|enter|add|fill|specify|state|include|mention|provide|describe)\b[\w ,.'/&#-]{0,60}|"
    r"name|date|time|address|email|e-mail|phone|phone number|number|title|company|location|city|state|country|"
    r"amount|position|signature|link|url|topic|subject)"
)
# Written in capitals on purpose: "todo" is Spanish for all, and a film is called xXx.
_PATTERN = "|".join(
    (
        rf"(?i:\[{_NAMED}\])",
        r"(?i:<(?:insert|your|enter|add)[ _-][\w ,.'/&#-]{1,60}>)",
        r"(?i:\((?:insert|your) [\w ,.'/&#-]{1,40} here\))",
        r"\{\{ *[A-Za-z_][\w. -]{0,40}\}\}",
        r"(?i:\blorem ipsum\b)",
        r"\b(?:TODO|FIXME|TBD)\b *[:(]",
        r"\[(?:TODO|FIXME|TBD|PLACEHOLDER|INSERT[^\]]{0,40}|REDACTED|BLANK)\]",
        r"\bYOUR_[A-Z_]{2,30}\b",
        r"\bXX+(?:[-/. ]XX+)+\b|\bXXX:|\bXXX+ *\(|[$£€]X{2,}\b",
    )
)
# The same without bounds, which cost more to prepare than a batch takes to read; what it finds is looked at again.
_LOOSE = re.sub(r"\{\d+,\d+\}", "*", _PATTERN)


def placeholders(answers: pa.Array, seen: Hints | None = None) -> Checked:
    """Rows whose answer holds a gap such as ``[Your Name]``, ``{{name}}``, ``TODO:`` or lorem ipsum.

    Args:
        answers: Text the model should have written, shape (rows,).
        seen: Its hints, where they are known.
    """
    likely = matches(answers, _LOOSE, where=(seen or hints(answers)).gaps)
    return Checked(np.ones(len(answers), bool), matches(answers, _PATTERN, where=likely))


def locate(answer: str) -> tuple[int, int] | None:
    """Where the first gap stands, in characters."""
    found = re.search(_PATTERN, answer)
    return found.span() if found else None
