"""Evaluations are read whatever their columns are called, each file as one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import InputError
from assay.engine.evals import EvalFile, eval_files, read_eval
from assay.engine.read import ReadResult


def put(path: Path, rows: list[dict[str, Any]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def load(path: Path, **mapping: str) -> ReadResult:
    folder = path.parent / f"{path.name}.corpus"
    return read_eval(
        EvalFile("quiz", path),
        folder,
        mapping=mapping,
        max_reject_share=0.1,
        rejects=path.parent / "rejects.jsonl",
    )


def asked(result: ReadResult) -> list[str]:
    table = result.corpus.table(["prompt", "text"]).to_pydict()
    return [prompt or text for prompt, text in zip(table["prompt"], table["text"], strict=True)]


QUESTIONS = [f"What is the answer to question {number}?" for number in range(30)]


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"answer": "yes"},
        {"answer": ["yes", "no"]},
        {"choices": ["a", "b"], "subject": "law", "id": "x1"},
        {"entry_point": "f", "canonical_solution": "return 1", "task_id": "t"},
    ],
)
@pytest.mark.parametrize("name", ["question", "prompt", "problem", "Goal"])
def test_the_question_is_found(tmp_path: Path, name: str, rest: dict[str, Any]) -> None:
    result = load(put(tmp_path / "quiz.jsonl", [{name: each, **rest} for each in QUESTIONS]))
    assert asked(result) == QUESTIONS
    assert result.corpus.slices == ()


def test_a_mapping_applies_where_the_file_has_the_column(tmp_path: Path) -> None:
    path = put(tmp_path / "quiz.jsonl", [{"zz": each, "note": "other words"} for each in QUESTIONS])
    assert asked(load(path, text="zz")) == QUESTIONS
    other = put(tmp_path / "other.jsonl", [{"question": each, "note": "words"} for each in QUESTIONS])
    assert asked(load(other, text="zz")) == QUESTIONS


def test_columns_that_nobody_knows_are_named(tmp_path: Path) -> None:
    path = put(tmp_path / "quiz.jsonl", [{"zz": each, "yy": "other words"} for each in QUESTIONS])
    with pytest.raises(InputError, match="'zz', 'yy'"):
        load(path)


def test_each_file_is_one_evaluation_and_no_two_share_a_name(tmp_path: Path) -> None:
    put(tmp_path / "one/test.jsonl", [{"question": "q"}])
    put(tmp_path / "two/test.jsonl.gz", [{"question": "q"}])
    put(tmp_path / "two/extra.json", [{"question": "q"}])
    (tmp_path / "saved.assay-index").write_bytes(b"")
    paths = [tmp_path / "one/test.jsonl", tmp_path / "saved.assay-index", tmp_path / "two"]
    found = eval_files([str(path) for path in paths])
    assert [(each.name, each.is_index) for each in found] == [
        ("test", False),
        ("extra", False),
        ("test 2", False),
        ("saved", True),
    ]
    with pytest.raises(InputError, match="no such file"):
        eval_files([str(tmp_path / "none.assay-index")])
    assert eval_files([]) == ()
