"""The flags that a run's audit left beside its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from assay.core.errors import InputError
from assay.curate.filters import FILTERS, Bools, chosen, judge


def flags_of(folder: Path, rows: int) -> tuple[dict[str, Bools], npt.NDArray[np.int64]]:
    """Every flag that was asked by its name, and a number that rows share which nearly repeat each other.

    Raises: InputError: the run has no flags, or they are of other rows.
    """
    path = folder / "rows" / "synthetic.parquet"
    if not path.exists():
        raise InputError("this run has no flags of its rows", where=str(path), fix="Run `assay run` again.")
    table = pq.read_table(path)
    if table.num_rows != rows:
        raise InputError(
            f"holds {table.num_rows:,} rows, and the run read {rows:,}", where=str(path), fix="Run it again."
        )
    flags = {
        each.name: table[each.name].fill_null(False).to_numpy().astype(bool)
        for each in FILTERS
        if each.name in table.column_names and (table[each.name].null_count < rows or not rows)
    }
    return flags, table["near_cluster"].to_numpy().astype(np.int64)


def kept(folder: Path, rows: int, allowed: Bools) -> int:
    """How many rows of a run pass the filters that are used unasked, whatever a person said of them.

    Args:
        allowed: Rows that copy no test row, shape (rows,).
    """
    flags, clusters = flags_of(folder, rows)
    return int(judge(flags, clusters, ~allowed, chosen()).passed.sum())
