"""The commands that run stages: `run`, `audit`, `trial`, `forecast`, `demo`."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

import typer

from assay.cli.elsewhere import OPTIONS, from_elsewhere, is_asked
from assay.cli.options import Json, Out, given, option, settings_of
from assay.cli.screen import bars, note, result
from assay.core.errors import InputError
from assay.study.settings import STAGES, Stage, Study

_OUT = Parameter("out", Parameter.KEYWORD_ONLY, default=Path("assay-run"), annotation=Out)
_STUDY = option("study", None, Path | None, "A study.toml with all settings; options go before it.")
_JSON = Parameter("as_json", Parameter.KEYWORD_ONLY, default=False, annotation=Json)


def _command(*stages: Stage, more: list[Parameter] | None = None) -> Callable[..., None]:
    """One command for a choice of stages; its options are their settings, and `more`."""

    def command(context: typer.Context, **options: Any) -> None:
        out, file, as_json = (options.pop(name) for name in ("out", "study", "as_json"))
        said = {name: value for name, value in options.items() if _stands(context, name)}
        if is_asked(options):
            slices = tuple(options["slices"] or ())
            found = from_elsewhere(options, out, options["margin"], options["seed"], slices)
            return result(found, as_json)
        settings = {} if file is None else Study.load(file).model_dump()
        # What stands on the command line goes before what stands in the file, pair by pair.
        for name, value in given(
            {name: said[name] for name in said if name in Study.model_fields}, stages
        ).items():
            settings[name] = settings.get(name, {}) | value if isinstance(value, dict) else value
        if not settings.get("real"):
            raise InputError("no real data was given", fix="Give --real FILE (or --study study.toml).")
        if stages != STAGES:
            settings |= {stage: stage in stages for stage in STAGES}
        return _run(Study.of(settings), out, as_json)

    context = Parameter("context", Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    options = [*settings_of(stages), *(more or ()), _OUT, _STUDY, _JSON]
    command.__signature__ = Signature([context, *options])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in (context, *options)} | {"return": None}
    return command


def _stands(context: typer.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _run(study: Study, out: Path, as_json: bool) -> None:
    from assay.study import run

    with bars() as progress:
        done = run(study, out, progress=progress, note=note)
    result(done, as_json)


def _demo(out: Out = Path("assay-run"), as_json: Json = False) -> None:
    """The whole thing: human film reviews against those of a small language model."""
    from assay.demo.files import demo_files

    files = demo_files(out / "data")
    study = Study(
        real=(str(files.real),),
        test=(str(files.test),),
        synthetic=(str(files.synthetic),),
        slices=("source",),
    )
    _run(study, out, as_json)


def add(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("run", help="Everything: read, guard, audit, trial, forecast, verdict, report.")(
        _command(*STAGES)
    )
    app.command("audit", help="What is wrong with the data: the data checks only.")(_command("audit"))
    app.command("trial", help="What training on it does: arms, dose-response, exchange rate.")(
        _command("trial", more=OPTIONS)
    )
    app.command(
        "forecast",
        help="What recursive training will do: generations trained on each other's output, tested on real rows.",
    )(_command("forecast"))
    app.command("demo")(_demo)
