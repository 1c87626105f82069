"""The coverage map: regions by their words, thin ones first, hostile words made harmless."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.evidence import EXAMPLES, Costs, Evidence, Input, Run, Tool
from assay.core.verdict import decide
from assay.report.markdown import render as to_markdown
from assay.report.page import render as to_html
from assay.report.view import view
from tests.report.sample import measured


def drawn(folder: Path) -> Run:
    regions = {"tax, law, court": 1.1, "<script>alert(1)</script>, pan": 0.2}
    measures = [
        measured(
            "coverage.regions",
            (value, value * 0.8, value * 1.25),
            reference=(1.0, 0.9, 1.1),
            slice={"region": region},
        )
        for region, value in regions.items()
    ]
    evidence = Evidence(
        tool=Tool(version="0", commit=None),
        seed=0,
        inputs=(Input(role="real", name="r", sha256="0" * 64, rows=9, rows_unread=0, bytes=9, shape="text"),),
        measures=tuple(measures),
        trials=(),
        claims=decide(measures),
        costs=Costs(seconds=1.0),
        losses=(),
    )
    row = {
        "measure": "coverage.regions",
        "slice": json.dumps({"region": "tax, law, court"}),
        "corpus": "real",
        "row": 7,
        "text": "The court of tax law.",
        "note": "",
    }
    (folder / "rows").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row], schema=EXAMPLES), folder / "rows" / "examples.parquet")
    (folder / "evidence.json").write_text(evidence.to_json(), encoding="utf-8")
    (folder / "study.toml").write_text("", encoding="utf-8")
    return Run(folder)


def test_thin_regions_come_first_with_rows_and_without_their_markup(tmp_path: Path) -> None:
    run = drawn(tmp_path)
    parts = [each.part for each in view(run).regions.figures]
    assert len(parts) == 2
    assert parts[1] == "tax, law, court"
    page, markdown = to_html(run), to_markdown(run)
    assert "Coverage map" in page
    assert "Coverage map" in markdown
    assert "The court of tax law." in page
    assert "<script>alert(1)" not in page
    assert "<script>alert(1)" not in markdown
