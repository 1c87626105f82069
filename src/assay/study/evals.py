"""The evaluations that a run looks for among the synthetic rows: read from files, or opened from indexes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.errors import InputError
from assay.core.evidence import Input
from assay.core.step import Step
from assay.study.job import Job
from assay.study.sides import input_of

if TYPE_CHECKING:
    from assay.audit.evals import Eval
    from assay.engine.evals import EvalFile
    from assay.engine.read import ReadResult


@dataclass(frozen=True)
class Wanted:
    """An evaluation of the run: read from its file, or opened from an index."""

    name: str
    read: ReadResult | None
    opened: Eval | None
    input: Input

    def index(self, ngram: int) -> Eval:
        """What the audit looks for."""
        from assay.audit.evals import index

        if self.opened is not None:
            return self.opened
        assert self.read is not None
        return index(self.read.corpus, self.name, ngram=ngram)

    @property
    def fingerprint(self) -> str:
        """What stands for its content."""
        return self.input.sha256 if self.read is None else self.read.corpus.fingerprint


def wanted(job: Job) -> tuple[Wanted, ...]:
    """All evaluations of the study. Raises: InputError: one cannot be read, or an index has no place to go."""
    from assay.engine.evals import INDEX_SUFFIX, eval_files

    study = job.study
    if study.save_index is not None and not study.save_index.endswith(INDEX_SUFFIX):
        raise InputError(
            f"an index is known by its suffix {INDEX_SUFFIX}",
            where=study.save_index,
            fix=f"Name it NAME{INDEX_SUFFIX}.",
        )
    if study.save_index is not None and not study.evals:
        raise InputError("there is no evaluation to save an index of", fix="Give --evals FILE.")
    found: list[Wanted] = []
    for file in eval_files(study.evals):
        found += _opened(job, file, found) if file.is_index else [_read(job, file)]
    return tuple(found)


def _read(job: Job, file: EvalFile) -> Wanted:
    from assay.engine.evals import read_eval
    from assay.engine.files import fingerprint
    from assay.engine.read import ReadResult

    study = job.study

    def work(folder: Path) -> None:
        read_eval(
            file,
            folder,
            mapping=study.columns,
            max_reject_share=study.max_reject_share,
            rejects=folder / "rejects.jsonl",
            progress=job.progress,
        )

    settings = {"name": file.name, "columns": study.columns, "max_reject_share": study.max_reject_share}
    folder = Step("read-eval", settings, (fingerprint(file.path),), work).run(job.steps)
    side = ReadResult.open(folder)
    return Wanted(file.name, side, None, input_of("eval", side))


def _opened(job: Job, file: EvalFile, before: list[Wanted]) -> list[Wanted]:
    from assay.audit.evals import load
    from assay.engine.evals import unused

    data = file.path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    found: list[Wanted] = []
    for each in load(file.path):
        if each.ngram != job.study.eval_ngram:
            raise InputError(
                f"this index was made of runs of {each.ngram} words",
                where=str(file.path),
                fix=f"Give --eval-ngram {each.ngram}.",
            )
        name = unused(each.name, [one.name for one in (*before, *found)])
        known = Input(
            role="eval",
            name=file.path.name,
            sha256=sha256,
            rows=len(each),
            rows_unread=0,
            bytes=len(data),
            shape="index",
        )
        found.append(Wanted(name, None, replace(each, name=name), known))
    return found
