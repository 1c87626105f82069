"""Shapes: each convention is recognised by its first rows, and rows that do not fit say why."""

from __future__ import annotations

from typing import Any

import pytest

from assay.core.errors import InputError
from assay.engine.shapes import Layout, Row, sniff
from assay.engine.turns import turns
from assay.engine.values import Unusable, label, scalar

CHAT = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
ANSWER = {"role": "assistant", "content": "a"}


def guess(*rows: dict[str, Any], **mapping: str) -> Layout:
    return sniff(rows, mapping=mapping, slices=None, where="f")


@pytest.mark.parametrize(
    ("row", "shape", "columns"),
    [
        ({"text": "a"}, "text", {"text": "text"}),
        ({"Text": "a", "id": 3}, "text", {"text": "Text"}),
        ({"review": "a", "sentiment": "pos"}, "text-label", {"text": "review", "label": "sentiment"}),
        ({"text": "a", "label": 1, "label_text": "x"}, "text-label", {"text": "text", "label": "label"}),
        (
            {"prompt": "p", "completion": "c"},
            "prompt-completion",
            {"prompt": "prompt", "response": "completion"},
        ),
        ({"question": "p", "answer": "c"}, "prompt-completion", {"prompt": "question", "response": "answer"}),
        (
            {"prompt": CHAT, "completion": [ANSWER]},
            "prompt-completion",
            {"prompt": "prompt", "response": "completion"},
        ),
        ({"messages": [*CHAT, ANSWER]}, "messages", {"messages": "messages"}),
        ({"conversations": [{"from": "human", "value": "q"}]}, "sharegpt", {"messages": "conversations"}),
        (
            {"instruction": "i", "input": "", "output": "o"},
            "alpaca",
            {"prompt": "instruction", "input": "input", "response": "output"},
        ),
        (
            {"instruction": "i", "output": "o"},
            "prompt-completion",
            {"prompt": "instruction", "response": "output"},
        ),
        ({"prompt": "p", "completion": "c", "text": "p c"}, "prompt-completion", None),
        ({"text": "t", "input": "i", "output": "o"}, "text", None),
        ({"text": "t", "doc_id": "d"}, "text", {"text": "text", "root": "doc_id"}),
    ],
)
def test_shapes_are_recognised(row: dict[str, Any], shape: str, columns: dict[str, str] | None) -> None:
    layout = guess(row, row)
    assert layout.shape == shape
    assert columns is None or layout.columns == columns


def test_confidence_falls_with_unusual_names_and_rows_that_do_not_fit() -> None:
    assert guess({"text": "a"}).confidence == 1.0
    assert guess({"review": "a"}).confidence == 0.9
    assert guess({"whatever": "a", "n": 1}).confidence == 0.5
    assert guess({"text": "a"}, {"text": None}, {"other": 1}, {"text": "b"}).confidence == 0.5


def test_two_unknown_text_columns_are_not_guessed_between() -> None:
    with pytest.raises(InputError, match="no known row shape among the columns: 'a', 'b'"):
        guess({"a": "x", "b": "y"})


def test_mapping_overrides_the_guess() -> None:
    row = {"text": "t", "body": "b", "label": "x", "group": "g", "q": "q", "r": "r"}
    assert guess(row, text="body").columns["text"] == "body"
    assert guess(row, label="group").columns["label"] == "group"
    asked = guess(row, prompt="q", response="r")
    assert (asked.shape, asked.confidence) == ("prompt-completion", 1.0)
    assert asked.row(row).text == "q\nr"


def test_rows_are_normalised() -> None:
    alpaca = guess({"instruction": "i", "input": "x", "output": "o"})
    assert alpaca.kin == "prompt"
    assert alpaca.row({"instruction": "i", "input": "x", "output": "o"}) == Row(
        "i\nx\no", "i\nx", "o", root="i\nx"
    )
    assert alpaca.row({"instruction": "i", "input": None, "output": "o"}).prompt == "i"
    row = guess({"conversations": [{"from": "human", "value": "q"}]}).row(
        {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}
    )
    assert row.messages == [{"role": "user", "content": "q"}, ANSWER]
    assert (row.text, row.prompt, row.response, row.root) == ("q\na", "q", "a", "q")


