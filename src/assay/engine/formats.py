"""Each file format as a stream of records; what cannot be read comes out as `Broken`, in its place."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.corpus import BATCH_ROWS
from assay.core.errors import InputError
from assay.engine.files import Source, Stream

MAX_ROW_BYTES = 256 << 20
# A JSON array, and a compressed file that needs random access, are held in memory whole.
MAX_DOCUMENT_BYTES = 1 << 30
RAW_CHARACTERS = 2_000
CHAT_COLUMNS = ("messages", "conversations", "conversation", "chat", "dialogue", "dialog")

_SPACE = re.compile(r"[ \t\r\n]*")
_BOM = b"\xef\xbb\xbf"
_PARSE = json.JSONDecoder()


class Record(NamedTuple):
    """One row as the file has it; `line` is the 1-based line it starts on, or its number in the file."""

    line: int
    values: dict[str, Any]


class Broken(NamedTuple):
    """A place where no row could be read. `raw` holds what stands there, invalid bytes escaped."""

    line: int
    reason: str
    raw: str


Item = Record | Broken


def records(source: Source) -> Iterator[Item]:
    """The rows of one file, in order.

    Raises: InputError: the file as a whole cannot be used: UTF-16, a header with a name twice, a table
        without its footer, a JSON array above `MAX_DOCUMENT_BYTES`.
    """
    match source.format:
        case "jsonl" | "json":
            return _json(source)
        case "csv" | "tsv":
            return _delimited(source)
        case "txt":
            return _text(source)
        case "parquet":
            return _table(source, _parquet_batches(source))
        case "arrow":
            return _table(source, _arrow_batches(source))


def excerpt(raw: bytes) -> str:
    """The first characters of `raw`, invalid UTF-8 escaped."""
    # A character takes at most four bytes.
    return raw[: 4 * RAW_CHARACTERS].decode("utf-8", "backslashreplace")[:RAW_CHARACTERS]


# --- lines


def _chunks(stream: Stream) -> Iterator[bytes]:
    """The stream's chunks without a byte order mark. Raises: InputError: the file is UTF-16."""
    chunks = stream.chunks()
    first = next(chunks, b"")
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            "the file is UTF-16, not UTF-8",
            where=str(stream.source.path),
            fix="Convert it, for example: iconv -f UTF-16 -t UTF-8 IN > OUT",
        )
    yield first.removeprefix(_BOM)
    yield from chunks


def _lines(stream: Stream, chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes] | Broken]:
    """Lines without their line feed; oversized ones, and the rest before a cut, come out broken."""
    number, held, tail = 1, 0, list[bytes]()
    for chunk in chunks:
        pieces = chunk.split(b"\n")
        for piece in pieces[:-1]:
            if held + len(piece) > MAX_ROW_BYTES:
                yield _oversized(number, tail, piece)
            else:
                yield number, b"".join((*tail, piece)) if tail else piece
            number, held = number + 1, 0
            tail.clear()
        held += len(pieces[-1])
        # Past the limit only the beginning is kept, for the reject.
        if held <= MAX_ROW_BYTES or not tail:
            tail.append(pieces[-1])
    rest = b"".join(tail)
    if stream.cut is not None:
        yield Broken(number, stream.cut, excerpt(rest))
    elif held > MAX_ROW_BYTES:
        yield _oversized(number, tail, b"")
    elif rest:
        yield number, rest


def _oversized(number: int, tail: list[bytes], piece: bytes) -> Broken:
    return Broken(number, f"a row longer than {MAX_ROW_BYTES >> 20} MiB", excerpt((tail or [piece])[0]))


def _decode(number: int, line: bytes) -> str | Broken:
    if b"\0" in line:
        return Broken(number, "NUL byte", excerpt(line))
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return Broken(number, "invalid UTF-8", excerpt(line))


def _text(source: Source) -> Iterator[Item]:
    stream = Stream(source)
    for item in _lines(stream, _chunks(stream)):
        if isinstance(item, Broken):
            yield item
            continue
        number, line = item
        text = _decode(number, line.removesuffix(b"\r"))
        if isinstance(text, Broken):
            yield text
        elif text.strip():
            yield Record(number, {"text": text})


# --- JSON


def _json(source: Source) -> Iterator[Item]:
    """Lines, one array, or one or more whole objects: what the file holds decides, not its suffix."""
    stream = Stream(source)
    chunks = _chunks(stream)
    head = b""
    for chunk in chunks:
        # Blank chunks are let go: a gigabyte of spaces must not pile up.
        if chunk.strip():
            head = chunk
            break
    everything = itertools.chain([head], chunks)
    if _is_lines(head.lstrip(), source):
        return _json_lines(_lines(stream, everything))
    return _json_document(stream, everything)


