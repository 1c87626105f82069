"""Answers of several models to the same tasks, and a person's word on some of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import InputError
from assay.core.evidence import Loss
from assay.engine.files import CODECS, FORMATS, Source, find
from assay.engine.formats.record import Broken
from assay.engine.formats.records import records
from assay.engine.scores import CLUSTERS, IDS, number
from assay.engine.values import is_text, look_up, scalar

TASKS = ("task", "prompt", "question", "instruction", "input", "query")
ANSWERS = ("answer", "output", "response", "completion", "generation", "text")
WINNERS = ("winner", "label", "preferred", "choice")
TIE = "tie"
_EXAMPLES = 5


@dataclass(frozen=True)
class Given:
    """One answer to one task."""

    task: str
    text: str
    cluster: str | None


@dataclass(frozen=True)
class ArmAnswers:
    """What one model answered, by item; `name` is the file's."""

    name: str
    answers: Mapping[str, Given]
    losses: tuple[Loss, ...]


@dataclass(frozen=True)
class Labels:
    """A person's word, by arm and item; the arm is empty where the file names none.

    Attributes:
        winners: Name of the arm whose answer is better, or ``tie``.
        scores: Rating of the arm's answer.
    """

    winners: Mapping[tuple[str, str], str]
    scores: Mapping[tuple[str, str], float]
    losses: tuple[Loss, ...]


def read_answers(path: str | Path) -> ArmAnswers:
    """One file is one arm: rows with an id, the task and the answer (names: `IDS`, `TASKS`, `ANSWERS`).

    Raises: InputError: no such file, a column is missing (those there are named), or an id occurs twice.
    """
    source = find(path).sources[0]
    bad: dict[str, list[str]] = defaultdict(list)
    answers: dict[str, Given] = {}
    for line, row in _rows(source, bad):
        item = scalar(_first(row, IDS, "id", source))
        task, text = _first(row, TASKS, "task", source), _first(row, ANSWERS, "answer", source)
        if item is None or not all(isinstance(each, str) and is_text(each) for each in (task, text)):
            bad["id, task or answer is no text"].append(f"{source.where}:{line}")
            continue
        if item in answers:
            raise InputError(f"two answers for id {item!r}", where=f"{source.where}:{line}")
        kin = next((found for name in CLUSTERS if (found := scalar(look_up(row, name)))), None)
        answers[item] = Given(task, text, kin)
    return ArmAnswers(_stem(source), answers, _losses(source, bad))


def read_labels(path: str | Path) -> Labels:
    """Rows with an id and a `winner` (the name of an arm, or tie) or a `score`; `arm` where there are several.

    Raises: InputError: no such file, no id column, or no row holds a winner or a score.
    """
    source = find(path).sources[0]
    bad: dict[str, list[str]] = defaultdict(list)
    winners: dict[tuple[str, str], str] = {}
    scores: dict[tuple[str, str], float] = {}
    for line, row in _rows(source, bad):
        item = scalar(_first(row, IDS, "id", source))
        winner = next((found for name in WINNERS if (found := scalar(row.get(name)))), None)
        score = number(row.get("score"))
        if item is None or (winner is None and score is None):
            bad["no id, or neither winner nor score"].append(f"{source.where}:{line}")
            continue
        key = (scalar(row.get("arm")) or "", item)
        if winner is not None:
            winners[key] = winner
        if score is not None:
            scores[key] = score
    if not (winners or scores):
        raise InputError(
            "no labels here",
            where=source.where,
            fix='Rows look like {"id": 7, "winner": "real"} or {"id": 7, "arm": "real", "score": 8}.',
        )
    return Labels(winners, scores, _losses(source, bad))


def _rows(source: Source, bad: dict[str, list[str]]) -> Iterator[tuple[int, dict[str, Any]]]:
    for item in records(source):
        if isinstance(item, Broken):
            bad[item.reason].append(f"{source.where}:{item.line}")
        else:
            yield item.line, item.values


def _first(row: Mapping[str, Any], names: tuple[str, ...], part: str, source: Source) -> Any:
    for name in names:
        if name in row:
            return row[name]
    raise InputError(
        f"no column for the {part}; the columns are {', '.join(row)}",
        where=source.where,
        fix=f"Call one of them {names[0]!r}.",
    )


def _losses(source: Source, bad: Mapping[str, list[str]]) -> tuple[Loss, ...]:
    return tuple(
        Loss(what=f"rows of {source.name}", why=why, rows=len(places), examples=tuple(places[:_EXAMPLES]))
        for why, places in bad.items()
    )


def _stem(source: Source) -> str:
    name = source.name
    for suffix in (*CODECS, *FORMATS):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name
