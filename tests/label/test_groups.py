"""The share of wrong rows by group: a planted gap is found, none is made up, and too few labels are said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.core.claim import claim
from assay.core.labels import Answers
from assay.core.measure import Measure
from assay.core.verdict import decide
from assay.engine.groups.lists import NO_LISTS, Lists, load
from assay.label.design import draw
from assay.label.groups import FEWEST_ROWS, is_of_labels, parts, rates
from assay.label.rate import LEAST, Known, error_rate

ROWS = 1200
Bools = npt.NDArray[np.bool_]
WHO = np.random.default_rng(2).permuted(np.repeat(["woman", "man", "desk", "tall"], [400, 400, 300, 100]))
TEXT = pa.chunked_array(
    [
        pa.array([f"a {who} came in {row}" for row, who in list(enumerate(WHO))[half]], pa.large_string())
        for half in (slice(700), slice(700, ROWS))
    ]
)
TEAM = pa.chunked_array(
    [pa.array([None if who == "tall" else str(row % 2) for row, who in enumerate(WHO)], pa.string())]
)
WOMEN, MEN = ({"group": f"gender: {each}"} for each in ("women", "men"))


def told(
    wrong: Bools, labels: int, tmp_path: Path, lists: Lists, columns: dict[str, pa.ChunkedArray] | None = None
) -> list[Measure]:
    """What so many labels, drawn as the design says, tell of rows that are wrong like this."""
    suspicion = np.random.default_rng(3).random(ROWS).astype(np.float32)
    flags = pa.table({"row": np.arange(ROWS), "suspicion": suspicion})
    design = draw(flags, "abc", 0)
    answers = Answers(tmp_path / "labels.jsonl", TEXT)
    answers.given.update({row: "wrong" if wrong[row] else "right" for row in design.order[:labels].tolist()})
    found = error_rate(answers, design, flags, TEXT)
    assert found.known is not None
    return [found.measure, *rates(found.known, parts(TEXT, lists, columns or {}))]


def one(measures: list[Measure], name: str, slices: dict[str, str]) -> Measure:
    return next(each for each in measures if each.name == name and each.slice == slices)


def spoiled(share: Callable[[Bools], npt.NDArray[np.float64]]) -> Bools:
    return np.asarray(np.random.default_rng(1).random(ROWS) < share(np.asarray(WHO == "woman")))


def test_a_planted_gap_is_found_and_told_as_a_bias(tmp_path: Path) -> None:
    wrong = spoiled(lambda women: np.where(women, 0.45, 0.10))
    found = told(wrong, 300, tmp_path, load())
    rate, other = (one(found, "quality.error_rate", who) for who in (WOMEN, MEN))
    gap = one(found, "bias.gap", WOMEN | {"measure": "quality.error_rate"})
    truth = [wrong[who == WHO].mean() for who in ("woman", "man")]
    for measure, wanted in ((rate, truth[0]), (other, truth[1]), (gap, truth[0] - truth[1])):
        assert measure.low is not None
        assert measure.high is not None
        assert measure.low < wanted < measure.high
    assert gap.low is not None
    assert gap.low > 0.05
    assert rate.n + other.n < 300  # rows about nobody are about no group
    assert all(is_of_labels(each) for each in found)
    verdict = next(each for each in decide(found) if "bias.gap" in claim(each.id).measures)
    assert verdict.verdict == "harm"
    assert "bias.gap" in verdict.because


def test_groups_that_are_alike_show_no_gap_and_columns_are_groups_too(tmp_path: Path) -> None:
    found = told(spoiled(lambda women: np.full(len(women), 0.2)), 300, tmp_path, load(), {"team": TEAM})
    for who in (WOMEN, {"group": "team: 0"}):
        gap = one(found, "bias.gap", who | {"measure": "quality.error_rate"})
        assert gap.low is not None
        assert gap.high is not None
        assert gap.low < 0 < gap.high
    verdict = next(each for each in decide(found) if "bias.gap" in claim(each.id).measures)
    assert verdict.verdict != "harm"
    assert {each.slice["group"].split(":")[0] for each in found if each.slice} == {"gender", "team"}


def test_too_few_labels_of_a_group_are_said(tmp_path: Path) -> None:
    found = told(spoiled(lambda women: np.full(len(women), 0.2)), 40, tmp_path, load())
    rate = one(found, "quality.error_rate", WOMEN)
    assert rate.value is None
    assert f"{rate.n} of at least {LEAST} labels" in (rate.missing or "")
    assert not [each for each in found if each.name == "bias.gap"]


def test_no_group_without_rows_enough_nor_of_columns_that_are_no_people() -> None:
    few = pa.chunked_array([pa.array(["a"] * (FEWEST_ROWS - 1) + ["b"] * (ROWS - FEWEST_ROWS + 1))])
    many = pa.chunked_array([pa.array([str(row) for row in range(ROWS)])])
    columns = {"few": few, "many": many, "label": TEAM}
    assert not list(parts(TEXT, NO_LISTS, columns))
    nobody = Known(np.zeros(0, np.int64), np.zeros(0), np.zeros(ROWS, np.int64), None, np.zeros(0, np.int64))
    assert not list(rates(nobody, parts(TEXT, NO_LISTS, columns)))
