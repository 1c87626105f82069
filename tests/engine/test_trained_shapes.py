"""The shapes that models are trained on: preferences, judged answers, steps, tool calls, documents with metadata."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.core.errors import InputError
from assay.engine.inspect import inspect
from assay.engine.read import ReadResult, read
from assay.engine.shapes import Layout, Row, sniff
from assay.engine.turns import shared_text, turns
from assay.engine.values import Unusable, moment

USER = {"role": "user", "content": "q"}
GOOD = {"role": "assistant", "content": "good"}
BAD = {"role": "assistant", "content": "bad"}
CALL = [{"id": "c1", "function": {"name": "weather", "arguments": '{"city": "東京"}'}}]


def guess(*rows: dict[str, Any], **mapping: str) -> Layout:
    return sniff(rows, mapping=mapping, slices=None, where="f")


def only(row: dict[str, Any], **mapping: str) -> Row:
    return guess(row, **mapping).row(row)


def load(folder: Path, *rows: dict[str, Any], **settings: Any) -> ReadResult:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read(path, folder / "corpus", name="c", origin="real", **settings)


def column(result: ReadResult, name: str) -> list[Any]:
    return list(result.corpus.table([name]).column(name).to_pylist())


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ({"prompt": "q", "chosen": "good", "rejected": "bad"}, "preference"),
        ({"question": "q", "chosen": "good", "rejected": "bad", "system": "s"}, "preference"),
        ({"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]}, "preference"),
        ({"chosen": [USER, GOOD], "rejected": [USER, BAD]}, "preference"),
        ({"prompt": "q", "chosen": [USER, GOOD], "rejected": [USER, BAD], "messages": [USER]}, "preference"),
        ({"prompt": "q", "completion": "a", "label": True}, "kto"),
        ({"prompt": "q", "completion": "a", "label": "False"}, "kto"),
        ({"prompt": [USER], "completion": [GOOD], "label": False}, "kto"),
        ({"prompt": "q", "completion": "a", "label": 1}, "prompt-completion"),
        ({"prompt": "q", "completion": "a", "label": "spam"}, "prompt-completion"),
        ({"prompt": "q", "completions": ["a", "b"], "labels": [True, False]}, "stepwise"),
        ({"text": "a", "meta": {"source": "web"}}, "text"),
    ],
)
def test_shapes_are_recognised_for_sure(row: dict[str, Any], shape: str) -> None:
    assert (guess(row, row).shape, guess(row).confidence >= 0.9) == (shape, True)


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": "q", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": [USER], "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": "q", "chosen": [GOOD], "rejected": [BAD]},
    ],
)
def test_a_preference_pair_is_the_same_however_it_is_written(row: dict[str, Any]) -> None:
    assert only(row) == Row("q\ngood", "q", "good", "bad", messages=[USER, GOOD], root="q")
    assert guess(row).extras(row) is None


def test_preferences_in_text_have_no_turns() -> None:
    assert only({"prompt": "q", "chosen": "good", "rejected": "bad"}) == Row(
        "q\ngood", "q", "good", "bad", root="q"
    )


@pytest.mark.parametrize(
    ("chosen", "rejected", "prompt"),
    [
        ("The sky is blue.", "The sky is green.", "The sky is"),
        ("The sky is", "The sky isn't", "The sky"),
        ("same words", "same words", "same"),
        ("cat", "dog", ""),
        (
            "\n\nHuman: hi\n\nAssistant: I am",
            "\n\nHuman: hi\n\nAssistant: I am not",
            "\n\nHuman: hi\n\nAssistant:",
        ),
        ("Q: x\n### Response: yes it is", "Q: x\n### Response: yes it was", "Q: x\n### Response:"),
        ("[INST] x [/INST] I do", "[INST] x [/INST] I won't", "[INST] x [/INST]"),
        ("", "", ""),
    ],
)
def test_the_prompt_of_a_pair_is_what_both_texts_open_with(chosen: str, rejected: str, prompt: str) -> None:
    assert chosen[: shared_text(chosen, rejected)] == prompt
    row = only({"chosen": chosen, "rejected": rejected})
    assert (row.prompt or "") + (row.response or "") == row.text == chosen
    assert (row.prompt or "") + (row.rejected or "") == rejected


def test_conversations_part_where_they_first_differ() -> None:
    first = {"role": "assistant", "content": "a"}
    row = {"chosen": [USER, first, USER, GOOD], "rejected": [USER, BAD, USER, GOOD]}
    assert only(row).prompt == "q"
    assert (only(row).response, only(row).rejected) == ("a\nq\ngood", "bad\nq\ngood")
    kept = json.loads(guess(row).extras(row) or "")
    assert kept == {"rejected": row["rejected"]}  # whose turns the text alone would not tell


def test_a_prompt_that_the_turns_do_not_hold_stands_before_them() -> None:
    row = {"prompt": "Be kind.", "chosen": [USER, GOOD], "rejected": [USER, BAD]}
    assert only(row).prompt == "Be kind.\nq"


def test_judged_answers_keep_their_judgement(tmp_path: Path) -> None:
    rows = [{"prompt": f"q{n}", "completion": "a", "label": n % 2 == 0} for n in range(4)]
    result = load(tmp_path, *rows)
    assert result.corpus.shape == "kto"
    assert column(result, "label") == ["true", "false"] * 2
    assert column(result, "response") == ["a"] * 4


def test_steps_are_one_answer_that_is_right_when_all_are() -> None:
    row = {"prompt": "q", "completions": ["one", "two"], "labels": [True, False]}
    assert only(row) == Row("q\none\ntwo", "q", "one\ntwo", label="false", root="q")
    assert json.loads(guess(row).extras(row) or "") == {"labels": [True, False]}
    assert only(row | {"labels": [True, True]}).label == "true"
    broken = row | {"completions": ["one\nhalf", "two"]}
    assert json.loads(guess(row).extras(broken) or "")["completions"] == ["one\nhalf", "two"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": [True]}, "2 steps, and labels that are not as many"),
        ({"labels": [True, 1]}, "a label of a step is neither true nor false"),
        ({"completions": []}, "the steps are none, not a list"),
        ({"completions": "one"}, "the steps are a string, not a list"),
        ({"completions": ["one", 2]}, "a step is a number, not a string"),
    ],
)
def test_steps_that_are_none_say_why(change: dict[str, Any], reason: str) -> None:
    row: dict[str, Any] = {"prompt": "q", "completions": ["one", "two"], "labels": [True, False]}
    with pytest.raises(Unusable) as error:
        guess(row).row(row | change)
    assert str(error.value) == reason


def test_tool_calls_stand_in_their_turn_and_all_else_is_kept_along() -> None:
    said = [
        USER,
        {"role": "assistant", "content": None, "tool_calls": CALL},
        {"role": "tool", "content": "22", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Warm."},
    ]
    row = {"messages": said, "tools": [{"name": "weather"}]}
    found = only(row).messages or []
    assert [turn["role"] for turn in found] == ["user", "assistant", "tool", "assistant"]
    assert json.loads(found[1]["content"]) == CALL
    assert "東京" in found[1]["content"]
    assert json.loads(guess(row).extras(row) or "") == row
    assert turns([{"role": "assistant", "tool_calls": CALL}])[0] == found[1]
    both = turns([{"role": "assistant", "content": "Let me see.", "function_call": {"name": "f"}}])
    assert both == [{"role": "assistant", "content": 'Let me see.\n{"name": "f"}'}]


def test_parts_of_a_turn_are_text_calls_or_kept_along() -> None:
    parts = [
        "see",
        {"type": "text", "text": "this"},
        {"type": "tool_use", "name": "f"},
        {"type": "image", "url": "u"},
    ]
    row = {"messages": [{"role": "user", "content": parts}]}
    assert only(row).text == 'see\nthis\n{"type": "tool_use", "name": "f"}'
    assert json.loads(guess(row).extras(row) or "") == row


def test_tool_calls_are_the_same_in_a_table(tmp_path: Path) -> None:
    said = [USER, {"role": "assistant", "content": None, "tool_calls": CALL}, {"from": "gpt", "value": "x"}]
    pq.write_table(pa.table({"messages": [said]}), tmp_path / "a.parquet")
    table = read(tmp_path / "a.parquet", tmp_path / "table", name="c", origin="real")
    lines = load(tmp_path, {"messages": said})
    assert column(table, "text") == column(lines, "text")
    assert column(table, "messages") == column(lines, "messages")


def test_fields_within_objects_can_be_slices_and_parts(tmp_path: Path) -> None:
    rows = [
        {"text": f"t{n}", "meta": {"source": "ab"[n % 2], "when": f"202{n}-01-01", "deep": {"er": n}}}
        for n in range(4)
    ]
    result = load(
        tmp_path, *rows, slices=["meta.source"], mapping={"time": "meta.when", "root": "meta.deep.er"}
    )
    assert column(result, "slice:meta.source") == ["a", "b"] * 2
    assert column(result, "time")[1] == datetime(2021, 1, 1)
    assert [json.loads(extras)["meta"] for extras in column(result, "extras")] == [
        row["meta"] for row in rows
    ]
    with pytest.raises(InputError, match=r"no column 'meta.nope'[\s\S]*'meta.source'"):
        load(tmp_path, *rows, slices=["meta.nope"])
    assert load(tmp_path, *rows).corpus.slices == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2023-05-15", datetime(2023, 5, 15)),
        ("2023-05", datetime(2023, 5, 1)),
        ("2023/05/15", datetime(2023, 5, 15)),
        ("20230515", datetime(2023, 5, 15)),
        (20230515, datetime(2023, 5, 15)),
        ("2023-05-15T10:20:30Z", datetime(2023, 5, 15, 10, 20, 30)),
        ("2023-05-15 10:20:30.000000001", datetime(2023, 5, 15, 10, 20, 30)),
        ("2023-05-15T10:20:30+02:00", datetime(2023, 5, 15, 8, 20, 30)),
        ("2023-05-15 10:20:30 UTC", datetime(2023, 5, 15, 10, 20, 30)),
        (date(2023, 5, 15), datetime(2023, 5, 15)),
        (2023, datetime(2023, 1, 1)),
        ("1790", datetime(1790, 1, 1)),
        (2023.0, datetime(2023, 1, 1)),
        (1_684_146_030, datetime(2023, 5, 15, 10, 20, 30)),
        ("1684146030.5", datetime(2023, 5, 15, 10, 20, 30)),
        (1_684_146_030_000, datetime(2023, 5, 15, 10, 20, 30)),
        (1_684_146_030_000_000, datetime(2023, 5, 15, 10, 20, 30)),
        (1_684_146_030_000_000_000, datetime(2023, 5, 15, 10, 20, 30)),
        *(
            (value, None)
            for value in ("soon", "", "15", 15, -5, 20231315, "99999999999999999999999", True, None, [1])
        ),
        *(
            (value, None)
            for value in (float("nan"), float("inf"), "0001-01-01T00:00:00+14:00", "nan", 5_000, 1e300)
        ),
    ],
)
def test_times(value: Any, expected: datetime | None) -> None:
    assert moment(value) == expected


def test_batches_and_times_are_found_and_bad_ones_counted(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "round": n // 2, "date": f"2023-0{n + 1}-01"} for n in range(6)]
    result = load(tmp_path, *rows, {"text": "t", "round": None, "date": "soon"}, {"text": "u"})
    assert column(result, "batch") == ["0", "0", "1", "1", "2", "2", None, None]
    assert column(result, "time")[5:] == [datetime(2023, 6, 1), None, None]
    assert result.notes == {"row with a time that cannot be read": 1}
    assert result.corpus.slices == ()
    assert json.loads(column(result, "extras")[6]) == {"date": "soon"}
    # A column of that name which holds no times is none.
    assert load(tmp_path, {"text": "t", "time": "evening"}).layout.columns == {"text": "text"}


def test_times_of_tables_are_read_at_any_precision(tmp_path: Path) -> None:
    instant = 1_684_146_030
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        kind = pa.timestamp(unit, tz="Asia/Tokyo" if unit == "ms" else None)
        table = pa.table({"text": ["a"], "created_at": pa.array([instant * factor], kind)})
        pq.write_table(table, tmp_path / "a.parquet")
        result = read(tmp_path / "a.parquet", tmp_path / unit, name="c", origin="real")
        assert column(result, "time") == [datetime(2023, 5, 15, 10, 20, 30)]
    pq.write_table(pa.table({"text": ["a"], "date": [date(2023, 5, 15)]}), tmp_path / "a.parquet")
    result = read(tmp_path / "a.parquet", tmp_path / "day", name="c", origin="real")
    assert column(result, "time") == [datetime(2023, 5, 15)]


def test_a_chat_is_one_cluster_by_its_conversation() -> None:
    said = [USER, GOOD, {"role": "user", "content": "more"}, BAD]
    row = {"messages": said}
    assert guess(row).kin == "prompt"
    assert only(row).root == "q"
    named = row | {"conversation_id": "c7"}
    assert (guess(named).kin, only(named).root) == ("column", "c7")


def test_nested_values_of_scalar_columns_are_not_lost() -> None:
    row = {"text": "t", "label": ["a", "b"], "generation": "first"}
    layout = guess({"text": "t", "label": "a", "generation": 1})
    assert json.loads(layout.extras(row) or "") == {"label": ["a", "b"], "generation": "first"}


def test_inspection_shows_batches_times_and_shapes(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        {
            "prompt": "q",
            "chosen": "a",
            "rejected": "b",
            "batch": n % 2,
            "timestamp": 1_600_000_000 + n * 86_400,
        }
        for n in range(5)
    ]
    rows.append(rows[0] | {"timestamp": "soon"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    [file] = inspect(path).files
    assert file.shape == "preference"
    assert file.columns == {
        "prompt": "prompt",
        "chosen": "chosen",
        "rejected": "rejected",
        "batch": "batch",
        "timestamp": "time",
    }
    assert file.batches == {"0": 4, "1": 2}
    assert (file.earliest, file.latest) == (
        datetime(2020, 9, 13, 12, 26, 40),
        datetime(2020, 9, 17, 12, 26, 40),
    )
    assert file.untimed == 1
