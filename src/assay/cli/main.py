"""One app of all commands; every error of ours ends in its message and its exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from assay import __version__
from assay.cli.elsewhere import SEVERAL
from assay.cli.files import add as add_files
from assay.cli.options import several_flags, spread
from assay.cli.runs import add as add_runs
from assay.cli.stages import add as add_stages
from assay.core.errors import AssayError

app = typer.Typer(
    name="assay",
    help="Does this synthetic data help or harm my model, what is wrong with it, and how much should I mix in?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Commands whose files all stand behind options; elsewhere a word on its own is an argument.
_SPREAD = ("run", "audit", "trial", "forecast")


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        sys.stdout.write(f"assay {__version__}\n")
        raise typer.Exit


for _add in (add_stages, add_files, add_runs):
    _add(app)


def main() -> None:
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments and arguments[0] in _SPREAD:
        arguments = spread(arguments, several_flags() | SEVERAL)
    try:
        app(arguments)
    except AssayError as error:
        Console(stderr=True, highlight=False).print(f"error: {error}", markup=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from None
