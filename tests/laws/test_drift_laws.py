"""The laws for drift: from batch to batch, and away from real rows."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.audit.probes.drift import MOST_BATCHES, batches, drift
from assay.audit.rows import join, open_rows
from assay.core.corpus import Corpus
from assay.core.evidence import ClaimResult
from assay.core.measure import Measure
from assay.core.verdict import decide
from tests.audit.corpora import Row, rows
from tests.audit.lined import audited, write

REAL, MADE = rows(600, seed=1), rows(600, seed=2)
LOTS = [f"lot {row // 150 + 9}" for row in range(600)]  # lots 9 to 12: "10" comes after "9"


def changed(made: Sequence[Row], frm: int, dose: float) -> list[Row]:
    """From row `frm` on, `dose` of each row's words are of another vocabulary."""
    rng = np.random.default_rng(0)

    def other(text: str) -> str:
        return " ".join(f"v{word}" if rng.random() < dose else word for word in text.split())

    return [(other(text) if row >= frm else text, label) for row, (text, label) in enumerate(made)]


def sliding(made: Sequence[Row], most: float) -> list[Row]:
    """The share of other words grows from lot to lot, up to `most`."""
    found = list(made)
    for lot in range(1, 4):
        part = changed(found, lot * 150, most * lot / 3)[lot * 150 : (lot + 1) * 150]
        found[lot * 150 : (lot + 1) * 150] = part
    return found


def measured(folder: Path, made: Sequence[Row], **columns: Sequence[Any]) -> list[Measure]:
    synthetic = write(folder, made, "synthetic", "synthetic", **(columns or {"batch": LOTS}))
    real = open_rows(write(folder, REAL, "real", "real"))
    return drift(open_rows(synthetic), real, 0, 0.95)


def find(measures: Sequence[Measure], name: str, slice: dict[str, str] | None = None) -> Measure:
    return next(each for each in measures if each.name == name and each.slice == slice)


def claim(measures: Sequence[Measure]) -> ClaimResult:
    return next(each for each in decide(measures) if each.id == "drift")


def test_real_against_real_shows_nothing(tmp_path: Path) -> None:
    found = measured(tmp_path, MADE)
    assert len(found) == 1 + 3 + 4 + 1
    for each in found:
        assert each.value is not None
        assert (each.low or 0) <= each.value <= (each.high or 0)
        assert each.reference is not None or each.name == "drift.trend"
    assert claim(found).verdict != "harm"
    trend = find(found, "drift.trend")
    assert (trend.low or 0) < 0 < (trend.high or 0)


def test_a_break_between_batches_is_found_more_with_dose(tmp_path: Path) -> None:
    weak, strong = (measured(tmp_path / str(dose), changed(MADE, 300, dose)) for dose in (0.1, 0.3))
    values = [find(each, "drift.batch").value or 0.0 for each in (measured(tmp_path, MADE), weak, strong)]
    assert values[0] < values[1] < values[2]
    assert claim(strong).verdict == "harm"
    assert "most between 'lot 10' and 'lot 11'" in find(strong, "drift.batch").method
    assert (find(strong, "drift.batch", {"batch": "lot 11"}).low or 0) > 0.7
    assert (find(strong, "drift.batch", {"batch": "lot 12"}).low or 1) < 0.6


def test_a_slow_slide_away_from_real_rows_is_found_more_with_dose(tmp_path: Path) -> None:
    weak, strong = (measured(tmp_path / str(most), sliding(MADE, most)) for most in (0.15, 0.4))
    trends = [find(each, "drift.trend") for each in (measured(tmp_path, MADE), weak, strong)]
    values = [each.value or 0.0 for each in trends]
    assert values[0] < values[1] < values[2]
    assert (trends[2].low or 0) > 0.1
    assert "drift.trend" in claim(strong).because


