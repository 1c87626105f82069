"""Rows of any columns into one file, JSON lines or Parquet: written aside, and in place only when whole."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, Literal, Self

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.errors import InputError

Format = Literal["jsonl", "parquet"]
_AT_A_TIME = 8192


class RowFile:
    """A file in the making; leaving its block puts it in place, an error leaves what stood there."""

    def __init__(self, folder: Path, name: str, form: Format) -> None:
        self.path = folder / f"{name}.{form}"
        self._form = form
        self._aside = folder / f".{name}.{os.getpid()}.jsonl"
        self._file: IO[bytes]
        self.rows = 0

    def __enter__(self) -> Self:
        self._file = self._aside.open("wb")
        return self

    def add(self, values: dict[str, Any]) -> None:
        """Write a row."""
        self._file.write(line(values))
        self.rows += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        try:
            if kind is None and self._form == "parquet":
                _to_parquet(self._aside, self.path)
            elif kind is None:
                self._aside.replace(self.path)
        finally:
            self._aside.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """Of the finished file."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def line(values: dict[str, Any]) -> bytes:
    """A row as a line of JSON; what JSON has no word for becomes null, and half a character its escape."""
    try:
        text = json.dumps(values, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(values), ensure_ascii=False, default=str)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(json.loads(text)).encode() + b"\n"


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list():
            return [_finite(each) for each in value]
        case _:
            return value


def _to_parquet(lines: Path, path: Path) -> None:
    """Raises: InputError: a column holds values of several types."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        schema = pa.unify_schemas(
            [pa.Table.from_pylist(rows).schema for rows in _batches(lines)] or [pa.schema([])],
            promote_options="permissive",
        )
        with pq.ParquetWriter(aside, schema) as writer:
            for rows in _batches(lines):
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
        aside.replace(path)
    except pa.ArrowException as error:
        raise InputError(
            f"a column holds values of several types: {error}",
            where=path.name,
            fix="Use --format jsonl.",
        ) from error
    finally:
        aside.unlink(missing_ok=True)


def _batches(lines: Path) -> Iterator[list[dict[str, Any]]]:
    with lines.open("rb") as file:
        rows: Iterable[Any] = map(json.loads, file)
        yield from iter(lambda: _filled(list(itertools.islice(iter(rows), _AT_A_TIME))), [])


def _filled(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All rows with all columns: Arrow takes the columns of a table from its first row."""
    columns = dict.fromkeys(column for row in rows for column in row)
    return [columns | row for row in rows]
