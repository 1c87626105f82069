"""Read files into a corpus, setting aside what cannot be read, counted and with the reason."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from assay.core.corpus import BATCH_ROWS, Corpus, Origin, root_hash, schema
from assay.core.errors import EngineError, InputError, StepError
from assay.core.progress import Progress, silent
from assay.engine.files import Paths, Source, digest, find
from assay.engine.formats.record import Broken, Item, Record, spelt
from assay.engine.formats.records import records
from assay.engine.shapes import Layout, Row, sniff
from assay.engine.values import Unusable, look_up, scalar

SNIFF_ROWS = 1_000
SNIFF_BYTES = 64 << 20
BATCH_BYTES = 64 << 20
EARLY_ROWS = 1_000

_CARD, _REJECTS = "read.json", "rejects.jsonl"
_EXAMPLES = 3


class ReadResult(BaseModel):
    """A corpus and how its reading went. `ReadResult.open` finds it again in its folder.

    Attributes:
        layout: The shape found, its confidence, and which column plays which part.
        rows_unread: Rows set aside; each is a line of `rejects.jsonl` in the corpus' folder.
        sha256: Of the source bytes, see `engine.files.fingerprint`.
        bytes: Size of the source files as they lie on disk.
        reasons: Why rows were set aside, and how many.
        examples: Some of the rows set aside: ``file:line: reason``.
        notes: What else the reader should know, with counts: rows without a label or whose time cannot be read,
            files passed over.
    """

    model_config = ConfigDict(frozen=True)

    corpus: Corpus
    layout: Layout
    files: tuple[str, ...]
    rows_unread: int
    sha256: str
    bytes: int
    reasons: dict[str, int]
    examples: tuple[str, ...]
    notes: dict[str, int]

    @classmethod
    def open(cls, folder: Path) -> ReadResult:
        """The result of an earlier `read` into `folder`. Raises: StepError: there is none."""
        try:
            card = json.loads((folder / _CARD).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise StepError(
                "nothing was read into this folder", where=str(folder), fix="Delete it and run again."
            ) from None
        return cls(corpus=Corpus.open(folder), **card)


def read(
    paths: Paths,
    folder: Path,
    *,
    name: str,
    origin: Origin,
    mapping: Mapping[str, str] | None = None,
    origin_column: str | None = None,
    synthetic_value: str | None = None,
    slices: Sequence[str] | None = None,
    max_reject_share: float = 0.1,
    rejects: Path | None = None,
    progress: Progress = silent,
) -> ReadResult:
    """Read files, folders or globs into a corpus in `folder`.

    Rows stream through in bounded batches. Rows that cannot be read go to ``rejects.jsonl`` in `folder`
    with file, line, reason and their first characters.

    Args:
        mapping: Part -> column, for names that are not recognised: ``{"text": "body"}``.
        origin_column: A column that tells real from synthetic rows; only those of `origin` are kept.
        synthetic_value: What `origin_column` says of synthetic rows; all others are real.
        slices: Columns that divide the rows into groups; by default columns with few values are found.
            Synthetic rows need not have them: a generator seldom knows the groups of the real data.
        max_reject_share: Share of unreadable rows above which the reading stops.
        rejects: Where unreadable rows are written; by default ``rejects.jsonl`` in `folder`.

    Raises:
        InputError: no rows, an unknown shape, a column that is not there, a file that is not what its suffix
            says, or more unreadable rows than `max_reject_share`.
        EngineError: the corpus cannot be written.
    """
    if (origin_column is None) != (synthetic_value is None):
        raise InputError(
            "an origin column and the value of synthetic rows go together",
            fix="Give both, for example --origin-column source --synthetic-value generated.",
        )
    found = find(paths)
    folder.mkdir(parents=True, exist_ok=True)
    where = ", ".join(source.name for source in found.sources[:3])
    with _Rejects(rejects or folder / _REJECTS, max_reject_share) as aside:
        layout = layout_of(found.sources, mapping=mapping or {}, slices=slices, lenient=origin == "synthetic")
        if layout is None:
            _count_unreadable(found.sources, aside)
            raise InputError(f"no row to read for corpus {name!r}", where=where, fix="Check the file.")
        if slices is None:
            found_slices = tuple(column for column in layout.slices if column != origin_column)
            layout = layout.model_copy(update={"slices": found_slices})
        rows = _readable(found.sources, aside)
        if origin_column is not None:
            rows = _of_origin(rows, origin_column, synthetic_value, origin == "synthetic", aside)
        notes: Counter[str] = Counter(found.skipped)
        batches = _batches(rows, layout, origin, aside, notes)
        try:
            corpus = Corpus.write(
                folder,
                _reported(batches, f"read {name}", progress),
                name=name,
                origin=origin,
                shape=layout.shape,
                slices=layout.slices,
            )
        except OSError as error:
            raise EngineError(f"the corpus cannot be written: {error}", where=str(folder)) from error
        aside.check()
        if not corpus.rows:
            raise InputError(f"no readable row for corpus {name!r}", where=where)
    result = ReadResult(
        corpus=corpus,
        layout=layout,
        files=tuple(source.name for source in found.sources),
        rows_unread=aside.rows,
        sha256=digest(found.sources),
        bytes=sum(source.path.stat().st_size for source in found.sources),
        reasons=dict(aside.reasons.most_common()),
        examples=tuple(aside.examples),
        notes=dict(notes),
    )
    (folder / _CARD).write_text(result.model_dump_json(exclude={"corpus"}, indent=1), encoding="utf-8")
    return result


def layout_of(
    sources: Sequence[Source],
    *,
    mapping: Mapping[str, str],
    slices: Sequence[str] | None,
    lenient: bool = False,
) -> Layout | None:
    """The layout of the first rows of the largest file that has rows: a folder's data, not its notes.

    Returns: None when no file begins with a row.
    Raises: InputError: as in `shapes.sniff`.
    """
    for source in sorted(sources, key=lambda source: -source.path.stat().st_size):
        if first := list(_head(records(source))):
            return sniff(first, mapping=mapping, slices=slices, lenient=lenient, where=source.name)
    return None


Located = tuple[str, Record]


def _head(items: Iterable[Item]) -> Iterator[dict[str, Any]]:
    """Values of the first rows, fewer of them when they are large."""
    size = 0
    beginning = itertools.islice(items, SNIFF_ROWS)
    for values in (item.values for item in beginning if isinstance(item, Record)):
        yield values
        size += sum(len(value) for value in values.values() if isinstance(value, str))
        if size > SNIFF_BYTES:
            return


class _Rejects:
    """Rows set aside, written as they come; stops the reading when there are too many."""

    def __init__(self, path: Path, max_share: float) -> None:
        self.path, self.max_share = path, max_share
        self.seen = 0  # rows met so far, readable or not
        self.rows = 0
        self.reasons: Counter[str] = Counter()
        self.examples: list[str] = []
        self._file: IO[str] | None = None

    def __enter__(self) -> _Rejects:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, file: str, broken: Broken) -> None:
        """Set a row aside. Raises: InputError: too many were, of the many seen so far."""
        self._file = self._file or self.path.open("w", encoding="utf-8")
        entry = {"file": file, "line": broken.line, "reason": broken.reason, "raw": broken.raw}
        self._file.write(json.dumps(entry) + "\n")
        self.rows += 1
        self.reasons[broken.reason] += 1
        # Examples of different reasons say more than the first few rows.
        if self.reasons[broken.reason] == 1 and len(self.examples) < _EXAMPLES:
            self.examples.append(f"{file}:{broken.line}: {broken.reason}")
        if self.seen >= EARLY_ROWS:
            self.check()

    def check(self) -> None:
        """Raises: InputError: more than the allowed share of the rows so far cannot be read."""
        if self.rows <= self.max_share * self.seen:
            return
        top = "; ".join(f"{reason} ({rows:,})" for reason, rows in self.reasons.most_common(3))
        raise InputError(
            f"{self.rows:,} of the {self.seen:,} rows so far cannot be read: {top}",
            where=self.examples[0].partition(": ")[0],
            fix=f"The limit is {self.max_share:.0%} (max_reject_share). The rows are in {self.path}.",
        )


def _readable(sources: Iterable[Source], rejects: _Rejects) -> Iterator[Located]:
    for source in sources:
        for item in records(source):
            rejects.seen += 1
            if isinstance(item, Broken):
                rejects.add(source.name, item)
            else:
                yield source.name, item


def _count_unreadable(sources: Iterable[Source], rejects: _Rejects) -> None:
    """Raises: InputError: there are rows, but none that can be read, and why."""
    for _ in _readable(sources, rejects):
        pass
    rejects.check()


def _of_origin(
    rows: Iterable[Located], column: str, value: str | None, wanted: bool, rejects: _Rejects
) -> Iterator[Located]:
    seen: Counter[str] = Counter()
    columns: dict[str, None] = {}
    kept = 0
    for file, record in rows:
        columns.update(dict.fromkeys(record.values))
        said = scalar(look_up(record.values, column))
        if said is None:
            rejects.add(file, _unusable(record, f"no origin in column {column!r}"))
            continue
        seen[said] += 1
        if (said == value) == wanted:
            kept += 1
            yield file, record
    if not seen and column not in columns and columns:
        raise InputError(f"no column {column!r}", fix=f"The columns are: {', '.join(map(repr, columns))}.")
    if seen and not kept:
        values = ", ".join(f"{said!r} ({rows:,})" for said, rows in seen.most_common(10))
        side = "synthetic" if wanted else "real"
        raise InputError(
            f"column {column!r} marks no row as {side} when {value!r} means synthetic",
            fix=f"Its values are: {values}.",
        )


def _batches(
    rows: Iterable[Located], layout: Layout, origin: Origin, rejects: _Rejects, notes: Counter[str]
) -> Iterator[pa.RecordBatch]:
    columns = _Columns(layout, origin)
    rows_read = 0
    for file, record in rows:
        try:
            row, extras = layout.row(record.values), layout.extras(record.values)
        except Unusable as error:
            rejects.add(file, _unusable(record, str(error)))
            continue
        notes.update(layout.strays(record.values, row))
        columns.add(file, record, row, extras, rows_read)
        rows_read += 1
        if columns.is_full:
            yield columns.batch()
            columns = _Columns(layout, origin)
    if columns.size:
        yield columns.batch()


class _Columns:
    """A batch in the making."""

    def __init__(self, layout: Layout, origin: Origin) -> None:
        self._layout = layout
        self._schema = schema(layout.slices)
        self._generation = 0 if origin == "real" else None
        self._values: list[tuple[Any, ...]] = []
        self._bytes = 0

    @property
    def size(self) -> int:
        return len(self._values)

    @property
    def is_full(self) -> bool:
        return len(self._values) >= BATCH_ROWS or self._bytes >= BATCH_BYTES

    def add(self, file: str, record: Record, row: Row, extras: str | None, position: int) -> None:
        root = f"{file}:{record.line}" if row.root is None else row.root
        generation = self._generation if row.generation is None else row.generation
        groups = (scalar(look_up(record.values, column)) for column in self._layout.slices)
        self._values.append(
            (
                row.text,
                row.prompt,
                row.response,
                row.rejected,
                row.messages,
                row.label,
                root_hash(root),
                generation,
                row.batch,
                row.time,
                file,
                record.line,
                position,
                extras,
                *groups,
            )
        )
        self._bytes += len(row.text) + len(extras or "")

    def batch(self) -> pa.RecordBatch:
        columns = zip(*self._values, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


def _unusable(record: Record, reason: str) -> Broken:
    return Broken(record.line, reason, spelt(record.values))


def _reported(batches: Iterable[pa.RecordBatch], stage: str, progress: Progress) -> Iterator[pa.RecordBatch]:
    done = 0
    for batch in batches:
        yield batch
        done += batch.num_rows
        progress(stage, done, None)
