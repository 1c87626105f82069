"""How often the 95 % interval of `quality.error_rate` holds the truth, and how much the cheap scores narrow it.

    python benchmarks/ppi_coverage.py [repetitions]

Corpora of 4,000 rows are made whose wrong rows are known: rows are wrong with a chance that depends on what the
audit's columns show (a suspicion and two flags), strongly, weakly or not at all. Labels are drawn and read by
the code of `assay label`; the same labels without scores, and as many drawn plainly at random, stand beside.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.core.catalogue import define
from assay.core.labels import Answers
from assay.label import rate
from assay.label.design import draw
from assay.stats.ppi import prediction_powered

ROWS = 4_000
Floats = npt.NDArray[np.float64]


def world(
    share: float, signal: float, rng: np.random.Generator
) -> tuple[pa.Table, pa.ChunkedArray, npt.NDArray[np.bool_]]:
    """Flags, texts and which rows are wrong: about `share` of them, and `signal` spreads apart the chances."""
    suspicion, length = rng.normal(size=ROWS), rng.normal(size=ROWS)
    flagged = rng.random(ROWS) < 0.03
    risk = signal * (suspicion + 0.5 * length + 3.0 * flagged)
    low, high = -30.0, 30.0
    for _ in range(60):  # the intercept that gives the share
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-risk - middle))).mean() < share else (low, middle)
    wrong = rng.random(ROWS) < 1 / (1 + np.exp(-risk - low))
    flags = pa.table(
        {
            "row": np.arange(ROWS),
            "refusal": flagged,
            "repetition": rng.random(ROWS) < 0.05,
            "similarity": rng.random(ROWS).astype(np.float32),
            "suspicion": (1 / (1 + np.exp(-suspicion))).astype(np.float32),
        }
    )
    text = pa.chunked_array([pa.array(["x" * int(n) for n in np.exp(4 + 0.5 * length)], pa.large_string())])
    return flags, text, wrong


def intervals(labels: int, share: float, signal: float, rng: np.random.Generator) -> Floats:
    """Truth, then low and high: with scores, without, and of a plain random sample; shape (7,)."""
    flags, text, wrong = world(share, signal, rng)
    design = draw(flags, "", int(rng.integers(2**31)))
    answers = Answers(Path("nowhere.jsonl"), text)
    answers.given.update({int(row): "wrong" if wrong[row] else "right" for row in design.order[:labels]})
    found = rate.error_rate(answers, design, flags, text).measure
    assert define(found.name).unit == found.unit
    least, rate.LEAST_TO_LEARN = rate.LEAST_TO_LEARN, ROWS + 1
    alone = rate.error_rate(answers, design, flags, text).measure
    rate.LEAST_TO_LEARN = least
    drawn = wrong[rng.permutation(ROWS)[:labels]].astype(np.float64)
    zero = np.zeros(labels, np.int64)
    plain = prediction_powered(drawn, np.zeros(labels), zero, np.array([ROWS]), np.zeros(1))
    ours = [found.low or 0.0, found.high or 0.0, alone.low or 0.0, alone.high or 0.0]
    return np.array([wrong.mean(), *ours, plain.low, plain.high])


def main(repetitions: int) -> None:
    rng = np.random.default_rng(0)
    print(f"{repetitions} repetitions a line; holds the truth / mean width relative to the plain sample")
    print(f"{'labels':>6} {'wrong':>6} {'scores':>8}   with scores      strata alone     plain sample")
    for signal, name in ((0.0, "useless"), (1.0, "weak"), (2.5, "good")):
        for labels in (30, 60, 120, 400):
            for share in (0.03, 0.15, 0.4):
                found = np.array([intervals(labels, share, signal, rng) for _ in range(repetitions)])
                truth, bounds = found[:, :1], found[:, 1:].reshape(-1, 3, 2)
                held = ((bounds[:, :, 0] <= truth) & (truth <= bounds[:, :, 1])).mean(axis=0)
                width = (bounds[:, :, 1] - bounds[:, :, 0]).mean(axis=0)
                cells = "  ".join(
                    f"{each:6.1%} / {wide:5.2f}" for each, wide in zip(held, width / width[2], strict=True)
                )
                print(f"{labels:6} {share:6.0%} {name:>8}   {cells}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
