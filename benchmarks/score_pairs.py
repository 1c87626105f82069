"""What pairing and clustering are worth on imported scores: coverage and width beside the unpaired textbook bars.

    python benchmarks/score_pairs.py [repetitions]

Each row is a made world of two models with a known true difference; all three intervals see the same scores.
"""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from assay.trial.paired import by_cluster, mean_effect

Floats = npt.NDArray[np.float64]
WORLDS = {
    "200 items": (200, 1, 0.0),
    "1,000 items": (1000, 1, 0.0),
    "40 passages of 5 questions": (40, 5, 1.0),
    "200 passages of 5 questions": (200, 5, 1.0),
}
REACH = 1.959964


def world(rng: np.random.Generator, passages: int, each: int, kin: float) -> tuple[Floats, Floats]:
    """Right or wrong of two models, the second better by a known amount that varies with the passage."""
    ease: Floats = np.repeat(rng.normal(size=passages) * 1.5, each)
    shift: Floats = 0.2 + kin * np.repeat(rng.normal(size=passages), each)
    shared = rng.logistic(size=passages * each)
    own = rng.logistic(size=(2, passages * each)) * 0.5
    one = (ease + shared + own[0] > 0).astype(np.float64)
    two = (ease + shift + shared + own[1] > 0).astype(np.float64)
    return one, two


def truth(rng: np.random.Generator, kin: float) -> float:
    """The difference over a million items."""
    one, two = world(rng, 200_000, 5, kin)
    return float((two - one).mean())


def main(repetitions: int) -> None:
    print("| world | paired, clustered | paired, items alone | unpaired textbook | width against unpaired |")
    print("|---|---|---|---|---|")
    for name, (passages, each, kin) in WORLDS.items():
        rng = np.random.default_rng(0)
        true = truth(rng, kin)
        held, widths = np.zeros(3), np.zeros(3)
        for number in range(repetitions):
            one, two = world(rng, passages, each, kin)
            clusters = np.repeat(np.arange(passages), each)
            bounds = []
            for groups in (clusters, np.arange(len(one))):
                sums = by_cluster((two - one)[:, None], groups)
                effect = mean_effect([sums], np.bincount(groups).astype(float), number)
                bounds.append(effect.interval(0.95, 1.0))
            middle = float((two - one).mean())
            half = REACH * float(np.sqrt((one.var() + two.var()) / len(one)))
            bounds.append((middle - half, middle + half))
            for place, (low, high) in enumerate(bounds):
                held[place] += low <= true <= high
                widths[place] += high - low
        shown = " | ".join(f"{share:.1%}" for share in held / repetitions)
        print(f"| {name} | {shown} | {widths[0] / widths[2]:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
