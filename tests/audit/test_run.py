"""The audit as its callers see it, on made and on real data."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assay.audit.run import AuditResult
from assay.core.catalogue import define
from assay.core.evidence import EXAMPLES
from tests.audit.corpora import Row, audited, find, rows, some

SQUAD = Path(__file__).resolve().parents[3] / "shared/data/fast_detect_gpt/exp_main/data"
needs_squad = pytest.mark.skipif(not SQUAD.exists(), reason=f"{SQUAD} is not there")


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> tuple[AuditResult, Path]:
    real, clean = rows(300, seed=1), rows(200, seed=2)
    plant = [f"In conclusion, it is worth noting that {text}" for text, _ in clean[:60]]
    made = some(clean, 0.3, lambda i, text: plant[i])
    made += [real[0], clean[100], ("I'm sorry, but I can't do that.", "bad"), ("...", "good")]
    folder = tmp_path_factory.mktemp("spoilt")
    return audited(folder, real, made), folder


def test_flags_name_each_spoilt_row(spoilt: tuple[AuditResult, Path]) -> None:
    flags = spoilt[0].rows.to_pydict()
    assert flags["row"] == list(range(204))
    assert [row for row in range(204) if flags["copies_real"][row]] == [200]
    assert [row for row in range(204) if flags["exact_duplicate"][row]] == [201]
    assert flags["near_cluster"][201] == 100
    assert [row for row in range(204) if flags["refusal"][row]] == [202]
    assert [row for row in range(204) if flags["empty"][row]] == [203]


def test_suspicion_is_higher_for_rows_with_the_giveaway(spoilt: tuple[AuditResult, Path]) -> None:
    suspicion = spoilt[0].rows["suspicion"].to_numpy()
    assert suspicion[:60].mean() > suspicion[60:200].mean() + 0.1


def test_phrases_are_listed_with_their_shares_on_both_sides(spoilt: tuple[AuditResult, Path]) -> None:
    listed = [each for each in spoilt[0].measures if each.name == "fidelity.giveaways" and each.slice]
    assert "in conclusion" in " ".join(each.slice["phrase"] for each in listed if each.slice)
    for measure in listed:
        assert measure.unit == "share of rows"
        assert measure.reference is not None
        assert (measure.low or 0) > measure.reference.high


def test_examples_stand_beside_the_findings(spoilt: tuple[AuditResult, Path]) -> None:
    result, folder = spoilt
    assert result.examples.schema == EXAMPLES
    assert pq.read_table(folder / "out" / "examples.parquet").equals(result.examples)
    assert pq.read_table(folder / "out" / "flags.parquet").equals(result.rows)
    shown = result.examples.to_pylist()
    assert {"quality.refusal_share", "copying.near_share", "duplicates.exact_share"} <= {
        each["measure"] for each in shown
    }
    for example in shown:
        if example["measure"] == "fidelity.giveaways":
            meant = example["text"].encode()[example["start"] : example["end"]].decode().lower()
            assert " ".join(meant.split()) == json.loads(example["slice"])["phrase"]
        if example["measure"] == "copying.near_share":
            assert example["beside"] == example["text"]


def squad(name: str, side: str) -> list[Row]:
    texts = json.loads((SQUAD / f"squad_{name}.raw_data.json").read_text())[side]
    return [(text, "") for text in dict.fromkeys(texts)]


def surely_more(result: AuditResult, name: str, tolerance: float) -> bool:
    measure = find(result, name)
    assert measure.reference is not None
    return (measure.low or 0.0) > measure.reference.high + tolerance


@pytest.mark.shared
@needs_squad
@pytest.mark.parametrize("other", ["gpt2-xl", "opt-2.7b", "gpt-j-6B"])
def test_people_against_people_show_nothing(tmp_path: Path, other: str) -> None:
    human = squad("gpt2-xl", "original")
    real, rest = (human[::2], human[1::2]) if other == "gpt2-xl" else (human, squad(other, "original"))
    result = audited(tmp_path, real, [row for row in rest if row not in set(real)])
    for name in ("fidelity.two_sample_auc", "fidelity.formatting_auc", "fidelity.length_ks"):
        assert not surely_more(result, name, define(name).tolerance), name
    assert find(result, "fidelity.giveaways").value == 0
    assert "alone reaches" not in find(result, "fidelity.formatting_auc").method


@pytest.mark.shared
@needs_squad
def test_line_breaks_are_named_as_the_confound(tmp_path: Path) -> None:
    result = audited(tmp_path, squad("gpt2-xl", "original"), squad("gpt2-xl", "sampled"))
    formatting = find(result, "fidelity.formatting_auc")
    assert "newlines alone reaches" in formatting.method
    assert surely_more(result, "fidelity.formatting_auc", 0.1)
    newlines = find(result, "fidelity.formatting_auc", {"feature": "newlines"})
    assert (newlines.low or 0.0) > 0.9
    assert find(result, "fidelity.two_sample_auc", {"after": "format normalised"}).value is not None
