"""Bytes to lines and to text, with whatever is damaged set apart; and plain text files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.core.errors import InputError
from assay.engine.files import Source, Stream
from assay.engine.formats.record import Broken, Item, Record, excerpt

MAX_ROW_BYTES = 256 << 20
# A JSON array, and a compressed file that needs random access, are held in memory whole.
MAX_DOCUMENT_BYTES = 1 << 30

_BOM = b"\xef\xbb\xbf"


def text_rows(source: Source) -> Iterator[Item]:
    """Every line that is not blank."""
    stream = Stream(source)
    for item in lines_of(stream, chunks_of(stream)):
        if isinstance(item, Broken):
            yield item
            continue
        number, line = item
        text = decode(number, line.removesuffix(b"\r"))
        if isinstance(text, Broken):
            yield text
        elif text.strip():
            yield Record(number, {"text": text})


def chunks_of(stream: Stream) -> Iterator[bytes]:
    """The stream's chunks without a byte order mark. Raises: InputError: the file is UTF-16."""
    chunks = stream.chunks()
    first = next(chunks, b"")
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            "the file is UTF-16, not UTF-8",
            where=stream.source.where,
            fix="Convert it, for example: iconv -f UTF-16 -t UTF-8 IN > OUT",
        )
    yield first.removeprefix(_BOM)
    yield from chunks


def lines_of(stream: Stream, chunks: Iterable[bytes]) -> Iterator[tuple[int, bytes] | Broken]:
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


def decode(number: int, line: bytes) -> str | Broken:
    """The line as text, unless it holds a NUL byte (a damaged or foreign file) or invalid UTF-8."""
    if b"\0" in line:
        return Broken(number, "NUL byte", excerpt(line))
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return Broken(number, "invalid UTF-8", excerpt(line))


def whole_of(stream: Stream, chunks: Iterable[bytes]) -> bytes:
    """All of `chunks` in one piece. Raises: InputError: more than `MAX_DOCUMENT_BYTES`."""
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_DOCUMENT_BYTES:
            raise InputError(
                f"this kind of file must fit in memory, and it is larger than {MAX_DOCUMENT_BYTES >> 30} GiB",
                where=stream.source.where,
                fix="Convert it to JSON lines (.jsonl) or uncompressed Parquet; both are streamed.",
            )
        parts.append(chunk)
    return b"".join(parts)
