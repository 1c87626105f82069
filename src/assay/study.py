"""The order of the stages and nothing else: files in, a folder with evidence, rows and report out."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

import numpy as np
import numpy.typing as npt
import tomli_w
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from assay import __version__
from assay.core.canary import Canaries
from assay.core.corpus import Corpus
from assay.core.cost import GENERATION, Prices, costs, of_trainings
from assay.core.energy import Meter
from assay.core.errors import InputError
from assay.core.evidence import Costs, Evidence, Input, Loss, Run, Tool
from assay.core.labels import LABELS
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.core.step import Step, seconds_spent
from assay.core.trial import Trial
from assay.core.verdict import decide

if TYPE_CHECKING:
    from assay.audit.evals import Eval
    from assay.canary.plant import PlantResult
    from assay.curate.curate import Settings as Wishes
    from assay.curate.record import Curation
    from assay.engine.evals import EvalFile
    from assay.engine.groups.lists import Lists
    from assay.engine.read import ReadResult
    from assay.generate.generate import GenerateResult
    from assay.serve.server import Server

NAMED = 20  # rows of a loss that are named in the evidence
Role = Literal["real", "synthetic", "test", "holdout", "shifted", "general"]
_INDEX = "evals.assay-index"
_SHORT_BYTES = 2_000_000  # of real text in the short form of the forecast
_MEASURES = TypeAdapter(tuple[Measure, ...])
_TRIALS = TypeAdapter(tuple[Trial, ...])
_LOSSES = TypeAdapter(tuple[Loss, ...])
_ENERGY = TypeAdapter(tuple[float | None, str])  # joules, or why nobody knows


class Study(BaseModel):
    """The settings of a run; `study.toml` holds the same as data.

    Attributes:
        real, synthetic, test: Files, folders, globs or addresses. `test` replaces the held-out part of the real data.
        holdout: Real rows that the generator did not see; what synthetic rows share with them is chance.
        canaries: Key file of canaries that were planted in the generator's real rows.
        span: Fewest tokens of a passage that counts as copied word for word.
        origin_column, synthetic_value: Read one set of files as both sides; `synthetic` is then empty.
        columns: Column names by what they mean, ``{"text": "body"}``.
        evals: Evaluations to look for among the synthetic rows: files, each one evaluation, or indexes of them.
        eval_ngram: Words in a run that counts as the same.
        save_index: Where to write the index of the evaluations, which holds none of their text.
        slices: Columns to split by; None finds columns with few values.
        student: Name of the model that is to be trained; it may share its base with the generator.
        task: What a model is to learn: a class, the text, or answers to prompts; `auto` finds out.
        learner: What is trained; `auto` takes the cheapest that serves the task.
        base: Model that the learner `finetune` starts from: a folder or a name on the hub; None is the packaged one.
        depth: Layers of the learner `gpt`; None is its own choice.
        shifted: More real rows to test on, from elsewhere.
        general: Rows of anything else that the model should still be able to do.
        source: Column that names the source of each synthetic row; the best mix of the sources is then looked for.
        budget: Time the trainings may take, such as `30min`; arms and seeds are left out to keep to it.
        forecast: Simulate recursive training; in a whole run its short form, by the cheapest learner.
        full: All regimes of the forecast and its search for the safe share, by the learner named.
        rounds: Generations of the forecast after the first.
        real_share: Real rows in the regimes of the forecast that keep some.
        temperature, top_p, beams: How generations write.
        seeds: Trainings per arm.
        margin: Largest difference that counts as none: of accuracy, or as a share of the loss.
        embedder: Whose space rows are compared in: `lsa` is fitted on the real rows, `minilm` comes trained.
        groups: TOML lists of groups of people, or folders of them, beside the packaged ones, and columns that name groups;
            `none` for no list at all. Where any is named, the trial tries fixes against bias.
        pairs: Benchmarks of stereotypes for trained models of text: CrowS-Pairs, StereoSet, WinoBias or BBQ.
        max_reject_share: Share of unreadable rows above which reading stops.
        prices: What rows, tokens, hours and watts cost, as only the user can know.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    real: tuple[str, ...]
    synthetic: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    evals: tuple[str, ...] = ()
    eval_ngram: int = Field(default=13, ge=5, le=100)
    save_index: str | None = None
    holdout: tuple[str, ...] = ()
    canaries: str | None = None
    span: int = Field(default=50, ge=5)
    origin_column: str | None = None
    synthetic_value: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    slices: tuple[str, ...] | None = None
    student: str | None = None
    audit: bool = True
    trial: bool = True
    task: Literal["auto", "classification", "language-model", "chat"] = "auto"
    learner: Literal["auto", "linear", "ngram", "gpt", "finetune"] = "auto"
    base: str | None = None
    depth: int | None = Field(default=None, ge=1)
    shifted: tuple[str, ...] = ()
    general: tuple[str, ...] = ()
    source: str | None = None
    budget: str | None = None
    forecast: bool = True
    full: bool = False
    rounds: int = Field(default=5, ge=1, le=50)
    real_share: float = Field(default=0.1, gt=0, lt=1)
    temperature: float = Field(default=1.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    beams: int = Field(default=1, ge=1)
    seeds: int = Field(default=8, ge=5)
    margin: float = Field(default=0.01, gt=0, lt=1)
    embedder: Literal["lsa", "minilm"] = "lsa"
    groups: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    max_reject_share: float = Field(default=0.1, ge=0, le=1)
    prices: Prices = Prices()
    seed: int = 0

    @classmethod
    def load(cls, path: Path) -> Study:
        """The settings in a `study.toml`. Raises: InputError: it is missing or does not fit."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise InputError("no such file", where=str(path)) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
            raise InputError(
                str(error), where=str(path), fix="See docs/commands.md for the settings."
            ) from error

    def to_toml(self) -> str:
        """The text of `study.toml`."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def run(
    study: Study, out: Path, *, progress: Progress = silent, note: Callable[[str], None] = lambda text: None
) -> Run:
    """Read, guard, audit, try, decide and report; what was done before is not done again.

    Args:
        out: The run's folder: `evidence.json`, `report.html`, `rows/`, `steps/`, `study.toml`.
        note: Told what the trial will cost, before it starts.

    Raises: InputError: a file, column or setting cannot be used as given.
    """
    steps = out / "steps"
    sides = {role: _read(study, role, steps, progress) for role in _roles(study)}
    real, synthetic = sides["real"].corpus, sides["synthetic"].corpus
    _check_columns(study, real)
    given_test = sides["test"].corpus if "test" in sides else None
    holdout = sides["holdout"].corpus if "holdout" in sides else None
    train, reference, test, guard_losses = _split(study, real, given_test, steps, progress)
    clean, leak_losses = _without_copies(synthetic, test, steps, progress)
    evals = _evals(study, steps, progress) if study.audit else ()
    unread = {str(role): side for role, side in sides.items()}
    unread |= {f"eval {each.name}": each.read for each in evals if each.read is not None}
    losses = [*_unread(unread), *guard_losses, *leak_losses]

    made = [*(side.corpus.folder for side in sides.values()), train.folder.parent, clean.folder.parent]
    measures: list[Measure] = []
    trials: tuple[Trial, ...] = ()
    energy: tuple[float | None, str] = (None, "")
    rows = out / "rows"
    if study.audit:
        folder = _audit_step(study, train, reference, synthetic, holdout, evals, steps, progress)
        made.append(folder)
        measures += _MEASURES.validate_json((folder / "measures.json").read_bytes())
        _place(folder / "examples.parquet", rows / "examples.parquet")
        _place(folder / "flags.parquet", rows / "synthetic.parquet")
        _place_pairs(study, folder, rows)
    if study.trial:
        beside = [sides[role].corpus if role in sides else None for role in ("shifted", "general")]
        folder = _trial_step(study, train, clean, test, beside, steps, note, progress)
        made.append(folder)
        measures += _MEASURES.validate_json((folder / "measures.json").read_bytes())
        trials = _TRIALS.validate_json((folder / "trials.json").read_bytes())
        energy = _ENERGY.validate_json((folder / "energy.json").read_bytes())
    if study.forecast:
        folder = _forecast_step(study, train, test, synthetic, steps, note, progress, short=not study.full)
        made.append(folder)
        measures += _MEASURES.validate_json((folder / "measures.json").read_bytes())
        _place(folder / "forecast.json", out / "rows/forecast.json")
    measures += _costs(study, synthetic, clean, out, trials, energy, measures)

    evidence = Evidence(
        tool=Tool(version=__version__, commit=commit()),
        seed=study.seed,
        inputs=(*(_input(role, side) for role, side in sides.items()), *(each.input for each in evals)),
        measures=tuple(measures),
        trials=trials,
        claims=(),
        costs=Costs(seconds=round(sum(seconds_spent(folder) for folder in made), 1)),
        losses=tuple(losses),
    )
    _write(out / "study.toml", study.to_toml())
    return _conclude(study, out, evidence, synthetic)


