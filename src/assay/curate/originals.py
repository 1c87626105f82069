"""Rows as their files have them, read a second time: a corpus keeps what rows mean, not how they were written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from assay.core.errors import InputError
from assay.engine.files import digest, find
from assay.engine.formats.record import Item, Record
from assay.engine.formats.records import records
from assay.engine.read import ReadResult


class Originals:
    """The files behind one side of a run.

    Raises: InputError: they are gone, or no longer what the run read.
    """

    def __init__(self, read: ReadResult, paths: Sequence[str], side: str) -> None:
        self.read = read
        try:
            sources = find(paths).sources
        except InputError as error:
            raise InputError(
                f"the {side} rows cannot be read again: {error.what}",
                where=error.where,
                fix="Put the files back, or stand in the folder where the run was made.",
            ) from error
        if digest(sources) != read.sha256:
            raise InputError(
                f"the {side} rows are not those that the run read",
                where=", ".join(source.where for source in sources[:3]),
                fix="Run again with these files, then curate that run.",
            )
        self._sources = {source.name: source for source in sources}

    def rows(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """The values of each row of the corpus as its file has them, and where the corpus has it from, in order."""
        current: str | None = None
        items: Iterator[Item] = iter(())
        for batch in self.read.corpus.batches():
            places = batch.select(["file", "line", "row", "root", "generation"])
            for place in places.to_pylist():
                if place["file"] != current:
                    current = place["file"]
                    items = records(self._sources[place["file"]])
                yield _next_at(items, place["line"]), place


def _next_at(items: Iterator[Item], line: int) -> dict[str, Any]:
    for item in items:
        if isinstance(item, Record) and item.line == line:
            return item.values
    raise InputError("a row is no longer where the run found it", fix="Run again, then curate that run.")
