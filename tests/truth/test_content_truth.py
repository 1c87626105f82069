"""What the checks of content find in public data whose faults are known, or known to be rare."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from assay.audit.annotate.arithmetic import wrong_arithmetic
from assay.audit.annotate.code import broken_code
from assay.audit.annotate.echo import echoing
from assay.audit.annotate.labels import Noise, label_noise
from assay.audit.annotate.languages import languages, names
from assay.audit.annotate.placeholders import placeholders
from assay.audit.annotate.truncation import truncated
from assay.audit.rows import open_rows
from assay.kernels.text import tokens
from tests.audit.corpora import write

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there"),
]
PREDICTIONS = "self_instruct/human_eval/predictions/{}_predictions.jsonl"


def lines(name: str) -> list[dict[str, Any]]:
    path = DATA / name
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as file
    ):
        return [json.loads(line) for line in file]


def column(values: Sequence[str]) -> pa.Array:
    return pa.array(values, pa.large_string())


def test_equations_of_human_solutions_nearly_all_hold() -> None:
    answers = [row["answer"] for part in ("train", "test") for row in lines(f"gsm8k/data/{part}.jsonl")]
    checked = wrong_arithmetic(column(answers))
    assert checked.fits.sum() > 8_500  # of 8,792 solutions
    assert checked.fails.sum() / checked.fits.sum() < 0.004


@pytest.mark.parametrize(
    "model", ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]
)
def test_models_miscount_more_often_than_people_and_mostly_where_their_answer_is_wrong(model: str) -> None:
    rows = [row[model] for row in lines("gsm8k/data/example_model_solutions.jsonl")]
    right = np.array([row["is_correct"] for row in rows])
    checked = wrong_arithmetic(column([row["solution"] for row in rows]))
    assert checked.fails.sum() / checked.fits.sum() > 0.006
    assert checked.fails[right].mean() < 0.005
    assert checked.fails[~right].mean() > 2 * checked.fails[right].mean()


def test_every_canonical_solution_parses_and_none_without_its_last_bracket() -> None:
    rows = lines("humaneval/data/HumanEval.jsonl.gz")
    prompts = column([row["prompt"] for row in rows])
    checked = broken_code(prompts, column([row["canonical_solution"] for row in rows]))
    assert checked.fits.all()
    assert not checked.fails.any()
    cut = [row["canonical_solution"] for row in rows if ")" in row["canonical_solution"]]
    kept = [row["prompt"] for row in rows if ")" in row["canonical_solution"]]
    broken = broken_code(column(kept), column([answer[: answer.rindex(")")] for answer in cut]))
    assert broken.fails[broken.fits].mean() > 0.95


def rates(model: str) -> dict[str, float]:
    rows = lines(PREDICTIONS.format(model))
    answers = column(
        [
            r["response"] if isinstance(r["response"], str) else r["response"]["choices"][0]["text"]
            for r in rows
        ]
    )
    prompts = column([row["prompt"] for row in rows])
    words = tokens(answers)
    cut, (echo, _) = truncated(answers, words), echoing(tokens(prompts), words)
    return {
        "truncated": float(cut.fails.sum() / cut.fits.sum()),
        "echo": float(echo.fails.sum() / echo.fits.sum()),
        "placeholder": float(placeholders(answers).fails.mean()),
    }


def test_the_raw_model_runs_on_and_repeats_its_prompt_and_tuned_ones_do_not() -> None:
    raw, tuned, best = (rates(model) for model in ("davinci", "davinci-self-instruct", "text-davinci-003"))
    assert raw["truncated"] > 0.4 > 0.05 > max(tuned["truncated"], best["truncated"])
    assert raw["echo"] > 0.25 > 0.05 > max(tuned["echo"], best["echo"])


def banking() -> list[tuple[str, str]]:
    rows = []
    for part in ("train", "test"):
        with (DATA / f"banking77/banking_data/{part}.csv").open(encoding="utf-8", newline="") as file:
            rows += [(row["text"], row["category"]) for row in csv.DictReader(file)]
    return rows


def flipped(rows: list[tuple[str, str]], dose: float) -> tuple[list[tuple[str, str]], np.ndarray]:
    labels = sorted({label for _, label in rows})
    rng = np.random.default_rng(3)
    flip = rng.random(len(rows)) < dose
    steps = rng.integers(1, len(labels), len(rows))
    made = [
        (text, labels[(labels.index(label) + step) % len(labels)] if wrong else label)
        for (text, label), wrong, step in zip(rows, flip, steps, strict=True)
    ]
    return made, flip


def test_label_noise_beyond_the_clean_rows_own_is_near_the_dose_and_its_top_suspects_are_flips(
    tmp_path: Path,
) -> None:
    rows = banking()

    def judged(dose: float) -> tuple[Noise, np.ndarray]:
        made, flip = flipped(rows, dose)
        noise = label_noise(
            open_rows(write(tmp_path / str(dose), made, "rows", "real")), np.random.default_rng(0)
        )
        assert noise is not None
        return noise, flip

    def share(noise: Noise) -> float:
        return float(noise.suspect.sum() / noise.counted.sum())

    clean = share(judged(0.0)[0])
    assert clean < 0.03
    for dose in (0.05, 0.2):
        noise, flip = judged(dose)
        assert share(noise) - clean == pytest.approx(flip.mean(), abs=0.02)
        assert flip[np.argsort(-noise.margin)[:100]].mean() > 0.9
        assert flip[noise.suspect].mean() > 0.55


def test_people_who_write_english_are_told_as_english() -> None:
    seeds = [row["question"] for row in lines("gsm8k/data/train.jsonl")]
    told = languages(column(seeds))
    known = told >= 0
    assert known.mean() > 0.95
    assert (told[known] == names().index("en")).mean() > 0.999
