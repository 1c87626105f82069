"""The runs that lie in a folder, and what a list says of each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from assay.core.answer import Answer, answer
from assay.core.errors import InputError
from assay.core.evidence import Run


@dataclass(frozen=True)
class Listed:
    """One run of the list.

    Attributes:
        name: Path below the folder; stands for the run in addresses.
        run: None where the record cannot be read; `problem` then says why.
        written: When the record was written.
    """

    name: str
    folder: Path
    written: datetime
    run: Run | None
    problem: str = ""

    @property
    def answer(self) -> Answer | None:
        """What to know first."""
        return None if self.run is None else answer(self.run.evidence)

    def rows(self, role: str) -> int:
        """Rows that went in as this role."""
        return 0 if self.run is None else sum(e.rows for e in self.run.evidence.inputs if e.role == role)


class Runs:
    """All runs in a folder at any depth; records are read again only when they were written again."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError("no such folder", where=str(folder), fix="Give the folder that holds your runs.")
        self.folder = folder
        self._known: dict[str, tuple[int, Listed]] = {}

    def list(self) -> tuple[Listed, ...]:
        """Every run, the latest first."""
        found = [self._listed(path) for path in _records(self.folder)]
        return tuple(sorted(found, key=lambda each: (-each.written.timestamp(), each.name)))

    def find(self, name: str) -> Run:
        """The run of that name. Raises: InputError: there is none, or its record cannot be read."""
        # Only names that the folder itself gave are looked up, so no name leads out of it.
        listed = next((each for each in self.list() if each.name == name), None)
        if listed is None:
            raise InputError("no such run here", where=name)
        if listed.run is None:
            raise InputError(listed.problem, where=name)
        return listed.run

    def _listed(self, record: Path) -> Listed:
        folder = record.parent
        name = folder.relative_to(self.folder).as_posix()
        stamp = record.stat().st_mtime_ns
        known = self._known.get(name)
        if known is None or known[0] != stamp:
            written = datetime.fromtimestamp(stamp / 1e9, UTC)
            try:
                listed = Listed(name, folder, written, Run(folder))
            except InputError as error:
                listed = Listed(name, folder, written, None, error.what.splitlines()[0])
            known = self._known[name] = (stamp, listed)
        return known[1]


def _records(folder: Path) -> Iterator[Path]:
    """Every `evidence.json`; a run's own folders are not searched for further runs."""
    for here, folders, files in os.walk(folder):
        folders.sort()
        if "evidence.json" in files:
            folders.clear()
            yield Path(here) / "evidence.json"
