"""Where in the code a measure is made: by what, after which question, with which command."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import assay

PACKAGE = Path(assay.__file__).parent
# Rooms that measure, with the command that runs each alone.
COMMANDS = {"audit": "audit", "trial": "trial", "forecast": "forecast", "label": "label"}
# Files that order or repeat what others measure.
_ASIDE = {"run.py", "faults.py", "examples.py", "flags.py", "judge_facts.py", "examples_of_groups.py"}


@dataclass(frozen=True)
class Place:
    """A file that makes a measure, and its docstring."""

    path: str
    room: str
    says: str


@cache
def places(name: str) -> tuple[Place, ...]:
    """The files that make a measure of that name."""
    return tuple(place for place, text in _sources() if f'"{name}"' in text)


def commands(names: tuple[str, ...]) -> list[str]:
    """The commands that measure these, in the order of the stages."""
    rooms = {place.room for name in names for place in places(name)}
    return [command for room, command in COMMANDS.items() if room in rooms]


@cache
def _sources() -> tuple[tuple[Place, str], ...]:
    found = []
    for room in COMMANDS:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            if path.name not in _ASIDE:
                text = path.read_text(encoding="utf-8")
                says = ast.get_docstring(ast.parse(text)) or ""
                found.append((Place(path.relative_to(PACKAGE).as_posix(), room, says), text))
    return tuple(found)