def forecast(
    study: Study, out: Path, *, progress: Progress = silent, note: Callable[[str], None] = lambda text: None
) -> Run:
    """Read real rows, guard the test set, and run recursive training on them; synthetic rows are welcome, not needed.

    Args:
        out: The run's folder, as of `run`, and `rows/forecast.json` with sample texts of each generation.
        note: Told what the forecast will cost, before it starts.

    Raises: InputError: a file, column or setting cannot be used as given.
    """
    steps = out / "steps"
    alone = study.origin_column is None and not study.synthetic
    roles = tuple(
        role for role in _roles(study, synthetic=not alone) if role in ("real", "synthetic", "test")
    )
    sides = {role: _read(study, role, steps, progress) for role in roles}
    given_test = sides["test"].corpus if "test" in sides else None
    train, _, test, losses = _split(study, sides["real"].corpus, given_test, steps, progress)
    synthetic = sides["synthetic"].corpus if "synthetic" in sides else None
    folder = _forecast_step(study, train, test, synthetic, steps, note, progress, short=False)
    _place(folder / "forecast.json", out / "rows/forecast.json")
    measures = _MEASURES.validate_json((folder / "measures.json").read_bytes())
    made = [*(side.corpus.folder for side in sides.values()), train.folder.parent, folder]
    evidence = Evidence(
        tool=Tool(version=__version__, commit=commit()),
        seed=study.seed,
        inputs=tuple(_input(role, side) for role, side in sides.items()),
        measures=measures,
        trials=(),
        claims=decide(measures, margin=study.margin),
        costs=Costs(seconds=round(sum(seconds_spent(each) for each in made), 1)),
        losses=(*_unread({str(role): side for role, side in sides.items()}), *losses),
    )
    _write(out / "study.toml", study.to_toml())
    _write(out / "evidence.json", evidence.to_json())
    result = Run(out)
    report(result)
    return result


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

    run, study, synthetic = _audited(folder)
    sheet = open_sheet(folder, synthetic, run.evidence.seed)
    if labels is not None:
        sheet.answers.take(labels)
    else:
        ask(sheet.rows, sheet.design, sheet.answers, most, keys or sys.stdin, screen or sys.stderr)
    return _conclude(study, folder, run.evidence, synthetic)


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

    run, study, synthetic = _audited(folder)
    real, steps = run.corpus("real"), folder / "steps"
    given_test = run.corpus("test") if study.test else None
    train, reference, test, _ = _split(study, real, given_test, steps, progress)
    clean, _ = _without_copies(synthetic, test, steps, progress)

    def side(role: str, corpus: Corpus, paths: tuple[str, ...], parts: tuple[Corpus, ...]) -> Side:
        return Side(Originals(ReadResult.open(corpus.folder), paths, role), _among(corpus, parts))

    ours = side("real", real, study.real, (train, reference))
    theirs = side("synthetic", synthetic, study.synthetic or study.real, (clean,))
    made = make(run, out, ours, theirs, wishes, progress=progress)
    better = made.files[SYNTHETIC]
    again = study.model_copy(
        update={
            "synthetic": (str(out / better.name),),
            "prices": _prices_after(study, run.evidence, better.rows),
        }
    )
    _write(out / "study.toml", again.to_toml())
    return made