@pytest.mark.parametrize(
    ("column", "values", "names"),
    [
        ("batch", LOTS, ["lot 9", "lot 10", "lot 11", "lot 12"]),
        ("generation", [row // 200 for row in range(600)], ["0", "1", "2"]),
        (
            "time",
            [datetime.datetime(2026, 1 + row // 300, 1) for row in range(600)],
            ["2026-01-01 00:00:00", "2026-02-01 00:00:00"],
        ),
        ("batch", [f"{row // 60}" for row in range(600)], ["0 to 1", "2 to 3", "4 to 5", "6 to 7", "8 to 9"]),
        ("batch", ["a"] * 300 + [None] * 100 + ["b"] * 200, ["a", "b"]),
        ("batch", ["a"] * 280 + ["b"] * 300 + ["c"] * 20, ["a", "b to c"]),
        ("batch", ["a"] * 600, []),
        ("batch", ["a"] * 580 + ["b"] * 20, ["a to b"]),
    ],
)
def test_batches_are_in_their_order_and_of_some_size(
    tmp_path: Path, column: str, values: list[Any], names: list[str]
) -> None:
    opened = open_rows(write(tmp_path, MADE, "synthetic", "synthetic", **{column: values}))
    told, found = batches(opened)
    assert [batch.name for batch in found] == names
    assert told == (column if names else "")
    held = np.concatenate([np.zeros(0, np.int64), *(batch.index for batch in found)])
    assert len(held) == (sum(value is not None for value in values) if names else 0)
    assert len(set(held.tolist())) == len(held)


def test_many_batches_become_a_few(tmp_path: Path) -> None:
    many = rows(3_000, seed=5)
    opened = open_rows(
        write(tmp_path, many, "synthetic", "synthetic", batch=[str(row // 100) for row in range(3_000)])
    )
    _, found = batches(opened)
    assert 2 <= len(found) <= MOST_BATCHES
    assert sum(len(batch.index) for batch in found) == 3_000


def test_no_batches_or_too_few_real_rows_are_missing_never_zero(tmp_path: Path) -> None:
    plain = write(tmp_path, MADE, "plain", "synthetic")
    for opened in (open_rows(plain), open_rows(write(tmp_path, [], "none", "synthetic"))):
        found = drift(opened, opened, 0, 0.95)
        assert [each.name for each in found] == ["drift.batch", "drift.trend"]
        assert all(
            each.value is None and "column batch, generation or time" in (each.missing or "")
            for each in found
        )
    assert claim(found).verdict == "not measured"
    lots = open_rows(write(tmp_path, MADE, "lots", "synthetic", batch=LOTS))
    few = drift(lots, open_rows(write(tmp_path, REAL[:20], "few", "real")), 0, 0.95)
    assert all(each.value is None for each in few)
    alone = drift(lots, open_rows(write(tmp_path, [], "empty", "real")), 0, 0.95)
    whole = find(alone, "drift.batch")
    assert whole.value is not None
    assert whole.reference is None
    assert find(alone, "drift.trend").missing
    assert claim(alone).verdict != "harm"


def test_same_seed_same_numbers_in_a_whole_audit(tmp_path: Path) -> None:
    def corpus(folder: Path) -> Corpus:
        return write(folder, MADE, "synthetic", "synthetic", batch=LOTS)

    one, two = (audited(tmp_path / name, REAL[:300], corpus(tmp_path / name)) for name in ("one", "two"))
    assert one.measures == two.measures
    for each in one.measures:
        assert Measure.model_validate_json(each.model_dump_json()) == each
    assert find(one.measures, "drift.batch").value is not None


def test_joined_rows_keep_their_batches(tmp_path: Path) -> None:
    first = open_rows(write(tmp_path, MADE[:300], "first", "synthetic", batch=["a"] * 300))
    second = open_rows(write(tmp_path, MADE[300:], "second", "synthetic", batch=["b"] * 300))
    assert [batch.name for batch in batches(join(first, second))[1]] == ["a", "b"]
