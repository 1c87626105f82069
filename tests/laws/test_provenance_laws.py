"""The laws for measures that read a row's lineage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.audit.annotate.columns import Columns, annotate
from assay.audit.annotate.copies import copied_among
from assay.audit.probe import buckets, count
from assay.audit.probes.provenance import provenance_probes
from assay.audit.rows import open_rows
from assay.core.corpus import Corpus
from assay.core.evidence import ClaimResult
from assay.core.measure import Measure
from assay.core.verdict import decide
from tests.audit.corpora import find, rows
from tests.audit.lined import LINEAGE, audited, write

REAL, MADE = rows(300, seed=1), rows(400, seed=2)


def corpus(folder: Path, extras: list[Mapping[str, Any] | None]) -> Corpus:
    return write(folder, MADE, "synthetic", "synthetic", extras=extras)


def spoilt(dose: float, **change: object) -> list[Mapping[str, Any] | None]:
    """Complete lineages; in the first `dose` of them these entries are others."""
    number = round(dose * len(MADE))
    return [{**LINEAGE, **change}] * number + [LINEAGE] * (len(MADE) - number)


def columns(folder: Path, extras: list[Mapping[str, Any] | None]) -> Columns:
    opened = open_rows(corpus(folder, extras))
    return annotate(opened, copied_among(opened, salt=0))


def shares(marked: Columns, student: str | None = None) -> dict[str, float | None]:
    """Values of the whole-corpus measures, without their intervals."""
    return {
        probe.name: count(probe, marked, marked, 0.95).value
        for probe in provenance_probes(marked, student)
        if probe.slice is None
    }


@pytest.mark.parametrize(
    ("name", "change", "clean", "way"),
    [
        ("provenance.complete_share", {"licence": None}, 1.0, -1),
        ("provenance.complete_share", {"generator_sha256": ""}, 1.0, -1),
        ("provenance.complete_share", {"seed_rows": []}, 1.0, -1),
        ("provenance.clear_share", {"generator": "our-own-model"}, 1.0, -1),
        ("provenance.clear_share", {"licence": "see LICENSE.txt"}, 1.0, -1),
        ("provenance.clear_share", {"generator": "google/gemma-2-9b-it"}, 1.0, -1),
        ("provenance.licence_flags", {"generator": "openai/gpt-4o-2024-08-06"}, 0.0, 1),
        ("provenance.licence_flags", {"licence": "cc-by-nc-4.0"}, 0.0, 1),
    ],
)
def test_a_planted_defect_moves_its_measure_more_with_dose(
    tmp_path: Path, name: str, change: dict[str, object], clean: float, way: int
) -> None:
    values = [shares(columns(tmp_path / str(dose), spoilt(dose, **change)))[name] for dose in (0.0, 0.1, 0.4)]
    assert values == pytest.approx([clean, clean + way * 0.1, clean + way * 0.4])


def test_a_generator_of_the_students_family_is_found(tmp_path: Path) -> None:
    mixed = columns(tmp_path, spoilt(0.25, generator="meta-llama/Llama-3.1-8B-Instruct"))
    assert shares(mixed, "Llama-3-8B")["provenance.same_base"] == pytest.approx(0.25)
    assert shares(mixed, "HuggingFaceTB/SmolLM2-135M")["provenance.same_base"] == pytest.approx(0.75)
    assert shares(mixed, "HuggingFaceTB/SmolLM2-360M")["provenance.same_base"] == 0
    assert shares(mixed, "Qwen/Qwen2.5-7B")["provenance.same_base"] == 0
    assert shares(mixed, "our-own-model")["provenance.same_base"] is None
    assert shares(mixed)["provenance.same_base"] is None


def test_any_split_gives_the_same_sum(tmp_path: Path) -> None:
    marked = columns(tmp_path, [*spoilt(0.3, licence=None, generator="claude-3")[:-50], *[None] * 50])
    part = np.random.default_rng(0).integers(0, 3, len(marked))
    for probe in provenance_probes(marked, "SmolLM2-135M"):
        whole = buckets(marked, probe.tally(marked))
        parts = [marked.take(np.flatnonzero(part == each)) for each in range(3)]
        np.testing.assert_array_equal(whole, sum(buckets(each, probe.tally(each)) for each in parts))
        assert whole[:, 1].sum() > 0


def provenance(measures: tuple[Measure, ...]) -> ClaimResult:
    return next(each for each in decide(measures) if each.id == "provenance")


def test_no_lineage_is_missing_never_zero_and_no_harm_is_found(tmp_path: Path) -> None:
    result = audited(tmp_path, REAL, corpus(tmp_path, []))
    mine = [each for each in result.measures if each.name.startswith("provenance.")]
    assert len(mine) == 10
    assert all(each.value is None and each.missing for each in mine)
    claim = provenance(result.measures)
    assert claim.verdict == "not measured"
    assert "give columns such as generator" in claim.statement
    assert result.rows["incomplete_lineage"].null_count == len(MADE)


def test_a_whole_clear_lineage_is_no_harm_and_real_rows_are_no_yardstick(tmp_path: Path) -> None:
    result = audited(tmp_path, REAL, corpus(tmp_path, spoilt(0)))
    whole = find(result, "provenance.complete_share")
    assert (whole.value, whole.high, whole.n, whole.reference) == (1.0, 1.0, 400, None)
    assert find(result, "provenance.complete_share", {"field": "licence"}).value == 1
    assert provenance(result.measures).verdict == "no harm"
    assert result.rows["incomplete_lineage"].to_pylist() == [False] * 400


@pytest.mark.parametrize(
    "change",
    [{"licence": None}, {"generator": "our-own-model"}, {"generator": "google/gemma-2-9b-it"}],
    ids=["incomplete", "not known", "conditions"],
)
def test_what_is_incomplete_or_not_known_leaves_the_question_open(
    tmp_path: Path, change: dict[str, object]
) -> None:
    result = audited(tmp_path, REAL, corpus(tmp_path, spoilt(1.0, **change)))
    claim = provenance(result.measures)
    assert claim.verdict == "undecided"
    assert "Add the lineage columns that rows lack" in claim.action
    assert "provenance.clear_share" in claim.because


def test_a_flag_is_harm_and_comes_with_its_source(tmp_path: Path) -> None:
    result = audited(
        tmp_path, REAL, corpus(tmp_path, spoilt(0.2, generator="gpt-4o-mini")), student="SmolLM2-135M"
    )
    claim = provenance(result.measures)
    assert (claim.verdict, claim.because) == ("harm", ("provenance.licence_flags",))
    whole = find(result, "provenance.licence_flags")
    assert "OpenAI's terms forbid" in whole.method
    assert "https://openai.com/" in whole.method
    assert find(result, "provenance.licence_flags", {"terms": "openai"}).value == pytest.approx(0.2)
    shown = next(each for each in result.examples.to_pylist() if each["measure"] == whole.name)
    assert (shown["row"], "compete with OpenAI" in shown["note"]) == (0, True)
    assert sum(result.rows["restricted_terms"].to_pylist()) == 80
    # A shared base by itself is a possibility, not a harm.
    assert find(result, "provenance.same_base").value == pytest.approx(0.8)


def test_a_shared_base_leaves_the_question_open(tmp_path: Path) -> None:
    result = audited(tmp_path, REAL, corpus(tmp_path, spoilt(0)), student="SmolLM2-135M")
    claim = provenance(result.measures)
    assert (claim.verdict, claim.because) == ("undecided", ("provenance.same_base",))