def _prices_after(study: Study, evidence: Evidence, rows: int) -> Prices:
    """The prices when only `rows` of the rows are left: what the others cost was paid all the same."""
    paid = evidence.find("cost.usd", slice={"of": GENERATION})
    if paid is None or paid.value is None or not rows:
        return study.prices
    return study.prices.model_copy(update={"row": paid.value / rows})


def _among(corpus: Corpus, parts: Sequence[Corpus]) -> npt.NDArray[np.bool_]:
    """Which rows of a corpus are in one of its parts, shape (rows,)."""
    found = np.zeros(corpus.rows, np.bool_)
    for part in parts:
        found[part.table(["row"])["row"].to_numpy()] = True
    return found


def serve(folder: Path, *, port: int) -> Server:
    """A page over the runs of a folder, listening on this machine alone but not yet answering.

    Raises: InputError: the folder does not exist, or the port is taken.
    """
    from assay.label.sheet import open_sheet
    from assay.serve.server import Server

    def draw(run: Path) -> None:
        known, _, synthetic = _audited(run)
        open_sheet(run, synthetic, known.evidence.seed)

    def conclude(run: Path) -> Run:
        known, study, synthetic = _audited(run)
        return _conclude(study, run, known.evidence, synthetic)

    return Server(folder, port=port, draw=draw, conclude=conclude)


