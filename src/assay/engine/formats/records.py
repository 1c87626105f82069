"""Each file format as a stream of records; what cannot be read comes out as `Broken`, in its place."""

from __future__ import annotations

from collections.abc import Iterator

from assay.engine.files import Source
from assay.engine.formats.delimited import delimited_rows
from assay.engine.formats.json_rows import json_rows
from assay.engine.formats.lines import text_rows
from assay.engine.formats.record import Item
from assay.engine.formats.tables import arrow_rows, parquet_rows


def records(source: Source) -> Iterator[Item]:
    """The rows of one file, in order.

    Raises: InputError: the file as a whole cannot be used: UTF-16, a header with a name twice, a table
        without its footer, a JSON array above `MAX_DOCUMENT_BYTES`.
    """
    match source.format:
        case "jsonl" | "json":
            return json_rows(source)
        case "csv" | "tsv":
            return delimited_rows(source)
        case "txt":
            return text_rows(source)
        case "parquet":
            return parquet_rows(source)
        case "arrow":
            return arrow_rows(source)
