"""Stock phrases: rows that open with one, hold one near their start, or close with one."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib import resources

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.rows import Bools
from assay.kernels.edges import Prefixes, beginning, prefixes

# Such phrases come first or last; between, the same words are often quoted.
_EDGE_CHARACTERS = 200
# What may stand before an opening; spelt out, for Arrow's engine takes every letter beyond ASCII for no word.
_BEFORE = "[\\s\"'*_#>(\\[\u201c\u2018\u00ab\u300c-]*"


@dataclass(frozen=True)
class Stock:
    """Regular expressions, for text in lower case with straight apostrophes, from a file of phrases.

    Attributes:
        leading: For the first 200 characters of a row.
        closing: For the last 200; None where the file has no such phrase.
        at_start, at_end: How the phrases begin that either finds.
    """

    leading: str
    closing: str | None
    at_start: Prefixes
    at_end: Prefixes


def holds(answers: pa.Array, stock: Stock) -> Bools:
    """Rows whose answer holds a stock phrase where it counts, shape (rows,)."""
    found = _matching(answers, stock.leading, stock.at_start, 0, _EDGE_CHARACTERS)
    if stock.closing is not None:
        found |= _matching(answers, stock.closing, stock.at_end, -_EDGE_CHARACTERS, None)
    return found


def _matching(answers: pa.Array, pattern: str, begin: Prefixes, start: int, stop: int | None) -> Bools:
    """Rows of which the characters from `start` to `stop` hold a phrase: few need the pattern to tell."""
    found = beginning(answers, begin, _EDGE_CHARACTERS, at_end=stop is None)
    if found.any():
        edges = _plain(pc.fill_null(answers.filter(pa.array(found)), ""), start, stop)
        found[found] = pc.match_substring_regex(edges, pattern).to_numpy(zero_copy_only=False)
    return found


def _plain(text: pa.Array, start: int, stop: int | None) -> pa.Array:
    """A part of each text in lower case, with straight apostrophes."""
    return pc.replace_substring(pc.utf8_lower(pc.utf8_slice_codeunits(text, start, stop)), "\u2019", "'")


def locate(answer: str, stock: Stock) -> tuple[int, int] | None:
    """Where the phrase stands in an answer that holds one, in characters."""
    plain = answer.lower().replace("\u2019", "'")
    if len(plain) != len(answer):
        return None  # a letter whose lower case is two characters would shift every place after it
    found = re.search(stock.leading, plain[:_EDGE_CHARACTERS])
    if found:
        return found.span()
    shift = max(0, len(plain) - _EDGE_CHARACTERS)
    found = re.search(stock.closing, plain[shift:]) if stock.closing is not None else None
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
    openings = [_pattern(line) for line in lines if line[0] not in "*$"]
    anywhere = [_pattern(line[1:].strip()) for line in lines if line[0] == "*"]
    closings = [_pattern(line[1:].strip()) for line in lines if line[0] == "$"]
    leading = [rf"^{_BEFORE}(?:{'|'.join(openings)})"] if openings else []
    leading += [rf"(?:{'|'.join(anywhere)})"] if anywhere else []
    return Stock(
        "|".join(leading),
        f"(?:{'|'.join(closings)})" if closings else None,
        prefixes([line.lstrip("* ") for line in lines if line[0] != "$"]),
        prefixes([line[1:].strip() for line in lines if line[0] == "$"]),
    )


def _pattern(phrase: str) -> str:
    # A word's edge exists only between signs of different kinds, and scripts without spaces have none.
    first, last = (r"\b" if sign.isascii() and sign.isalnum() else "" for sign in (phrase[0], phrase[-1]))
    return first + re.escape(phrase) + last
