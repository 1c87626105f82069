"""Show one row at a time and take an answer by a single key."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, TextIO

import pyarrow as pa

from assay.core import words
from assay.core.labels import Answer, Answers
from assay.core.unseen import clean
from assay.label.design import Design

KEYS: dict[str, Answer] = {"r": "right", "w": "wrong", "s": "skip"}
_HELP = "r right   w wrong   s skip   b back   m more   q quit"
_CHARACTERS = 3_000
_WHOLE = sys.maxsize
# What a terminal sends for arrows and function keys; no part of it is an answer.
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.)?")


def ask(rows: pa.Table, design: Design, answers: Answers, most: int, keys: TextIO, screen: TextIO) -> None:
    """Ask about the rows of `design` in its order, until `most` are labelled, the keys end, or `q`.

    Args:
        rows: All synthetic rows, with the columns text, prompt, response and label.
        keys: Where answers come from: single keys of a terminal, else one answer a line.
        screen: Where rows are shown.
    """
    waiting = iter([row for row in design.order.tolist() if row not in answers.given])
    shown = list(answers.given)
    at = len(shown)
    with pressed(keys) as key:
        while True:
            if at == len(shown):
                row = next(waiting, None)
                if row is None or len(answers.labelled) >= most:
                    return
                shown.append(row)
            row = shown[at]
            show = partial(_show, rows, row, answers, most, screen)
            show(_CHARACTERS)
            said = _answer(key, partial(show, _WHOLE))
            if said is None:
                return
            if said == "back":
                at = max(at - 1, 0)
            else:
                answers.add(row, said)
                at += 1


@contextmanager
def pressed(stream: TextIO) -> Iterator[Callable[[], str]]:
    """A function that waits for the next key and gives it, "" when there are no more."""
    if not stream.isatty():
        yield lambda: next((line.strip()[:1] for line in stream if line.strip()), "")
        return
    if sys.platform == "win32":
        import msvcrt

        yield msvcrt.getwch
        return
    import termios
    import tty

    number, held = stream.fileno(), bytearray()
    before = termios.tcgetattr(number)

    def read() -> str:
        while not held:
            fresh = os.read(number, 1024)
            if not fresh:
                return ""
            held.extend(_SEQUENCE.sub(b"", fresh))
        return chr(held.pop(0))

    try:
        tty.setcbreak(number)
        yield read
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _answer(key: Callable[[], str], more: Callable[[], None]) -> Answer | Literal["back"] | None:
    """The next key that means something; None to quit."""
    while True:
        try:
            got = key().lower()
        except KeyboardInterrupt:
            return None
        if got in ("", "q", "\x03", "\x04"):
            return None
        if got == "b":
            return "back"
        if got == "m":
            more()
        elif got in KEYS:
            return KEYS[got]


def _show(rows: pa.Table, row: int, answers: Answers, most: int, screen: TextIO, limit: int) -> None:
    here: dict[str, Any] = rows.slice(row, 1).to_pylist()[0]
    labelled = answers.labelled
    parts = (
        [("Prompt", here["prompt"]), ("Response", here["response"])]
        if here["prompt"] is not None and here["response"] is not None
        else [("", here["text"])]
    )
    parts += [("Label", here["label"])] if here["label"] is not None else []
    rule = "─" * shutil.get_terminal_size((80, 24)).columns
    said = f", so far: {answers.given[row]}" if row in answers.given else ""
    head = f"row {row:,}{said}   {words.count(len(labelled), 'row')} labelled of {most:,}, {sum(labelled.values())} wrong"
    lines = [rule, head, rule]
    for name, text in parts:
        lines += [f"{name}:"] if name else []
        lines += [_cut(text, limit), ""]
    clear = "\x1b[2J\x1b[H" if screen.isatty() else ""
    screen.write(clear + "\n".join([*lines, _HELP]) + "\n")
    screen.flush()


def _cut(text: str, limit: int) -> str:
    """Hostile text as it may be shown: nothing in it reaches the terminal as a command."""
    more = len(text) - limit
    return clean(text[:limit]) + (f"\n… m shows {more:,} characters more" if more > 0 else "")
