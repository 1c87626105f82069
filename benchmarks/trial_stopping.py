"""What stopping saves: a trial that adds arms where they tell most until it is settled, against one that always adds them.

    python benchmarks/trial_stopping.py [repetitions]

Worlds of `trial_world.py`, two sizes. Both start with the same arms. One adds, for `adapt.ROUNDS` rounds, a share and a rung
of few real rows where `trial/adapt.py` puts them, and stops when it is settled or no arm would tell more; the other adds
as many shares and rungs at even places, whatever comes out. Said of both: wrong verdicts, the accuracy that
the recommended share gives away, and the trainings spent.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from assay.core.verdict import decide
from assay.trial import adapt
from assay.trial.arms import Design, design
from assay.trial.compare import Comparison
from assay.trial.response import benefit, best_share, break_even, gap
from trial_coverage import SEEDS, SHARES
from trial_world import Floats, World, draw

MARGIN = 0.01
SIZES = ((500, 400, 400), (3000, 2400, 2000))  # real, synthetic and test rows
WORLDS = {
    "as good as real": World(),
    "worth 0.3 rows": World(worth=0.3),
    "calm, off the mark": World(noise=0.5, bias=0.22),
    "far off the mark": World(bias=1.0),
    "calm, blind to a quarter": World(noise=0.6, blind=4),
}


def evenly(plan: Design) -> Design:
    """All arms that the rounds may add, at even places."""
    rungs = sorted(arm.real for arm in plan.scarce)
    for share, place in zip((0.175, 0.375, 0.625), range(adapt.ROUNDS), strict=True):
        plan = plan.with_share(share)
        if place + 1 < len(rungs):
            plan = plan.with_scarce(round((rungs[place] * rungs[place + 1]) ** 0.5))
    return plan


def wrong(c: Comparison, world: World, plan: Design) -> bool:
    """Whether a verdict is none that the truth allows."""
    verdicts = {each.id: each.verdict for each in decide([gap(c), benefit(c), break_even(c)], margin=MARGIN)}
    alone, added = world.gap(plan), world.benefit(plan)
    return (
        (verdicts["substitution"] == "harm" and alone > -MARGIN)
        or (verdicts["substitution"] == "no harm" and alone < -MARGIN)
        or (verdicts["performance"] == "helps" and added <= 0)
        or (verdicts["performance"] == "harm" and added > -MARGIN)
    )


def main(repetitions: int) -> None:
    for real, synthetic, items in SIZES:
        start = design(real, synthetic)
        start = replace(start, pure=(), exchange=(), repeated=start.repeated[-1:])
        every = evenly(start)
        print(f"{real} real, {synthetic} synthetic, {items} test rows; {SEEDS} seeds, {repetitions} trials")
        for name, world in WORLDS.items():
            rng = np.random.default_rng(0)
            curve: Floats = world.curve(start, SHARES)
            found = []
            for _ in range(repetitions):
                sample, drawn = world.sample(start, items, rng), draw(start, SEEDS, rng)
                seed = int(rng.integers(2**31))
                c = sample.comparison(start, drawn, seed, MARGIN)
                for _ in range(adapt.ROUNDS):
                    wider = None if adapt.settled(c) else adapt.next_design(c)
                    if wider is None:
                        break
                    c = sample.comparison(wider, drawn, seed, MARGIN)
                whole = sample.comparison(every, drawn, seed, MARGIN)
                found.append(
                    [
                        each
                        for one in (c, whole)
                        for each in (
                            len(one.plan.arms),
                            wrong(one, world, start),
                            curve.max() - np.interp(best_share(one).value or 0.0, SHARES, curve),
                        )
                    ]
                )
            arms, mistaken, lost, most, before, given = np.mean(found, axis=0)
            left = 1 - (arms - len(start.arms)) / (most - len(start.arms))
            print(
                f"  {name:26s} of the added trainings {left:6.1%} left unspent, of all {1 - arms / most:6.1%}; wrong verdicts "
                f"{mistaken:5.1%} against {before:5.1%}; given away {1000 * lost:.2f} against {1000 * given:.2f} thousandths",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
