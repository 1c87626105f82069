"""Rows that owe JSON and do not give it."""

from __future__ import annotations

import json
import re

import numpy as np
import pyarrow as pa

from assay.audit.annotate.checked import Checked, Hints, hints, matches
from assay.audit.annotate.fences import blocks

_MOST_CHARACTERS, _DEEPEST = 1_000_000, 400
_FENCED = r"(?i)(?:^|\n)[ \t]*```[ \t]*json\b"
# The prompt asks for an answer in JSON, and not for a program that has to do with it.
_ASKED = (
    r"(?i)\b(?:respond|reply|answer|return|output|format|formatted|give|produce|provide|write|generate|create|convert)"
    r"\w*\b[^.\n]{0,80}\b(?:in|as|to|into|valid|only|a|an|the) (?:\w+ ){0,2}json\b"
)
_ABOUT_PROGRAMS = (
    r"(?i)\b(?:function|code|script|program|python|javascript|java|typescript|sql|api|class|library|regex|"
    r"explain|parse|difference)\b"
)
_FENCE_IS_JSON = "json"


def invalid_json(prompts: pa.Array, answers: pa.Array, seen: Hints | None = None) -> Checked:
    """Rows with a fence marked as JSON, or whose prompt asks for JSON, and of them those that do not parse.

    JSON may stand within other words: the longest stretch from a bracket to its counterpart is tried. A fence
    may hold one value or one in every line.

    Args:
        seen: Hints of the answers, where they are known.
    """
    fenced = matches(answers, _FENCED, where=(seen or hints(answers)).fences)
    asked = np.zeros(len(answers), bool)
    if prompts.null_count < len(prompts):
        asked = matches(prompts, _ASKED) & ~matches(prompts, _ABOUT_PROGRAMS)
    fits, fails = np.zeros(len(answers), bool), np.zeros(len(answers), bool)
    for row in np.flatnonzero(fenced | asked):
        valid = _valid(answers[int(row)].as_py())
        fits[row], fails[row] = valid is not None, valid is False
    return Checked(fits, fails)


def locate(answer: str) -> tuple[int, int]:
    """Where the JSON that does not parse stands, in characters; the whole answer if it holds none."""
    for block in blocks(answer):
        if block.tag == _FENCE_IS_JSON and _parses(block.text) is False:
            return block.start, block.end
    return 0, len(answer)


def _valid(answer: str) -> bool | None:
    """Whether all JSON of an answer parses; None where it is too long or deep to try."""
    fenced = blocks(answer)
    marked = [_parses(block.text) for block in fenced if block.tag in ("", _FENCE_IS_JSON)]
    if marked:
        return None if None in marked else all(marked)
    whole = _parses(answer)
    if whole is not False:
        return whole
    first = min((at for at in map(answer.find, "{[") if at >= 0), default=0)
    return _parses(answer[first : max(map(answer.rfind, "}]")) + 1])


def _parses(source: str) -> bool | None:
    if len(source) > _MOST_CHARACTERS or _deep(source):
        return None
    lines = [line for line in source.splitlines() if line.strip()]
    return _loads(source) or (len(lines) > 1 and all(_loads(line) for line in lines))


def _loads(source: str) -> bool:
    try:
        # Numbers stay text: only their form matters, and a million digits would take long to convert.
        json.loads(source, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _deep(source: str) -> bool:
    depth = 0
    for sign in re.findall(r"[\[\]{}]", source):
        depth += 1 if sign in "[{" else -1
        if depth > _DEEPEST:
            return True
    return False
