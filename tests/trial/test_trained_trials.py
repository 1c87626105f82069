"""Whole trials of the learners that train networks, on models and rows so small that they take seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.core.corpus import Corpus
from assay.core.trial import Cost
from assay.engine.read import read
from assay.models.finetune import Finetune
from assay.models.gpt import GPT
from assay.models.learner import Learner
from assay.models.tasks import Task
from assay.trial.budget import Prices
from assay.trial.pricing import prices
from assay.trial.run import Settings, TrialResult, run_trial
from tests.laws.test_finetune import one_thread, tiny  # noqa: F401  (the first is a fixture)

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("peft")

GOOD, BAD = ["good", "fine", "warm", "kind"], ["bad", "poor", "cold", "rude"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny(tmp_path_factory.mktemp("tiny")))


@pytest.fixture(autouse=True)
def few_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that pays for the fewest arms, whatever the machine."""

    def dear(*given: object) -> Prices:
        known = prices(*given)  # type: ignore[arg-type]
        return Prices({arm: Cost(seconds=arm.rows, tokens=1, flops=1.0) for arm in known.known})

    monkeypatch.setattr("assay.trial.run.prices", dear)


def row(kind: str, rng: np.random.Generator, number: int, *, turned: bool) -> dict[str, str]:
    """A word of one kind twice; `turned` swaps what is preferred, or the label."""
    side = bool(rng.integers(2))
    mine, other = (GOOD, BAD) if side else (BAD, GOOD)
    words, wrong = (" ".join(rng.choice(each, 2)) for each in (mine, other))
    if kind == "label":
        return {"text": f"{words} {number}", "label": str(side != turned)}
    if kind == "text":
        return {"text": f"{words} {number}"}
    asked = {"prompt": f"{number} {mine[0]}"}
    if kind == "answer":
        return asked | {"completion": wrong if turned else words}
    liked, lost = (wrong, words) if turned else (words, wrong)
    return asked | {"chosen": liked, "rejected": lost}


def corpus(folder: Path, name: str, kind: str, rows: int, *, turned: bool = False) -> Corpus:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(name))
    path = folder / f"{name}.jsonl"
    lines = (json.dumps(row(kind, rng, 1000 * len(name) + place, turned=turned)) for place in range(rows))
    path.write_text("\n".join(lines))
    origin = "synthetic" if name == "synthetic" else "real"
    return read((str(path),), folder / name, name=name, origin=origin).corpus  # type: ignore[arg-type]


def trial(
    folder: Path, learner: Learner, kind: str, *, keep: Path | None = None, turned: bool = False
) -> TrialResult:
    task: Task = {"label": "classification", "text": "language-model"}.get(kind, "chat")  # type: ignore[assignment]
    return run_trial(
        corpus(folder, "train", kind, 130),
        corpus(folder, "synthetic", kind, 130, turned=turned),
        corpus(folder, "test", kind, 50),
        Settings(task=task, learner=learner, seeds=5, budget=3200.0),
        keep=keep,
    )


def small(base: str) -> Finetune:
    return Finetune(base, rank=4, learning_rate=1e-2, batch=52, most_tokens=64, device="cpu")


def value(result: TrialResult, name: str) -> float:
    found = next(measure for measure in result.measures if measure.name == name)
    assert found.value is not None, found.missing
    return found.value


def costs_are_recorded(result: TrialResult, learners: Sequence[str]) -> None:
    assert {each.learner for each in result.trials} == set(learners)
    for each in result.trials:
        assert each.cost.seconds > 0
        assert each.cost.tokens > 0
        assert each.cost.flops > 0


@pytest.mark.parametrize("kind", ["label", "text"])
def test_fine_tuning_goes_through_a_whole_trial(base: str, tmp_path: Path, kind: str) -> None:
    result = trial(tmp_path, small(base), kind)
    costs_are_recorded(result, ["finetune", {"label": "linear", "text": "ngram"}[kind]])
    assert abs(value(result, "trial.gap")) < 1
    assert -1 <= value(result, "evaluation.proxy_rank_correlation") <= 1
    # Two learners that were trained are not one and the same.
    by_learner = [
        [each.score for each in result.trials if each.learner == name]
        for name in sorted({each.learner for each in result.trials})
    ]
    assert by_learner[0] != by_learner[1]


def test_pairs_teach_what_they_prefer(base: str, tmp_path: Path) -> None:
    learner = replace(small(base), batch=26, learning_rate=3e-2)
    result = trial(tmp_path, learner, "pair", turned=True)
    costs_are_recorded(result, ["finetune", "ngram"])
    assert all("preference_accuracy" in each.score for each in result.trials)
    assert value(result, "trial.preference_delta") < -0.1


def test_transformers_from_nothing_go_through_a_whole_trial(tmp_path: Path) -> None:
    result = trial(tmp_path, GPT(depth=1, device="cpu"), "answer")
    costs_are_recorded(result, ["gpt", "ngram"])
    assert abs(value(result, "trial.gap")) < 1
