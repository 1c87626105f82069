"""What a model is to learn, found out from the rows, and which rows it can use."""

from pathlib import Path

import pytest

from assay.core.corpus import Corpus
from assay.engine.read import read
from assay.models.learner import Part
from assay.trial.tasks import class_names, read_side, task_of


def rows(folder: Path, text: str, *, name: str = "real") -> Corpus:
    path = folder / f"{name}.jsonl"
    path.write_text(text)
    return read((str(path),), folder / name, name=name, origin="real").corpus


@pytest.mark.parametrize(
    ("line", "task"),
    [
        ('{"text": "a b c", "label": "%d"}', "classification"),
        ('{"text": "a b c %d"}', "language-model"),
        ('{"prompt": "ask %d", "completion": "answer"}', "chat"),
        (
            '{"messages": [{"role": "user", "content": "ask %d"}, {"role": "assistant", "content": "b"}]}',
            "chat",
        ),
        ('{"prompt": "ask %d", "chosen": "good", "rejected": "bad"}', "chat"),
        ('{"prompt": "ask", "completion": "answer %d", "label": true}', "chat"),
    ],
)
def test_the_rows_set_the_task(tmp_path: Path, line: str, task: str) -> None:
    corpus = rows(tmp_path, "\n".join(line % (number % 2) for number in range(20)))
    assert task_of(corpus) == task


def test_answers_are_learned_and_prompts_are_read(tmp_path: Path) -> None:
    chat = (
        '{"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "one"},'
        ' {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"},'
        ' {"role": "assistant", "content": "four"}]}'
    )
    side = read_side(rows(tmp_path, "\n".join([chat] * 3)), "chat", ())
    assert side.examples.parts[0] == (
        Part("be kind", False, "system"),
        Part("one", False, "user"),
        Part("two", True, "assistant"),
        Part("three", False, "user"),
        Part("four", True, "assistant"),
    )
    assert side.sizes.tolist() == [7, 7, 7]


def test_pairs_keep_the_answer_that_lost(tmp_path: Path) -> None:
    line = '{"prompt": "ask", "chosen": "good", "rejected": "bad"}'
    side = read_side(rows(tmp_path, "\n".join([line] * 3)), "chat", ())
    assert side.examples.rejected == ((Part("bad", True, "assistant"),),) * 3
    assert side.examples.parts[0] == (Part("ask", False, "user"), Part("good", True, "assistant"))


def test_unusable_rows_are_counted_by_reason(tmp_path: Path) -> None:
    lines = ['{"text": "a", "label": "x"}'] * 3 + ['{"text": "b", "label": "y"}'] * 3
    lines += ['{"text": "c", "label": "z"}', '{"text": "d", "label": null}']
    corpus = rows(tmp_path, "\n".join(lines))
    assert class_names(corpus) == ("x", "y", "z")
    side = read_side(corpus, "classification", ("x", "y"))
    assert len(side) == 6
    assert side.left_out == {
        "real rows with a label no real training row has": 1,
        "real rows without a label": 1,
    }
    unwanted = '{"prompt": "p", "completion": "c", "label": false}'
    wanted = '{"prompt": "p", "completion": "c", "label": true}'
    judged = read_side(rows(tmp_path, "\n".join([wanted, unwanted, wanted]), name="kto"), "chat", ())
    assert (len(judged), judged.left_out) == (2, {"kto rows judged undesirable": 1})
