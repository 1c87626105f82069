"""The laws of the trial: planted defects show, more with dose; nothing that holds nothing ever helps."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from assay.core.measure import Measure
from assay.core.verdict import decide
from assay.trial.run import Settings, TrialResult, run_trial
from tests.trial.test_run import Labels, corpus, world

BANKING = Path(__file__).resolve().parents[3] / "shared/data/banking77/banking_data"
Rows = tuple[list[str], Labels]
Spoil = Callable[[Rows, float, np.random.Generator], Rows]


def trial(folder: Path, train: Rows, synthetic: Rows, test: Rows, seeds: int = 5) -> TrialResult:
    return run_trial(
        corpus(folder, "train", *train),
        corpus(folder, "synthetic", *synthetic),
        corpus(folder, "test", *test),
        Settings(seeds=seeds),
    )


def find(result: TrialResult, name: str) -> Measure:
    return next(each for each in result.measures if each.name == name and each.slice is None)


def ends(measure: Measure) -> tuple[float, float, float]:
    assert measure.value is not None, measure.missing
    assert measure.low is not None and measure.high is not None  # noqa: PT018 (a measure with a value has both)
    return measure.value, measure.low, measure.high


def wrong_labels(rows: Rows, dose: float, rng: np.random.Generator) -> Rows:
    """Some rows have another row's label."""
    texts, labels = rows
    names = sorted({str(label) for label in labels})
    hit = rng.random(len(texts)) < dose
    other = rng.integers(1, len(names), size=len(texts))
    moved: Labels = [
        names[(names.index(str(label)) + step) % len(names)] if wrong else label
        for label, wrong, step in zip(labels, hit, other, strict=True)
    ]
    return texts, moved


def lost_words(rows: Rows, dose: float, rng: np.random.Generator) -> Rows:
    """Some words of every row say nothing."""
    texts, labels = rows
    return [
        " ".join("thing" if rng.random() < dose else word for word in text.split()) for text in texts
    ], labels


def the_same_rows(rows: Rows, dose: float, rng: np.random.Generator) -> Rows:
    """Some rows are copies of one of the first ten."""
    texts, labels = rows
    source = np.where(rng.random(len(texts)) < dose, rng.integers(10, size=len(texts)), np.arange(len(texts)))
    return [texts[row] for row in source], [labels[row] for row in source]


@pytest.mark.parametrize(
    ("spoil", "doses"),
    [(wrong_labels, (0.0, 0.15, 0.3)), (lost_words, (0.0, 0.5, 0.9)), (the_same_rows, (0.0, 0.6, 0.95))],
)
def test_a_planted_defect_lowers_gap_and_worth_more_with_dose(
    tmp_path: Path, spoil: Spoil, doses: Sequence[float]
) -> None:
    rng = np.random.default_rng(4)
    train, good, test = world(600, rng), world(480, rng), world(800, rng)
    found = [
        trial(tmp_path / str(dose), train, spoil(good, dose, np.random.default_rng(5)), test, seeds=6)
        for dose in doses
    ]
    gaps = [ends(find(each, "trial.gap"))[0] for each in found]
    rates = [ends(find(each, "trial.exchange_rate"))[0] for each in found]
    assert gaps == sorted(gaps, reverse=True)
    assert rates == sorted(rates, reverse=True)
    verdicts = [{claim.id: claim.verdict for claim in decide(each.measures)} for each in found]
    assert verdicts[0]["substitution"] != "harm"
    assert verdicts[-1]["substitution"] == "harm"


@pytest.mark.parametrize("seed", range(3))
def test_a_placebo_never_helps_in_worlds_drawn_at_random(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vocabulary = int(rng.integers(60, 600))
    train, synthetic, test = (
        world(int(rows), rng, vocabulary) for rows in (rng.integers(200, 500), rng.integers(150, 500), 400)
    )
    spoiled = wrong_labels(synthetic, float(rng.random() / 2), rng)
    result = trial(tmp_path, train, spoiled, test)
    _, low, _ = ends(find(result, "trial.placebo"))
    assert low <= 0.0
    reliability = next(claim for claim in decide(result.measures) if claim.id == "evaluation-reliability")
    assert reliability.verdict != "harm"  # what it is called when the placebo helps


def banking(classes: int) -> tuple[Rows, Rows]:
    """Questions to a bank's help desk of so many intents: to train on, in random order, and to test on."""
    found: list[Rows] = []
    for name in ("train", "test"):
        with (BANKING / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            by_label: dict[str, list[str]] = defaultdict(list)
            for row in csv.DictReader(file):
                by_label[row["category"]].append(row["text"])
        pairs = [(text, label) for label in sorted(by_label)[:classes] for text in by_label[label]]
        order = np.random.default_rng(0).permutation(len(pairs))
        found.append(([pairs[row][0] for row in order], [pairs[row][1] for row in order]))
    return found[0], found[1]


@pytest.mark.shared
@pytest.mark.skipif(not BANKING.exists(), reason=f"{BANKING} is not there")
def test_banking77_with_a_generator_of_known_quality(tmp_path: Path) -> None:
    """The generator hands out real rows; then it gives most of them a wrong label."""
    (texts, labels), test = banking(8)
    train, source = (texts[:400], labels[:400]), (texts[400:720], labels[400:720])
    good = trial(tmp_path / "good", train, source, test)
    bad = trial(tmp_path / "bad", train, wrong_labels(source, 0.6, np.random.default_rng(1)), test)
    (_, low, high), (_, _, worst) = (ends(find(each, "trial.gap")) for each in (good, bad))
    assert low <= 0.0 <= high
    assert worst < -0.01
    (rate, low, high), (less, _, most) = (ends(find(each, "trial.exchange_rate")) for each in (good, bad))
    assert low <= 1.0 <= high
    assert less < rate
    assert most < 1.0
    for result in (good, bad):
        assert ends(find(result, "trial.placebo"))[1] <= 0.0
