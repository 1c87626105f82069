"""Fences around material that a model must judge and not obey, and what may pass as its reply."""

from __future__ import annotations

import re
from typing import Literal

Choice = Literal["A", "B", "TIE"]

LOWEST, HIGHEST = 1, 10
_OPEN, _CLOSE = "⟦", "⟧"
_BOUNDARY = str.maketrans({_OPEN: "[", _CLOSE: "]", "\0": None})
_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_VERDICT = re.compile(r"VERDICT: ?(A|B|TIE)\.?")
_SCORE = re.compile(r"SCORE: ?(\d{1,2})\.?")
_INJECTION = re.compile(
    r"(?:ignore|disregard|forget|override)\s+(?:\w+\s+){0,3}?(?:previous|above|prior|earlier|preceding|other)\b"
    r"|\b(?:dear|hey|hello|attention|note to(?: the)?)\s*,?\s*(?:judge|grader|evaluator|rater|reviewer)s?\b"
    r"|\b(?:verdict|score|rating)\s*[:=]\s*(?:a|b|tie|\d{1,2})\b"
    r"|\b(?:this|my|the (?:first|second)|answer [ab]|response [ab])\s+(?:answer|response|one)?\s*"
    r"(?:is|should be)\s+(?:\w+\s+)?(?:the (?:best|better|winner)|preferred|rated|scored)\b"
    r"|<\|(?:im_start|im_end|system|assistant|endoftext)\|>|\[/?INST\]|<</?SYS>>"
    r"|^\s*#*\s*(?:system|assistant)\s*(?:prompt|message)?\s*:",
    re.IGNORECASE | re.MULTILINE,
)


def fenced(name: str, text: str, mark: str) -> str:
    """`text` between two fence lines; nothing in it can pass for one."""
    inside = re.sub(re.escape(mark), "", text, flags=re.IGNORECASE).translate(_BOUNDARY)
    return f"{_OPEN}begin {name} {mark}{_CLOSE}\n{inside}\n{_OPEN}end {name} {mark}{_CLOSE}"


def steering(*texts: str) -> bool:
    """Whether a text seems to be addressed to its judge. A hint to count and look at, not a filter."""
    return any(_OPEN in text or _CLOSE in text or _INJECTION.search(text) for text in texts)


def verdict(reply: str | None) -> Choice | None:
    """The choice in a reply that is one verdict line and nothing else, thoughts set aside."""
    found = _VERDICT.fullmatch(_said(reply))
    choices: dict[str, Choice] = {"A": "A", "B": "B", "TIE": "TIE"}
    return None if found is None else choices[found[1]]


def rating(reply: str | None) -> int | None:
    """The score in a reply that is one score line and nothing else, within the scale."""
    found = _SCORE.fullmatch(_said(reply))
    return int(found[1]) if found is not None and LOWEST <= int(found[1]) <= HIGHEST else None


def _said(reply: str | None) -> str:
    return _THOUGHT.sub("", reply or "").strip().strip("*`").strip()
