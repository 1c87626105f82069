"""Parquet and Arrow: batches of columns, given out as rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.corpus import BATCH_ROWS
from assay.core.errors import InputError
from assay.engine.files import Source, Stream
from assay.engine.formats.lines import whole_of
from assay.engine.formats.record import Broken, Item, Record, refuse_twins


def parquet_rows(source: Source) -> Iterator[Item]:
    """Rows of a Parquet file. Raises: InputError: it is not one, or holds a name twice."""
    return _rows(source, _parquet_batches(source))


def arrow_rows(source: Source) -> Iterator[Item]:
    """Rows of an Arrow file or stream. Raises: InputError: it is neither, or holds a name twice."""
    return _rows(source, _arrow_batches(source))


def _rows(source: Source, batches: Iterator[pa.RecordBatch]) -> Iterator[Item]:
    number = 1
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except (pa.ArrowException, OSError) as error:
            if number == 1:
                raise _unreadable(source, error) from error
            yield Broken(number, f"the file cannot be read on from here: {error}", "")
            return
        refuse_twins(batch.schema.names, source.where)
        columns = [_values(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield Record(number, dict(zip(batch.schema.names, row, strict=True)))
            number += 1


def _parquet_batches(source: Source) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(_random_access(source)) as file:
        refuse_twins(file.schema_arrow.names, source.where)
        yield from file.iter_batches(BATCH_ROWS)


def _arrow_batches(source: Source) -> Iterator[pa.RecordBatch]:
    handle = _random_access(source)
    is_file = handle.read(6) == b"ARROW1"
    handle.seek(0)
    if not is_file:
        yield from pa.ipc.open_stream(handle)
        return
    reader = pa.ipc.open_file(handle)
    for index in range(reader.num_record_batches):
        batch = reader.get_batch(index)
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(start, BATCH_ROWS)


def _random_access(source: Source) -> Any:
    if not source.codec:
        return pa.OSFile(str(source.path))
    stream = Stream(source)
    whole = whole_of(stream, stream.chunks())
    if stream.cut is not None:
        raise InputError(stream.cut, where=source.where, fix="Copy or download the file again.")
    return io.BytesIO(whole)


def _unreadable(source: Source, error: Exception) -> InputError:
    return InputError(
        f"not a readable {source.format} file ({error})",
        where=source.where,
        fix="It may be cut short; copy or download it again.",
    )


def _values(column: pa.Array) -> list[Any]:
    """Python values; times as text, because their finest units have no Python type."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        column = column.cast(pa.string())
    elif pa.types.is_duration(kind):
        column = column.cast(pa.int64())
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        # Invalid bytes become lone surrogates, for which the row is rejected later, and it alone.
        buffer = scalar.as_buffer() if hasattr(scalar, "as_buffer") else None
        return None if buffer is None else buffer.to_pybytes().decode("utf-8", "surrogateescape")