def test_prompts_given_as_turns_keep_their_turns() -> None:
    values = {"prompt": CHAT, "completion": [ANSWER]}
    row = guess(values).row(values)
    assert row.messages == [*CHAT, ANSWER]
    assert (row.prompt, row.response) == ("s\nq", "a")
    mixed = {"prompt": CHAT, "completion": "a"}
    assert guess(mixed).row(mixed).messages == [*CHAT, ANSWER]


def test_a_chat_that_the_user_ends_has_no_response() -> None:
    row = guess({"messages": CHAT}).row({"messages": CHAT})
    assert (row.text, row.prompt, row.response) == ("s\nq", None, None)


def test_tool_calls_and_parts_become_text() -> None:
    said = turns(
        [
            {"role": "assistant", "content": None, "tool_calls": [{"id": 1}]},
            {"role": "user", "content": [{"type": "text", "text": "see"}, {"type": "image", "url": "u"}]},
        ]
    )
    assert [turn["content"] for turn in said] == ['[{"id": 1}]', "see"]


def test_a_column_of_all_different_values_is_no_label() -> None:
    rows = [{"text": "t", "target": f"answer {n}", "topic": n % 3} for n in range(30)]
    assert guess(*rows).columns["label"] == "topic"
    assert guess(*rows, label="target").columns["label"] == "target"
    assert "label" not in guess({"text": "t", "label": "x" * 101}).columns


def test_one_prompt_above_all_rows_makes_no_kin() -> None:
    rows = [{"prompt": "write", "completion": str(n)} for n in range(20)]
    assert guess(*rows).kin == "row"
    assert guess(*rows).row(rows[0]).root is None
    assert guess(*rows, {"prompt": "other", "completion": "c"}).kin == "prompt"
    assert guess({"prompt": "write", "completion": "c", "seed_row": 1}).kin == "column"
    assert guess({"text": "t"}).kin == "row"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("hello", "the turns are a string, not a list"),
        ([], "no turns"),
        (["hello"], "a turn is a string, not an object"),
        ([{"content": "a"}], "a turn names no role"),
        ([{"role": "user", "content": 5}], "content is a number, not a string"),
        ([{"role": "user", "content": "\ud800"}], "content holds a lone surrogate or invalid UTF-8"),
    ],
)
def test_turns_that_are_none_say_why(value: Any, reason: str) -> None:
    with pytest.raises(Unusable) as error:
        turns(value)
    assert str(error.value) == reason


def test_slices_are_columns_with_few_repeated_short_values() -> None:
    rows = [
        {
            "text": f"t{n}",
            "label": "xy"[n % 2],
            "group": "ab"[n % 2],
            "flag": n % 3 == 0,
            "stars": n % 5,
            "id": n,
            "once": "a" if n else "b",
            "long": "x" * 100 + str(n % 2),
            "same": 1,
            "nested": [n % 2],
            "mostly_null": n % 2 if n < 10 else None,
            "doc_id": n % 2,
            "source_id": n % 2,
        }
        for n in range(40)
    ]
    assert guess(*rows).slices == ("group", "flag", "stars")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, "1"), (1.0, "1"), (1.5, "1.5"), (True, "true"), ("1.0", "1.0"), (None, None), ([1], None)],
)
def test_scalars_as_text(value: Any, expected: str | None) -> None:
    assert scalar(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1.0", "1"), ("-1.0", "-1"), ("v1.0", "v1.0"), (".0", ".0"), (" a ", "a"), ("", None), ("nan", None)],
)
def test_labels_as_text(value: Any, expected: str | None) -> None:
    assert label(value) == expected


def test_infinite_and_huge_numbers_are_text_too() -> None:
    assert scalar(float("inf")) == "inf"
    assert scalar(1e300) == str(int(1e300))
