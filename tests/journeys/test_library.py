"""Assay from Python: tables in, tables out."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import assay

Row = dict[str, str]
PLAIN = {"trial": False, "forecast": False, "groups": ("none",)}


class Dataset:
    """What a Hugging Face dataset offers, as far as it is asked for."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def with_format(self, form: str) -> "Dataset":
        assert form == "arrow"
        return self

    def __getitem__(self, rows: slice) -> pa.Table:
        return self.table[rows]


class Stream:
    """What pandas and polars frames offer."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def _as_polars(table: pa.Table) -> pa.Table:
    """The same rows with other types of text, in several chunks, and notes in the schema."""
    views = pa.schema(
        [pa.field(name, pa.string_view()) for name in table.column_names], {"made by": "polars"}
    )
    return pa.concat_tables([table.cast(views)[:150], table.cast(views)[150:]])


def test_tables_of_any_kind_give_the_same_numbers(snippets: list[Row], tmp_path: Path) -> None:
    rows: dict[str, list[Row]] = {"real": snippets[:400], "synthetic": snippets[400:600]}
    tables = {side: pa.Table.from_pylist(some) for side, some in rows.items()}
    given: dict[str, dict[str, Any]] = {
        "rows": dict(rows),
        "arrow": dict(tables),
        "frame": {side: Stream(_as_polars(table)) for side, table in tables.items()},
        "dataset": {side: Dataset(table) for side, table in tables.items()},
    }
    results = {
        name: assay.run(out=tmp_path / name, **sides, **PLAIN)  # type: ignore[arg-type]
        for name, sides in given.items()
    }
    first = results["rows"]
    for result in results.values():
        assert result.evidence.measures == first.evidence.measures
        assert [each.rows for each in result.evidence.inputs] == [400, 200]
    claims, measures = (
        pa.table(each) if not isinstance(each, pa.Table) else each for each in (first.claims, first.measures)
    )
    assert claims.column("id").to_pylist() == [each.id for each in first.evidence.claims]
    assert measures.num_rows == len(first.evidence.measures)
    assert {"name", "slice", "value", "low", "high", "unit", "reference"} <= set(measures.column_names)
    assert "report.html" in first._repr_html_()
    assert first.show() is not None


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(assay.InputError, match="real is a int"):
        assay.run(real=7, synthetic="x.jsonl", out=tmp_path)
    with pytest.raises(assay.InputError, match="no real rows"):
        assay.run(synthetic="x.jsonl", out=tmp_path)
    with pytest.raises(assay.InputError, match="beside a study"):
        assay.run(assay.Study(real=("a",), synthetic=("b",)), tmp_path, seeds=9)
