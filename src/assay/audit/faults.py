"""Rows to look at for every kind of wrong content, each with the place that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from assay.audit.annotate import (
    arithmetic,
    boilerplate,
    code,
    json_answers,
    placeholders,
    truncation,
)
from assay.audit.annotate.checked import Checked
from assay.audit.annotate.content import Content
from assay.audit.annotate.labels import Noise
from assay.audit.annotate.languages import languages, names
from assay.audit.annotate.stock import locate as locate_phrase
from assay.audit.annotate.stock import stock
from assay.audit.rows import Rows
from assay.kernels.text import tokens

Place = tuple[int, int] | None
Find = Callable[[str | None, str], Place]


@dataclass(frozen=True)
class Fault:
    """A row with a fault.

    Attributes:
        row: Position among the rows, not in the corpus.
        span: Byte span within the row's text, or None where no one place shows it.
        beside: The row it stands against.
    """

    measure: str
    row: int
    span: Place = None
    note: str = ""
    beside: str | None = None


def faults(rows: Rows, content: Content, noise: Noise | None, each: int) -> Iterator[Fault]:
    """The first `each` rows of every kind of fault, and the `each` most suspicious labels."""
    for measure, checked, find in _found_by_text(content):
        for row in np.flatnonzero(checked.fails)[:each]:
            one = rows.take(np.array([row]))
            prompt, answer = one.prompt[0].as_py(), one.answer[0].as_py()
            yield Fault(measure, int(row), _in_text(rows, int(row), answer, find(prompt, answer)))
    yield from _echoes(rows, content, each)
    yield from _languages(rows, content, each)
    yield from _contradictions(rows, content, each)
    if noise is not None:
        yield from _labels(rows, noise, each)


def _found_by_text(content: Content) -> Iterator[tuple[str, Checked, Find]]:
    yield "quality.truncated_share", content.truncated, lambda _, answer: truncation.locate(answer)
    wrapped = stock(boilerplate.FILE)
    yield "quality.boilerplate_share", content.boilerplate, lambda _, answer: locate_phrase(answer, wrapped)
    yield "quality.placeholder_share", content.placeholder, lambda _, answer: placeholders.locate(answer)
    yield "quality.broken_code_share", content.code, code.locate
    yield "quality.invalid_json_share", content.json, lambda _, answer: json_answers.locate(answer)
    yield "quality.wrong_arithmetic_share", content.arithmetic, lambda _, answer: arithmetic.locate(answer)


def _echoes(rows: Rows, content: Content, each: int) -> Iterator[Fault]:
    for row in np.flatnonzero(content.echo.fails)[:each]:
        one = rows.take(np.array([row]))
        prompt, answer = one.prompt[0].as_py(), one.answer[0].as_py()
        said, asked = (tokens(text) for text in (one.answer, one.prompt))
        first = int(content.echo_at[row])
        # The run goes on for as long as the prompt has it: from the first place that has its first word.
        length = max(
            _common(said.ids[first:], asked.ids[at:]) for at in np.flatnonzero(asked.ids == said.ids[first])
        )
        start, end = int(said.starts[first]), int(said.ends[first + length - 1])
        shift = _shift(rows, int(row), answer)
        span = None if shift is None else (shift + start, shift + end)
        yield Fault("quality.prompt_echo_share", int(row), span, f"{length} words of the prompt", prompt)


def _languages(rows: Rows, content: Content, each: int) -> Iterator[Fault]:
    for row in np.flatnonzero(content.language.fails)[:each]:
        one = rows.take(np.array([row]))
        answer = one.answer[0].as_py()
        told, asked = languages(one.answer)[0], languages(one.prompt)[0]
        note = f"language: {names()[told]}" + (f", of the prompt: {names()[asked]}" if asked >= 0 else "")
        yield Fault(
            "quality.language_mismatch_share",
            int(row),
            _in_text(rows, int(row), answer, (0, len(answer))),
            note,
        )


def _contradictions(rows: Rows, content: Content, each: int) -> Iterator[Fault]:
    shown: set[int] = set()
    fits, said = content.contradiction.fits, content.said
    for row in np.flatnonzero(content.contradiction.fails):
        asked = int(said.asked[row])
        if len(shown) == each:
            return
        if asked in shown:
            continue
        shown.add(asked)
        against = np.flatnonzero((said.asked == asked) & fits)
        other = int(against[said.meant[against] != said.meant[row]][0])
        pair = rows.take(np.array([row, other]))
        labels = pair.parts["label"] if said.labelled[row] else pair.answer
        yield Fault(
            "quality.contradiction_share",
            int(row),
            note=f"“{labels[0].as_py()}” here, “{labels[1].as_py()}” there",
            beside=pair.text[1].as_py(),
        )


def _labels(rows: Rows, noise: Noise, each: int) -> Iterator[Fault]:
    for row in np.argsort(-noise.margin, kind="stable")[:each]:
        if not noise.suspect[row]:
            return
        label = rows.take(np.array([row])).parts["label"][0].as_py()
        yield Fault(
            "quality.label_noise_share",
            int(row),
            note=f"labelled “{label}”, reads like “{noise.classes[noise.other[row]]}”",
        )


def _common(first: np.ndarray, second: np.ndarray) -> int:
    """How many items both begin with alike."""
    size = min(len(first), len(second))
    differ = np.flatnonzero(first[:size] != second[:size])
    return int(differ[0]) if len(differ) else size


def _in_text(rows: Rows, row: int, answer: str, place: Place) -> Place:
    """A span of characters of the answer as a span of bytes of the row's text."""
    shift = _shift(rows, row, answer)
    if place is None or shift is None:
        return None
    start, end = (len(answer[:at].encode()) for at in place)
    return shift + start, shift + end


def _shift(rows: Rows, row: int, answer: str) -> int | None:
    """Bytes of the row's text before its answer, which comes last; None where it does not."""
    text = rows.take(np.array([row])).text[0].as_py()
    return len(text.encode()) - len(answer.encode()) if text.endswith(answer) else None