def _audited(folder: Path) -> tuple[Run, Study, Corpus]:
    """A run with its settings and synthetic rows. Raises: InputError: it has no audit."""
    run, study = Run(folder), Study.load(folder / "study.toml")
    if not study.audit:
        raise InputError("this run has no audit", where=str(folder), fix="Make one with `assay run --out`.")
    return run, study, run.corpus("synthetic")


def _conclude(study: Study, out: Path, evidence: Evidence, synthetic: Corpus) -> Run:
    """Add what the labels in the folder say, decide every claim, write the evidence and draw its pages."""
    from assay.label.rate import NAME, unlabelled
    from assay.label.sheet import open_sheet

    measures = [measure for measure in evidence.measures if measure.name != NAME]
    if study.audit:
        labelled = (out / LABELS).exists()
        measures.append(open_sheet(out, synthetic, study.seed).rate() if labelled else unlabelled())
    return conclude(out, evidence.model_copy(update={"measures": tuple(measures)}), study.margin)


def conclude(out: Path, evidence: Evidence, margin: float) -> Run:
    """Decide every claim on the measures, write the evidence and draw its pages."""
    settled = evidence.model_copy(update={"claims": decide(evidence.measures, margin=margin)})
    _write(out / "evidence.json", settled.to_json())
    result = Run(out)
    report(result)
    return result


def report(run: Run, *, html: bool = True, markdown: bool = True) -> list[Path]:
    """Draw a run's pages from its evidence; returns the files written."""
    from assay.report.markdown import render as to_markdown
    from assay.report.page import render as to_html

    written = []
    wanted: tuple[tuple[bool, str, Callable[[Run], str]], ...] = (
        (html, "report.html", to_html),
        (markdown, "report.md", to_markdown),
    )
    for wants, name, render in wanted:
        if wants:
            _write(run.folder / name, render(run))
            written.append(run.folder / name)
    return written


