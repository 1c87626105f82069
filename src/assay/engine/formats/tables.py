"""Parquet and Arrow: batches of columns, given out as rows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.corpus import BATCH_ROWS
from assay.core.errors import InputError
from assay.engine.files import Source, Stream
from assay.engine.formats.lines import whole_of
from assay.engine.formats.record import Broken, Item, Record, refuse_twins, spelt

_PART_BYTES = 64 << 20


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
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            if number == 1:
                raise _unreadable(source, error) from error
            yield Broken(number, f"the file cannot be read on from here: {error}", "")
            return
        names = _names(batch.schema, source)
        try:
            for column in batch.columns:
                _bytes_of(column).validate(full=True)
        except pa.ArrowException as error:
            # Arrow trusts its own files: unchecked, a false length in one would end the program.
            last = number + batch.num_rows - 1
            yield Broken(number, f"rows {number:,} to {last:,} are damaged: {error}", "")
            number = last + 1
            continue
        for part in _parts(batch):
            yield from _part_rows(part, names, number)
            number += part.num_rows


def _part_rows(part: pa.RecordBatch, names: list[str], number: int) -> Iterator[Item]:
    for row in zip(*(_values(column) for column in part.columns), strict=True):
        values = dict(zip(names, row, strict=True))
        faults = (f"{name!r} {value.why}" for name, value in values.items() if isinstance(value, _Fault))
        reason = next(faults, None)
        yield Record(number, values) if reason is None else Broken(number, reason, spelt(values))
        number += 1


def _names(schema: pa.Schema, source: Source) -> list[str]:
    try:
        names: list[str] = schema.names
    except UnicodeDecodeError as error:
        raise _unreadable(source, error) from error
    refuse_twins(names, source.where)
    return names


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Slices of a batch that are bounded in number of rows and, unless single rows are larger, in bytes."""
    rows = max(1, min(BATCH_ROWS, _PART_BYTES * batch.num_rows // max(batch.nbytes, 1)))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _parquet_batches(source: Source) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(_random_access(source)) as file:
        _names(file.schema_arrow, source)
        meta = file.metadata
        size = sum(meta.row_group(group).total_byte_size for group in range(meta.num_row_groups))
        yield from file.iter_batches(max(1, min(BATCH_ROWS, _PART_BYTES * meta.num_rows // max(size, 1))))


def _arrow_batches(source: Source) -> Iterator[pa.RecordBatch]:
    handle = _random_access(source)
    is_file = handle.read(6) == b"ARROW1"
    handle.seek(0)
    if not is_file:
        yield from pa.ipc.open_stream(handle)
        return
    reader = pa.ipc.open_file(handle)
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)


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


@dataclass(frozen=True)
class _Fault:
    """A value that cannot be had, and why."""

    why: str


def _values(column: pa.Array) -> list[Any]:
    """Python values; times as text, because not all of them have a Python type."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind) or pa.types.is_date(kind):
        column = column.cast(pa.string())
    elif pa.types.is_duration(kind):
        column = column.cast(pa.int64())
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError, pa.ArrowException):
        # One bad value spoils the whole column: each is tried alone.
        return [_value(column.slice(row, 1)) for row in range(len(column))]


def _value(alone: pa.Array) -> Any:
    try:
        return _decoded(_bytes_of(alone).to_pylist()[0])
    except (ValueError, OverflowError, pa.ArrowException) as error:
        return _Fault(f"cannot be read: {error}")


def _decoded(value: Any) -> Any:
    """Bytes as text in which invalid ones are lone surrogates, for which the row is rejected later, and it alone."""
    match value:
        case bytes():
            return value.decode("utf-8", "surrogateescape")
        case dict():
            return {key: _decoded(held) for key, held in value.items()}
        case list():
            return [_decoded(held) for held in value]
        case _:
            return value


def _bytes_of(column: pa.Array) -> pa.Array:
    """The column with its strings as bytes, so that invalid text in one row does not spoil the others."""
    return column.view(_as_bytes(column.type))


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string(kind):
        return pa.binary()
    if pa.types.is_large_string(kind):
        return pa.large_binary()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_as_bytes(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_as_bytes(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_as_bytes(kind.value_type)))
    return kind
