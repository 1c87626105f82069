"""Chats opened for the audit: what each side says, joined and turn by turn."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.audit.annotate.roles import answered, answers
from assay.audit.rows import Rows, join, open_rows
from assay.audit.turns import joined, said_by
from assay.core.corpus import MESSAGES
from assay.engine.read import read

CHAT = [
    ("system", "s"),
    ("user", "q1"),
    ("assistant", "a1"),
    ("tool", "t"),
    ("user", "q2"),
    ("assistant", "a2"),
]


def opened(folder: Path, *made: dict[str, Any]) -> Rows:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return open_rows(read(path, folder / "corpus", name="c", origin="real").corpus)


def chat(*turns: tuple[str, str]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def test_each_side_of_a_chat_is_what_it_says_all_along(tmp_path: Path) -> None:
    rows = opened(tmp_path, chat(*CHAT), chat(("assistant", "hello")), chat(("user", "alone")))
    assert rows.prompt.to_pylist() == ["q1\nq2", None, "alone"]
    # A chat in which no assistant speaks has no answer but its text.
    assert rows.answer.to_pylist() == ["a1\na2", "hello", "alone"]
    assert rows.text[0].as_py() == "s\nq1\na1\nt\nq2\na2"
    turns = answers(rows)
    assert turns.text.to_pylist() == ["a1", "a2", "hello", "alone"]
    assert turns.row.tolist() == [0, 0, 1, 2]


def test_elsewhere_there_is_one_answer(tmp_path: Path) -> None:
    turns = [{"role": role, "content": text} for role, text in CHAT]
    rows = opened(tmp_path, {"prompt": turns[:-1], "completion": turns[-1:]})
    assert rows.answer.to_pylist() == ["a2"]
    assert answers(rows).text.to_pylist() == ["a2"]
    pair = opened(tmp_path, {"prompt": "q", "chosen": "good", "rejected": "bad"})
    assert (pair.prompt[0].as_py(), pair.answer[0].as_py(), pair.rejected[0].as_py()) == ("q", "good", "bad")


def test_a_fault_in_any_turn_counts_once_each(tmp_path: Path) -> None:
    refusal = "I'm sorry, but I cannot do that."
    rows = opened(
        tmp_path,
        chat(("user", "q"), ("assistant", "Sure."), ("user", "and?"), ("assistant", refusal)),
        chat(("user", refusal), ("assistant", "..."), ("user", "q"), ("assistant", "!")),
    )
    found = answered(rows)
    assert found.turns.tolist() == [2, 2]
    assert found.refusal.tolist() == [1, 0]
    assert found.empty.tolist() == [0, 2]


def test_rows_with_turns_can_be_taken_and_joined(tmp_path: Path) -> None:
    chats = opened(tmp_path / "", chat(*CHAT), chat(("user", "x"), ("assistant", "y")))
    (tmp_path / "texts").mkdir()
    texts = opened(tmp_path / "texts", {"text": "plain"})
    both = join(chats, texts).take(answers(chats).row[-1:])
    assert both.answer.to_pylist() == ["y"]
    assert answers(join(texts, chats)).text.to_pylist() == ["a1", "a2", "y", "plain"]


turn = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": st.text()})


@given(st.lists(st.none() | st.lists(turn)), st.integers(0, 3))
def test_joining_is_joining(made: list[list[dict[str, str]] | None], start: int) -> None:
    messages = pa.array(made, MESSAGES).slice(start)
    texts = [[turn["content"] for turn in turns or [] if turn["role"] == "user"] for turns in made[start:]]
    expected = ["\n".join(said) if said else None for said in texts]
    assert joined(said_by(messages, "user"), len(messages)).to_pylist() == expected


@pytest.mark.parametrize("made", [[], [None], [[]]])
def test_no_turns_are_no_text(made: list[Any]) -> None:
    assert joined(said_by(pa.array(made, MESSAGES), "user"), len(made)).to_pylist() == [None] * len(made)
