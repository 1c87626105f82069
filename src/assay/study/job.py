"""What every stage of a run is handed, and how its folder is written: whole files or none."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from assay.core.progress import Progress, silent
from assay.study.settings import Study


@dataclass(frozen=True)
class Job:
    """A study on its way into a folder.

    Attributes:
        out: The run's folder; rows that cannot be read are kept aside in it.
        note: Told what a stage will cost, before it starts.
        aside: Where finished steps lie, if not in the run's folder.
    """

    study: Study
    out: Path
    progress: Progress = silent
    note: Callable[[str], None] = lambda text: None
    aside: Path | None = None

    @property
    def steps(self) -> Path:
        """Where finished steps lie."""
        return self.aside or self.out / "steps"

    @property
    def rows(self) -> Path:
        """Where the rows lie that people look at."""
        return self.out / "rows"


def place(made: Path, where: Path) -> None:
    """Copy a step's file into the run's folder, whole or not at all."""
    _replace(where, made.read_bytes())


def write(path: Path, text: str) -> None:
    """Write aside, then rename: a reader never meets half a file."""
    _replace(path, text.encode())


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_bytes(data)
    aside.replace(path)


@functools.cache
def commit() -> str | None:
    """The commit of a source checkout; None when installed from a wheel or without git."""
    home = Path(__file__).resolve().parents[3]
    if not (home / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", "-C", str(home), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return found.stdout.strip() or None
