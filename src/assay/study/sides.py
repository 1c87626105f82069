"""The rows of a run: read by what they are for, the test set guarded, what was set aside named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.evidence import Input, Loss
from assay.core.step import Step
from assay.study.job import Job

if TYPE_CHECKING:
    from assay.engine.read import ReadResult

Role = Literal["real", "synthetic", "test", "holdout", "shifted", "general"]
_NAMED = 20  # rows of a loss that are named in the evidence
_LOSSES = TypeAdapter(tuple[Loss, ...])


def read_sides(job: Job) -> dict[Role, ReadResult]:
    """Every set of rows that the stages of this study need.

    Raises: InputError: synthetic rows are needed and none are given, or a file, column or setting cannot be used.
    """
    study = job.study
    mixed = study.origin_column is not None
    if (study.audit or study.trial) and not (mixed or study.synthetic):
        raise InputError(
            "no synthetic data was given",
            fix="Give --synthetic FILE, or --origin-column NAME --synthetic-value VALUE for one mixed file.",
        )
    wanted: dict[Role, tuple[str, ...]] = {
        "real": study.real,
        "synthetic": study.real if mixed and not study.synthetic else study.synthetic,
        "test": study.test,
        "holdout": study.holdout if study.audit else (),
        "shifted": study.shifted if study.trial else (),
        "general": study.general if study.trial else (),
    }
    sides = {role: read_side(job, role, paths) for role, paths in wanted.items() if paths}
    _check_columns(job, sides["real"].corpus)
    return sides


def read_side(job: Job, role: Role, paths: tuple[str, ...]) -> ReadResult:
    """One set of rows, as a corpus. Raises: InputError: it cannot be read."""
    from assay.engine.files import fingerprint
    from assay.engine.read import ReadResult, read

    study = job.study
    slices = study.slices
    if slices is not None:
        slices = tuple(dict.fromkeys((*slices, *study.group_columns)))
    origin_column = study.origin_column if role in ("real", "synthetic") else None
    settings = {
        "role": role,
        "columns": study.columns,
        "slices": slices,
        "origin": [origin_column, study.synthetic_value],
        "max_reject_share": study.max_reject_share,
    }

    def work(folder: Path) -> None:
        read(
            paths,
            folder,
            name=role,
            origin="synthetic" if role == "synthetic" else "real",
            mapping=study.columns,
            origin_column=origin_column,
            synthetic_value=study.synthetic_value,
            slices=slices,
            max_reject_share=study.max_reject_share,
            rejects=job.out / f"rejects-{role}.jsonl",
            progress=job.progress,
        )

    return ReadResult.open(Step(f"read-{role}", settings, (fingerprint(paths),), work).run(job.steps))


def _check_columns(job: Job, real: Corpus) -> None:
    """Raises: InputError: `groups` names what is neither a list nor a column of the real rows, or a column in vain."""
    for column in job.study.group_columns:
        if not (job.study.audit or job.study.trial):
            raise InputError(
                f"the text that a forecast writes has no columns, so {column!r} would do nothing",
                where="--groups",
                fix="Leave it out, or give a TOML list of words that stand for groups.",
            )
        if column not in real.slices:
            raise InputError(
                f"{column!r} is no list of groups and no column that divides the real rows",
                where="--groups",
                fix=f"Columns that do: {', '.join(real.slices) or 'none'}; name another one by --slice.",
            )


def split(
    job: Job, real: Corpus, test: Corpus | None
) -> tuple[Corpus, Corpus, Corpus, tuple[Loss, ...], Path]:
    """Real rows in three: to train on, to be the reference, to test on; what was left out; and the step's folder."""
    from assay.engine.guard import split

    def work(folder: Path) -> None:
        parts = split(real, folder, test=test, seed=job.study.seed, progress=job.progress)
        losses = _copies(
            "real rows that copy test rows",
            "training on them would flatter every arm",
            real,
            parts.left_out,
        )
        (folder / "losses.json").write_bytes(_LOSSES.dump_json(losses))

    inputs = (real.fingerprint, test.fingerprint if test else "")
    folder = Step("split", {"seed": job.study.seed}, inputs, work).run(job.steps)
    losses = _LOSSES.validate_json((folder / "losses.json").read_bytes())
    held_out = test or Corpus.open(folder / "test")
    return Corpus.open(folder / "train"), Corpus.open(folder / "reference"), held_out, losses, folder


def without_copies(job: Job, synthetic: Corpus, test: Corpus) -> tuple[Corpus, tuple[Loss, ...], Path]:
    """The synthetic rows that may enter an arm, the ones that may not because they copy test rows, and the folder."""
    from assay.engine.guard import copies_of

    def work(folder: Path) -> None:
        copies = copies_of(synthetic, test)
        synthetic.subset(folder / "clean", ~copies.mask, name=synthetic.name)
        losses = _copies(
            "synthetic rows that copy test rows",
            "a model trained on them would have seen the test",
            synthetic,
            copies.closest_first(),
        )
        (folder / "losses.json").write_bytes(_LOSSES.dump_json(losses))
        job.progress("guard", synthetic.rows, synthetic.rows)

    folder = Step("guard", {}, (synthetic.fingerprint, test.fingerprint), work).run(job.steps)
    losses = _LOSSES.validate_json((folder / "losses.json").read_bytes())
    return Corpus.open(folder / "clean"), losses, folder


def input_of(role: Role | Literal["eval"], side: ReadResult) -> Input:
    """The evidence's record of what was read."""
    return Input(
        role=role,
        name=Path(side.files[0]).name if len(side.files) == 1 else role,
        sha256=side.sha256,
        rows=side.corpus.rows,
        rows_unread=side.rows_unread,
        bytes=side.bytes,
        shape=side.corpus.shape,
    )


def unread(sides: Mapping[str, ReadResult]) -> list[Loss]:
    """A loss for each set of rows with some that could not be read."""
    return [
        Loss(
            what=f"unreadable {role} rows",
            why="; ".join(f"{reason} ({rows:,})" for reason, rows in side.reasons.items()),
            rows=side.rows_unread,
            examples=side.examples,
        )
        for role, side in sides.items()
        if side.rows_unread
    ]


def _copies(what: str, why: str, corpus: Corpus, rows: npt.NDArray[np.int64]) -> tuple[Loss, ...]:
    """The loss of rows that copy test rows, naming the closest ones by their first 200 characters."""
    from assay.engine.batches import gather

    if not len(rows):
        return ()
    texts = gather(corpus.table(["text"]).column("text"), rows[:_NAMED]).to_pylist()
    return (Loss(what=what, why=why, rows=len(rows), examples=tuple(text[:200] for text in texts)),)
