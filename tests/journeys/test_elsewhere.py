"""What was trained elsewhere, on the command line: scores, points, a judge; and a trial of plain text."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest


def assay(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "assay.cli", *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def arm(path: Path, right: float, seed: int) -> Path:
    rng = random.Random(seed)
    rows = [{"id": item, "score": int(rng.random() < right), "slice": "ab"[item % 2]} for item in range(400)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_scores_of_two_arms(tmp_path: Path) -> None:
    real, mixed = arm(tmp_path / "real.jsonl", 0.6, 1), arm(tmp_path / "mixed.jsonl", 0.8, 2)
    done = assay("trial", "--scores", real, mixed, "--slice", "slice", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "Change of the score against the baseline: mixed +" in done.stdout
    evidence = json.loads((tmp_path / "run" / "evidence.json").read_text())
    assert [each["role"] for each in evidence["inputs"]] == ["scores", "scores"]
    verdicts = {each["id"]: each["verdict"] for each in evidence["claims"]}
    assert verdicts["performance"] == "helps"
    assert {"trial.score_delta", "trial.slice_delta"} <= {each["name"] for each in evidence["measures"]}
    assert "mixed" in (tmp_path / "run" / "report.html").read_text()
    worse = assay("trial", "--scores", mixed, real, "--out", tmp_path / "worse", "--json")
    back = {each["id"]: each["verdict"] for each in json.loads(worse.stdout)["claims"]}
    assert back["performance"] == "harm"


def test_points_of_a_law(tmp_path: Path) -> None:
    rng = random.Random(0)
    lines = ["params,tokens,loss"]
    for size in (1e6, 1e7, 1e8, 1e9):
        for tokens in (1e8, 1e9, 1e10, 1e11):
            loss = 1.8 + 480 / size**0.35 + 2000 / tokens**0.37 + rng.gauss(0, 0.002)
            lines.append(f"{size:.0f},{tokens:.0f},{loss:.4f}")
    table = tmp_path / "runs.csv"
    table.write_text("\n".join([*lines, "1000000,soon,2.0"]))
    done = assay("trial", "--points", table, "--out", tmp_path / "run", "--json")
    assert done.returncode == 0, done.stderr
    evidence = json.loads(done.stdout)
    fitted = {
        each["slice"]["parameter"]: each for each in evidence["measures"] if each["name"] == "scaling.fit"
    }
    assert fitted["alpha"]["low"] <= 0.35 <= fitted["alpha"]["high"]
    assert fitted["beta"]["low"] <= 0.37 <= fitted["beta"]["high"]
    assert sum(each["rows"] for each in evidence["losses"]) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scores", "a.jsonl", "--points", "b.csv"], "two different questions"),
        (["--answers", "a.jsonl", "b.jsonl"], "answers need a judge and labels"),
        (["--points", "missing.csv"], "missing.csv"),
    ],
)
def test_wrong_use_is_said(tmp_path: Path, words: list[str], message: str) -> None:
    done = assay("trial", *words, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert message in done.stderr


def test_plain_text_is_tried_and_its_cost_is_told_first(tmp_path: Path) -> None:
    rng = random.Random(0)
    follows = [[rng.randrange(150) for _ in range(4)] for _ in range(150)]

    def text() -> str:
        word, words = rng.randrange(150), []
        for _ in range(30):
            words.append(f"w{word}")
            word = rng.choice(follows[word])
        return " ".join(words)

    paths = {name: tmp_path / f"{name}.jsonl" for name in ("real", "synthetic", "general")}
    for path in paths.values():
        path.write_text("\n".join(json.dumps({"text": text()}) for _ in range(400)))
    words = [word for name, path in paths.items() for word in (f"--{name}", path)]
    done = assay("trial", *words, "--budget", "1h", "--seeds", "5", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "ngram: " in done.stderr
    assert "trainings" in done.stderr
    assert "of the test loss" in done.stdout
    evidence = json.loads((tmp_path / "run" / "evidence.json").read_text())
    named = {each["name"]: each for each in evidence["measures"]}
    assert named["trial.forgetting"]["value"] is not None
    assert named["trial.dose_response"]["unit"] == "bits per byte"
    assert not list((tmp_path / "run" / "steps").glob("*.trainings"))
