"""Which files an argument means, and their bytes, decompressed a piece at a time."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa

from assay.core.errors import InputError
from assay.engine.remote import fetched, file_name, is_address, listed

Format = Literal["jsonl", "json", "csv", "tsv", "txt", "parquet", "arrow"]
Paths = str | Path | Iterable[str | Path]

FORMATS: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "txt",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
CODECS = (".gz", ".zst")
KNOWN = f"Known suffixes: {' '.join(FORMATS)}, each also with {' or '.join(CODECS)}."

_CHUNK = 1 << 20
# A failing zstd read takes back what it had decoded, so small reads lose little before a cut.
_ZSTD_READ = 1 << 10


@dataclass(frozen=True)
class Source:
    """One file to read.

    Attributes:
        path: Where it lies on this machine.
        name: What rows call it: its path below the folder or glob it was found through, else its file name.
        codec: ``.gz``, ``.zst`` or an empty string.
        address: Where `path` was copied from, if it was.
    """

    path: Path
    name: str
    format: Format
    codec: str
    address: str | None = None

    @property
    def where(self) -> str:
        """What the user calls it."""
        return self.address or str(self.path)


@dataclass(frozen=True)
class Found:
    """The files behind some arguments, in reading order, and how many were passed over, by reason."""

    sources: tuple[Source, ...]
    skipped: dict[str, int]


def find(paths: Paths) -> Found:
    """Resolve files, folders (recursive, sorted), globs and addresses such as ``s3://`` to distinct files.

    Inside a folder or glob, hidden files, unknown suffixes and links that lead out of it are passed over;
    a file reached twice is read once.

    Raises:
        InputError: a path does not exist, nothing matches, or a named file has an unknown suffix.
        MissingExtra, EngineError: an address cannot be read, see `remote.listed`.
    """
    skipped: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    names: Counter[str] = Counter()
    sources = []
    for argument in [paths] if isinstance(paths, str | Path) else list(paths):
        address = argument if isinstance(argument, str) and is_address(argument) else None
        candidates = _copies(address, skipped) if address else _expand(Path(argument).expanduser(), skipped)
        for path, name, where in candidates:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                skipped["file skipped: already read under another name"] += 1
                continue
            seen.add((status.st_dev, status.st_ino))
            kind = _kind(path)
            if kind is None:
                raise InputError("unknown file suffix", where=where or str(path), fix=KNOWN)
            names[name] += 1
            # Rows are told apart by file and line, so equal names from different folders get a number.
            unique = name if names[name] == 1 else f"{name}#{names[name]}"
            sources.append(Source(path, unique, *kind, where))
    if not sources:
        raise InputError("no input was given", fix="Name at least one file, folder or glob.")
    return Found(tuple(sources), dict(skipped))


def fingerprint(paths: Paths) -> str:
    """SHA-256 of the file's bytes; of several files, SHA-256 over the list of their digests and names."""
    return digest(find(paths).sources)


def digest(sources: Iterable[Source]) -> str:
    """As `fingerprint`, for files already found."""
    parts = []
    for source in sources:
        with _open(source.path) as file:
            parts.append((hashlib.file_digest(file, "sha256").hexdigest(), source.name))
    if len(parts) == 1:
        return parts[0][0]
    listing = "".join(f"{sha256}  {name}\n" for sha256, name in parts)
    return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()


class Stream:
    """A file's decompressed bytes. After `chunks` ends, `cut` says why it ended early, or is None."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.cut: str | None = None

    def chunks(self) -> Iterator[bytes]:
        """Pieces of about a megabyte; stops and sets `cut` where the compressed data is damaged."""
        with _open(self.source.path) as file:
            held, size = list[bytes](), 0
            try:
                for piece in _pieces(file, self.source.codec):
                    held.append(piece)
                    size += len(piece)
                    if size >= _CHUNK:
                        yield b"".join(held)
                        held, size = [], 0
            except (EOFError, zlib.error, OSError) as error:
                self.cut = f"the data is cut short or damaged here ({error})"
            yield b"".join(held)


def _pieces(file: IO[bytes], codec: str) -> Iterator[bytes]:
    if codec == ".zst":
        compressed = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")
        yield from iter(lambda: compressed.read(_ZSTD_READ), b"")
    elif codec == ".gz":
        # `read1` hands out what was decoded before a cut; `read` would lose it.
        with gzip.GzipFile(fileobj=file) as decoded:
            yield from iter(lambda: decoded.read1(_CHUNK), b"")
    else:
        yield from iter(lambda: file.read(_CHUNK), b"")


def _copies(address: str, skipped: Counter[str]) -> Iterator[tuple[Path, str, str]]:
    """Copies of the files behind an address, each with the name its rows carry and its own address."""
    found = 0
    for each, name in listed(address):
        if each != address and name != file_name(address) and _is_hidden(Path(name)):
            continue
        if _kind(Path(file_name(each))) is None:
            skipped["file skipped: unknown suffix"] += 1
            continue
        found += 1
        yield fetched(each), name, each
    if not found:
        raise InputError("no data file here", where=address, fix=KNOWN)


def _expand(path: Path, skipped: Counter[str]) -> Iterator[tuple[Path, str, None]]:
    """Files behind one argument, each with the name its rows carry."""
    if path.is_file():
        yield path, path.name, None
        return
    if path.is_dir():
        root, candidates = path, _walk(path)
    elif glob.has_magic(str(path)):
        root, pattern = _split_glob(path)
        candidates = root.glob(pattern)
    else:
        raise InputError("no such file or folder", where=str(path))
    inside = root.resolve()
    found = 0
    for candidate in sorted(candidates, key=lambda match: match.relative_to(root).as_posix()):
        if _is_hidden(candidate.relative_to(root)) or not candidate.is_file():
            continue
        if _kind(candidate) is None:
            skipped["file skipped: unknown suffix"] += 1
        elif not candidate.resolve().is_relative_to(inside):
            skipped["file skipped: it leads out of the folder given"] += 1
        else:
            found += 1
            yield candidate, candidate.relative_to(root).as_posix(), None
    if not found:
        raise InputError("no data file here", where=str(path), fix=KNOWN)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") and part != ".." for part in path.parts)


def _walk(root: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(root, followlinks=False):
        folders[:] = [folder for folder in folders if not folder.startswith(".")]
        for file in files:
            yield Path(parent, file)


def _split_glob(path: Path) -> tuple[Path, str]:
    plain = next(index for index, part in enumerate(path.parts) if glob.has_magic(part))
    return Path(*path.parts[:plain]), str(Path(*path.parts[plain:]))


def _kind(path: Path) -> tuple[Format, str] | None:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    codec = suffixes.pop() if suffixes and suffixes[-1] in CODECS else ""
    kind = FORMATS.get(suffixes[-1]) if suffixes else None
    return None if kind is None else (kind, codec)


def _open(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", where=str(path)) from error
