"""The report as Markdown: the same view, the same sentences, for a pull request or a terminal."""

from __future__ import annotations

import re

import jinja2

from assay.core.evidence import Run
from assay.report import safe
from assay.report.view import view

_LINE_END = re.compile(r"[\n\v\f\r]+")
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~#])")


class _Ready(str):
    """Text that is Markdown already."""

    __slots__ = ()


def render(run: Run) -> str:
    """The run's report as Markdown; rows and names in it are escaped, so that none becomes a link or a tag."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assay.report", "templates"),
        autoescape=False,  # nothing here is HTML; `finalize` escapes for Markdown instead
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _escaped(value) if isinstance(value, str) else value,
    )
    environment.filters["block"] = _block
    environment.filters["commands"] = _commands
    environment.filters["ready"] = _Ready
    return environment.get_template("page.md.jinja").render(view=view(run))


def _escaped(text: str) -> str:
    if isinstance(text, _Ready):
        return text
    return _SPECIAL.sub(r"\\\1", _LINE_END.sub(" ", safe.clean(text)))


def _commands(text: str) -> _Ready:
    """`text` escaped, except that code between backticks stays code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _Ready(_escaped(text))
    return _Ready("`".join(part if at % 2 else _escaped(part) for at, part in enumerate(parts)))


def _block(text: str) -> _Ready:
    """`text` as an indented code block, which nothing inside it can end."""
    return _Ready("\n".join(f"    {line}" for line in safe.clean(text).splitlines()))
