"""How much score the recommended share gives away, by trainings spent: the trial, random search, regression.

    python benchmarks/trial_regret.py [repetitions] [plot.svg]

All three search the same drawing of rows with the same test items. The trial trains its shares with every seed, adds
shares where they tell most (`trial/adapt.py`), and recommends `trial.best_share`. Random search trains random shares
once each and takes the best. Regression, as RegMix, trains the same random shares, fits a line or a parabola
(`stats/mixtures.py`), whichever errs less on mixes left out, and takes the mean of the best predicted. Regret is what the true score at that share
lacks to the best true score.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import vl_convert

from assay.stats import mixtures
from assay.trial.adapt import next_design
from assay.trial.arms import Arm, Design, Orders, design, weights
from assay.trial.response import best_share
from trial_coverage import ITEMS, REAL, SHARES, SYNTHETIC
from trial_world import Floats, Sample, World, draw

SEEDS = (2, 4, 8)
MOST = 80
LAWS: tuple[mixtures.Kind, ...] = ("linear", "quadratic")
WORLDS = {
    "worth 0.3 rows": World(worth=0.3),
    "worth 2 rows": World(worth=2),
    "off the mark": World(bias=0.2),
    "calm, off the mark": World(noise=0.5, bias=0.22),
    "calm, less off the mark": World(noise=0.5, bias=0.16),
    "calm, blind to a quarter": World(noise=0.6, blind=4),
}
COLOURS = {"the trial": "#1b6e53", "regression": "#b26a00", "random search": "#5f6368"}


def of_the_trial(plan: Design, sample: Sample, rng: np.random.Generator) -> Iterator[tuple[int, float]]:
    """Trainings spent and share recommended."""
    every = draw(plan, max(SEEDS), rng)
    for seeds in SEEDS:
        drawn, wider = every.first(seeds), plan
        for _ in range(2 if seeds == max(SEEDS) else 1):
            c = sample.comparison(wider, drawn, int(rng.integers(2**31)))
            share = best_share(c).value
            assert share is not None
            yield seeds * len(wider.replacement), share
            wider = next_design(c) or wider


def random_runs(plan: Design, sample: Sample, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Shares and scores of single trainings, each on its own draw of rows, shape (trainings,)."""
    drawn, shares = draw(plan, MOST, rng), rng.random(MOST)
    synthetic = np.round(shares * plan.equal).astype(int)
    matrix: npt.NDArray[np.float32] = np.concatenate(
        [
            weights(
                [Arm(plan.equal - rows, int(rows))], Orders(parts[0][[run]], parts[1][[run]], parts[2][[run]])
            )
            for run, rows in enumerate(synthetic)
            for parts in [(drawn.real, drawn.synthetic, drawn.placebo)]
        ]
    )
    return synthetic / plan.equal, sample.right(matrix).mean(axis=1).astype(np.float64)


def by_regression(shares: Floats, scores: Floats) -> float:
    tried, losses = np.column_stack([1 - shares, shares]), 1 - scores
    # Of the smooth laws: trees need a hundred mixes, and with two sources the exponential law is nearly a line.
    law = min(LAWS, key=lambda kind: mixtures.error(mixtures.left_out(kind, tried, losses).predicted, losses))
    wanted = np.column_stack([1 - SHARES, SHARES])
    predicted = mixtures.fit(law, tried, losses, np.ones((1, len(tried))))(wanted)
    return float(mixtures.best_mix(wanted, predicted, 5)[0, 1])


def searched(world: World, repetitions: int) -> dict[str, dict[int, list[float]]]:
    """Regrets by way of searching and by trainings spent."""
    full = design(REAL, SYNTHETIC)
    plan = replace(
        full,
        ladder=(Arm(full.budget),),
        repeated=(),
        addition=(Arm(full.budget, full.doses),),
        scarce=(),
        exchange=(),
    )
    rng = np.random.default_rng(0)
    curve = world.curve(plan, SHARES)
    found: dict[str, dict[int, list[float]]] = {name: {} for name in COLOURS}

    def note(name: str, spent: int, share: float) -> None:
        lost = curve.max() - np.interp(share, SHARES, curve)
        found[name].setdefault(spent, []).append(float(lost))

    for _ in range(repetitions):
        sample = world.sample(plan, ITEMS, rng)
        shares, scores = random_runs(plan, sample, rng)
        for place, (spent, share) in enumerate(of_the_trial(plan, sample, rng)):
            # The last comparison has one share more, or none where none would tell more: both count as one budget.
            budget = spent if place < len(SEEDS) else max(SEEDS) * (len(plan.replacement) + 1)
            note("the trial", budget, share)
            note("random search", budget, float(shares[np.argmax(scores[:budget])]))
            note("regression", budget, by_regression(shares[:budget], scores[:budget]))
    return found


def plot(rows: list[dict[str, object]], path: Path) -> None:
    spec = {
        "data": {"values": rows},
        "width": 360,
        "height": 220,
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": {"field": "trainings", "type": "quantitative", "title": "trainings spent"},
            "y": {
                "field": "regret",
                "type": "quantitative",
                "title": "accuracy given away, mean over worlds",
            },
            "color": {
                "field": "search",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(COLOURS), "range": list(COLOURS.values())},
            },
        },
    }
    path.write_text(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]), encoding="utf-8")


def main(repetitions: int, path: Path | None) -> None:
    means: dict[tuple[str, int], list[float]] = {}
    for name, world in WORLDS.items():
        print(f"synthetic rows {name}: regret in thousandths of accuracy, {repetitions} searches", flush=True)
        for way, by_spent in searched(world, repetitions).items():
            cells = []
            for spent, lost in by_spent.items():
                means.setdefault((way, spent), []).append(float(np.mean(lost)))
                cells.append(
                    f"{spent} trainings {1000 * np.mean(lost):5.2f} ± {1000 * np.std(lost) / len(lost) ** 0.5:.2f}"
                )
            print(f"  {way:14s} {', '.join(cells)}", flush=True)
    print("mean over worlds")
    rows: list[dict[str, object]] = []
    for (way, spent), lost in means.items():
        print(f"  {way:14s} {spent} trainings {1000 * np.mean(lost):.2f}")
        rows.append({"search": way, "trainings": spent, "regret": float(np.mean(lost))})
    if path is not None:
        plot(rows, path)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 200,
        Path(sys.argv[2]) if len(sys.argv) > 2 else None,
    )
