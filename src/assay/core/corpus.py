"""Corpus: a named, fingerprinted, unchangeable table of rows on disk.

The table is one Arrow IPC file that is memory-mapped, never loaded whole, so a corpus may be larger than
memory and the kernels read its text without copying it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from assay.core.errors import StepError

Origin = Literal["real", "synthetic", "mixed"]
Shape = Literal[
    "text",
    "text-label",
    "prompt-completion",
    "messages",
    "sharegpt",
    "alpaca",
    "preference",
    "kto",
    "stepwise",
]

MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.large_string())]))
SCHEMA = pa.schema(
    [
        pa.field("text", pa.large_string(), nullable=False),  # all a reader would see
        pa.field("prompt", pa.large_string()),  # what the model is given, if the shape has it
        pa.field("response", pa.large_string()),  # what the model should write, likewise
        pa.field("rejected", pa.large_string()),  # in a preference pair, the response that was not preferred
        pa.field("messages", MESSAGES),  # the turns, when the row is a chat
        pa.field("label", pa.string()),
        pa.field("root", pa.uint64(), nullable=False),  # hash of the row's root id: kin share it
        pa.field("generation", pa.int32()),  # 0 is human; g was written by a model trained on g - 1
        pa.field("batch", pa.string()),  # which delivery or round of generation the row came with
        pa.field("time", pa.timestamp("s")),  # when it was written
        pa.field("file", pa.string()),
        pa.field("line", pa.int64()),  # 1-based line or record number in `file`
        pa.field("row", pa.int64(), nullable=False),  # position in the corpus as it was read
        pa.field("extras", pa.large_string()),  # every other column and the lineage, as JSON
    ]
)
SLICE_PREFIX = "slice:"
BATCH_ROWS = 8192
_FILE, _CARD = "corpus.arrow", "corpus.json"


class Corpus(BaseModel):
    """A corpus on disk. Open one with `Corpus.open`, make one with `Corpus.write`.

    Attributes:
        folder: Where the table and its card lie.
        fingerprint: SHA-256 of the table's bytes; equal tables have equal fingerprints.
        bytes: Bytes of text (column `text`, UTF-8).
        slices: Names of the slice columns; each is stored as the string column ``slice:<name>``.
    """

    model_config = ConfigDict(frozen=True)

    folder: Path
    name: str
    origin: Origin
    shape: Shape
    fingerprint: str
    rows: int
    bytes: int
    slices: tuple[str, ...] = ()

    @classmethod
    def write(
        cls,
        folder: Path,
        batches: Iterable[pa.RecordBatch],
        *,
        name: str,
        origin: Origin,
        shape: Shape,
        slices: tuple[str, ...] = (),
    ) -> Corpus:
        """Write `batches` (each in `schema(slices)`) into `folder` and open the result.

        Raises: StepError: a batch has another schema.
        """
        folder.mkdir(parents=True, exist_ok=True)
        expected = schema(slices)
        rows = text_bytes = 0
        with (
            pa.OSFile(str(folder / _FILE), "wb") as sink,
            pa.ipc.new_file(sink, expected) as writer,
        ):
            for batch in batches:
                if not batch.schema.equals(expected):
                    raise StepError(
                        f"corpus {name!r}: a batch has columns {batch.schema.names}, not {expected.names}"
                    )
                rows += batch.num_rows
                text_bytes += _text_bytes(batch.column("text"))
                writer.write_batch(batch)
        with (folder / _FILE).open("rb") as file:
            fingerprint = hashlib.file_digest(file, "sha256").hexdigest()
        corpus = cls(
            folder=folder,
            name=name,
            origin=origin,
            shape=shape,
            fingerprint=fingerprint,
            rows=rows,
            bytes=text_bytes,
            slices=slices,
        )
        (folder / _CARD).write_text(corpus.model_dump_json(exclude={"folder"}, indent=1), encoding="utf-8")
        return corpus

    @classmethod
    def open(cls, folder: Path) -> Corpus:
        """Open a corpus written earlier. Raises: StepError: the folder holds none."""
        try:
            card = (folder / _CARD).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise StepError(
                "no corpus here", where=str(folder), fix="Delete the folder and run again."
            ) from None
        return cls(folder=folder, **json.loads(card))

    def table(self, columns: list[str] | None = None) -> pa.Table:
        """The memory-mapped table, or some of its columns; nothing is read until it is touched."""
        source = pa.memory_map(str(self.folder / _FILE))
        table = pa.ipc.open_file(source).read_all()
        return table if columns is None else table.select(columns)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows in order, a batch at a time."""
        reader = pa.ipc.open_file(pa.memory_map(str(self.folder / _FILE)))
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)

    def subset(self, folder: Path, keep: npt.NDArray[np.bool_], *, name: str) -> Corpus:
        """A new corpus on disk of the rows where `keep`, shape (rows,), is true; `row` keeps its meaning."""

        def kept() -> Iterator[pa.RecordBatch]:
            start = 0
            for batch in self.batches():
                mask = keep[start : start + batch.num_rows]
                start += batch.num_rows
                if mask.any():
                    yield batch.filter(pa.array(mask))

        return Corpus.write(
            folder, kept(), name=name, origin=self.origin, shape=self.shape, slices=self.slices
        )


def schema(slices: tuple[str, ...] = ()) -> pa.Schema:
    """The columns of a corpus with these slice columns."""
    fields = list(SCHEMA)
    fields += [pa.field(SLICE_PREFIX + name, pa.string()) for name in slices]
    return pa.schema(fields)


def root_hash(root_id: str) -> int:
    """64-bit hash of a root id, the same on every machine."""
    return int.from_bytes(
        hashlib.blake2b(root_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )


def _text_bytes(column: pa.Array) -> int:
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int64)[
        column.offset : column.offset + len(column) + 1
    ]
    return int(offsets[-1] - offsets[0]) if len(column) else 0
