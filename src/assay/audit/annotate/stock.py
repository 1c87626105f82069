"""Stock phrases: rows that open with one, hold one near their start, or close with one."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import pyarrow as pa

from assay.audit.rows import Bools
from assay.kernels.edges import Literals, holding, literals

# Such phrases come first or last; between, the same words are often quoted.
_EDGE_CHARACTERS = 200
# What may stand before an opening.
_BEFORE = " \t\n\f\r\"'*_#>(\\[\u201c\u2018\u00ab\u300c-"


@dataclass(frozen=True)
class Stock:
    """Phrases of a file.

    Attributes:
        at_start, at_end: The phrases for the first and for the last 200 characters of a row.
        leading, closing: The same as regular expressions, for text in lower case with straight apostrophes; None
            where the file has no such phrase.
    """

    at_start: Literals
    at_end: Literals
    leading: re.Pattern[str]
    closing: re.Pattern[str] | None


def holds(answers: pa.Array, stock: Stock) -> Bools:
    """Rows whose answer holds a stock phrase where it counts, shape (rows,)."""
    return holding(answers, stock.at_start, _EDGE_CHARACTERS) | holding(
        answers, stock.at_end, _EDGE_CHARACTERS, at_end=True
    )


def locate(answer: str, stock: Stock) -> tuple[int, int] | None:
    """Where the phrase stands in an answer that holds one, in characters."""
    plain = answer.lower().replace("\u2019", "'")
    if len(plain) != len(answer):
        return None  # a letter whose lower case is two characters would shift every place after it
    found = stock.leading.search(plain[:_EDGE_CHARACTERS])
    if found:
        return found.span()
    shift = max(0, len(plain) - _EDGE_CHARACTERS)
    found = stock.closing.search(plain[shift:]) if stock.closing is not None else None
    return (found.start() + shift, found.end() + shift) if found else None


@functools.cache
def stock(file: str) -> Stock:
    """The phrases of a file beside the probes.

    A line is a phrase in lower case with which a row opens; one marked ``*`` may stand anywhere near the
    start, one marked ``$`` anywhere near the end. ``#`` begins a comment.
    """
    text = (resources.files("assay.audit.probes") / file).read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    openings = [line for line in lines if line[0] not in "*$"]
    anywhere = [line[1:].strip() for line in lines if line[0] == "*"]
    closings = [line[1:].strip() for line in lines if line[0] == "$"]
    leading = [f"^[{_BEFORE}]*{_one_of(openings)}"] if openings else []
    leading += [_one_of(anywhere)] if anywhere else []
    return Stock(
        literals(openings, anywhere, skipped=_BEFORE),
        literals((), closings),
        re.compile("|".join(leading), re.ASCII),
        re.compile(_one_of(closings), re.ASCII) if closings else None,
    )


def _one_of(phrases: Sequence[str]) -> str:
    return f"(?:{'|'.join(map(_pattern, phrases))})"


def _pattern(phrase: str) -> str:
    # A word's edge exists only between signs of different kinds, and scripts without spaces have none.
    first, last = (r"\b" if sign.isascii() and sign.isalnum() else "" for sign in (phrase[0], phrase[-1]))
    return first + re.escape(phrase) + last