def _is_lines(head: bytes, source: Source) -> bool:
    if head.startswith(b"["):
        return False
    line, _, rest = head.partition(b"\n")
    if source.format == "jsonl":
        return line.strip() != b"{"
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return bool(rest.strip())


def _json_lines(lines: Iterable[tuple[int, bytes] | Broken]) -> Iterator[Item]:
    for item in lines:
        if isinstance(item, Broken):
            yield item
            continue
        number, line = item
        text = _decode(number, line)
        if isinstance(text, Broken):
            yield text
            continue
        if not (text := text.strip()):
            continue
        try:
            yield _json_row(number, _PARSE.decode(text))
        except (ValueError, RecursionError) as error:
            yield Broken(number, _json_reason(error), text[:RAW_CHARACTERS])


def _json_row(number: int, value: Any) -> Item:
    if isinstance(value, dict):
        return Record(number, value)
    if isinstance(value, str):
        return Record(number, {"text": value})
    return Broken(number, "not a JSON object", json.dumps(value)[:RAW_CHARACTERS])


def _json_reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "JSON nested too deeply"
    return f"not JSON: {error.msg if isinstance(error, json.JSONDecodeError) else error}"


def _json_document(stream: Stream, chunks: Iterable[bytes]) -> Iterator[Item]:
    text = _whole(stream, chunks).decode("utf-8", "surrogateescape")
    values = _json_elements(text, stream)
    if text.lstrip().startswith("["):
        yield from values
        return
    first = list(itertools.islice(values, 2))
    if len(first) == 1 and isinstance(first[0], Record):
        rows = _unwrap(first[0].values)
        yield from (_json_row(number, row) for number, row in enumerate(rows, 1))
    else:
        yield from itertools.chain(first, values)


def _json_elements(text: str, stream: Stream) -> Iterator[Item]:
    """Elements of an array, or objects that follow one another, up to the first that cannot be read."""
    position = _skip(text, 0)
    in_array = text.startswith("[", position)
    position = _skip(text, position + 1) if in_array else position
    number = 1
    while position < len(text) and not (in_array and text[position] == "]"):
        try:
            value, end = _PARSE.raw_decode(text, position)
            following = _skip(text, end)
            if in_array and text[following : following + 1] not in (",", "]"):
                raise json.JSONDecodeError("Expecting ',' or ']'", text, following)
        except (ValueError, RecursionError) as error:
            reason = stream.cut or f"{_json_reason(error)}; the file cannot be read on from here"
            raw = text[position : position + RAW_CHARACTERS].encode("utf-8", "surrogateescape")
            yield Broken(number, reason, excerpt(raw))
            return
        yield _json_row(number, value)
        number += 1
        position = _skip(text, following + 1) if in_array and text[following] == "," else following
    if in_array and position >= len(text):
        yield Broken(number, stream.cut or "the JSON array is not closed", "")
    elif in_array and _skip(text, position + 1) < len(text):
        raw = text[position + 1 : position + 1 + RAW_CHARACTERS].encode("utf-8", "surrogateescape")
        yield Broken(number, "more data after the JSON array", excerpt(raw))


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    assert match is not None  # the pattern matches nothing, too
    return match.end()


def _unwrap(value: dict[str, Any]) -> list[Any]:
    """Rows of a lone object: its columns, the one list of objects in it, or the object itself."""
    lists = {key: column for key, column in value.items() if isinstance(column, list)}
    nested = [
        column
        for key, column in lists.items()
        if column and key not in CHAT_COLUMNS and all(isinstance(element, dict) for element in column)
    ]
    if len(nested) == 1:
        return nested[0]
    if lists and not nested and len(lists) == len(value) and len({*map(len, lists.values())}) == 1:
        if any(key in CHAT_COLUMNS for key in lists):
            return [value]
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    return [value]


def _whole(stream: Stream, chunks: Iterable[bytes]) -> bytes:
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_DOCUMENT_BYTES:
            raise InputError(
                f"this kind of file must fit in memory, and it is larger than {MAX_DOCUMENT_BYTES >> 30} GiB",
                where=str(stream.source.path),
                fix="Convert it to JSON lines (.jsonl) or uncompressed Parquet; both are streamed.",
            )
        parts.append(chunk)
    return b"".join(parts)


# --- CSV and TSV


