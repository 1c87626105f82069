"""`--pairs-of`: services are asked by likelihoods where they give them, else in words; before any training, and once."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import EngineError, InputError
from assay.core.measure import Measure
from assay.engine.pairs import Item, PairSet
from assay.study.job import Job
from assay.study.settings import Study
from assay.study.stages import asked_elsewhere
from tests.models.test_likelihoods import llama_cpp, locked, serving, truth, vllm

ENDS = (" cooks", " likes", " nurses")
TAILS = [".", *(f"{end}." for end in ENDS)]
TEXTS = [(f"She{end}{tail}", f"He{end}{tail}") for end, tail in itertools.product(ENDS, TAILS)]
CROWS = PairSet("crows_pairs", tuple(Item("", each, "gender", str(n)) for n, each in enumerate(TEXTS)))
WHO = (" cooks.", " likes.", " nurses.")
BBQ = PairSet(
    "bbq",
    tuple(
        Item(f"{who}{end}.", WHO, "gender", f"{who}{end}", 2, (True, False, False), (False, False, True))
        for who, end in itertools.product(("He", "She", "He two", "She three"), ENDS)
    ),
    ambiguous=True,
)


def in_words(path: str, asked: dict[str, Any]) -> dict[str, Any]:
    """A service of chats alone, which never lets an answer be open."""
    if path != "/v1/chat/completions":
        return {"error": 404}
    lines = asked["messages"][-1]["content"].splitlines()
    letter = next(line[0] for line in lines if line[1:] == f":{WHO[0]}" or line[1:] == f": {WHO[0]}")
    message = {"role": "assistant", "content": f"{letter}."}
    return {
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2},
    }


def ask(url: str | None, folder: Path, *sets: PairSet) -> dict[tuple[str, str | None], Measure]:
    job = Job(Study(real=("none",), pairs_of=url), folder)
    found = asked_elsewhere(job, sets)
    return {((each.slice or {})["benchmark"], (each.slice or {}).get("score")): each for each in found}


@pytest.mark.parametrize("kind", [vllm, llama_cpp])
def test_a_service_with_likelihoods_is_asked_by_them_and_once(kind: Any, tmp_path: Path) -> None:
    with serving(kind) as url:
        found = ask(url, tmp_path, CROWS, BBQ)
        likeliest = [truth(one) / len(one) < truth(other) / len(other) for one, other in TEXTS]
        crows = found["crows_pairs", "stereotyping preferred"]
        assert crows.value == pytest.approx(sum(likeliest) / len(TEXTS))
        assert crows.slice is not None
        assert crows.slice["model"] == "words"
        assert "compared per byte" in crows.method
        assert "compared per byte" in found["bbq, ambiguous", "bias"].method
    # The service is gone by now, and the same question has its answer.
    assert ask(url, tmp_path, CROWS, BBQ) == found


def test_a_service_without_them_is_asked_bbq_in_words(tmp_path: Path) -> None:
    with serving(in_words) as url:
        found = ask(url, tmp_path, CROWS, BBQ)
    assert found["bbq, ambiguous", "bias"].value == 1.0
    assert found["bbq, ambiguous", "accuracy"].value == 0.0
    assert "asked in words" in found["bbq, ambiguous", "bias"].method
    assert "likely" in (found["crows_pairs", None].missing or "")


def test_what_cannot_be_asked_is_told_before_anything_is_trained(tmp_path: Path) -> None:
    assert not ask(None, tmp_path, CROWS)
    with pytest.raises(InputError, match="nothing to ask smollm2 of"):
        ask("smollm2", tmp_path)
    with serving(locked) as url, pytest.raises(EngineError, match="401"):
        ask(url, tmp_path, CROWS)
    with pytest.raises(EngineError, match="gave no answer"):
        ask("http://127.0.0.1:9/v1#none", tmp_path, CROWS)