def generate(
    sources: tuple[str, ...],
    out: Path,
    *,
    rows: int,
    recipe: str,
    model: str,
    about: str,
    seed: int,
    columns: dict[str, str],
    progress: Progress = silent,
) -> GenerateResult:
    """Read labelled real rows and let a model write `rows` more of their kind into the JSONL file `out`.

    Raises: InputError: the recipe is unknown, the rows carry no labels, or `out` holds other rows.
    """
    from assay.generate.fewshot import NAME, FewShotByLabel
    from assay.generate.generate import generate as write
    from assay.models.endpoint import open_model

    if recipe != NAME:
        raise InputError(f"no recipe is called {recipe!r}", fix=f"Use --recipe {NAME}.")
    settings = Study(real=sources, columns=columns)
    real = _read(settings, "real", out.with_name(f".{out.name}.steps"), progress).corpus
    with open_model(model) as writer:
        return write(
            real,
            recipe=FewShotByLabel(about=about),
            model=writer,
            rows=rows,
            out=out,
            seed=seed,
            progress=progress,
        )


def plant(
    sources: tuple[str, ...],
    out: Path,
    *,
    number: int,
    words: int,
    copies: int,
    seed: int,
    columns: dict[str, str],
    progress: Progress = silent,
) -> PlantResult:
    """Copy real rows into the JSONL file `out` with `number` canaries planted among them, and write their key.

    Raises: InputError: too few rows, or too few words in them, to draw canaries from.
    """
    from assay.canary.plant import plant as write

    settings = Study(real=sources, columns=columns)
    with tempfile.TemporaryDirectory(dir=_made(out.parent), prefix=f".{out.name}.") as aside:
        real = _read(settings, "real", Path(aside), progress).corpus
        return write(
            sources, real, out, number=number, words=words, copies=copies, seed=seed, progress=progress
        )


def _roles(study: Study, *, synthetic: bool = True) -> tuple[Role, ...]:
    if synthetic and study.origin_column is None and not study.synthetic:
        raise InputError(
            "no synthetic data was given",
            fix="Give --synthetic FILE, or --origin-column NAME --synthetic-value VALUE for one mixed file.",
        )
    holdout = study.holdout if study.audit else ()
    shifted, general = (study.shifted, study.general) if study.trial else ((), ())
    optional: tuple[tuple[Role, tuple[str, ...]], ...] = (
        ("test", study.test),
        ("holdout", holdout),
        ("shifted", shifted),
        ("general", general),
    )
    sides: tuple[Role, ...] = ("real", "synthetic") if synthetic else ("real",)
    return (*sides, *(role for role, paths in optional if paths))


def _read(study: Study, role: Role, steps: Path, progress: Progress) -> ReadResult:
    from assay.engine.files import fingerprint
    from assay.engine.read import ReadResult, read

    paths = {
        "real": study.real,
        "synthetic": study.synthetic or study.real,
        "test": study.test,
        "holdout": study.holdout,
        "shifted": study.shifted,
        "general": study.general,
    }[role]
    columns = _group_columns(study)
    slices = None if study.slices is None else tuple(dict.fromkeys((*study.slices, *columns)))
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
            rejects=steps.parent / f"rejects-{role}.jsonl",
            progress=progress,
        )

    return ReadResult.open(Step(f"read-{role}", settings, (fingerprint(paths),), work).run(steps))


def _input(role: Role | Literal["eval"], side: ReadResult) -> Input:
    return Input(
        role=role,
        name=Path(side.files[0]).name if len(side.files) == 1 else role,
        sha256=side.sha256,
        rows=side.corpus.rows,
        rows_unread=side.rows_unread,
        bytes=side.bytes,
        shape=side.corpus.shape,
    )


@dataclass(frozen=True)
class _Eval:
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


