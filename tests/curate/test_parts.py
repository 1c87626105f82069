"""The parts of a curation, each by its law: who overrules what, which share, how rows are balanced, what a file holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from assay.core.errors import InputError
from assay.core.evidence import ClaimResult, Costs, Evidence, Tool, VerdictWord
from assay.core.labels import Answer
from assay.core.measure import Measure
from assay.curate.balance import NEAR, balance, shuffled
from assay.curate.files import Format, RowFile
from assay.curate.filters import FILTERS, Judgement, chosen, judge
from assay.curate.share import recommend, warning
from tests.audit.corpora import write


def judged(rows: int, clusters: list[int] | None = None, /, **flags: list[int]) -> Judgement:
    kept: Answer = "keep"
    dropped: Answer = "drop"
    said = {name: flags.pop(name, []) for name in ("leak", "keep", "drop", "right", "wrong")}
    masks = {name: np.isin(np.arange(rows), at) for name, at in (flags | {"leak": said["leak"]}).items()}
    leaks = masks.pop("leak")
    return judge(
        masks,
        np.array(clusters if clusters is not None else range(rows)),
        leaks,
        chosen(also=("template",)),
        choices=dict.fromkeys(said["keep"], kept) | dict.fromkeys(said["drop"], dropped),
        labels=dict.fromkeys(said["right"], False) | dict.fromkeys(said["wrong"], True),
    )


def passed(found: Judgement) -> list[int]:
    return np.flatnonzero(found.passed).tolist()


def test_a_flag_leaves_its_row_out_and_says_so() -> None:
    found = judged(4, refusal=[1], copies_real=[1, 2], template=[3])
    assert passed(found) == [0]
    assert found.reasons(1) == ["copies_real", "refusal"]
    assert "personal" in {each.name for each in found.absent}


def test_a_persons_word_goes_before_a_flag() -> None:
    kept = judged(5, refusal=[0, 1], personal=[1], near_duplicate=[2], keep=[0, 1, 2], drop=[3], wrong=[4])
    assert passed(kept) == [0, 1, 2]
    assert kept.waived(1) == ["personal", "refusal"]
    # "Right" answers the question whether a row is wrong, and no other.
    right = judged(3, label_suspect=[0, 1], copies_real=[1], personal=[2], right=[0, 1, 2])
    assert passed(right) == [0]
    # Who labelled a row wrong and then chose to keep it has said the last word.
    assert passed(judged(1, wrong=[0], keep=[0])) == [0]


def test_nobody_overrules_the_guard_of_the_test_set() -> None:
    assert passed(judged(2, leak=[0], keep=[0], right=[0])) == [1]
    with pytest.raises(InputError, match="cannot be skipped"):
        chosen(skip=("copies_test",))


def test_one_of_rows_that_repeat_each_other_stays_if_any_may() -> None:
    # The audit flags all but the first of a group, which another filter leaves out here.
    found = judged(5, [0, 0, 0, 3, 3], near_duplicate=[1, 2, 4], exact_duplicate=[2], truncated=[0])
    assert passed(found) == [1, 3]
    assert passed(judged(2, [0, 0], near_duplicate=[1], refusal=[0, 1])) == []
    assert passed(judged(2, [0, 0], near_duplicate=[1], keep=[1])) == [0, 1]


def test_names_of_filters_are_checked() -> None:
    with pytest.raises(InputError, match="Filters are: copies_test"):
        chosen(skip=("nonsense",))
    assert {each.name for each in chosen()} == {each.name for each in FILTERS if each.kind != "asked"}


def evidence(verdict: VerdictWord, *measures: Measure) -> Evidence:
    claim = ClaimResult(
        id="performance",
        kind="benefit",
        perspective="evaluation",
        verdict=verdict,
        because=(),
        statement="",
        action="",
    )
    return Evidence(
        tool=Tool(version="0", commit=None),
        seed=0,
        inputs=(),
        measures=measures,
        trials=(),
        claims=(claim,),
        costs=Costs(),
        losses=(),
    )


def measure(name: str, value: float, low: float, high: float, unit: str, **slice: str) -> Measure:
    return Measure(
        name=name,
        slice=slice or None,
        value=value,
        low=low,
        high=high,
        unit=unit,
        worse="none",
        method="by hand",
    )


def doses(unit: str, scores: dict[str, float]) -> list[Measure]:
    return [
        measure("trial.dose_response", score, score, score, unit, design="addition", synthetic_share=share)
        for share, score in scores.items()
    ]


def test_the_share_is_what_the_evidence_supports() -> None:
    best = measure("trial.best_share", 0.25, 0.1, 0.4, "share of rows")
    vague = measure("trial.best_share", 0.5, 0.0, 1.0, "share of rows")
    none = measure("trial.best_share", 0.0, 0.0, 0.1, "share of rows")
    scores = doses("accuracy", {"0": 0.8, "0.2": 0.83, "0.5": 0.81})
    assert recommend(evidence("helps", best, *scores)).share == 0.25
    assert recommend(evidence("undecided", best)).share == 0.25
    # Replacing real rows does not help, adding to them does: all real rows stay in a curated set.
    assert recommend(evidence("helps", none, *scores)).share == 0.2
    assert recommend(evidence("helps", vague, *scores)).share == 0.2
    bits = [each.model_copy(update={"unit": "bits per byte"}) for each in scores]
    assert recommend(evidence("helps", vague, *bits)).share == 0.0
    for verdict in ("harm", "no harm", "undecided", "not measured"):
        found = recommend(evidence(verdict, vague))
        assert (found.share, found.why.startswith("no row is added")) == (0.0, True)
    assert recommend(evidence("harm", best)).share == 0.0


def test_a_share_that_the_trial_found_harmful_is_warned_of() -> None:
    above = measure("trial.harmful_above", 0.6, 0.5, 0.7, "share of rows")
    assert "60 %" in warning(evidence("helps", above), 0.8)
    assert warning(evidence("helps", above), 0.4) == ""


def test_shares_become_those_of_the_real_rows_without_repeating_any(tmp_path: Path) -> None:
    real = write(tmp_path, [("x", "ab"[i % 2]) for i in range(200)] + [("x", "c")], "real", "real")
    made = [("x", "a")] * 3000 + [("x", "b")] * 600 + [("x", "z")] * 400
    synthetic = write(tmp_path, made, "synthetic", "synthetic")
    passed = np.arange(4000) % 10 != 0
    found = balance("label", real, synthetic, passed, seed=0)
    assert (found.keep <= passed).all()
    assert sum(abs(found.after.get(each, 0) - found.real[each]) for each in found.real) / 2 <= NEAR + 0.01
    assert found.after["z"] == 0
    assert list(found.absent) == ["c"]
    assert found.keep.sum() >= 2 * 540  # every b that passed, and as many a
    # Any number of the rows in this order has the same shares.
    order = [made[row][1] for row in found.order if found.keep[row]]
    assert abs(order[:40].count("a") - 20) <= 1
    with pytest.raises(InputError, match="Columns of few values there: label"):
        balance("colour", real, synthetic, passed, seed=0)


def test_a_draw_is_of_the_seed_alone() -> None:
    assert (shuffled(50, 1) == shuffled(50, 1)).all()
    assert (shuffled(50, 1) != shuffled(50, 2)).any()
    assert sorted(shuffled(50, 1)) == list(range(50))


ROWS = [
    {"text": "a", "n": 1, "tags": [], "at": {"x": 1}},
    {"text": "ü\ud800", "n": 2.5, "tags": ["t"], "more": float("nan")},
]


def test_a_file_holds_the_rows_as_they_are(tmp_path: Path) -> None:
    forms: tuple[Format, ...] = ("jsonl", "parquet")
    for form in forms:
        with RowFile(tmp_path, "rows", form) as file:
            file.add(ROWS[0])
            if form == "jsonl":
                file.add(ROWS[1])
            else:
                file.add(ROWS[1] | {"text": "ü"})
        assert file.rows == 2
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_bytes().splitlines()]
    assert lines == [ROWS[0], ROWS[1] | {"more": None}]
    held = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["tags"] for row in held] == [[], ["t"]]
    assert held[1]["n"] == 2.5
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_fails_leaves_what_stood_there(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"before")

    def two_types() -> None:
        with RowFile(tmp_path, "rows", "parquet") as file:
            file.add({"label": 1})
            file.add({"label": "one"})

    with pytest.raises(InputError, match="--format jsonl"):
        two_types()
    assert (tmp_path / "rows.parquet").read_bytes() == b"before"
    assert not list(tmp_path.glob(".*"))
