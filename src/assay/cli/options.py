"""Options out of settings: whatever `Study` says of a field, the command line asks for in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import Parameter
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args

import annotated_types
import typer

from assay.core.cost import Prices
from assay.core.errors import InputError
from assay.study.settings import STAGES, Stage, Study, ask

Paths = list[str]
Out = Annotated[Path, typer.Option("--out", help="Folder of the run; run again to go on where it stopped.")]
Seed = Annotated[int, typer.Option(help="Seed of every random choice.")]
Map = Annotated[Paths | None, typer.Option("--map", help="What a column means, such as text=body.")]
Slice = Annotated[Paths | None, typer.Option("--slice", help="Column to split by.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]


def option(
    name: str, default: object, kind: object, help: str, flag: str | None = None, **more: Any
) -> Parameter:
    """One option of a command whose options are made from data.

    Args:
        flag: Its name on the command line, where that is not ``--name``.
        more: Whatever else `typer.Option` takes.
    """
    asked = typer.Option(*((flag,) if flag else ()), help=help, **more)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, asked])


def settings_of(stages: Iterable[Stage]) -> list[Parameter]:
    """An option for each setting; those that change none of `stages` are hidden, to be refused by name."""
    return [_setting(name, set(stages)) for name in Study.model_fields if ask(name)]


def _setting(name: str, stages: set[Stage]) -> Parameter:
    field, asked = Study.model_fields[name], ask(name)
    assert asked is not None
    several = _is_several(field.annotation)
    more: dict[str, Any] = {"hidden": not stages & set(asked.stages), "show_default": not several}
    if asked.stages != STAGES:
        more["rich_help_panel"] = " and ".join(asked.stages).capitalize()
    for bound in field.metadata:
        if isinstance(bound, annotated_types.Ge):
            more["min"] = bound.ge
        if isinstance(bound, annotated_types.Le):
            more["max"] = bound.le
    kind = (Paths | None) if several else field.annotation
    default = None if several or field.is_required() else field.default
    return option(name, default, kind, asked.help, f"--{_flag(name)}", **more)


def _is_several(annotation: Any) -> bool:
    """Whether a setting takes more than one word: files, columns, pairs."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return _is_pairs(annotation) or tuple[str, ...] in kinds


def _is_pairs(annotation: Any) -> bool:
    """Whether its words are of the form ``name=value``."""
    return annotation == dict[str, str] or annotation is Prices


def _flag(name: str) -> str:
    asked = ask(name)
    return (asked.option if asked and asked.option else name).replace("_", "-")


def given(options: Mapping[str, Any], stages: Iterable[Stage]) -> dict[str, Any]:
    """Settings out of the options that stand on the command line, as `Study` takes them.

    Raises: InputError: one of them would change nothing in these stages, or is not of its form.
    """
    settings: dict[str, Any] = {}
    idle: dict[Stage, list[str]] = {}
    for name, value in options.items():
        asked = ask(name)
        assert asked is not None
        if not set(asked.stages) & set(stages):
            idle.setdefault(asked.stages[0], []).append(f"--{_flag(name)}")
        if _is_pairs(Study.model_fields[name].annotation):
            value = mapping(value, f"--{_flag(name)}")
        settings[name] = tuple(value) if isinstance(value, list) else value
    for stage, flags in idle.items():
        raise InputError(
            f"{', '.join(sorted(flags))} would do nothing here",
            fix=f"Give it to `assay {stage}` or `assay run`.",
        )
    return settings


def mapping(pairs: Paths, flag: str = "--map") -> dict[str, str]:
    """``["text=body"]`` as ``{"text": "body"}``. Raises: InputError: a pair is of another form."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals and value):
            raise InputError(f"{flag} {pair!r} is not of the form name=value", fix=f"See {flag} in --help.")
        found[name] = value
    return found


def spread(arguments: list[str], several: set[str]) -> list[str]:
    """``--real a b`` as ``--real a --real b``, for the flags that take `several` words."""
    out: list[str] = []
    open_flag = ""
    for argument in arguments:
        if argument.startswith("-"):
            open_flag = argument if argument in several else ""
        elif open_flag and out[-1] != open_flag:
            out.append(open_flag)
        out.append(argument)
    return out


def several_flags() -> set[str]:
    """The flags of settings that take more than one word."""
    return {f"--{_flag(name)}" for name, field in Study.model_fields.items() if _is_several(field.annotation)}
