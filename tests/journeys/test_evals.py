"""Evaluations on the command line: text, then its index alone, give the same answer."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq

from tests.journeys.test_command_line import SCHEMA, Row, Write, assay


def contamination(out: Path) -> list[dict[str, Any]]:
    evidence = json.loads((out / "evidence.json").read_text())
    jsonschema.validate(evidence, SCHEMA)
    return [each for each in evidence["measures"] if each["name"].startswith("contamination.")]


def test_leaked_items_are_found_by_text_and_by_index(
    snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    questions = [{"question": row["text"], "id": f"q{number}"} for number, row in enumerate(snippets[:300])]
    quiz = write("quiz.jsonl", [*questions, {"id": "broken"}])
    real = write("real.jsonl", snippets[300:1100])
    synthetic = write("syn.jsonl", [*snippets[1100:1700], *snippets[:60]])
    saved = tmp_path / "shared/quiz.assay-index"
    sides = ["--real", real, "--synthetic", synthetic]
    by_text, by_index = tmp_path / "text", tmp_path / "index"
    first = assay("audit", *sides, "--evals", quiz, "--save-index", saved, "--out", by_text)
    assert first.returncode == 0, first.stderr
    again = assay("audit", *sides, "--evals", saved, "--out", by_index)
    assert again.returncode == 0, again.stderr
    assert contamination(by_text) == contamination(by_index)
    ngram, rephrased = contamination(by_text)
    # A few snippets have fewer than five words.
    assert ngram["value"] > 0.17
    assert ngram["value"] <= rephrased["value"] < 0.25
    evidence = json.loads((by_text / "evidence.json").read_text())
    claim = next(each for each in evidence["claims"] if each["id"] == "contamination")
    assert claim["verdict"] == "harm"
    assert [each["rows"] for each in evidence["inputs"] if each["role"] == "eval"] == [300]
    assert [loss["rows"] for loss in evidence["losses"] if loss["what"] == "unreadable eval quiz rows"] == [1]
    pairs = pq.read_table(by_text / "rows/contamination.parquet")
    assert set(pairs["item"].to_pylist()) >= {0, 1, 2}
    assert pq.read_table(by_index / "rows/contamination.parquet")["item_text"].null_count == pairs.num_rows
    flags = pq.read_table(by_text / "rows/synthetic.parquet")["contaminated"].to_pylist()
    assert sum(flags[600:]) > 50
    assert sum(flags[:600]) < 40
    assert "quiz" in (by_text / "report.md").read_text()


def test_wrong_use_says_what_to_do(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    real, synthetic = write("real.jsonl", snippets[:60]), write("syn.jsonl", snippets[60:120])
    sides = ["--real", real, "--synthetic", synthetic, "--out", tmp_path / "run"]
    refused = assay("trial", *sides, "--evals", real)
    assert (refused.returncode, "--evals would do nothing here" in refused.stderr) == (2, True)
    refused = assay("audit", *sides, "--save-index", "x.assay-index")
    assert (refused.returncode, "Give --evals" in refused.stderr) == (2, True)
    refused = assay("audit", *sides, "--evals", real, "--save-index", "x.bin")
    assert (refused.returncode, "suffix .assay-index" in refused.stderr) == (2, True)
