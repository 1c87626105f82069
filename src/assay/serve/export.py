"""The rows of a query as a file to take away, with their annotations and answers."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.errors import InputError
from assay.serve.table import Found, RowTable

Format = Literal["jsonl", "parquet"]
TYPES = {"jsonl": "application/x-ndjson; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
_AT_A_TIME = 2048
_TEXTS = ("text", "prompt", "response", "rejected", "messages", "label", "file", "line")


def export(table: RowTable, found: Found, form: Format) -> IO[bytes]:
    """A temporary file, read from its beginning, that is gone once closed.

    Text is as it was read, to the byte: nothing is cleaned or escaped but for what the format asks.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    if form == "jsonl":
        for batch in _batches(table, found):
            for row in batch.to_pylist():
                held = {name: value for name, value in row.items() if value is not None}
                file.write(json.dumps(held, ensure_ascii=False, default=str).encode() + b"\n")
    else:
        with pq.ParquetWriter(file, _schema(table)) as writer:
            for batch in _batches(table, found):
                writer.write_table(batch)
    file.seek(0)
    return file


def known(form: str) -> Format:
    """Raises: InputError: there is no such format."""
    formats: dict[str, Format] = {"jsonl": "jsonl", "parquet": "parquet"}
    if form not in formats:
        raise InputError(f"no format {form!r}", fix="Use jsonl or parquet.")
    return formats[form]


def _schema(table: RowTable) -> pa.Schema:
    kinds = {"flag": pa.bool_(), "number": pa.float64(), "group": pa.int64(), "words": pa.large_string()}
    held = table.texts.table.schema
    fields = [pa.field("row", pa.int64()), *(pa.field(name, held.field(name).type) for name in _TEXTS)]
    fields += [pa.field(each.name, kinds[each.kind]) for each in _others(table)]
    return pa.schema([*fields, pa.field("answer", pa.string()), pa.field("choice", pa.string())])


def _others(table: RowTable) -> list[Any]:
    """The annotations, without what the corpus holds already."""
    return [each for each in table.columns.values() if each.name not in _TEXTS]


def _batches(table: RowTable, found: Found) -> Iterator[pa.Table]:
    schema = _schema(table)
    for start in range(0, len(found.rows), _AT_A_TIME):
        at = found.rows[start : start + _AT_A_TIME]
        columns: dict[str, Any] = {"row": at} | _texts(table, at)
        for each in _others(table):
            values = each.values[at]
            if each.kind == "words":
                columns[each.name] = [None if code < 0 else each.names[code] for code in values.tolist()]
            else:
                missing = np.isnan(values) if each.kind == "number" else None
                columns[each.name] = pa.array(values, mask=missing)
        columns["answer"] = [table.labels.given.get(row) for row in at.tolist()]
        columns["choice"] = [table.choices.given.get(row) for row in at.tolist()]
        yield pa.table(columns, schema=schema)


def _texts(table: RowTable, at: npt.NDArray[np.int64]) -> dict[str, list[Any]]:
    rows = table.texts.rows(at.tolist(), _TEXTS)
    return {name: [row[name] for row in rows] for name in _TEXTS}


def name_of(run: str, form: Format) -> str:
    """A file name that no header or shell trips over."""
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "-" for sign in run)
    return f"{kept.strip('.-') or 'rows'}-rows.{form}"
