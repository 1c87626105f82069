"""What paired comparison and the checks of judges say of published per-item results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core.measure import Measure
from assay.models.fence import Choice
from assay.models.judge import Comparison, Winner
from assay.trial.imported import compare_scores
from assay.trial.judged import pair_reliability

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there"),
]


def gsm8k(model: str, folder: Path) -> Path:
    source = DATA / "gsm8k/data/example_model_solutions.jsonl"
    rows = [json.loads(line)[model]["is_correct"] for line in source.read_text(encoding="utf-8").splitlines()]
    path = folder / f"{model}.jsonl"
    path.write_text(
        "".join(json.dumps({"id": item, "correct": right}) + "\n" for item, right in enumerate(rows))
    )
    return path


def named(measures: tuple[Measure, ...], name: str) -> Measure:
    return next(each for each in measures if each.name == name)


def test_a_small_verifier_beats_a_large_finetuned_model(tmp_path: Path) -> None:
    """Cobbe et al. 2021, section 4.2: 6B with a verifier slightly outperforms the finetuned 175B."""
    result = compare_scores([gsm8k(model, tmp_path) for model in ("175b_finetuning", "6b_verification")])
    change = named(result.measures, "trial.score_delta")
    assert change.n == 1319
    assert change.value == pytest.approx(0.0432, abs=1e-4)
    assert change.low is not None
    assert change.high is not None
    assert 0.01 < change.low < change.high < 0.08
    # McNemar's normal interval of the same discordant pairs.
    one, two = (
        [json.loads(line)["correct"] for line in (tmp_path / f"{model}.jsonl").read_text().splitlines()]
        for model in ("175b_finetuning", "6b_verification")
    )
    discordant = sum(a != b for a, b in zip(one, two, strict=True))
    width = 2 * 1.96 * (discordant / 1319 - change.value**2) ** 0.5 / 1319**0.5  # type: ignore[operator]
    assert change.high - change.low == pytest.approx(width, rel=0.06)


def llmbar(model: str) -> tuple[list[Comparison], dict[str, Winner]]:
    """The judge's two replies per pair, from which output it named in either order."""
    path = DATA / f"llmbar/Dataset/LLMBar/Natural/evaluators/{model}/Vanilla/result.json"
    said, labels = [], {}
    shown: dict[str | None, Choice | None] = {"1": "A", "2": "B", None: None}
    swapped: dict[str | None, Choice | None] = {"1": "B", "2": "A", None: None}
    for number, row in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        both = row["results"][0]
        winners = [both[order]["winner"] for order in ("swap = False", "swap = True")]
        said.append(Comparison(str(number), shown[winners[0]], swapped[winners[1]]))
        labels[str(number)] = {1: "first", 2: "second"}[row["label"]]
    return said, labels  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("model", "consistent", "trusted"),
    [("GPT-4", 0.95, True), ("ChatGPT", 0.71, False), ("LLaMA2", 0.79, False), ("Falcon", 0.52, False)],
)
def test_judges_of_llmbar(model: str, consistent: float, trusted: bool) -> None:
    """The evaluators' released replies: only GPT-4 keeps its word and surely agrees with people."""
    trust = pair_reliability(model, *llmbar(model))
    swap = named(trust.measures, "evaluation.judge_swap_consistency")
    assert swap.value == pytest.approx(consistent)
    assert (trust.refused is None) == trusted