def _evals(study: Study, steps: Path, progress: Progress) -> tuple[_Eval, ...]:
    from assay.engine.evals import INDEX_SUFFIX, eval_files

    if study.save_index is not None and not study.save_index.endswith(INDEX_SUFFIX):
        raise InputError(
            f"an index is known by its suffix {INDEX_SUFFIX}",
            where=study.save_index,
            fix=f"Name it NAME{INDEX_SUFFIX}.",
        )
    if study.save_index is not None and not study.evals:
        raise InputError("there is no evaluation to save an index of", fix="Give --evals FILE.")
    found: list[_Eval] = []
    for file in eval_files(study.evals):
        found += _opened(study, file, found) if file.is_index else [_read_eval(study, file, steps, progress)]
    return tuple(found)


def _read_eval(study: Study, file: EvalFile, steps: Path, progress: Progress) -> _Eval:
    from assay.engine.evals import read_eval
    from assay.engine.files import fingerprint
    from assay.engine.read import ReadResult

    def work(folder: Path) -> None:
        read_eval(
            file,
            folder,
            mapping=study.columns,
            max_reject_share=study.max_reject_share,
            rejects=folder / "rejects.jsonl",
            progress=progress,
        )

    settings = {"name": file.name, "columns": study.columns, "max_reject_share": study.max_reject_share}
    folder = Step("read-eval", settings, (fingerprint(file.path),), work).run(steps)
    side = ReadResult.open(folder)
    return _Eval(file.name, side, None, _input("eval", side))


def _opened(study: Study, file: EvalFile, before: list[_Eval]) -> list[_Eval]:
    from dataclasses import replace

    from assay.audit.evals import load
    from assay.engine.evals import unused

    data = file.path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    found: list[_Eval] = []
    for each in load(file.path):
        if each.ngram != study.eval_ngram:
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
        found.append(_Eval(name, None, replace(each, name=name), known))
    return found


def _unread(sides: Mapping[str, ReadResult]) -> list[Loss]:
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


def _split(
    study: Study, real: Corpus, test: Corpus | None, steps: Path, progress: Progress
) -> tuple[Corpus, Corpus, Corpus, list[Loss]]:
    from assay.engine.guard import split

    def work(folder: Path) -> None:
        parts = split(real, folder, test=test, seed=study.seed, progress=progress)
        losses = _copies(
            "real rows that copy test rows",
            "training on them would flatter every arm",
            real,
            parts.left_out,
        )
        (folder / "losses.json").write_bytes(_LOSSES.dump_json(losses))

    inputs = (real.fingerprint, test.fingerprint if test else "")
    folder = Step("split", {"seed": study.seed}, inputs, work).run(steps)
    losses = list(_LOSSES.validate_json((folder / "losses.json").read_bytes()))
    held_out = test or Corpus.open(folder / "test")
    return Corpus.open(folder / "train"), Corpus.open(folder / "reference"), held_out, losses


def _without_copies(
    synthetic: Corpus, test: Corpus, steps: Path, progress: Progress
) -> tuple[Corpus, list[Loss]]:
    """The synthetic rows that may enter an arm, and the ones that may not because they copy test rows."""
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
        progress("guard", synthetic.rows, synthetic.rows)

    folder = Step("guard", {}, (synthetic.fingerprint, test.fingerprint), work).run(steps)
    losses = _LOSSES.validate_json((folder / "losses.json").read_bytes())
    return Corpus.open(folder / "clean"), list(losses)


