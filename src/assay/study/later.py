"""What a person adds to a finished run: labels given in the terminal, or in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.study.conclude import settle
from assay.study.settings import Study

if TYPE_CHECKING:
    from assay.serve.server import Server


def label(
    folder: Path,
    *,
    labels: Path | None = None,
    most: int = 200,
    keys: TextIO | None = None,
    screen: TextIO | None = None,
) -> Run:
    """Take a person's word on some synthetic rows of a run, then decide and report again.

    Args:
        folder: The run's folder; its `labels.jsonl` is added to, and what it holds already is kept.
        labels: A file of labels to take in; None asks for them, a row at a time.
        most: Stop asking when so many rows are labelled.
        keys, screen: Where answers come from and rows are shown; standard input and standard error.

    Raises: InputError: the folder is no run, its audit was not made, or the labels are not of its rows.
    """
    from assay.label.ask import ask
    from assay.label.sheet import open_sheet

    run, study, synthetic = audited(folder)
    sheet = open_sheet(folder, synthetic, run.evidence.seed)
    if labels is not None:
        sheet.answers.take(labels)
    else:
        ask(sheet.rows, sheet.design, sheet.answers, most, keys or sys.stdin, screen or sys.stderr)
    return settle(study, folder, run.evidence, synthetic)


def serve(folder: Path, *, port: int) -> Server:
    """A page over the runs of a folder, listening on this machine alone but not yet answering.

    Raises: InputError: the folder does not exist, or the port is taken.
    """
    from assay.label.sheet import open_sheet
    from assay.serve.server import Server

    def draw(run: Path) -> None:
        known, _, synthetic = audited(run)
        open_sheet(run, synthetic, known.evidence.seed)

    def conclude(run: Path) -> Run:
        known, study, synthetic = audited(run)
        return settle(study, run, known.evidence, synthetic)

    return Server(folder, port=port, draw=draw, conclude=conclude)


def audited(folder: Path) -> tuple[Run, Study, Corpus]:
    """A run with its settings and synthetic rows. Raises: InputError: it has no audit."""
    run, study = Run(folder), Study.load(folder / "study.toml")
    if not study.audit:
        raise InputError("this run has no audit", where=str(folder), fix="Make one with `assay run --out`.")
    return run, study, run.corpus("synthetic")
