"""Rows whose Python code does not parse."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from assay.audit.annotate.checked import Checked, Hints, hints, matches
from assay.audit.annotate.fences import Block, blocks
from assay.audit.rows import Index

# Longer or deeper code is left uncounted: a parser's time and stack are no playground for hostile rows.
_MOST_CHARACTERS, _DEEPEST = 50_000, 40
_TAGS = frozenset({"python", "python3", "py", "py3"})
_STARTS = r"(?:def \w+\(|class \w+[(:]|import \w|from [\w.]+ import |async def \w+\()"
_FENCE = r"(?:^|\n)[ \t]*```"
_OPENS = rf"^\s*(?:@\w|{_STARTS})"
_PROMPT_IS_CODE = r"(?:^|\n)(?:async )?def \w+\([^\n]*:[ \t]*\n[ \t]+\S"
_CODE_START = re.compile(rf"\s*(?:@\w|{_STARTS})")
_INDENTED = re.compile(r"(?:[ \t]*\n)*[ \t]+\S")
# Notebooks and consoles mix these into code; they are no Python and no mistake.
_SHELL_LINES = re.compile(r"^[ \t]*[%!][^\n]*$", re.MULTILINE)
_CONSOLE = re.compile(r"\s*(?:>>> |\$ )")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def broken_code(prompts: pa.Array, answers: pa.Array, seen: Hints | None = None) -> Checked:
    """Rows that hold Python code of which some does not parse.

    Code is what stands in a fence marked as Python, a whole answer that starts like Python, and an indented
    answer that goes on where a prompt's function stops. Rows without such code do not count.

    Args:
        seen: Hints of the answers, where they are known.
    """
    fits, fails = np.zeros(len(answers), bool), np.zeros(len(answers), bool)
    for row in _candidates(prompts, answers, seen or hints(answers)):
        prompt, answer = prompts[int(row)].as_py(), answers[int(row)].as_py()
        parsed = [parses(block.text) for block in _code(prompt, answer)]
        fits[row] = any(each is not None for each in parsed)
        fails[row] = any(each is False for each in parsed)
    return Checked(fits, fails)


def locate(prompt: str | None, answer: str) -> tuple[int, int] | None:
    """Where the first code that does not parse stands in the answer, in characters."""
    for block in _code(prompt, answer):
        if parses(block.text) is False:
            return block.start, block.end
    return None


def parses(source: str) -> bool | None:
    """Whether `source` is Python as this interpreter reads it; None where it is too long or deep to try."""
    if len(source) > _MOST_CHARACTERS or _CONSOLE.match(source) or _deep(source):
        return None
    source = textwrap.dedent(_SHELL_LINES.sub("", source))
    if not source.strip():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that will be an error one day is none today
            ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    except (RecursionError, MemoryError):
        return None
    return True


def _candidates(prompts: pa.Array, answers: pa.Array, seen: Hints) -> Index:
    found = matches(answers, _FENCE, where=seen.fences) | matches(answers, _OPENS)
    if prompts.null_count < len(prompts):
        found |= matches(prompts, _PROMPT_IS_CODE)
    return np.flatnonzero(found)


def _code(prompt: str | None, answer: str) -> Iterator[Block]:
    fenced = blocks(answer)
    if fenced:
        yield from (block for block in fenced if block.tag in _TAGS)
    elif _CODE_START.match(answer):
        yield Block("python", answer, 0, len(answer))
    elif prompt is not None and _INDENTED.match(answer) and re.search(_PROMPT_IS_CODE, prompt):
        yield Block(
            "python", f"{prompt}{'' if prompt.endswith(chr(10)) else chr(10)}{answer}", 0, len(answer)
        )


def _deep(source: str) -> bool:
    """Whether brackets or unary signs nest so far that parsing could take long or much."""
    if sum(map(source.count, "([{")) <= _DEEPEST and sum(map(source.count, "-+~")) <= _DEEPEST:
        return False
    depth = run = 0
    for sign in source:
        depth += _BRACKETS.get(sign, 0)
        run = run + 1 if sign in "-+~" else 0 if not sign.isspace() else run
        if depth > _DEEPEST or run > _DEEPEST:
            return True
    return False