def _audit_step(
    study: Study,
    real: Corpus,
    reference: Corpus,
    synthetic: Corpus,
    holdout: Corpus | None,
    evals: tuple[_Eval, ...],
    steps: Path,
    progress: Progress,
) -> Path:
    planted = Canaries.load(Path(study.canaries)) if study.canaries else None
    lists = _lists(study)

    def work(folder: Path) -> None:
        from assay.audit.evals import save
        from assay.audit.run import audit

        indexes = [each.index(study.eval_ngram) for each in evals]
        result = audit(
            real,
            reference,
            synthetic,
            folder,
            holdout=holdout,
            planted=planted,
            span=study.span,
            evals=indexes,
            seed=study.seed,
            student=study.student,
            embedder=study.embedder,
            lists=lists,
            progress=progress,
        )
        (folder / "measures.json").write_bytes(_MEASURES.dump_json(result.measures))
        if indexes:
            save(indexes, folder / _INDEX)

    settings = {
        "seed": study.seed,
        "span": study.span,
        "evals": [each.name for each in evals],
        "ngram": study.eval_ngram,
        "student": study.student,
        "embedder": study.embedder,
    }
    inputs = (
        real.fingerprint,
        reference.fingerprint,
        synthetic.fingerprint,
        holdout.fingerprint if holdout else "",
        planted.to_json() if planted else "",
        lists.fingerprint,
    )
    read = (each.read.corpus.fingerprint if each.read else each.input.sha256 for each in evals)
    return Step("audit", settings, (*inputs, *read), work).run(steps)


def _group_columns(study: Study) -> tuple[str, ...]:
    """What `groups` names besides files: columns."""
    return tuple(
        each
        for each in study.groups
        if each != "none" and not each.endswith(".toml") and not Path(each).exists()
    )


def _check_columns(study: Study, real: Corpus) -> None:
    """Raises: InputError: `groups` names what is neither a list nor a column of the real rows."""
    for column in _group_columns(study):
        if column not in real.slices:
            raise InputError(
                f"{column!r} is no list of groups and no column that divides the real rows",
                where="--groups",
                fix=f"Columns that do: {', '.join(real.slices) or 'none'}; name another one by --slice.",
            )


def _lists(study: Study) -> Lists:
    """The packaged lists of groups with those of the user, or none."""
    from assay.engine.groups.lists import NO_LISTS, load

    if "none" in study.groups:
        return NO_LISTS
    columns = _group_columns(study)
    return load(Path(each) for each in study.groups if each not in columns)


def _place_pairs(study: Study, audit: Path, rows: Path) -> None:
    """The pairs of evaluation items and rows beside the other rows, and the index where it is wanted."""
    if not study.evals:
        (rows / "contamination.parquet").unlink(missing_ok=True)
        return
    _place(audit / "contamination.parquet", rows / "contamination.parquet")
    if study.save_index is not None:
        _place(audit / _INDEX, Path(study.save_index))


def _trial_step(
    study: Study,
    train: Corpus,
    synthetic: Corpus,
    test: Corpus,
    beside: Sequence[Corpus | None],
    steps: Path,
    note: Callable[[str], None],
    progress: Progress,
) -> Path:
    from assay.engine.pairs import read_pairs
    from assay.trial.budget import seconds_of
    from assay.trial.run import Settings, run_trial

    settings = Settings(
        task=None if study.task == "auto" else study.task,
        learner=None if study.learner == "auto" else study.learner,
        base=study.base,
        depth=study.depth,
        seeds=study.seeds,
        budget=None if study.budget is None else seconds_of(study.budget),
        margin=study.margin,
        source=study.source,
        seed=study.seed,
        groups=_group_columns(study),
        fixes=bool(study.groups) and study.groups != ("none",),
    )
    lists, pairs = _lists(study), read_pairs(map(Path, study.pairs))
    inputs = [corpus.fingerprint if corpus else "" for corpus in (train, synthetic, test, *beside)]
    inputs += [lists.fingerprint, hashlib.sha256(repr(pairs).encode()).hexdigest()]

    def work(folder: Path) -> None:
        # Finished trainings outlive a kill of the step; they go when it is whole.
        keep = steps / f".{folder.name.split('.')[1]}.trainings"
        goes_on = keep.exists()
        with Meter() as meter:
            result = run_trial(
                train,
                synthetic,
                test,
                settings,
                second=beside[0],
                general=beside[1],
                lists=lists,
                pairs=pairs,
                keep=keep,
                note=note,
                progress=progress,
            )
            used = None if goes_on else meter.joules
        why = (
            "the trial was stopped and went on, and its first part was not measured"
            if goes_on
            else meter.missing
        )
        (folder / "energy.json").write_bytes(_ENERGY.dump_json((used, why)))
        (folder / "measures.json").write_bytes(_MEASURES.dump_json(result.measures))
        (folder / "trials.json").write_bytes(_TRIALS.dump_json(result.trials))
        shutil.rmtree(keep, ignore_errors=True)

    return Step("trial", dataclasses.asdict(settings), tuple(inputs), work).run(steps)


