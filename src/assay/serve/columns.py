"""What is known of every synthetic row, as arrays that are quick to filter and sort."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assay.core.corpus import SLICE_PREFIX, Corpus

Bools = npt.NDArray[np.bool_]
Kind = Literal["flag", "number", "group", "words"]
COMMONEST = 100  # values of a column that are offered to choose from
# These hold several lines a row, or lines of something else.
_NOT_COLUMNS = {"examples", "contamination", "label-order"}
_OF_CORPUS = ("label", "generation", "batch", "file")


@dataclass(frozen=True)
class Column:
    """One annotation of all rows.

    Attributes:
        kind: `flag`: true or not. `number`: measured, NaN where unknown. `group`: a whole number that rows of one
            group share. `words`: one of `names`.
        values: Shape (rows,): booleans, floats, whole numbers, or places in `names`, -1 where there is none.
        names: The different words, the commonest first.
        counts: Rows of each of `names`; for a flag, rows that carry it.
    """

    name: str
    kind: Kind
    values: npt.NDArray[Any]
    names: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.name.removeprefix(SLICE_PREFIX).replace("_", " ")

    def equals(self, value: str) -> Bools:
        """Rows whose value reads so; none where no row has it."""
        if self.kind == "words":
            place = self.names.index(value) if value in self.names else -2
            return np.asarray(self.values == place)
        try:
            wanted = float(value)
        except ValueError:
            return np.zeros(len(self.values), bool)
        return np.asarray(self.values == wanted)

    def at(self, row: int) -> bool | float | int | str | None:
        """The value of one row; None where it is unknown."""
        value = self.values[row]
        if self.kind == "words":
            return None if value < 0 else self.names[value]
        if self.kind == "flag":
            return bool(value)
        if self.kind == "group":
            return int(value)
        return None if np.isnan(value) else float(value)


def columns_of(folder: Path, corpus: Corpus) -> tuple[dict[str, Column], str]:
    """The columns of a run by name, and what is missing, in words.

    Every table in `rows/` that has one line a row is taken in, whoever wrote it; of the corpus, what its rows were
    delivered with.
    """
    found: dict[str, Column] = {}
    problem = "" if (folder / "rows" / "synthetic.parquet").exists() else "This run has no audit."
    for path in sorted(folder.glob("rows/*.parquet")):
        if path.stem in _NOT_COLUMNS:
            continue
        table = pq.read_table(path)
        if path.stem == "synthetic" and table.num_rows != corpus.rows:
            problem = f"{path.name} is of other rows than the run read; make it again with `assay run --out`."
            continue
        if "row" in table.column_names:
            found |= {each.name: each for each in _of_table(table, corpus.rows)}
    table = corpus.table()
    names = [name for name in table.column_names if name in _OF_CORPUS or name.startswith(SLICE_PREFIX)]
    for name in names:
        column = _column(name, table[name])
        if column is not None and name not in found and _divides(column):
            found[name] = column
    return found, problem


def _of_table(table: pa.Table, rows: int) -> Iterable[Column]:
    """The columns of a table with a line for some or all rows, each at the place of its row."""
    row = table["row"].to_numpy().astype(np.int64)
    if len(row) and (row.min() < 0 or row.max() >= rows or len(np.unique(row)) < len(row)):
        return
    in_place = len(row) == rows and bool((row == np.arange(rows)).all())
    if not in_place:
        place = np.full(rows, -1, np.int64)
        place[row] = np.arange(len(row))
        where = pa.array(place, mask=place < 0)
    for name in table.column_names:
        if name != "row":
            values = table[name] if in_place else table[name].combine_chunks().take(where)
            column = _column(name, values)
            if column is not None:
                yield column


def _column(name: str, values: pa.ChunkedArray | pa.Array) -> Column | None:
    """The column as arrays; None where no row has a value or the type is none to filter by."""
    kind = values.type
    if values.null_count == len(values):
        return None
    if pa.types.is_boolean(kind):
        flags = (
            values.fill_null(False).to_numpy(zero_copy_only=False)
            if isinstance(values, pa.Array)
            else (values.fill_null(False).to_numpy())
        )
        return Column(name, "flag", flags, counts=(int(flags.sum()),))
    if pa.types.is_floating(kind):
        return Column(name, "number", _numpy(values.cast(pa.float64())))
    if pa.types.is_integer(kind):
        if values.null_count:
            return Column(name, "number", _numpy(values.cast(pa.float64())))
        return Column(name, "group", _numpy(values.cast(pa.int64())))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _words(name, values)
    return None


def _words(name: str, values: pa.ChunkedArray | pa.Array) -> Column:
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    encoded = whole.cast(pa.large_string()).dictionary_encode()
    codes = _numpy(encoded.indices.fill_null(-1)).astype(np.int32)
    counts = np.bincount(codes[codes >= 0], minlength=len(encoded.dictionary))
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(order) + 1, np.int32)
    rank[order], rank[-1] = np.arange(len(order)), -1
    spelled = encoded.dictionary.to_pylist()
    return Column(
        name, "words", rank[codes], tuple(spelled[at] for at in order), tuple(counts[order].tolist())
    )


def _numpy(values: pa.ChunkedArray | pa.Array) -> npt.NDArray[Any]:
    whole = pc.cast(values, values.type)
    if isinstance(whole, pa.Array):
        return np.asarray(whole.to_numpy(zero_copy_only=False))
    return np.asarray(whole.to_numpy())


def _divides(column: Column) -> bool:
    """Whether a column tells some rows from others."""
    if column.kind == "words":
        return len(column.names) > 1 or bool((column.values < 0).any())
    return bool((column.values != column.values[:1]).any())
