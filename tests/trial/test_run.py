"""The trial end to end, in a world where the truth is known."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assay.core.corpus import Corpus, schema
from assay.trial.run import MEASURES, Settings, TrialResult, run_trial

Labels = list[str | None]


def world(rows: int, rng: np.random.Generator, vocabulary: int = 300) -> tuple[list[str], Labels]:
    """Texts of twelve words of which some lean towards one of two labels."""
    lean = np.linspace(-0.8, 0.8, vocabulary)
    labels = rng.integers(2, size=rows)
    texts = []
    for label in labels:
        odds = 1 + lean * (1 if label else -1)
        texts.append(" ".join(f"w{word}" for word in rng.choice(vocabulary, size=12, p=odds / odds.sum())))
    return texts, [str(label) for label in labels]


def corpus(folder: Path, name: str, texts: list[str], labels: Labels) -> Corpus:
    columns = {field.name: pa.nulls(len(texts), field.type) for field in schema()}
    columns["text"] = pa.array(texts, pa.large_string())
    columns["label"] = pa.array(labels, pa.string())
    columns["root"] = pa.array(range(len(texts)), pa.uint64())
    columns["row"] = pa.array(range(len(texts)), pa.int64())
    batches = pa.table(columns, schema=schema()).to_batches()
    origin = "synthetic" if name.startswith("synthetic") else "real"
    return Corpus.write(folder / name, batches, name=name, origin=origin, shape="text-label")  # type: ignore[arg-type]


def trial(folder: Path, *, flipped: float = 0.0, seed: int = 0) -> TrialResult:
    """Real rows against other real rows called synthetic, a share of them with the wrong label."""
    rng = np.random.default_rng(seed)
    train, synthetic, test = world(1200, rng), world(900, rng), world(1500, rng)
    wrong = np.random.default_rng(seed + 1).random(900) < flipped
    labels: Labels = [
        str(1 - int(label or 0)) if flip else label for label, flip in zip(synthetic[1], wrong, strict=True)
    ]
    return run_trial(
        corpus(folder, f"train{flipped}", *train),
        corpus(folder, f"synthetic{flipped}", synthetic[0], labels),
        corpus(folder, f"test{flipped}", *test),
        Settings(seed=seed),
    )


def value(result: TrialResult, name: str) -> float:
    found = next(measure for measure in result.measures if measure.name == name)
    assert found.value is not None
    return found.value


def test_real_data_called_synthetic_is_worth_real_data(tmp_path: Path) -> None:
    result = trial(tmp_path)
    by_name = {measure.name: measure for measure in result.measures}
    for name, truth in {"trial.gap": 0.0, "trial.exchange_rate": 1.0, "trial.calibration_delta": 0.0}.items():
        low, high = by_name[name].low, by_name[name].high
        assert low is not None
        assert high is not None
        assert low <= truth <= high, by_name[name]
    for name in ("trial.benefit", "trial.worst_slice_delta"):
        high = by_name[name].high
        assert high is not None
        assert high >= 0
    assert set(MEASURES) <= set(by_name)


def test_wrong_labels_lower_gap_and_exchange_rate_more_with_dose(tmp_path: Path) -> None:
    results = [trial(tmp_path, flipped=share) for share in (0.0, 0.05, 0.1, 0.2, 0.4)]
    gaps = [value(result, "trial.gap") for result in results]
    rates = [value(result, "trial.exchange_rate") for result in results]
    assert gaps[1:] == sorted(gaps[1:], reverse=True)
    assert rates == sorted(rates, reverse=True)
    worst = next(measure for measure in results[-1].measures if measure.name == "trial.gap")
    assert worst.high is not None
    assert worst.high < -0.01


def test_same_seed_same_numbers(tmp_path: Path) -> None:
    first, second = trial(tmp_path / "a"), trial(tmp_path / "b")
    assert first.measures == second.measures
    assert [each.score for each in first.trials] == [each.score for each in second.trials]


def test_costs_are_shared_out_by_work(tmp_path: Path) -> None:
    result = trial(tmp_path)
    small = min(result.trials, key=lambda each: each.cost.tokens)
    large = max(result.trials, key=lambda each: each.cost.tokens)
    assert 0 < small.cost.flops < large.cost.flops
    assert small.cost.seconds > 0


@pytest.mark.parametrize("labels", [[None] * 400, ["same"] * 400])
def test_without_two_classes_every_measure_says_what_it_needs(tmp_path: Path, labels: Labels) -> None:
    texts, good = world(400, np.random.default_rng(0))
    result = run_trial(
        corpus(tmp_path, "train", texts, labels),
        corpus(tmp_path, "synthetic", texts, good),
        corpus(tmp_path, "test", texts, good),
        Settings(task="classification"),
    )
    assert result.trials == ()
    assert {measure.name for measure in result.measures} == set(MEASURES)
    for measure in result.measures:
        assert "a label column with two or more classes" in (measure.missing or "")


def test_unknown_labels_are_left_out_and_counted(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    (texts, labels), (other, invented), (held, answers) = world(400, rng), world(400, rng), world(300, rng)
    invented[:7], answers[0] = ["unheard of"] * 7, None
    result = run_trial(
        corpus(tmp_path, "train", texts, labels),
        corpus(tmp_path, "synthetic", other, invented),
        corpus(tmp_path, "test", held, answers),
        Settings(seeds=5),
    )
    assert result.measures[0].left_out == {
        "synthetic rows with a label no real training row has": 7,
        "test rows without a label": 1,
    }
    assert result.measures[0].n == 299
