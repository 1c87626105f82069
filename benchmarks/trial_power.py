"""How often the trial says harm or helps, by the true effect; at no effect, how often it is wrong.

    python benchmarks/trial_power.py [repetitions] [plot.svg]

Worlds of `trial_world.py`, tuned until the true effect has the wanted size; verdicts from gap, benefit and exchange rate
together, by the rule that judges every run. The arms are those of a trial on a small budget.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import vl_convert
from scipy.optimize import brentq

from assay.core.verdict import decide
from assay.trial.arms import Design, design
from assay.trial.response import benefit, exchange_rate, gap
from trial_world import World

REAL, SYNTHETIC, ITEMS, SEEDS = 500, 400, 400, 8
GAPS = (0.0, -0.01, -0.04, -0.07, -0.11)
GAINS = (-0.04, -0.02, 0.0, 0.01, 0.02, 0.03)
COLOURS = {"harm": "#b3261e", "helps": "#1b6e53"}


@dataclass(frozen=True)
class Point:
    """Share of trials with each verdict on a claim, at one true effect."""

    claim: str
    effect: float
    harm: float
    helps: float
    undecided: float


def tuned(
    effect: float, build: Callable[[float], World], true: Callable[[World], float], ends: tuple[float, float]
) -> World:
    """The world of a family in which the true effect is this one."""
    return build(brentq(lambda each: true(build(each)) - effect, *ends))


def with_gap(effect: float, plan: Design) -> World:
    if effect == 0:
        return World()
    return tuned(effect, lambda bias: World(bias=bias), lambda world: world.gap(plan), (0.0, 2.0))


def with_gain(effect: float, plan: Design) -> World:
    """Rows that are worth more; or that scatter more, until they gain nothing; or that are off the mark."""

    def true(world: World) -> float:
        return world.benefit(plan)

    if effect > 0:
        return tuned(effect, lambda worth: World(worth=worth), true, (0.01, 20.0))
    if effect == 0:
        return tuned(effect, lambda noise: World(noise=noise), true, (1.0, 3.0))
    return tuned(effect, lambda bias: World(bias=bias), true, (0.3, 6.0))


def point(claim: str, effect: float, world: World, plan: Design, repetitions: int) -> Point:
    rng = np.random.default_rng(0)
    verdicts = []
    for _ in range(repetitions):
        c = world.trial(plan, SEEDS, ITEMS, rng)
        found = decide([gap(c), benefit(c), exchange_rate(c)])
        verdicts.append(next(each.verdict for each in found if each.id == claim))
    harm, helps, undecided = (verdicts.count(word) / repetitions for word in ("harm", "helps", "undecided"))
    print(
        f"  {claim:13s} true effect {effect:+.3f}: harm {harm:6.1%}, helps {helps:6.1%}, undecided {undecided:6.1%}",
        flush=True,
    )
    return Point(claim, effect, harm, helps, undecided)


def plot(points: list[Point], path: Path) -> None:
    """Share of trials by true effect, a panel for each claim."""
    rows = [
        {"claim": titles[each.claim], "effect": each.effect, "verdict": word, "share": share}
        for each in points
        for word, share in (("harm", each.harm), ("helps", each.helps))
        if word == "harm" or each.claim == "performance"
    ]
    colour = {"field": "verdict", "type": "nominal", "title": None}
    spec = {
        "data": {"values": rows},
        "facet": {"column": {"field": "claim", "type": "nominal", "title": None}},
        "resolve": {"scale": {"x": "independent"}},
        "spec": {
            "width": 280,
            "height": 200,
            "layer": [
                {
                    "mark": {"type": "line", "point": True},
                    "encoding": {
                        "x": {
                            "field": "effect",
                            "type": "quantitative",
                            "title": "true difference of accuracy",
                        },
                        "y": {
                            "field": "share",
                            "type": "quantitative",
                            "title": "share of trials with this verdict",
                            "scale": {"domain": [0, 1]},
                            "axis": {"format": "%"},
                        },
                        "color": colour
                        | {"scale": {"domain": list(COLOURS), "range": list(COLOURS.values())}},
                    },
                },
                {"mark": {"type": "rule", "strokeDash": [4, 3]}, "encoding": {"y": {"datum": 0.05}}},
            ],
        },
    }
    path.write_text(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]), encoding="utf-8")


titles = {"substitution": "synthetic instead of real rows", "performance": "synthetic added to real rows"}


def main(repetitions: int, path: Path | None) -> None:
    full = design(REAL, SYNTHETIC)
    ends = (full.replacement[0], full.replacement[-1])
    plan = replace(full, scarce=(), repeated=full.repeated[-1:], replacement=ends)
    print(f"{repetitions} trials each: {SEEDS} seeds, {REAL} real, {SYNTHETIC} synthetic, {ITEMS} test rows")
    points = [point("substitution", effect, with_gap(effect, plan), plan, repetitions) for effect in GAPS]
    points += [point("performance", effect, with_gain(effect, plan), plan, repetitions) for effect in GAINS]
    if path is not None:
        plot(points, path)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 200,
        Path(sys.argv[2]) if len(sys.argv) > 2 else None,
    )
