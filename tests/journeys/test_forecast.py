"""The forecast on the command line: alone, beside a recursion that has happened, and within a whole run."""

import json
import random
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.journeys.test_command_line import SCHEMA, Row, Write, assay


def evidence(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "evidence.json").read_text())
    jsonschema.validate(found, SCHEMA)
    return found


def verdict(found: dict[str, Any]) -> str:
    return next(str(each["verdict"]) for each in found["claims"] if each["id"] == "model-collapse")


def test_text_is_forecast_beside_what_was_observed(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    real = write("real.jsonl", [{"text": row["text"]} for row in snippets[:700]])
    common = [word for row in snippets[:40] for word in row["text"].split()]
    rng = random.Random(0)
    generations = [
        {"text": " ".join(rng.choices(common[: 400 // 2**generation], k=15)), "generation": str(generation)}
        for generation in (1, 2, 3)
        for _ in range(200)
    ]
    out = tmp_path / "run"
    sides = ["--real", real, "--synthetic", write("syn.jsonl", generations), "--task", "language-model"]
    done = assay("forecast", *sides, "--rounds", 2, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "regimes x 5 seeds x 2 generations" in done.stderr  # the cost, before the start
    assert done.stdout.startswith("With a count model each generation changes the loss")
    found = evidence(out)
    assert verdict(found) == "undecided"  # a count model harms nobody by itself
    by_name = {each["name"]: each for each in found["measures"] if each["slice"] is None}
    assert by_name["forecast.mechanism_growth"]["low"] > 0
    assert "count model" in by_name["forecast.loss_growth"]["missing"]
    assert 0 < by_name["forecast.safe_real_share"]["value"] <= 1
    regimes = {each["slice"]["regime"] for each in found["measures"] if "regime" in (each["slice"] or {})}
    assert regimes == {"replace", "subsample", "observed"}
    record = json.loads((out / "rows/forecast.json").read_text())
    first = record["regimes"][0]["generations"]
    assert [each["round"] for each in first] == [0, 1, 2]
    assert all(each["sample"] and sum(each["histogram"]) for each in first)
    assert (out / "report.html").exists()

    again = assay("forecast", "--study", out / "study.toml", "--out", out, "--json")
    assert json.loads(again.stdout) == found


def test_labels_are_forecast(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = assay("forecast", "--real", write("real.jsonl", snippets[:400]), "--rounds", 2, "--out", out)
    assert done.returncode == 0, done.stderr
    found = evidence(out)
    assert verdict(found) in ("harm", "undecided", "no harm")
    grown = next(
        each for each in found["measures"] if each["name"] == "forecast.loss_growth" and each["slice"] is None
    )
    assert grown["unit"] == "error difference per generation"


def test_wrong_use_says_what_to_do(snippets: list[Row], write: Write, tmp_path: Path) -> None:
    real = write("real.jsonl", snippets[:150])
    out = tmp_path / "run"
    refused = assay("forecast", "--out", out)
    assert (refused.returncode, "no real data was given" in refused.stderr) == (2, True)
    refused = assay("trial", "--real", real, "--synthetic", real, "--rounds", 3, "--out", out)
    assert (refused.returncode, "--rounds would do nothing here" in refused.stderr) == (2, True)
    column = assay("forecast", "--real", real, "--groups", "label", "--out", tmp_path / "groups")
    assert (column.returncode, "'label' would do nothing" in column.stderr) == (2, True)
    few = assay("forecast", "--real", write("few.jsonl", snippets[:40]), "--out", out, "--json")
    assert few.returncode == 0, few.stderr
    growth = next(
        each for each in json.loads(few.stdout)["measures"] if each["name"] == "forecast.loss_growth"
    )
    assert "100 real training rows" in growth["missing"]
    assert "100 real training rows" in few.stderr


@pytest.mark.parametrize("learner", ["gpt", "finetune"])
def test_transformers_are_forecast_or_refused_with_the_cost(
    learner: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("peft")
    from tests.laws.test_finetune import tiny

    # Threads of tiny matrices wait for each other.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    words = ["the", "cat", "sat", "on", "a", "mat", "and", "saw", "rat", "ran", "to"]
    rng = random.Random(0)
    chats: list[Any] = [
        {
            "prompt": f"{' '.join(rng.choices(words, k=3))} {at}?",
            "response": " ".join(rng.choices(words, k=4)),
        }
        for at in range(300)
    ]
    model = ["--depth", 1] if learner == "gpt" else ["--base", tiny(tmp_path / "base")]
    sides = [
        "--real",
        write("real.jsonl", chats),
        "--task",
        "chat",
        "--learner",
        learner,
        *model,
        "--rounds",
        1,
    ]
    done = assay("forecast", *sides, "--budget", "1s", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert "the smallest forecast takes" in done.stderr
    assert done.stdout.startswith(
        "What the next generations would lose was not measured: the smallest forecast"
    )
