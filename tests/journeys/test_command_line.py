"""The command line as a user meets it: whole processes, real rows."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

Row = dict[str, str]
Write = Callable[[str, list[Row]], Path]
SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "evidence-1.json").read_text())


def assay(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assay.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_run_writes_a_folder_and_a_rerun_changes_nothing(
    snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    real, synthetic = write("real.jsonl", snippets[:900]), write("syn.jsonl", snippets[900:1500])
    out = tmp_path / "run"
    first = assay("run", "--real", real, "--synthetic", synthetic, "--out", out)
    assert first.returncode == 0, first.stderr
    assert len(first.stdout.strip().splitlines()) <= 10
    assert "report.html" in first.stdout
    evidence = json.loads((out / "evidence.json").read_text())
    jsonschema.validate(evidence, SCHEMA)
    assert any(
        each["name"] == "forecast.loss_growth" and each["value"] is not None for each in evidence["measures"]
    )
    assert {path.name for path in out.iterdir()} == {
        "evidence.json",
        "report.html",
        "report.md",
        "rows",
        "steps",
        "study.toml",
    }
    stood = {path: path.stat().st_mtime_ns for path in (out / "steps").glob("*/record.json")}

    again = assay("run", "--study", out / "study.toml", "--out", out, "--json")
    assert again.returncode == 0, again.stderr
    assert {path: path.stat().st_mtime_ns for path in (out / "steps").glob("*/record.json")} == stood
    assert json.loads(again.stdout) == evidence

    drawn = assay("report", out, "--markdown", "--json")
    assert json.loads(drawn.stdout) == [str(out / "report.md")]


def test_the_command_line_goes_before_the_study_file(
    snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    real, synthetic = write("real.jsonl", snippets[:300]), write("syn.jsonl", snippets[300:500])
    out = tmp_path / "run"
    assert assay("audit", "--real", real, "--synthetic", synthetic, "--out", out).returncode == 0
    again = assay("audit", "--study", out / "study.toml", "--seed", "3", "--out", out, "--json")
    assert again.returncode == 0, again.stderr
    evidence = json.loads(again.stdout)
    assert evidence["seed"] == 3
    assert [each["rows"] for each in evidence["inputs"]] == [300, 200]


def test_a_kill_costs_one_step(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    real, synthetic = write("real.jsonl", snippets[:900]), write("syn.jsonl", snippets[900:1500])
    out = tmp_path / "run"
    sides = ["--real", str(real), "--synthetic", str(synthetic), "--out", str(out)]
    command = [sys.executable, "-m", "assay.cli", "run", *sides]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.glob("steps/guard-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stood = {path: path.stat().st_mtime_ns for path in out.glob("steps/*/record.json")}
    assert stood
    done = assay("run", *sides)
    assert done.returncode == 0, done.stderr
    assert (
        stood.items() <= {path: path.stat().st_mtime_ns for path in out.glob("steps/*/record.json")}.items()
    )
    assert (out / "evidence.json").exists()


def test_without_labels_text_is_tried_and_a_trial_of_classes_says_what_it_needs(
    snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    bare = [{"text": row["text"]} for row in snippets[:700]]
    real, synthetic = write("real.jsonl", bare[:400]), write("syn.jsonl", bare[400:])
    sides = ["--real", str(real), "--synthetic", str(synthetic)]
    done = assay("trial", *sides, "--out", tmp_path / "text", "--json", "--seeds", "5")
    assert done.returncode == 0, done.stderr
    measures = {measure["name"]: measure for measure in json.loads(done.stdout)["measures"]}
    assert measures["trial.benefit"]["unit"] == "share of loss saved"
    done = assay("trial", *sides, "--task", "classification", "--out", tmp_path / "classes", "--json")
    assert done.returncode == 0, done.stderr
    measures = {measure["name"]: measure for measure in json.loads(done.stdout)["measures"]}
    assert measures["trial.benefit"]["value"] is None
    assert "label" in measures["trial.benefit"]["missing"]


def test_audit_and_trial_do_one_stage_each(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    real, synthetic = write("real.jsonl", snippets[:500]), write("syn.jsonl", snippets[500:900])
    for command, own, other in (("audit", "fidelity.", "trial."), ("trial", "trial.", "fidelity.")):
        done = assay(command, "--real", real, "--synthetic", synthetic, "--out", tmp_path / command, "--json")
        assert done.returncode == 0, done.stderr
        names = {measure["name"] for measure in json.loads(done.stdout)["measures"]}
        assert any(name.startswith(own) for name in names)
        assert not any(name.startswith(other) for name in names)


def test_one_file_with_an_origin_column_and_renamed_columns(
    snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    rows = [
        {"body": row["text"], "stars": row["label"], "source": "generated" if place % 3 == 0 else "human"}
        for place, row in enumerate(snippets[:900])
    ]
    mixed = write("mixed.jsonl", rows)
    done = assay(
        "audit",
        "--real",
        mixed,
        "--origin-column",
        "source",
        "--synthetic-value",
        "generated",
        "--map",
        "text=body",
        "--map",
        "label=stars",
        "--out",
        tmp_path / "run",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    inputs = {each["role"]: each["rows"] for each in json.loads(done.stdout)["inputs"]}
    assert inputs == {"real": 600, "synthetic": 300}


def test_unreadable_rows_are_kept_aside_and_too_many_stop_the_run(
    snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    real, synthetic = write("real.jsonl", snippets[:500]), write("syn.jsonl", snippets[500:900])
    with real.open("a") as file:
        file.write("{broken\n" * 3)
    out = tmp_path / "run"
    sides = ["--real", real, "--synthetic", synthetic, "--out", out]
    done = assay("audit", *sides, "--json")
    assert done.returncode == 0, done.stderr
    losses = json.loads(done.stdout)["losses"]
    assert [(loss["what"], loss["rows"]) for loss in losses] == [("unreadable real rows", 3)]
    rejects = [json.loads(line) for line in (out / "rejects-real.jsonl").read_text().splitlines()]
    assert [reject["line"] for reject in rejects] == [501, 502, 503]

    stopped = assay("audit", *sides, "--max-reject-share", "0.001")
    assert stopped.returncode == 2
    assert str(out / "rejects-real.jsonl") in stopped.stderr.replace("\n", "")


def test_inspect_shows_rows_and_rejects(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"text": "a film", "label": "good"}\n{broken\n{"text": "a play", "label": "bad"}\n')
    table = assay("inspect", path)
    assert table.returncode == 0, table.stderr
    assert "text-label" in table.stdout
    found = json.loads(assay("inspect", path, "--json").stdout)["files"][0]
    assert (found["rows"], found["rows_unread"]) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run"], "no real data was given"),
        (["run", "--real", "{real}"], "no synthetic data was given"),
        (["run", "--real", "{missing}", "--synthetic", "{real}"], "nowhere.jsonl"),
        (["run", "--real", "{empty}", "--synthetic", "{real}"], "empty.jsonl"),
        (["run", "--real", "{real}", "--synthetic", "{real}", "--map", "text"], "name=value"),
        (["run", "--real", "{real}", "--synthetic", "{real}", "--map", "text=nothing"], "nothing"),
        (["run", "--real", "{one}", "--synthetic", "{real}"], "real"),
        (["run", "--real", "{same}", "--synthetic", "{real}"], "near-duplicates"),
        (["run", "--study", "{missing}"], "no such file"),
        (["trial", "--real", "{real}", "--synthetic", "{real}", "--span", "60"], "--span would do nothing"),
        (["audit", "--real", "{real}", "--synthetic", "{real}", "--seeds", "9"], "--seeds would do nothing"),
        (["report", "{missing}"], "no evidence.json"),
        (["inspect", "{missing}"], "nowhere.jsonl"),
    ],
)
def test_wrong_use_says_what_and_how(
    arguments: list[str], says: str, snippets: list[Row], write: Write, tmp_path: Path
) -> None:
    paths = {
        "real": write("real.jsonl", snippets[:50]),
        "one": write("one.jsonl", snippets[:1]),
        "same": write("same.jsonl", snippets[:1] * 50),
        "empty": write("empty.jsonl", []),
        "missing": tmp_path / "nowhere.jsonl",
    }
    filled = [
        argument.format_map({name: str(path) for name, path in paths.items()}) for argument in arguments
    ]
    out = [] if arguments[0] in ("report", "inspect") else ["--out", str(tmp_path / "run")]
    done = assay(*filled, *out)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "evidence.json").exists()
