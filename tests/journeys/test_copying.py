"""Copying as a user asks about it: with a hold-out, and with canaries planted beforehand."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema

Row = dict[str, str]
Write = Callable[[str, list[Row]], Path]
SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "evidence-1.json").read_text())


def assay(*arguments: object) -> Any:
    command = [sys.executable, "-m", "assay.cli", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def value(evidence: Any, name: str) -> Any:
    return next(each for each in evidence["measures"] if each["name"] == name and each["slice"] is None)


def test_canaries_planted_and_given_away_are_found(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    real, holdout = write("real.jsonl", snippets[:900]), write("holdout.jsonl", snippets[2000:2900])
    with real.open("a") as file:
        file.write("{broken\n")
    out = tmp_path / "planted.jsonl"
    told = assay("canary", "plant", real, "--out", out, "--number", 40, "--seed", 3)
    assert told == {
        "out": str(out),
        "key": str(tmp_path / "planted.canaries.json"),
        "rows": 940,
        "planted": 40,
        "unread": 1,
    }
    key = json.loads(Path(told["key"]).read_text())

    # A generator that writes others' words, copies a tenth and gives 15 secrets away.
    copies = [json.loads(line) for line in out.read_text().split("\n") if len(line.split()) > 20][:50]
    betrayed = [{"text": f"I think {each['secret']}.", "label": "positive"} for each in key["planted"][:15]]
    synthetic = write("syn.jsonl", snippets[3000:3400] + copies + betrayed)
    options = ["--synthetic", synthetic, "--holdout", holdout, "--span", 20, "--canaries", told["key"]]
    evidence = assay("audit", "--real", out, *options, "--out", tmp_path / "run")

    jsonschema.validate(evidence, SCHEMA)
    assert {each["role"]: each["rows"] for each in evidence["inputs"]}["holdout"] == 900
    recall = value(evidence, "copying.canary_recall")
    assert (recall["value"], recall["reference"]["value"]) == (15 / 40, 0)
    assert value(evidence, "copying.verbatim_share")["value"] > 0.03
    assert "at least 20 tokens" in value(evidence, "copying.verbatim_share")["method"]
    assert value(evidence, "copying.dcr_share")["value"] is not None
    verdict = next(claim for claim in evidence["claims"] if claim["id"] == "copying")
    assert verdict["verdict"] == "harm"
    assert "copying.canary_recall" in verdict["because"]


def test_others_rows_copy_nobody(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    real, holdout = write("real.jsonl", snippets[:2500]), write("holdout.jsonl", snippets[2500:5000])
    synthetic = write("syn.jsonl", snippets[5000:7500])
    sides = ["--real", real, "--synthetic", synthetic, "--holdout", holdout]
    evidence = assay("audit", *sides, "--out", tmp_path / "run")
    verdict = next(claim for claim in evidence["claims"] if claim["id"] == "copying")
    assert verdict["verdict"] in ("no harm", "undecided"), verdict
    again = tmp_path / "run" / "study.toml"
    assert assay("audit", "--study", again, "--out", tmp_path / "run") == evidence
