"""JSON: lines, one array, whole objects, or an object of columns."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from assay.engine.files import Source, Stream
from assay.engine.formats.lines import chunks_of, decode, lines_of, whole_of
from assay.engine.formats.record import RAW_CHARACTERS, Broken, Item, Record, excerpt, spelt

CHAT_COLUMNS = ("messages", "conversations", "conversation", "chat", "dialogue", "dialog")

_SPACE = re.compile(r"[ \t\r\n]*")


class _TwinKey(ValueError):
    """An object that names a key twice: one of the two values would be lost."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twin = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _TwinKey(f"the key {twin!r} stands twice in one object")
    return values


_PARSE = json.JSONDecoder(object_pairs_hook=_object)
_PLAIN = json.JSONDecoder()


def json_rows(source: Source) -> Iterator[Item]:
    """Lines, one array, or one or more whole objects: what the file holds decides, not its suffix.

    Raises: InputError: an array or lone object larger than `lines.MAX_DOCUMENT_BYTES`.
    """
    stream = Stream(source)
    chunks = chunks_of(stream)
    head = b""
    for chunk in chunks:
        # Blank chunks are let go: a gigabyte of spaces must not pile up.
        if chunk.strip():
            head = chunk
            break
    everything = itertools.chain([head], chunks)
    if _is_lines(head.lstrip(), source):
        return _json_lines(lines_of(stream, everything))
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
        text = decode(number, line)
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
    return Broken(number, "not a JSON object", spelt(value))


def _json_reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "JSON nested too deeply"
    if isinstance(error, _TwinKey):
        return str(error)
    return f"not JSON: {error.msg if isinstance(error, json.JSONDecodeError) else error}"


def _json_document(stream: Stream, chunks: Iterable[bytes]) -> Iterator[Item]:
    text = whole_of(stream, chunks).decode("utf-8", "surrogateescape")
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
            item, end = _element(text, position, number)
            following = _skip(text, end)
            if in_array and text[following : following + 1] not in (",", "]"):
                raise json.JSONDecodeError("Expecting ',' or ']'", text, following)
        except (ValueError, RecursionError) as error:
            reason = stream.cut or f"{_json_reason(error)}; the file cannot be read on from here"
            yield Broken(number, reason, _raw(text, position))
            return
        yield item
        number += 1
        position = _skip(text, following + 1) if in_array and text[following] == "," else following
    if in_array and position >= len(text):
        yield Broken(number, stream.cut or "the JSON array is not closed", "")
    elif in_array and _skip(text, position + 1) < len(text):
        yield Broken(number, "more data after the JSON array", _raw(text, position + 1))


def _element(text: str, position: int, number: int) -> tuple[Item, int]:
    """The element that starts at `position`, and where it ends."""
    try:
        value, end = _PARSE.raw_decode(text, position)
    except _TwinKey as error:
        return Broken(number, str(error), _raw(text, position)), _PLAIN.raw_decode(text, position)[1]
    return _json_row(number, value), end


def _raw(text: str, position: int) -> str:
    return excerpt(text[position : position + RAW_CHARACTERS].encode("utf-8", "surrogateescape"))


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    assert match is not None  # the pattern matches nothing, too
    return match.end()


def _unwrap(value: dict[str, Any]) -> list[Any]:
    """Rows of a lone object: its columns, the one list of objects in it, or the object itself."""
    lists = {key: column for key, column in value.items() if isinstance(column, list)}
    # In a lone chat the turns are objects; in a column of chats they are lists of them.
    is_chat = any(key in CHAT_COLUMNS and any(isinstance(turn, dict) for turn in lists[key]) for key in lists)
    nested = [
        column
        for key, column in lists.items()
        if column and key not in CHAT_COLUMNS and all(isinstance(element, dict) for element in column)
    ]
    is_table = len(lists) == len(value) and len({*map(len, lists.values())}) == 1 and not is_chat
    if is_table and (len(lists) > 1 or not nested):
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    return nested[0] if len(nested) == 1 and not is_chat else [value]
