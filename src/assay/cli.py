"""The command line: parse, call one function, print. Results go to standard output, progress to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import Parameter, signature
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from assay import __version__
from assay.core.answer import answer
from assay.core.catalogue import define
from assay.core.errors import AssayError, InputError
from assay.core.evidence import Run
from assay.core.progress import Progress
from assay.core.unseen import clean
from assay.core.words import with_interval

app = typer.Typer(
    name="assay",
    help="Does this synthetic data help or harm my model, what is wrong with it, and how much should I mix in?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

canary_app = typer.Typer(help="Secrets planted among real rows, to see whether a generator gives them away.")
app.add_typer(canary_app, name="canary")


@canary_app.callback()
def _canary() -> None:
    """Keeps `plant` a command of its own while it is the only one."""


Paths = list[str]
Real = Annotated[Paths, typer.Option("--real", help="Real rows: files, folders, globs or addresses.")]
Synthetic = Annotated[Paths | None, typer.Option("--synthetic", help="Synthetic rows, likewise.")]
Test = Annotated[
    Paths | None, typer.Option("--test", help="Held-out real rows to test on, instead of a split.")
]
Evals = Annotated[
    Paths | None,
    typer.Option("--evals", help="Evaluations to look for in the synthetic rows: files, or indexes of them."),
]
EvalNgram = Annotated[int, typer.Option(min=5, max=100, help="Words in a run that counts as the same.")]
SaveIndex = Annotated[
    str | None,
    typer.Option(help="Write an index of the evaluations, without their text, to NAME.assay-index."),
]
Holdout = Annotated[
    Paths | None,
    typer.Option("--holdout", help="Real rows that the generator did not see: shows what is chance."),
]
CanaryKey = Annotated[
    str | None, typer.Option("--canaries", help="Key file of `assay canary plant`: were they given away?")
]
Span = Annotated[int, typer.Option(min=5, help="Fewest words of a passage that counts as copied.")]
Out = Annotated[Path, typer.Option("--out", help="Folder of the run; run again to go on where it stopped.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
Task = Annotated[
    Literal["auto", "classification", "language-model", "chat"],
    typer.Option(help="What a model is to learn: labels, the text, or answers to prompts."),
]
Learner = Annotated[
    Literal["auto", "linear", "ngram", "gpt", "finetune"],
    typer.Option(help="What is trained; auto takes the cheapest for the task."),
]
Base = Annotated[
    str | None, typer.Option(help="Model that finetune starts from: a folder, or a name on the hub.")
]
Depth = Annotated[int | None, typer.Option(min=1, help="Layers of gpt, which set its other sizes.")]
Shifted = Annotated[
    Paths | None, typer.Option("--shifted", help="More real rows to test on, from elsewhere.")
]
General = Annotated[
    Paths | None,
    typer.Option("--general", help="Rows of anything else the model should still be able to do."),
]
SourceColumn = Annotated[
    str | None,
    typer.Option(
        "--source", help="Column that names each synthetic row's source: find the best mix of them."
    ),
]
Budget = Annotated[
    str | None,
    typer.Option(help="Time the trainings may take: 30min, 2h. Less is trained where that is too short."),
]
Seeds = Annotated[int, typer.Option(min=5, help="Trainings per arm.")]
Full = Annotated[
    bool,
    typer.Option("--full", help="All regimes of the forecast, by the learner named, and what share is safe."),
]
Rounds = Annotated[int, typer.Option(min=1, max=50, help="Generations of the forecast after the first.")]
RealShare = Annotated[
    float, typer.Option(min=0.01, max=0.99, help="Real rows in the regimes of the forecast that keep some.")
]
Margin = Annotated[
    float,
    typer.Option(
        min=0.0001, max=0.5, help="Difference of accuracy, or share of the loss, that counts as none."
    ),
]
Embedder = Annotated[
    Literal["lsa", "minilm"],
    typer.Option(help="Whose space rows are compared in; minilm needs the extra embed."),
]
Groups = Annotated[
    Paths | None,
    typer.Option(
        "--groups",
        help="Groups of people: a column, or a TOML list to look for as well; `none` for no list. Named, fixes are tried.",
    ),
]
Pairs = Annotated[
    Paths | None,
    typer.Option("--pairs", help="CrowS-Pairs, StereoSet, WinoBias or BBQ, asked of trained models of text."),
]
Map = Annotated[
    Paths | None, typer.Option("--map", help="What a column means, such as text=body or label=stars.")
]
Slice = Annotated[
    Paths | None, typer.Option("--slice", help="Column to split by; default: columns of few values.")
]
OriginColumn = Annotated[
    str | None, typer.Option(help="Column that tells real from synthetic in one set of files.")
]
SyntheticValue = Annotated[str | None, typer.Option(help="Value of the origin column on synthetic rows.")]
Student = Annotated[
    str | None,
    typer.Option(help="Name of the model you will train, such as Llama-3.1-8B; is the generator kin?"),
]
RowCost = Annotated[
    float | None,
    typer.Option("--cost-per-row", min=0, help="US dollars that one synthetic row cost to make."),
]
RealRowCost = Annotated[
    float | None,
    typer.Option("--real-row-cost", min=0, help="US dollars that one more real row would cost."),
]
MaxRejects = Annotated[float, typer.Option(min=0, max=1, help="Share of unreadable rows that stops the run.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
StudyFile = Annotated[Path | None, typer.Option("--study", help="A study.toml with all settings.")]


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        sys.stdout.write(f"assay {__version__}\n")
        raise typer.Exit


_AUDIT_ONLY = {
    "evals",
    "eval_ngram",
    "save_index",
    "holdout",
    "canaries",
    "span",
    "student",
    "embedder",
}
_TRIAL_ONLY = {
    "seeds",
    "margin",
    "task",
    "learner",
    "base",
    "depth",
    "shifted",
    "general",
    "source",
    "budget",
    "pairs",
}
_FORECAST_ONLY = {"full", "rounds", "real_share"}
_SETTINGS = {"map": "columns", "slice": "slices"}


def _stands_on_command_line(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _refuse(options: set[str], asked: bool, stage: str) -> None:
    """Raises: InputError: an option of a stage that this command does not run would do nothing."""
    if options and not asked:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(options))
        raise InputError(f"{named} would do nothing here", fix=f"Give it to `assay {stage}` or `assay run`.")


def _stage(audit: bool, trial: bool) -> Callable[..., None]:
    """One command for each choice of stages; they share every option."""

    def command(
        context: typer.Context,
        real: Real = [],  # noqa: B006 (typer reads the default, nobody changes it)
        synthetic: Synthetic = None,
        test: Test = None,
        evals: Evals = None,
        eval_ngram: EvalNgram = 13,
        save_index: SaveIndex = None,
        holdout: Holdout = None,
        canaries: CanaryKey = None,
        span: Span = 50,
        out: Out = Path("assay-run"),
        seed: Seed = 0,
        task: Task = "auto",
        learner: Learner = "auto",
        base: Base = None,
        depth: Depth = None,
        shifted: Shifted = None,
        general: General = None,
        source: SourceColumn = None,
        budget: Budget = None,
        seeds: Seeds = 8,
        margin: Margin = 0.01,
        full: Full = False,
        rounds: Rounds = 5,
        real_share: RealShare = 0.1,
        embedder: Embedder = "lsa",
        groups: Groups = None,
        pairs: Pairs = None,
        map: Map = None,
        slice: Slice = None,
        origin_column: OriginColumn = None,
        synthetic_value: SyntheticValue = None,
        student: Student = None,
        cost_per_row: RowCost = None,
        real_row_cost: RealRowCost = None,
        max_reject_share: MaxRejects = 0.1,
        study: StudyFile = None,
        as_json: Json = False,
        **elsewhere: Any,
    ) -> None:
        from assay.study import Study

        if any(elsewhere.get(name) for name in _ELSEWHERE):
            return _results(_from_elsewhere(elsewhere, out, margin, seed, tuple(slice or ())), as_json)
        given = {name for name in context.params if _stands_on_command_line(context, name)}
        _refuse(given & _AUDIT_ONLY, audit, "audit")
        _refuse(given & _TRIAL_ONLY, trial, "trial")
        _refuse(given & _FORECAST_ONLY, audit and trial, "forecast")
        options = {
            "real": tuple(real),
            "synthetic": tuple(synthetic or ()),
            "test": tuple(test or ()),
            "evals": tuple(evals or ()),
            "eval_ngram": eval_ngram,
            "save_index": save_index,
            "holdout": tuple(holdout or ()),
            "canaries": canaries,
            "span": span,
            "seed": seed,
            "task": task,
            "learner": learner,
            "base": base,
            "depth": depth,
            "shifted": tuple(shifted or ()),
            "general": tuple(general or ()),
            "source": source,
            "budget": budget,
            "seeds": seeds,
            "margin": margin,
            "full": full,
            "rounds": rounds,
            "real_share": real_share,
            "embedder": embedder,
            "groups": tuple(groups or ()),
            "pairs": tuple(pairs or ()),
            "map": _mapping(map or []),
            "slice": tuple(slice) if slice else None,
            "origin_column": origin_column,
            "synthetic_value": synthetic_value,
            "student": student,
            "max_reject_share": max_reject_share,
        }
        settings = {} if study is None else Study.load(study).model_dump()
        # What stands on the command line goes before what stands in the file.
        settings |= {_SETTINGS.get(name, name): options[name] for name in options if name in given}
        priced = {"row": cost_per_row, "real_row": real_row_cost}
        settings["prices"] = settings.get("prices", {}) | {
            name: price for name, price in priced.items() if price is not None
        }
        if not settings.get("real"):
            raise InputError("no real data was given", fix="Give --real FILE (or --study study.toml).")
        stages = {"audit": audit, "trial": trial}
        if not (audit and trial):
            stages["forecast"] = False
        return _run(Study.model_validate(settings | stages), out, as_json)

    own = signature(command, eval_str=True)
    shared = [each for each in own.parameters.values() if each.kind is not each.VAR_KEYWORD]
    extra = _ELSEWHERE_OPTIONS if trial and not audit else []
    command.__signature__ = own.replace(parameters=[*shared, *extra])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in (*shared, *extra)} | {"return": None}
    return command


_ELSEWHERE = ("points", "scores", "answers")


def _option(
    name: str, default: object, annotation: object, help: str, flag: str | None = None, **more: Any
) -> Parameter:
    flags = (flag,) if flag else ()
    annotated = Annotated[annotation, typer.Option(*flags, help=help, **more)]  # type: ignore[valid-type]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotated)


# What `assay trial` takes instead of rows: results of training that went on elsewhere.
_ELSEWHERE_OPTIONS = [
    _option(
        "points", None, Path | None, "Table of runs (parameters, tokens or FLOPs, loss): fit a scaling law."
    ),
    _option("points_column", None, Paths | None, "Which column is which, such as loss=val_loss."),
    _option("scores", None, Paths | None, "Per-item scores, one file for each arm, the baseline first."),
    _option("metric", None, str | None, "Which score, where the files hold several."),
    _option("cluster", None, str | None, "Column that says which items are kin."),
    _option(
        "lower_is_better",
        None,
        bool | None,
        "Whether a lower score is better; default: known by its name.",
        "--lower-is-better/--higher-is-better",
    ),
    _option("answers", None, Paths | None, "Answers for a judge, one file for each arm, the baseline first."),
    _option("judge", None, str | None, "Who judges: smollm2, a GGUF file, or http://host/v1#name."),
    _option(
        "labels", None, Path | None, "A person's word on some of the answers: without it no judge has a say."
    ),
    _option("ratings", False, bool, "Rate each answer instead of comparing two.", "--ratings"),
    _option(
        "judge_floor", 0.4, float, "Least agreement beyond chance (kappa) that lets the judge have a say."
    ),
    _option("judge_cache", None, Path | None, "Folder of the judge's replies; default: in the run's steps."),
    _option("price_read", 0.0, float, "US dollars for a million tokens that the judge reads.", min=0),
    _option("price_written", 0.0, float, "US dollars for a million tokens that the judge writes.", min=0),
]


def _from_elsewhere(
    given: dict[str, Any], out: Path, margin: float, seed: int, slices: tuple[str, ...]
) -> Run:
    from assay import elsewhere

    asked = [name for name in _ELSEWHERE if given[name]]
    if len(asked) > 1:
        raise InputError(
            f"--{asked[0]} and --{asked[1]} are two different questions", fix="Ask them one at a time."
        )
    if given["points"]:
        return elsewhere.points(
            given["points"], out, columns=_mapping(given["points_column"] or []), seed=seed
        )
    if given["scores"]:
        return elsewhere.scores(
            [Path(path) for path in given["scores"]],
            out,
            metric=given["metric"],
            slices=slices,
            cluster=given["cluster"],
            lower_is_better=given["lower_is_better"],
            margin=margin,
            seed=seed,
        )
    if not (given["judge"] and given["labels"]):
        raise InputError("answers need a judge and labels", fix="Give --judge MODEL and --labels FILE.")
    return elsewhere.judged(
        [Path(path) for path in given["answers"]],
        given["labels"],
        out,
        model=given["judge"],
        ratings=given["ratings"],
        floor=given["judge_floor"],
        cache=given["judge_cache"],
        prices=(given["price_read"], given["price_written"]),
        seed=seed,
    )


app.command("run", help="Everything: read, guard, audit, trial, forecast, verdict, report.")(
    _stage(True, True)
)
app.command("audit", help="What is wrong with the data: the data checks only.")(_stage(True, False))
app.command("trial", help="What training on it does: arms, dose-response, exchange rate.")(
    _stage(False, True)
)


@app.command()
def forecast(
    context: typer.Context,
    real: Real = [],  # noqa: B006 (typer reads the default, nobody changes it)
    synthetic: Synthetic = None,
    test: Test = None,
    out: Out = Path("assay-run"),
    seed: Seed = 0,
    task: Task = "auto",
    learner: Learner = "auto",
    base: Base = None,
    depth: Depth = None,
    full: Full = False,
    rounds: Rounds = 5,
    real_share: RealShare = 0.1,
    temperature: Annotated[float, typer.Option(min=0, help="Of the text of each generation.")] = 1.0,
    top_p: Annotated[float, typer.Option(min=0.01, max=1, help="Likeliest tokens it is drawn from.")] = 1.0,
    beams: Annotated[int, typer.Option(min=1, help="More than one searches for the likeliest text.")] = 1,
    budget: Budget = None,
    margin: Margin = 0.01,
    map: Map = None,
    origin_column: OriginColumn = None,
    synthetic_value: SyntheticValue = None,
    max_reject_share: MaxRejects = 0.1,
    study: StudyFile = None,
    as_json: Json = False,
) -> None:
    """What recursive training will do: generations trained on each other's output, tested on real rows."""
    from assay.study import Study
    from assay.study import forecast as recur

    # What stands on the command line goes before what stands in the file.
    settings = {} if study is None else Study.load(study).model_dump()
    given = {name for name in context.params if _stands_on_command_line(context, name)}
    options = {name: context.params[name] for name in given - {"out", "study", "as_json", "map"}}
    settings |= {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    if map:
        settings["columns"] = _mapping(map)
    if not settings.get("real"):
        raise InputError("no real data was given", fix="Give --real FILE (or --study study.toml).")
    settings |= {"audit": False, "trial": False, "forecast": True}
    with _bars() as progress:
        done = recur(Study.model_validate(settings), out, progress=progress, note=_note)
    if as_json:
        sys.stdout.write(done.evidence.to_json() + "\n")
    else:
        _print_answer(done)


@app.command()
def inspect(
    files: Annotated[Paths, typer.Argument(help="Files, folders, globs or addresses.")],
    map: Map = None,
    slice: Slice = None,
    as_json: Json = False,
) -> None:
    """Show what a file holds: shape, rows, broken rows and why, tokens, labels, batches, times."""
    from assay.engine.inspect import inspect as look

    with _bars() as progress:
        found = look(files, mapping=_mapping(map or []), slices=slice, progress=progress)
    if as_json:
        sys.stdout.write(found.model_dump_json(indent=1) + "\n")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("file", "shape", "rows", "broken", "tokens", "labels", "columns"):
        table.add_column(
            heading, justify="right" if heading in ("rows", "broken", "tokens", "labels") else "left"
        )
    for file in found.files:
        table.add_row(
            file.name,
            f"{file.shape} ({file.confidence:.0%})" if file.shape else "–",
            f"{file.rows:,}",
            f"{file.rows_unread:,}",
            f"{file.tokens:,}",
            f"{len(file.labels):,}" if file.labels else "–",
            ", ".join(f"{column}: {meaning or 'kept along'}" for column, meaning in file.columns.items()),
        )
    console = Console(highlight=False)
    console.print(table)
    for file in found.files:
        if file.problem:
            console.print(f"{file.name}: {file.problem}", markup=False)
        if file.batches:
            console.print(f"{file.name}: {len(file.batches):,} batches", markup=False)
        if file.earliest and file.latest:
            console.print(
                f"{file.name}: from {file.earliest:%Y-%m-%d} to {file.latest:%Y-%m-%d}", markup=False
            )
        if file.untimed:
            console.print(f"{file.name}: {file.untimed:,} rows with a time that cannot be read", markup=False)
        for reason, rows in file.reasons.items():
            console.print(f"{file.name}: {rows:,} unreadable: {reason}", markup=False)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    html: Annotated[bool, typer.Option("--html", help="Only report.html.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Only report.md.")] = False,
    card: Annotated[
        bool, typer.Option("--card", help="A block of measured facts in README.md; the rest of it stays.")
    ] = False,
    croissant: Annotated[bool, typer.Option("--croissant", help="croissant.json.")] = False,
    spdx: Annotated[bool, typer.Option("--spdx", help="dataset.spdx.json.")] = False,
    eu: Annotated[
        bool, typer.Option("--eu", help="eu-summary.md: draft on synthetic data for AI Act Art. 53(1)(d).")
    ] = False,
    into: Annotated[
        Path | None, typer.Option(help="Folder of the data set that cards are for; default: the run's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw the pages of a run again from its evidence, or the cards that travel with its synthetic data."""
    from assay.report.cards import write
    from assay.study import report as draw

    cards = {"card": card, "croissant": croissant, "spdx": spdx, "eu": eu}
    kinds = tuple(name for name, wanted in cards.items() if wanted)
    if into is not None and not kinds:
        raise InputError("--into would do nothing here", fix="Give --card, --croissant, --spdx or --eu.")
    both = not (html or markdown or kinds)
    written = draw(Run(run), html=html or both, markdown=markdown or both)
    written += write(Run(run), kinds, into or run)
    sys.stdout.write(
        json.dumps([str(path) for path in written]) + "\n"
        if as_json
        else "".join(f"{path}\n" for path in written)
    )


@app.command()
def gate(
    run: Annotated[Path, typer.Argument(help="Folder of a run.")],
    rules: Annotated[
        Path | None, typer.Option(help="Rules as TOML; default: those that come with the package.")
    ] = None,
    against: Annotated[Path | None, typer.Option(help="An earlier run, for no-worse-by.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write SARIF 2.1.0 here.")] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Annotations and, under $GITHUB_STEP_SUMMARY, a summary.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Judge a run by rules: 0 all hold, 1 one is broken, 3 one could not be decided."""
    from assay.report import github as on_github
    from assay.report import junit as as_junit
    from assay.report import sarif as as_sarif
    from assay.report import terminal
    from assay.report.gate import gate as judge
    from assay.report.gate import record

    judgement = judge(Run(run), rules=rules, against=against)
    root = Path(os.environ.get("GITHUB_WORKSPACE", "."))
    if junit is not None:
        _save(junit, as_junit.render(judgement))
    if sarif is not None:
        _save(sarif, as_sarif.render(judgement, root))
    if github:
        (sys.stderr if as_json else sys.stdout).write(on_github.commands(judgement, root))
        if "GITHUB_STEP_SUMMARY" in os.environ:
            with Path(os.environ["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as file:
                file.write(on_github.summary(judgement))
    if as_json:
        sys.stdout.write(json.dumps(record(judgement), indent=1) + "\n")
    else:
        _show(terminal.of_judgement(judgement))
    raise typer.Exit(judgement.exit_code)


@app.command()
def compare(
    before: Annotated[Path | None, typer.Argument(help="Folder of the earlier run.")] = None,
    after: Annotated[Path | None, typer.Argument(help="Folder of the later run.")] = None,
    history: Annotated[Path | None, typer.Option(help="Instead: all runs in this folder, as series.")] = None,
    measure: Annotated[
        Paths | None, typer.Option(help="With --history: only this measure, with its slices.")
    ] = None,
    order: Annotated[
        Literal["time", "name"], typer.Option(help="With --history: by time of the record, or by name.")
    ] = "time",
    html: Annotated[Path | None, typer.Option(help="Write a page here.")] = None,
    as_json: Json = False,
) -> None:
    """What moved between two runs beyond noise, or how all runs of a folder went."""
    from assay.report import compare as two
    from assay.report import compare_page, terminal
    from assay.report import history as many

    if (history is None) == (before is None) or (before is None) != (after is None):
        raise InputError("give two runs, or --history DIR", fix="For example: assay compare old new")
    if history is None and (measure or order != "time"):
        raise InputError("--measure and --order would do nothing here", fix="Give them with --history.")
    if before is not None and after is not None:
        found = two.compare(Run(before), Run(after))
        page, facts, parts = compare_page.render(found), two.record(found), terminal.of_comparison(found)
    else:
        assert history is not None
        went = many.history(history, names=measure or (), order=order)
        page, facts, parts = many.render(went), many.record(went), terminal.of_history(went)
    if html is not None:
        _save(html, page)
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=1) + "\n")
    else:
        _show(parts)


@app.command()
def label(
    run: Annotated[Path, typer.Argument(help="Folder of a run with an audit.")],
    labels: Annotated[
        Path | None, typer.Option(help='Take labels from a file instead, lines {"row": 7, "wrong": true}.')
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Stop when so many rows are labelled.")] = 200,
    as_json: Json = False,
) -> None:
    """Say of some synthetic rows whether they are wrong, by one key each; then decide and report again."""
    from assay.study import label as take

    done = take(run, labels=labels, most=rows)
    if as_json:
        sys.stdout.write(done.evidence.to_json() + "\n")
        return
    rate = done.evidence.find("quality.error_rate")
    assert rate is not None
    console = Console(highlight=False)
    source = f", from {rate.n:,} labels" if rate.value is not None else ""
    console.print(f"{define(rate.name).title}: {with_interval(rate)}{source}", markup=False, soft_wrap=True)
    _print_answer(done)


@app.command()
def curate(
    run: Annotated[Path, typer.Option("--run", help="Folder of a run with an audit.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the training set.")],
    share: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Synthetic rows among all rows; default: what the evidence of the run supports.",
        ),
    ] = None,
    rebalance: Annotated[
        str | None,
        typer.Option(help="Column, such as label, whose shares are brought to those of the real rows."),
    ] = None,
    skip: Annotated[Paths | None, typer.Option(help="A filter not to use; may be given again.")] = None,
    also: Annotated[
        Paths | None,
        typer.Option(help="A filter on request: template, prompt_duplicate, restricted_terms, …"),
    ] = None,
    format: Annotated[
        Literal["auto", "jsonl", "parquet"], typer.Option(help="Of the rows; auto: as the real rows came.")
    ] = "auto",
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """A better training set of a run: what was flagged set aside, what the trial supports mixed in."""
    from assay.curate.curate import Settings as Wishes
    from assay.curate.words import said
    from assay.study import curate as make

    wishes = Wishes(
        share=share,
        rebalance=rebalance,
        skip=tuple(skip or ()),
        also=tuple(also or ()),
        form=None if format == "auto" else format,
        seed=seed,
    )
    with _bars() as progress:
        made = make(run, out, wishes, progress=progress)
    if as_json:
        sys.stdout.write(made.to_json() + "\n")
    else:
        _show(list(said(made, run, out)))


@app.command()
def serve(
    runs: Annotated[Path, typer.Argument(help="Folder that holds the folders of runs, or of one run.")],
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, help="Port to listen on, on this machine alone; 0 takes a free one."),
    ] = 8642,
    as_json: Json = False,
) -> None:
    """Browse runs, compare them, search and label their rows in a browser on this machine."""
    from assay.study import serve as listen

    server = listen(runs, port=port)
    if as_json:
        sys.stdout.write(json.dumps({"url": server.url, "runs": server.runs}) + "\n")
    else:
        sys.stdout.write(f"{server.runs:,} runs. Open this address; Ctrl-C ends:\n{server.url}\n")
    sys.stdout.flush()
    server.forever()


@app.command()
def generate(
    sources: Annotated[Paths, typer.Option("--from", help="Real labelled rows to learn the manner from.")],
    out: Annotated[
        Path, typer.Option("--out", help="JSONL file to write; run again to go on where it stopped.")
    ],
    rows: Annotated[int, typer.Option(min=1, help="Rows to write.")],
    recipe: Annotated[
        str, typer.Option(help="How to ask the model: few-shot-by-label.")
    ] = "few-shot-by-label",
    model: Annotated[
        str,
        typer.Option(
            help="smollm2, a GGUF file, or http://host/v1#name of a service that speaks the chat protocol."
        ),
    ] = "smollm2",
    about: Annotated[
        str, typer.Option(help="What a row is, as the prompts call it: 'film review'.")
    ] = "text",
    seed: Seed = 0,
    map: Map = None,
    as_json: Json = False,
) -> None:
    """Write synthetic rows with a local language model, each with its lineage."""
    from assay.study import generate as write

    with _bars() as progress:
        done = write(
            tuple(sources),
            out,
            rows=rows,
            recipe=recipe,
            model=model,
            about=about,
            seed=seed,
            columns=_mapping(map or []),
            progress=progress,
        )
    if as_json:
        facts = {"out": str(done.out), "rows": done.rows, "tokens": done.tokens, "seconds": done.seconds}
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sys.stdout.write(
            f"{done.out}: {done.rows:,} rows; {done.tokens:,} tokens written in {done.seconds:.0f} s\n"
        )


@canary_app.command("plant")
def canary_plant(
    files: Annotated[Paths, typer.Argument(help="Real rows: files, folders or globs.")],
    out: Annotated[Path, typer.Option("--out", help="JSONL file to write; the key goes beside it.")],
    number: Annotated[int, typer.Option(min=2, help="Canaries to plant.")] = 100,
    words: Annotated[int, typer.Option(min=2, max=50, help="Words of each secret.")] = 6,
    copies: Annotated[int, typer.Option(min=1, help="How often each is planted.")] = 1,
    seed: Seed = 0,
    map: Map = None,
    as_json: Json = False,
) -> None:
    """Copy real rows with made-up secrets among them, to train a generator on and then audit what it writes."""
    from assay.study import plant

    with _bars() as progress:
        done = plant(
            tuple(files),
            out,
            number=number,
            words=words,
            copies=copies,
            seed=seed,
            columns=_mapping(map or []),
            progress=progress,
        )
    if as_json:
        facts = {
            "out": str(done.out),
            "key": str(done.key),
            "rows": done.rows,
            "planted": done.planted,
            "unread": done.unread,
        }
        sys.stdout.write(json.dumps(facts) + "\n")
    else:
        sys.stdout.write(
            f"{done.out}: {done.rows:,} rows, {done.planted:,} of them planted, {done.unread:,} lines unreadable "
            f"and left out; key: {done.key}\n"
        )


@app.command()
def demo(out: Out = Path("assay-run"), as_json: Json = False) -> None:
    """The whole thing: human film reviews against those of a small language model."""
    from assay.demo.files import demo_files
    from assay.study import Study

    files = demo_files(out / "data")
    study = Study(
        real=(str(files.real),),
        test=(str(files.test),),
        synthetic=(str(files.synthetic),),
        slices=("source",),
    )
    _run(study, out, as_json)


def _run(settings: object, out: Path, as_json: bool) -> None:
    from assay.study import Study, run

    assert isinstance(settings, Study)
    with _bars() as progress:
        done = run(settings, out, progress=progress, note=_note)
    _results(done, as_json)


def _results(done: Run, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(done.evidence.to_json() + "\n")
    else:
        _print_answer(done)


def _note(text: str) -> None:
    Console(stderr=True, highlight=False).print(clean(text), markup=False, soft_wrap=True)


def _print_answer(run: Run) -> None:
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


def _show(parts: list[str | Table]) -> None:
    """Lines and tables as they are, whatever the data put in them."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    for part in parts:
        console.print(part, markup=False, soft_wrap=isinstance(part, str))


def _save(path: Path, text: str) -> None:
    """Raises: InputError: nothing can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _spread(arguments: list[str]) -> list[str]:
    """``--real a b`` as ``--real a --real b``, for commands whose files all stand behind an option."""
    if not arguments or arguments[0] not in ("run", "audit", "trial", "forecast"):
        return arguments
    out: list[str] = []
    several = ""
    for argument in arguments:
        if argument.startswith("-"):
            several = argument if argument in _SEVERAL else ""
        elif several and out[-1] != several:
            out.append(several)
        out.append(argument)
    return out


_SEVERAL = {
    f"--{name}" for name in ("real", "synthetic", "test", "evals", "holdout", "shifted", "general", "groups")
}
_SEVERAL |= {"--scores", "--answers", "--map", "--slice", "--points-column"}


def _mapping(pairs: Paths) -> dict[str, str]:
    """``["text=body"]`` as ``{"text": "body"}``."""
    mapping = {}
    for pair in pairs:
        meaning, equals, column = pair.partition("=")
        if not (meaning and equals and column):
            raise InputError(
                f"--map {pair!r} is not of the form meaning=column", fix="For example: --map text=body"
            )
        mapping[meaning] = column
    return mapping


@contextmanager
def _bars() -> Iterator[Progress]:
    """Progress bars on standard error, one per stage."""
    bars = Bars(
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
            tasks[stage] = bars.add_task(stage, total=total, unit=unit)
        bars.update(tasks[stage], completed=done, total=total)

    with bars:
        yield show


def main() -> None:
    """Run the command line; every error of ours ends in its message and its exit code."""
    try:
        app(_spread(sys.argv[1:]))
    except AssayError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", markup=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
