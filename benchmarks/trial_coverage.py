"""How often the trial's 95 % intervals hold the truth, in worlds where it is known exactly (`trial_world.py`).

    python benchmarks/trial_coverage.py [repetitions]

`trial.best_share` is asked whether it holds the share at which the true curve is highest; where the curve is flat any
share is right and it is not asked. The true exchange rate is what the trial's own reading says of the true scores;
where a row's worth is set, that is the worth up to the grid.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace

import numpy as np

from assay.core.measure import Measure
from assay.trial import curves
from assay.trial.arms import Design, design
from assay.trial.response import benefit, best_share, exchange_rate, gap
from trial_world import Floats, World

REAL, SYNTHETIC, ITEMS, SEEDS = 500, 400, 400, 8
SHARES = np.linspace(0, 1, 101)
WORLDS = {
    "as good as real": World(),
    "worth 0.3 rows": World(worth=0.3),
    "worth 2 rows": World(worth=2),
    "off the mark": World(bias=0.2),
    "calm, off the mark": World(noise=0.5, bias=0.22),
    "calm, blind to a quarter": World(noise=0.6, blind=4),
    "no gain": World(noise=1.6),
    "worth 0.3 rows, kin items": World(worth=0.3, kin=4),
}
Interval = tuple[float, float]


def true_rate(world: World, plan: Design) -> float:
    """The exchange rate read off the true scores."""
    rows = np.array([[arm.real, arm.synthetic] for arm in plan.exchange], dtype=np.float64)
    ladder = np.array([arm.real for arm in plan.ladder], dtype=np.float64)
    curve, mixed = (
        np.array([[world.expected(arm) for arm in arms]]) for arms in (plan.ladder, plan.exchange)
    )
    return float(curves.exchange_rates(ladder, curve, rows[:, 0], rows[:, 1], mixed)[0])


def ends(measure: Measure) -> Interval | None:
    return None if measure.low is None or measure.high is None else (measure.low, measure.high)


def report(name: str, found: list[tuple[Interval, float]]) -> None:
    if not found:
        print(f"  {name:28s} never measured")
        return
    low, high, true = np.array([(*interval, true) for interval, true in found]).T
    slack = 1e-9
    under, over = (high < true - slack).mean(), (low > true + slack).mean()
    print(
        f"  {name:28s} truth {true.mean():+.4f}  holds it in {1 - under - over:6.1%} of {len(found)}  "
        f"(too low {under:5.1%}, too high {over:5.1%})  width: median {np.median(high - low):.3f}, mean {np.mean(high - low):.3f}"
    )


def main(repetitions: int) -> None:
    plan = replace(design(REAL, SYNTHETIC), scarce=(), pure=())  # arms that no measure asked about here reads
    for name, world in WORLDS.items():
        rng = np.random.default_rng(0)
        curve: Floats = world.curve(plan, SHARES)
        found: dict[str, list[tuple[Interval, float]]] = defaultdict(list)
        rate = true_rate(world, plan)
        for _ in range(repetitions):
            c = world.trial(plan, SEEDS, ITEMS, rng)
            asked = {
                "gap": (ends(gap(c)), world.gap(plan)),
                "benefit": (ends(benefit(c)), world.benefit(plan)),
                "exchange rate": (ends(exchange_rate(c)), rate),
            }
            if np.ptp(curve) > 0:
                asked["best share"] = (ends(best_share(c)), float(SHARES[curve.argmax()]))
            for key, (interval, true) in asked.items():
                if interval is not None:
                    found[key].append((interval, true))
        print(f"synthetic rows {name}", flush=True)
        for key, intervals in found.items():
            report(key, intervals)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
