"""Comma- and tab-separated values, with quoted fields that may span lines."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from typing import Literal

from assay.core.errors import InputError
from assay.engine.files import Source, Stream
from assay.engine.formats.lines import MAX_ROW_BYTES, chunks_of, decode, lines_of
from assay.engine.formats.record import Broken, Item, Record, excerpt, refuse_twins


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
        text = decode(number, line)
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


def delimited_rows(source: Source) -> Iterator[Item]:
    """Records below a header. Raises: InputError: the header is not UTF-8 or holds a name twice."""
    csv.field_size_limit(MAX_ROW_BYTES)
    stream = Stream(source)
    chunks = chunks_of(stream)
    head = next(chunks, b"")
    delimiter = "\t" if source.format == "tsv" else _delimiter(head)
    quoting = _quoting(head) if source.format == "tsv" else csv.QUOTE_MINIMAL
    feed = _Feed(lines_of(stream, itertools.chain([head], chunks)))
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
        raise InputError(f"the header cannot be read: {fault}", where=source.where)
    names = [field.strip() or f"column {index}" for index, field in enumerate(fields, 1)]
    refuse_twins(names, source.where)
    return names


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
