"""A page for each command, from the command line itself: what it does, its arguments, its options with their defaults."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import Parameter, getdoc, signature
from typing import Any, Literal, get_args, get_origin

import typer
from typer.models import ArgumentInfo, ParameterInfo

from assay import cli
from pages.cells import WRITTEN, cell

# Where more stands about a command, and an example that runs.
MORE = {
    "run": ("quickstart.md", "assay run --real real.jsonl --synthetic synthetic.jsonl"),
    "audit": ("audit.md", "assay audit --real real.jsonl --synthetic synthetic.jsonl --evals quiz.jsonl"),
    "trial": ("trial.md", "assay trial --real real.jsonl --synthetic synthetic.jsonl --budget 30min"),
    "forecast": ("forecast.md", "assay forecast --real real.jsonl --rounds 5"),
    "inspect": ("data.md", "assay inspect reviews.csv --map text=body --map label=stars"),
    "report": ("report.md", "assay report assay-run --markdown"),
    "gate": ("gate.md", "assay gate assay-run --rules rules.toml --junit gate.xml"),
    "compare": ("compare.md", "assay compare runs/monday runs/tuesday"),
    "label": ("label.md", "assay label assay-run"),
    "curate": ("curate.md", "assay curate --run assay-run --out better"),
    "serve": ("serve.md", "assay serve runs"),
    "generate": (
        "generate.md",
        'assay generate --from real.jsonl --about "film review" --rows 500 --out synthetic.jsonl',
    ),
    "canary plant": ("audit/copying.md", "assay canary plant real.jsonl --out planted.jsonl"),
    "demo": ("quickstart.md", "assay demo"),
}


@dataclass(frozen=True)
class Given:
    """One argument or option of a command, as its function declares it."""

    parameter: Parameter

    @property
    def about(self) -> ParameterInfo:
        return next(
            each for each in get_args(self.parameter.annotation)[1:] if isinstance(each, ParameterInfo)
        )

    @property
    def is_argument(self) -> bool:
        return isinstance(self.about, ArgumentInfo)

    @property
    def names(self) -> tuple[str, ...]:
        # Within `Annotated` the first name stands where a default would otherwise stand.
        first = (self.about.default,) if isinstance(self.about.default, str) else ()
        return (*first, *(self.about.param_decls or ())) or (f"--{self.parameter.name.replace('_', '-')}",)

    @property
    def needed(self) -> bool:
        return self.parameter.default is Parameter.empty

    @property
    def default(self) -> str:
        value = self.parameter.default
        if self.needed:
            return "needed"
        return "" if value is None or value is False or value == [] else f"`{value}`"

    @property
    def kind(self) -> str:
        """What stands behind an option: ``N``, ``linear|ngram``, nothing behind a switch."""
        annotation = get_args(self.parameter.annotation)[0]
        if type(None) in get_args(annotation):
            annotation = get_args(annotation)[0]
        if get_origin(annotation) is Literal:
            return "|".join(get_args(annotation))
        low, high = self.about.min, self.about.max
        kind = {bool: "", int: "N", float: "X", list[str]: "TEXT ..."}.get(annotation)
        kind = kind if kind is not None else "TEXT" if annotation is str else "PATH"
        if low is None and high is None:
            return kind
        return f"{kind} ({low} to {high})" if None not in (low, high) else f"{kind} (at least {low})"


def named() -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Every command: its name, such as ``canary plant``, its function, and what it does."""
    yield from _commands(cli.app, "")
    for group in cli.app.registered_groups:
        assert group.typer_instance is not None
        yield from _commands(group.typer_instance, f"{group.name} ")


def _commands(within: typer.Typer, before: str) -> Iterator[tuple[str, Callable[..., Any], str]]:
    for each in within.registered_commands:
        assert each.callback is not None
        says = each.help or getdoc(each.callback) or ""
        yield before + (each.name or each.callback.__name__), each.callback, " ".join(says.split())


def path(name: str) -> str:
    """The page of a command, below docs/."""
    return f"commands/{name.replace(' ', '-')}.md"


def pages() -> dict[str, str]:
    """`commands.md`, and `commands/NAME.md` for each command."""
    found = {path(name): _page(name, command, says) for name, command, says in named()}
    return {"commands.md": _index()} | found


def _index() -> str:
    lines = [
        WRITTEN,
        "",
        "# Commands",
        "",
        "Results go to standard output, progress to standard error. Exit codes: 0 done, 1 a rule of `assay gate` is broken, "
        "2 wrong use or unreadable input, 3 a rule could not be decided. With `--json` a command prints its result as JSON. "
        "Options that take files take several: `--real a.jsonl b.jsonl`.",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    lines += [f"| [`assay {name}`]({path(name)}) | {cell(says)} |" for name, _, says in named()]
    return "\n".join([*lines, ""])


def _page(name: str, command: Callable[..., Any], says: str) -> str:
    given = [
        Given(each)
        for each in signature(command, eval_str=True).parameters.values()
        if get_args(each.annotation)
    ]
    # An option that is hidden concerns another stage, and is refused here.
    given = [each for each in given if not getattr(each.about, "hidden", False)]
    arguments = [each for each in given if each.is_argument]
    options = [each for each in given if not each.is_argument]
    shown = [
        each.parameter.name.upper() if each.needed else f"[{each.parameter.name.upper()}]"
        for each in arguments
    ]
    shown += [f"{each.names[0]} {each.kind or 'TEXT'}" for each in options if each.needed]
    lines = [WRITTEN, "", f"# assay {name}", "", says, "", "```console"]
    lines += [f"$ assay {name} {' '.join([*shown, '[OPTIONS]'])}", "```", ""]
    if name in MORE:
        more, example = MORE[name]
        lines += [f"For example `{example}`. More: [{more.removesuffix('.md')}](../{more}).", ""]
    if arguments:
        lines += ["## Arguments", "", "| argument | meaning |", "|---|---|"]
        lines += [
            f"| `{each.parameter.name.upper()}` | {cell(each.about.help or '')} |" for each in arguments
        ]
        lines += [""]
    lines += ["## Options", "", "| option | meaning | default |", "|---|---|---|"]
    for each in options:
        called = ", ".join(f"`{each_name}`" for each_name in each.names)
        lines += [f"| {called} {cell(each.kind)} | {cell(each.about.help or '')} | {each.default} |"]
    return "\n".join([*lines, ""])
