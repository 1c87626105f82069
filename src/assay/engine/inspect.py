"""What is in a file, before anything is done with it: shape, rows, broken rows, labels, batches, times, scripts."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from assay.core.corpus import BATCH_ROWS, Shape
from assay.core.errors import InputError
from assay.core.progress import Progress, silent
from assay.engine.files import Paths, Source, find
from assay.engine.formats.record import Broken, Item, Record, spelt
from assay.engine.formats.records import records
from assay.engine.read import BATCH_BYTES, layout_of
from assay.engine.shapes import Kin, Layout, Row
from assay.engine.values import Unusable, look_up, scalar
from assay.kernels.text import tokens

_EXAMPLES = 5
_EXAMPLE_CHARACTERS = 200
_LABELS = 1_000


class BrokenRow(BaseModel):
    """One row that cannot be read: where, why, and how it begins."""

    model_config = ConfigDict(frozen=True)

    line: int
    reason: str
    raw: str


class FileReport(BaseModel):
    """What one file holds.

    Attributes:
        format: With the compression, such as ``jsonl.gz``.
        shape: None when no shape is recognised; `problem` says why.
        columns: Every column -> what it is taken for: a part of the shape, ``slice``, or ``extra`` where it is
            only kept along.
        kin: What rows that belong together share, see `shapes.Layout`.
        rows: Readable rows; `rows_unread` and `reasons` count the others.
        tokens: Words, as the audit counts them.
        text_bytes: UTF-8 bytes of the texts; `bytes` is the size of the file.
        labels: Rows per label, the most frequent first; of more than 1,000 labels the rest are left out.
        unlabelled: Rows without a label, where there is a label column.
        slices: Rows per value of each slice column.
        batches: Rows per batch, likewise at most 1,000 of them.
        earliest, latest: The times of the rows, from the first to the last; None where no row has one.
        untimed: Rows whose time cannot be read.
        scripts: Share of the letters written in each script, the largest first. A script is not a language.
        problem: Why the file cannot be used as it is, or None.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    format: str
    bytes: int
    shape: Shape | None = None
    confidence: float = 0.0
    columns: dict[str, str] = Field(default_factory=dict)
    kin: Kin | None = None
    rows: int = 0
    rows_unread: int = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    examples: tuple[BrokenRow, ...] = ()
    tokens: int = 0
    text_bytes: int = 0
    labels: dict[str, int] = Field(default_factory=dict)
    unlabelled: int = 0
    slices: dict[str, dict[str, int]] = Field(default_factory=dict)
    batches: dict[str, int] = Field(default_factory=dict)
    earliest: datetime | None = None
    latest: datetime | None = None
    untimed: int = 0
    scripts: dict[str, float] = Field(default_factory=dict)
    problem: str | None = None


class Inspection(BaseModel):
    """What was found, file by file; `skipped` counts files that were passed over, by reason."""

    model_config = ConfigDict(frozen=True)

    files: tuple[FileReport, ...]
    skipped: dict[str, int]


