"""What a person does with a finished run: label its rows in the terminal or a browser, make a better training set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.progress import Progress, silent
from assay.study.conclude import settle
from assay.study.costs import among, prices_after
from assay.study.job import Job, write
from assay.study.settings import Study
from assay.study.sides import split, without_copies

if TYPE_CHECKING:
    from assay.curate.curate import Settings as Wishes
    from assay.curate.record import Curation
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


def curate(folder: Path, out: Path, wishes: Wishes, *, progress: Progress = silent) -> Curation:
    """Make a better training set of a run: what was flagged set aside, what the trial supports mixed in.

    Beside the rows, `out` gets the settings of the run with the filtered rows as its synthetic side, so that
    `assay run --study` tries them on the same test rows.

    Raises: InputError: the folder is no run with an audit, or its files are not what it read.
    """
    from assay.curate.curate import SYNTHETIC, Side
    from assay.curate.curate import curate as make
    from assay.curate.originals import Originals
    from assay.engine.read import ReadResult

    run, study, synthetic = audited(folder)
    job, real = Job(study, folder, progress), run.corpus("real")
    train, reference, test, _, _ = split(job, real, run.corpus("test") if study.test else None)
    clean, _, _ = without_copies(job, synthetic, test)

    def side(role: str, corpus: Corpus, paths: tuple[str, ...], parts: tuple[Corpus, ...]) -> Side:
        return Side(Originals(ReadResult.open(corpus.folder), paths, role), among(corpus, parts))

    ours = side("real", real, study.real, (train, reference))
    theirs = side("synthetic", synthetic, study.synthetic or study.real, (clean,))
    made = make(run, out, ours, theirs, wishes, progress=progress)
    better = made.files[SYNTHETIC]
    again = study.model_copy(
        update={
            "synthetic": (str(out / better.name),),
            "prices": prices_after(study, run.evidence, better.rows),
        }
    )
    write(out / "study.toml", again.to_toml())
    return made


def audited(folder: Path) -> tuple[Run, Study, Corpus]:
    """A run with its settings and synthetic rows. Raises: InputError: it has no audit."""
    run, study = Run(folder), Study.load(folder / "study.toml")
    if not study.audit:
        raise InputError("this run has no audit", where=str(folder), fix="Make one with `assay run --out`.")
    return run, study, run.corpus("synthetic")