def _forecast_step(
    study: Study,
    train: Corpus,
    test: Corpus,
    synthetic: Corpus | None,
    steps: Path,
    note: Callable[[str], None],
    progress: Progress,
    *,
    short: bool,
) -> Path:
    from assay.forecast.run import Settings, run_forecast, to_json
    from assay.models.learner import Sampling
    from assay.trial.budget import seconds_of

    settings = Settings(
        task=None if study.task == "auto" else study.task,
        learner=None if short or study.learner == "auto" else study.learner,
        base=None if short else study.base,
        depth=None if short else study.depth,
        rounds=study.rounds,
        seeds=min(study.seeds, 5),
        full=study.full,
        share=study.real_share,
        safe=not short,
        most_bytes=_SHORT_BYTES if short else None,
        sampling=Sampling(study.temperature, study.top_p, study.beams, most_tokens=0),
        budget=None if study.budget is None else seconds_of(study.budget),
        margin=study.margin,
        seed=study.seed,
    )

    def work(folder: Path) -> None:
        # Finished generations outlive a kill of the step; they go when it is whole.
        keep = steps / f".{folder.name.split('.')[1]}.generations"
        result = run_forecast(
            train, test, settings, synthetic=synthetic, keep=keep, note=note, progress=progress
        )
        (folder / "measures.json").write_bytes(_MEASURES.dump_json(result.measures))
        (folder / "forecast.json").write_text(to_json(result.record), encoding="utf-8")
        shutil.rmtree(keep, ignore_errors=True)

    inputs = (train.fingerprint, test.fingerprint, synthetic.fingerprint if synthetic else "")
    return Step("forecast", dataclasses.asdict(settings), inputs, work).run(steps)


def _costs(
    study: Study,
    synthetic: Corpus,
    clean: Corpus,
    out: Path,
    trials: tuple[Trial, ...],
    energy: tuple[float | None, str],
    measures: Sequence[Measure],
) -> tuple[Measure, ...]:
    """What the synthetic rows and the trainings cost, as far as it was counted and the user gave prices."""
    from assay.curate.flags import kept
    from assay.generate.spent import spent

    passing = kept(out, synthetic.rows, _among(synthetic, (clean,))) if study.audit else None
    made = [spent(synthetic)]
    if trials:
        made.append(of_trainings(trials, *energy))
    return costs(made, study.prices, kept=passing, measures=measures)


def _copies(what: str, why: str, corpus: Corpus, rows: npt.NDArray[np.int64]) -> tuple[Loss, ...]:
    """The loss of rows that copy test rows, naming the closest ones by their first 200 characters."""
    from assay.engine.batches import gather

    if not len(rows):
        return ()
    texts = gather(corpus.table(["text"]).column("text"), rows[:NAMED]).to_pylist()
    return (Loss(what=what, why=why, rows=len(rows), examples=tuple(text[:200] for text in texts)),)


def _place(made: Path, place: Path) -> None:
    """Copy a step's file into the run's folder, whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    aside.write_bytes(made.read_bytes())
    aside.replace(place)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write(path: Path, text: str) -> None:
    """Write aside, then rename: a reader never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)


@functools.cache
def commit() -> str | None:
    """The commit of a source checkout; None when installed from a wheel or without git."""
    home = Path(__file__).resolve().parents[2]
    if not (home / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", "-C", str(home), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return found.stdout.strip() or None