def inspect(
    paths: Paths,
    *,
    mapping: Mapping[str, str] | None = None,
    slices: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Inspection:
    """Look through files without changing or writing anything. Each file is judged by itself.

    A file that cannot be used is reported with its `problem`, so that one bad file does not hide the others.

    Raises: InputError: a path does not exist, nothing matches, or a named file has an unknown suffix.
    """
    found = find(paths)
    reports = (_inspect_file(source, mapping or {}, slices, progress) for source in found.sources)
    return Inspection(files=tuple(reports), skipped=found.skipped)


def _inspect_file(
    source: Source, mapping: Mapping[str, str], slices: Sequence[str] | None, progress: Progress
) -> FileReport:
    tally = _Tally()
    layout, problem = None, None
    try:
        layout = layout_of([source], mapping=mapping, slices=slices)
        for rows in _chunked(tally.readable(records(source), layout)):
            tally.add(rows)
            progress(f"inspect {source.name}", tally.rows, None)
    except InputError as error:
        problem = error.what if error.fix is None else f"{error.what}. {error.fix}"
    if problem is None and not tally.rows:
        problem = "no readable row" if tally.reasons else "no rows"
    return FileReport(
        name=source.name,
        format=source.format + source.codec,
        bytes=source.path.stat().st_size,
        shape=layout.shape if layout else None,
        confidence=layout.confidence if layout else 0.0,
        columns=_taken_for(tally.columns, layout),
        kin=layout.kin if layout else None,
        rows=tally.rows,
        rows_unread=tally.reasons.total(),
        reasons=dict(tally.reasons.most_common()),
        examples=tuple(tally.examples),
        tokens=tally.tokens,
        text_bytes=tally.text_bytes,
        labels=dict(tally.labels.most_common(_LABELS)),
        unlabelled=tally.strays["row without a label"],
        slices={name: dict(counts.most_common(_LABELS)) for name, counts in tally.slices.items()},
        batches=dict(tally.batches.most_common(_LABELS)),
        earliest=tally.earliest,
        latest=tally.latest,
        untimed=tally.strays["row with a time that cannot be read"],
        scripts=_scripts(tally.characters),
        problem=problem,
    )


class _Tally:
    """Counts over the rows of one file."""

    def __init__(self) -> None:
        self.rows = self.tokens = self.text_bytes = 0
        self.columns: dict[str, None] = {}
        self.reasons: Counter[str] = Counter()
        self.examples: list[BrokenRow] = []
        self.labels: Counter[str] = Counter()
        self.slices: dict[str, Counter[str]] = {}
        self.batches: Counter[str] = Counter()
        self.strays: Counter[str] = Counter()
        self.earliest: datetime | None = None
        self.latest: datetime | None = None
        self.characters: npt.NDArray[np.int64] = np.zeros(0x110000, np.int64)

    def readable(self, items: Iterable[Item], layout: Layout | None) -> Iterator[Row]:
        """Rows in the layout; whatever else there is, is counted as broken."""
        for item in items:
            if isinstance(item, Broken):
                self._set_aside(item.line, item.reason, item.raw)
                continue
            self.columns.update(dict.fromkeys(item.values))
            if layout is None:
                continue
            try:
                row = layout.row(item.values)
            except Unusable as error:
                self._set_aside(item.line, str(error), spelt(item.values))
                continue
            self._group(item, row, layout)
            yield row

    def add(self, rows: Sequence[Row]) -> None:
        """Count what is in the texts of some rows."""
        texts = [row.text for row in rows]
        self.rows += len(rows)
        self.tokens += len(tokens(pa.array(texts, pa.large_string())).ids)
        joined = "".join(texts)
        self.text_bytes += len(joined.encode())
        points = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
        self.characters += np.bincount(points, minlength=len(self.characters))

    def _group(self, record: Record, row: Row, layout: Layout) -> None:
        self.strays.update(layout.strays(record.values, row))
        if row.label is not None:
            self.labels[row.label] += 1
        if row.batch is not None:
            self.batches[row.batch] += 1
        if row.time is not None:
            self.earliest = min(self.earliest or row.time, row.time)
            self.latest = max(self.latest or row.time, row.time)
        for name in layout.slices:
            if (value := scalar(look_up(record.values, name))) is not None:
                self.slices.setdefault(name, Counter())[value] += 1

    def _set_aside(self, line: int, reason: str, raw: str) -> None:
        self.reasons[reason] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(BrokenRow(line=line, reason=reason, raw=_printable(raw)))


def _chunked(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in lists that are bounded in number and in text."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        chunk.append(row)
        size += len(row.text)
        if len(chunk) == BATCH_ROWS or size > BATCH_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _taken_for(columns: Iterable[str], layout: Layout | None) -> dict[str, str]:
    parts: dict[str, str] = {}
    if layout is not None:
        parts = dict.fromkeys(layout.slices, "slice") | {v: k for k, v in layout.columns.items()}
    return {_printable(column): parts.get(column, "extra") for column in columns}


def _scripts(characters: npt.NDArray[np.int64]) -> dict[str, float]:
    """Share of letters by script, named by the first word of the character's Unicode name."""
    counts: Counter[str] = Counter()
    for point in np.flatnonzero(characters):
        character = chr(point)
        if unicodedata.category(character).startswith("L"):
            counts[_script(character)] += int(characters[point])
    letters = counts.total()
    return {script: round(count / letters, 4) for script, count in counts.most_common()}


def _script(character: str) -> str:
    # Compatibility forms ("FULLWIDTH LATIN ...", mathematical letters) are counted by what they stand for.
    plain = unicodedata.normalize("NFKC", character)[0]
    word = unicodedata.name(plain, "UNKNOWN").split()[0]
    return "Han" if word == "CJK" else word.capitalize()


def _printable(text: str) -> str:
    """A short piece of text that can be shown and encoded: lone surrogates escaped."""
    return text[:_EXAMPLE_CHARACTERS].encode("utf-8", "backslashreplace").decode()
