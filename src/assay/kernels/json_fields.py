"""Values of a few keys in a column of JSON objects, found without parsing any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.kernels.arrow import TextColumn, text_buffers

DEEPEST = 2  # keys of the object itself, and of objects that are its values


@dataclass(frozen=True)
class Field:
    """One thing that goes by several keys.

    Attributes:
        said: Rows in which one of the keys has a value other than null, "", [] or {}; shape (rows,).
        text: The value of the first such key where it is a string, as it is written; else null.
    """

    said: npt.NDArray[np.bool_]
    text: pa.Array


def json_fields(column: TextColumn, fields: Sequence[Sequence[str]]) -> list[Field]:
    """What each row's object says under the keys of each field; of several keys the one listed first counts.

    Args:
        column: JSON objects; a row that is null or empty says nothing. Rows that are no JSON are read as far
            as they go.
        fields: For each field its keys, in ASCII.
    """
    if column.null_count == len(column):
        none = pa.nulls(len(column), pa.large_string())
        return [Field(np.zeros(len(column), bool), none) for _ in fields]
    keys = [key.encode("ascii") for field in fields for key in field]
    starts = np.cumsum([0, *map(len, keys)])
    letters = np.frombuffer(b"".join(keys), np.uint8)
    owner = np.repeat(np.arange(len(fields)), [len(field) for field in fields])
    said: list[list[npt.NDArray[np.bool_]]] = [[] for _ in fields]
    text: list[list[pa.Array]] = [[] for _ in fields]
    for offsets, data in text_buffers(column):
        found, begin, end = _scan(offsets, data, letters, starts, owner, len(fields))
        for place in range(len(fields)):
            said[place].append(found[:, place])
            text[place].append(_strings(data, begin[:, place], end[:, place]))
    return [
        Field(
            np.concatenate([np.zeros(0, bool), *said[place]]),
            pa.concat_arrays([pa.array([], pa.large_string()), *text[place]]),
        )
        for place in range(len(fields))
    ]


def _strings(
    data: npt.NDArray[np.uint8], begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> pa.Array:
    """The spans of `data` as strings; null where a span begins before 0."""
    offsets = np.concatenate([[0], np.cumsum(end - begin)]).astype(np.int64)
    copied = np.empty(offsets[-1], np.uint8)
    _gather(data, begin, offsets, copied)
    validity = pa.array(begin >= 0).buffers()[1]
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(copied)]
    return pa.Array.from_buffers(pa.large_string(), len(begin), buffers)


@numba.njit(nogil=True, cache=True)
def _gather(data, begin, offsets, out):  # type: ignore[no-untyped-def]
    for row in range(len(begin)):
        for place in range(offsets[row + 1] - offsets[row]):
            out[offsets[row] + place] = data[begin[row] + place]


@numba.njit(nogil=True, cache=True)
def _scan(offsets, data, letters, starts, owner, fields):  # type: ignore[no-untyped-def]
    """Which fields each row says, and the span of each that is a string (-1 to -1 where none is)."""
    rows = len(offsets) - 1
    said = np.zeros((rows, fields), np.bool_)
    begin = np.full((rows, fields), -1, np.int64)
    end = np.full((rows, fields), -1, np.int64)
    rank = np.full(fields, 0, np.int64)
    for row in range(rows):
        rank[:] = len(owner)
        at, stop, depth = offsets[row], offsets[row + 1], 0
        while at < stop:
            letter = data[at]
            if letter == 123 or letter == 91:  # { [
                depth += 1
            elif letter == 125 or letter == 93:  # } ]
                depth -= 1
            if letter != 34:  # "
                at += 1
                continue
            first, last = at + 1, _string_end(data, at + 1, stop)
            at = _skip_space(data, last + 1, stop)
            # Only a key is a string with a colon behind it.
            if at >= stop or data[at] != 58 or depth > DEEPEST:
                continue
            key = _which(data, first, last, letters, starts)
            at = _skip_space(data, at + 1, stop)
            if key < 0 or at >= stop or rank[owner[key]] <= key:
                continue
            field, opening = owner[key], data[at]
            if opening == 34:
                close = _string_end(data, at + 1, stop)
                if close > at + 1:
                    said[row, field], rank[field] = True, key
                    begin[row, field], end[row, field] = at + 1, close
            else:
                following = _skip_space(data, at + 1, stop)
                hollow = following >= stop or data[following] == 125 or data[following] == 93
                container = opening == 123 or opening == 91
                if (container and not hollow) or (not container and opening != 110):  # n of null
                    said[row, field], rank[field] = True, key
                    begin[row, field], end[row, field] = -1, -1
    return said, begin, end


@numba.njit(nogil=True, cache=True)
def _string_end(data, at, stop):  # type: ignore[no-untyped-def]
    """Where the quotation mark that ends a string stands, or `stop`."""
    while at < stop and data[at] != 34:
        at += 2 if data[at] == 92 else 1  # a backslash takes the next byte along
    return min(at, stop)


@numba.njit(nogil=True, cache=True)
def _skip_space(data, at, stop):  # type: ignore[no-untyped-def]
    while at < stop and (data[at] == 32 or 9 <= data[at] <= 13):
        at += 1
    return at


@numba.njit(nogil=True, cache=True)
def _which(data, first, last, letters, starts):  # type: ignore[no-untyped-def]
    """Number of the key that ``data[first:last]`` is, or -1."""
    for key in range(len(starts) - 1):
        size = starts[key + 1] - starts[key]
        if size != last - first:
            continue
        same = True
        for place in range(size):
            if data[first + place] != letters[starts[key] + place]:
                same = False
                break
        if same:
            return key
    return -1
