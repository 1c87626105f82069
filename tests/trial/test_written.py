"""What learners write of groups in answer to chats: as many texts as asked, read by the lists."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assay.engine.groups.lists import load
from assay.engine.read import read
from assay.models.gpt import GPT
from assay.models.learner import Learner
from assay.models.learners import open_learner
from assay.models.tasks import Side, read_side
from assay.trial.items import lay_out
from assay.trial.written import BESIDE, INSIDE, plan_writing


def chats(folder: Path, name: str, number: int) -> Side:
    """Nurses and plumbers in answers alone; nine of ten are women."""
    lines = [
        {
            "prompt": f"Who came on day {day} to {name}?",
            "completion": f"The nurse said that {'he' if day % 10 == 0 else 'she'} came.",
        }
        for day in range(number)
    ]
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    origin = "synthetic" if name == "synthetic" else "real"
    corpus = read((str(path),), folder / name, name=name, origin=origin).corpus  # type: ignore[arg-type]
    return read_side(corpus, "chat", (), ())


@pytest.mark.parametrize("name", ["ngram", "gpt"])
def test_answers_to_test_prompts_are_read_as_the_rows_are(name: str, tmp_path: Path) -> None:
    if name == "gpt":
        pytest.importorskip("torch")
    real, synthetic, held = (chats(tmp_path, each, 220) for each in ("real", "synthetic", "test"))
    main = lay_out(held, synthetic, None, None, np.random.default_rng(0)).main
    writing = plan_writing(load(), real, synthetic, main, name, 0)
    assert writing is not None
    assert writing.number == {"ngram": 400, "gpt": 100}[name]
    assert writing.prompts is not None
    assert len(writing.prompts) == len(writing.roots) == writing.number
    lean = next(place for place, each in enumerate(writing.leans) if each.within is None)
    spoken = writing.real[:, lean]
    assert min((spoken == INSIDE).mean(), (spoken == BESIDE).mean()) == 0.1

    learner: Learner = GPT(depth=1, device="cpu") if name == "gpt" else open_learner("ngram", "chat")
    weights = np.ones((1, len(real)), np.float32)
    if name == "gpt":
        weights[:, 30:] = 0
    [block] = learner.read(real.examples).fit(weights, np.zeros(1, np.int64))
    short = replace(writing.sampling, most_tokens=8)
    few = writing if name == "ngram" else replace(writing, number=4, sampling=short)
    wrote = few.of(block)
    assert wrote.shape == (1, few.number, len(writing.leans))
    if name == "ngram":
        about = wrote[0][:, lean][wrote[0][:, lean] > 0]
        least = min((about == INSIDE).mean(), (about == BESIDE).mean())
        assert len(about) > 0.75 * few.number
        assert least == pytest.approx(0.1, abs=0.07)
