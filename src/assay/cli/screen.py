"""What is printed: results on standard output, progress and costs on standard error, hostile text made harmless."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from assay.core.answer import answer
from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.progress import Progress
from assay.core.unseen import clean


def result(run: Run, as_json: bool) -> None:
    """A run's evidence, or its answer in ten lines or fewer and where the report is."""
    if as_json:
        sys.stdout.write(run.evidence.to_json() + "\n")
    else:
        print_answer(run)


def print_answer(run: Run) -> None:
    """The verdict in ten lines or fewer, and where the report is."""
    console = Console(highlight=False)
    found = answer(run.evidence)
    for sentence in found.sentences:
        console.print(clean(sentence), markup=False, soft_wrap=True)
    console.print()
    for tile in found.tiles:
        line = f"{tile.perspective.capitalize():<11}{tile.verdict:<13}{clean(tile.line)}"
        console.print(line, markup=False, no_wrap=True, overflow="ellipsis")
    console.print(f"{'Report':<11}{run.folder / 'report.html'}", markup=False, soft_wrap=True)


def facts(found: Mapping[str, Any] | list[str], said: str, as_json: bool) -> None:
    """What a command did: its facts as JSON, or the same as `said`."""
    sys.stdout.write(f"{json.dumps(found)}\n" if as_json else said)


def show(parts: list[str | Table]) -> None:
    """Lines and tables as they are, whatever the data put in them."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    for part in parts:
        console.print(part, markup=False, soft_wrap=isinstance(part, str))


def note(text: str) -> None:
    """A line for the person who waits."""
    Console(stderr=True, highlight=False).print(clean(text), markup=False, soft_wrap=True)


def save(path: Path, text: str) -> None:
    """Raises: InputError: nothing can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from error


@contextmanager
def bars() -> Iterator[Progress]:
    """Progress bars on standard error, one per stage."""
    shown = Bars(
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def show(stage: str, done: int, total: int | None, unit: str = "rows") -> None:
        if stage not in tasks:
            tasks[stage] = shown.add_task(stage, total=total, unit=unit)
        shown.update(tasks[stage], completed=done, total=total)

    with shown:
        yield show