class _Feed:
    """Hands decoded lines to the csv reader and remembers what the current record was made of."""

    def __init__(self, lines: Iterable[tuple[int, bytes] | Broken]) -> None:
        self._lines = iter(lines)
        self.broken: Broken | None = None
        self.start()

    def start(self) -> None:
        """Begin a record."""
        self.line, self.raw = 0, list[bytes]()
        self.fault: str | None = None

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        item = next(self._lines)
        if isinstance(item, Broken):
            self.broken = item
            raise StopIteration
        number, line = item
        self.line = self.line or number
        self.raw.append(line)
        text = _decode(number, line)
        if isinstance(text, Broken):
            # The reader still needs the line, to find where the record ends.
            self.fault = text.reason
            text = line.decode("utf-8", "surrogateescape")
        return text + "\n"

    def swallowed(self, error: csv.Error) -> Iterator[Broken]:
        """Every line of a record that breaks the rules: an open quotation mark may have taken in many."""
        reason = f"quotation marks: {error}"
        if len(self.raw) > 1:
            reason = f"inside a quotation mark that is opened on line {self.line} and not closed"
        for number, line in enumerate(self.raw, self.line):
            yield Broken(number, reason, excerpt(line))

    def reject(self, reason: str) -> Broken:
        """The current record as broken."""
        return Broken(self.line, reason, excerpt(b"\n".join(self.raw)))


def _delimited(source: Source) -> Iterator[Item]:
    csv.field_size_limit(MAX_ROW_BYTES)
    stream = Stream(source)
    chunks = _chunks(stream)
    head = next(chunks, b"")
    delimiter = "\t" if source.format == "tsv" else _delimiter(head)
    quoting = _quoting(head) if source.format == "tsv" else csv.QUOTE_MINIMAL
    feed = _Feed(_lines(stream, itertools.chain([head], chunks)))
    # Strict: a quote that is never closed would otherwise swallow the rest of the file without a word.
    reader = csv.reader(feed, delimiter=delimiter, quoting=quoting, strict=True)
    header: list[str] | None = None
    while True:
        feed.start()
        try:
            fields = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            if feed.broken is None:
                yield from feed.swallowed(error)
            continue
        if feed.fault is not None and header is not None:
            yield feed.reject(feed.fault)
        elif not fields:
            continue
        elif header is None:
            header = _header(fields, source, feed.fault)
        elif len(fields) != len(header):
            yield feed.reject(f"{len(fields)} fields where the header has {len(header)}")
        else:
            yield Record(feed.line, dict(zip(header, fields, strict=True)))
    if feed.broken is not None:
        yield feed.broken


def _header(fields: list[str], source: Source, fault: str | None) -> list[str]:
    if fault is not None:
        raise InputError(f"the header cannot be read: {fault}", where=str(source.path))
    names = [field.strip() or f"column {index}" for index, field in enumerate(fields, 1)]
    _no_twins(names, source)
    return names


def _no_twins(names: list[str], source: Source) -> None:
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise InputError(
            f"two columns have the same name: {', '.join(twins)}",
            where=str(source.path),
            fix="Rename one of them; it is not clear which is meant.",
        )


def _delimiter(head: bytes) -> str:
    line = head.partition(b"\n")[0].decode("utf-8", "replace")
    return max(",;\t", key=line.count)


def _quoting(head: bytes) -> Literal[0, 3]:
    """Tab-separated files often mean a quotation mark literally: they do if the rows fit better that way."""
    lines = [line + "\n" for line in head.decode("utf-8", "replace").split("\n")[:1000]]
    quoted, literal = _misfits(lines, csv.QUOTE_MINIMAL), _misfits(lines, csv.QUOTE_NONE)
    return csv.QUOTE_MINIMAL if quoted <= literal else csv.QUOTE_NONE


def _misfits(lines: list[str], quoting: Literal[0, 3]) -> int:
    """Records that break the rules of quoting or have another width than the first."""
    reader = csv.reader(lines, delimiter="\t", quoting=quoting, strict=True)
    width, misfits = None, 0
    while True:
        try:
            fields = next(reader)
        except StopIteration:
            return misfits
        except csv.Error:
            misfits += 1
            continue
        width = width or len(fields)
        misfits += bool(fields) and len(fields) != width


# --- Parquet and Arrow


def _table(source: Source, batches: Iterator[pa.RecordBatch]) -> Iterator[Item]:
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
        _no_twins(batch.schema.names, source)
        columns = [_values(column) for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield Record(number, dict(zip(batch.schema.names, row, strict=True)))
            number += 1


def _parquet_batches(source: Source) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(_random_access(source)) as file:
        _no_twins(file.schema_arrow.names, source)
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
    whole = _whole(stream, stream.chunks())
    if stream.cut is not None:
        raise InputError(stream.cut, where=str(source.path), fix="Copy or download the file again.")
    return io.BytesIO(whole)


def _unreadable(source: Source, error: Exception) -> InputError:
    return InputError(
        f"not a readable {source.format} file ({error})",
        where=str(source.path),
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
