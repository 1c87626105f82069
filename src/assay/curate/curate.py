"""From a run to a training set: what was flagged is set aside, what the trial supports is mixed in.

Nothing is lost: each row of the synthetic side is in `synthetic` or, with its reasons, in `set-aside`. Whether the rest
does a model good is not known until it is tried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from assay import __version__
from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.labels import CHOICES, LABELS, Answers
from assay.core.progress import Progress, silent
from assay.curate.balance import Balance, balance, shuffled
from assay.curate.card import update
from assay.curate.files import Format, RowFile
from assay.curate.filters import Judgement, chosen, judge
from assay.curate.flags import flags_of
from assay.curate.originals import Originals
from assay.curate.record import Balanced, Curation, Filtered, Source, Written
from assay.curate.share import recommend, warning
from assay.engine.shapes import Layout

RECORD, CARD = "curate.json", "README.md"
TRAIN, SYNTHETIC, ASIDE = "train", "synthetic", "set-aside"
LINEAGE = ("assay_origin", "assay_file", "assay_line", "assay_row", "assay_root", "assay_generation")
_PLAIN = ("text", "text-label")  # one shape with and without its label
_STAGE = "curate"
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Settings:
    """What a person may ask for.

    Attributes:
        share: Synthetic rows among all rows of the training set, 0 to 1; None takes what the evidence supports.
        rebalance: Column whose shares are brought to those of the real rows.
        skip, also: Names of filters not to use, and of those on request.
        form: Of the files; None takes Parquet where all real rows came in Parquet, else JSON lines.
    """

    share: float | None = None
    rebalance: str | None = None
    skip: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    form: Format | None = None
    seed: int = 0


@dataclass(frozen=True)
class Side:
    """Rows of one side.

    Attributes:
        allowed: Rows that a training set may hold as far as the test set is concerned, shape (rows,).
    """

    files: Originals
    allowed: Bools

    @property
    def corpus(self) -> Corpus:
        """Its rows as the run read them."""
        return self.files.read.corpus

    @property
    def layout(self) -> Layout:
        """What its columns mean."""
        return self.files.read.layout


@dataclass(frozen=True)
class _Mix:
    """Which rows make the training set, and what the record says of it."""

    real: Bools
    synthetic: Bools
    recommended: float
    why: str
    notes: tuple[str, ...]


def curate(
    run: Run,
    out: Path,
    real: Side,
    synthetic: Side,
    settings: Settings = Settings(),
    *,
    progress: Progress = silent,
) -> Curation:
    """Write `train`, `synthetic`, `set-aside`, `curate.json` and `README.md` into the folder `out`.

    The training set is every real row that is allowed and, of the synthetic rows that pass, as many as the share asks
    for, drawn by the seed: a larger share holds all rows of a smaller one. Rows stream from the files they came in, with
    their columns as they are; the columns of `LINEAGE` and `assay_filters` are added. Rows that were curated before keep
    the lineage they have.

    Raises: InputError: the flags are of other rows, the sides have different shapes, a filter or column does not exist,
        or `out` holds files of the same names that were not written here.
    """
    _make(out, run)
    filters = chosen(settings.skip, settings.also)
    answers = {
        name: Answers(run.folder / name, synthetic.corpus.table(["text"])["text"])
        for name in (CHOICES, LABELS)
    }
    flags, clusters = flags_of(run.folder, synthetic.corpus.rows)
    judged = judge(
        flags,
        clusters,
        ~synthetic.allowed,
        filters,
        choices=answers[CHOICES].given,
        labels=answers[LABELS].labelled,
    )
    evened = None
    if settings.rebalance is not None:
        evened = balance(settings.rebalance, real.corpus, synthetic.corpus, judged.passed, settings.seed)
    mix = _mixed(run, real, synthetic, judged.passed, evened, settings)
    form = settings.form or _form(real)
    files = _write(out, form, real, synthetic, judged, evened, mix, progress)
    made = _record(run, real, synthetic, judged, evened, mix, settings, files)
    made = made.model_copy(update={"stale_answers": sum(len(each.stale) for each in answers.values())})
    (out / RECORD).write_text(made.to_json(), encoding="utf-8")
    card = out / CARD
    card.write_text(update(card.read_text(encoding="utf-8") if card.exists() else "", made), encoding="utf-8")
    return made


def _make(out: Path, run: Run) -> None:
    if out.resolve() == run.folder.resolve():
        raise InputError("this is the folder of the run", where=str(out), fix="Give --out another folder.")
    ours = (out / RECORD).exists()
    for name in (TRAIN, SYNTHETIC, ASIDE):
        for path in (out / f"{name}.jsonl", out / f"{name}.parquet"):
            if path.exists() and not ours:
                raise InputError(
                    "a file of this name was not written by a curation",
                    where=str(path),
                    fix="Give --out another folder.",
                )
            path.unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)


def _mixed(
    run: Run, real: Side, synthetic: Side, passed: Bools, evened: Balance | None, settings: Settings
) -> _Mix:
    found = recommend(run.evidence)
    share = found.share if settings.share is None else settings.share
    notes = []
    why = found.why
    if settings.share is not None:
        why = f"you asked for {share:.4g}; the evidence supports {found.share:.4g}: {found.why}"
        if against := warning(run.evidence, share):
            notes.append(f"You asked for a share of {share:.4g}, but {against}.")
    if share > 0 and not _same_shape(real.layout, synthetic.layout):
        raise InputError(
            f"real rows are of shape {real.layout.shape}, synthetic ones of shape {synthetic.layout.shape}; a training "
            "set has one",
            fix="Bring one side to the shape of the other and run again, or give --share 0 for the filtered rows alone.",
        )
    if evened is not None and evened.absent:
        absent = ", ".join(f"{name} ({part:.1%} of the real rows)" for name, part in evened.absent.items())
        notes.append(f"No synthetic row that passed has these values of {evened.column}: {absent}.")
    ready = passed if evened is None else passed & evened.keep
    rows = int(real.allowed.sum()) if share < 1 else 0
    wanted = round(share / (1 - share) * rows) if share < 1 else int(ready.sum())
    order = shuffled(len(passed), settings.seed) if evened is None else evened.order
    taken = np.zeros(len(passed), bool)
    taken[order[ready[order]][:wanted]] = True
    if wanted > ready.sum():
        notes.append(
            f"A share of {share:.4g} would take {wanted:,} synthetic rows; all {int(ready.sum()):,} that there are went in."
        )
    return _Mix(
        real.allowed if share < 1 else np.zeros_like(real.allowed), taken, found.share, why, tuple(notes)
    )


def _same_shape(real: Layout, synthetic: Layout) -> bool:
    return real.shape == synthetic.shape or {real.shape, synthetic.shape} <= set(_PLAIN)


def _renamed(real: Layout, synthetic: Layout) -> dict[str, str]:
    """Synthetic column -> the real column that plays its part, where the names differ."""
    taken = set(synthetic.columns.values())
    return {
        column: real.columns[part]
        for part, column in synthetic.columns.items()
        if real.columns.get(part, column) not in taken and "." not in column + real.columns[part]
    }


def _form(real: Side) -> Format:
    return "parquet" if all(name.endswith(".parquet") for name in real.files.read.files) else "jsonl"


def _write(
    out: Path,
    form: Format,
    real: Side,
    synthetic: Side,
    judged: Judgement,
    evened: Balance | None,
    mix: _Mix,
    progress: Progress,
) -> dict[str, RowFile]:
    passed = judged.passed
    stays = passed if evened is None else passed & evened.keep
    overruled = np.any(list(judged.overruled.values()), axis=0)
    names = _renamed(real.layout, synthetic.layout)
    total, done = real.corpus.rows + synthetic.corpus.rows, 0
    files = {name: RowFile(out, name, form) for name in (TRAIN, SYNTHETIC, ASIDE)}
    with files[TRAIN] as train, files[SYNTHETIC] as better, files[ASIDE] as aside:
        for row, (values, place) in enumerate(real.files.rows()):
            if mix.real[row]:
                train.add(_with_lineage(values, place, "real", "not a test row"))
            done = _reported(progress, done, total)
        for row, (values, place) in enumerate(synthetic.files.rows()):
            said = "all"
            if overruled[row]:
                said = f"all but {', '.join(judged.waived(row))}, by a person's word"
            if stays[row]:
                whole = _with_lineage(values, place, "synthetic", said)
                better.add(whole)
                if mix.synthetic[row]:
                    train.add({names.get(column, column): value for column, value in whole.items()})
            else:
                reasons = judged.reasons(row) or [f"rebalance {evened.column}" if evened else ""]
                set_aside = _with_lineage(values, place, "synthetic", None)
                aside.add(set_aside | {"assay_reasons": ", ".join(reasons)})
            done = _reported(progress, done, total)
    return files


def _reported(progress: Progress, done: int, total: int) -> int:
    if done % 8192 == 0 or done + 1 == total:
        progress(_STAGE, done + 1, total)
    return done + 1


def _with_lineage(
    values: Mapping[str, Any],
    place: Mapping[str, Any],
    origin: Literal["real", "synthetic"],
    passed: str | None,
) -> dict[str, Any]:
    """The row with where it is from; what an earlier curation said of that stays."""
    said = (
        origin,
        place["file"],
        place["line"],
        place["row"],
        f"{place['root']:016x}",
        place["generation"],
    )
    known = "assay_origin" in values
    lineage = {} if known else dict(zip(LINEAGE, said, strict=True))
    return {**values, **lineage, "assay_filters": passed}


def _record(
    run: Run,
    real: Side,
    synthetic: Side,
    judged: Judgement,
    evened: Balance | None,
    mix: _Mix,
    settings: Settings,
    files: Mapping[str, RowFile],
) -> Curation:
    passed = judged.passed
    number = np.sum(list(judged.hits.values()), axis=0)
    rows, added = int(mix.real.sum()), int(mix.synthetic.sum())
    evidence = (run.folder / "evidence.json").read_bytes()
    inputs = {each.role: each for each in run.evidence.inputs}
    return Curation(
        tool=f"Assay {__version__}",
        name=f"{inputs['synthetic'].name.partition('.')[0]}, curated",
        seed=settings.seed,
        evidence_sha256=hashlib.sha256(evidence).hexdigest(),
        inputs=tuple(
            Source(role=role, name=inputs[role].name, sha256=inputs[role].sha256, rows=inputs[role].rows)
            for role in ("real", "synthetic")
        ),
        recommended=mix.recommended,
        asked=settings.share,
        share=added / max(rows + added, 1),
        why=mix.why,
        real_rows=rows,
        real_rows_held_out=int((~real.allowed).sum()),
        synthetic_rows=added,
        synthetic_rows_read=len(passed),
        synthetic_rows_passed=int(passed.sum()),
        filters=tuple(
            Filtered(
                name=each.name,
                why=each.why,
                rows=int(judged.hits[each.name].sum()),
                alone=int((judged.hits[each.name] & (number == 1)).sum()),
                overruled=int(judged.overruled[each.name].sum()),
            )
            for each in judged.used
        ),
        not_checked=tuple(each.name for each in judged.absent),
        stale_answers=0,
        balance=None if evened is None else _balanced(evened, passed),
        notes=mix.notes,
        files={
            name: Written(name=file.path.name, rows=file.rows, sha256=file.sha256)
            for name, file in files.items()
        },
    )


def _balanced(evened: Balance, passed: Bools) -> Balanced:
    return Balanced(
        column=evened.column,
        rows=int((passed & ~evened.keep).sum()),
        real=dict(evened.real),
        before=dict(evened.before),
        after=dict(evened.after),
        absent=dict(evened.absent),
    )
