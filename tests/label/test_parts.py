"""The design, the file of answers, the screen and the rate, each alone."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from assay.core.errors import InputError
from assay.core.labels import Answers
from assay.label.ask import ask
from assay.label.design import STRATA, Design, draw, recorded
from assay.label.rate import LEAST, error_rate, unlabelled

ROWS = 1_000
TEXT = pa.chunked_array([pa.array([f"row number {row}" for row in range(ROWS)], pa.large_string())])
TABLE = pa.table(
    {
        "text": TEXT,
        "prompt": pa.nulls(ROWS, pa.large_string()),
        "response": pa.nulls(ROWS, pa.large_string()),
        "label": pa.nulls(ROWS, pa.string()),
    }
)


def flags() -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "row": np.arange(ROWS),
            "near_cluster": np.arange(ROWS),
            "refusal": np.arange(ROWS) % 25 == 0,
            "suspicion": rng.random(ROWS).astype(np.float32),
            "similarity": rng.random(ROWS).astype(np.float32),
        }
    )


def plan() -> Design:
    return draw(flags(), "abc", 0)


def test_every_beginning_of_the_order_samples_every_stratum() -> None:
    design = plan()
    assert sorted(design.order) == list(range(ROWS))
    assert np.bincount(design.stratum).tolist() == [320, 320, 320, 40]
    for labelled in (20, 50, 200):
        first = np.bincount(design.stratum[design.order[:labelled]], minlength=len(STRATA))
        # A stratum's turns go with the root of its size: the flagged 4 % of the rows get 11 % of the labels.
        due = np.sqrt([320, 320, 320, 40]) / np.sqrt([320, 320, 320, 40]).sum() * labelled
        assert np.abs(first - due).max() < 1.01
        assert design.covers(design.order[:labelled])
    assert not design.covers(np.arange(50))


def test_within_a_stratum_every_row_is_as_likely() -> None:
    early = np.zeros(ROWS)
    for seed in range(200):
        early[draw(flags(), "abc", seed).order[:100]] += 1
    chance = early / 200
    stratum = plan().stratum
    for each in range(len(STRATA)):
        mine = chance[stratum == each]
        assert mine.std() < 1.3 * np.sqrt(mine.mean() * (1 - mine.mean()) / 200)


def test_a_design_is_recorded_and_outlives_newer_flags(tmp_path: Path) -> None:
    path = tmp_path / "order.parquet"
    first = recorded(path, flags(), "abc", 0)
    newer = flags().set_column(2, "refusal", pa.array([row < 400 for row in range(ROWS)]))
    again = recorded(path, newer, "abc", 5)
    assert again.seed == 0
    np.testing.assert_array_equal(again.order, first.order)
    other = recorded(path, newer, "another corpus", 5)
    assert (other.corpus, other.seed) == ("another corpus", 5)
    assert np.bincount(other.stratum).tolist() == [200, 200, 200, 400]


def test_a_flag_that_most_rows_carry_divides_nothing() -> None:
    marked = flags().append_column("incomplete_lineage", pa.array([True] * ROWS))
    np.testing.assert_array_equal(draw(marked, "abc", 0).stratum, plan().stratum)


def test_the_last_answer_counts_and_a_torn_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    answers = Answers(path, TEXT)
    answers.add(3, "right")
    answers.add(4, "skip")
    answers.add(3, "wrong")
    before = path.read_bytes()
    path.write_bytes(before + b'{"row": 5, "ans')
    again = Answers(path, TEXT)
    assert again.given == {3: "wrong", 4: "skip"}
    assert again.labelled == {3: True}
    assert path.read_bytes() == before
    path.write_bytes(before + b'{"row": 5, "wrong": false}')
    assert Answers(path, TEXT).labelled == {3: True, 5: False}


def test_labels_of_rows_that_are_others_now_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    answers = Answers(path, TEXT)
    for row in (1, 2, 999):
        answers.add(row, "wrong")
    changed = pa.chunked_array([pa.array(["row number 1", "something else"], pa.large_string())])
    moved = Answers(
        path, pa.chunked_array([*pa.chunked_array(["x"]).cast(pa.large_string()).chunks, *changed.chunks])
    )
    assert moved.labelled == {1: True}
    assert moved.stale == {2, 999}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"row": 1000, "wrong": true}', "no row 1,000"),
        ('{"row": "1", "wrong": true}', "not a label"),
        ('{"row": 1}', "not a label"),
        ('{"row": 1, "answer": "maybe"}', "not a label"),
        ("[]", "not a label"),
        ("nonsense", "not a label"),
    ],
)
def test_a_file_of_labels_is_taken_whole_or_not_at_all(tmp_path: Path, line: str, says: str) -> None:
    source = tmp_path / "mine.jsonl"
    source.write_text('{"row": 0, "wrong": true}\n\n' + line + "\n", encoding="utf-8")
    answers = Answers(tmp_path / "labels.jsonl", TEXT)
    with pytest.raises(InputError, match=says) as error:
        answers.take(source)
    assert "line 3" in str(error.value)
    assert not answers.given
    assert not (tmp_path / "labels.jsonl").exists()


def labelled(tmp_path: Path, keys: str, most: int = 200, table: pa.Table = TABLE) -> tuple[Answers, str]:
    answers, screen = Answers(tmp_path / "labels.jsonl", table["text"]), io.StringIO()
    ask(table, plan(), answers, most, io.StringIO(keys), screen)
    return answers, screen.getvalue()


def test_keys_answer_skip_go_back_and_quit(tmp_path: Path) -> None:
    first, second, third = plan().order[:3].tolist()
    answers, _ = labelled(tmp_path, "r\nx\n\ns\nb\nw\nW\nq\nw\n")
    assert answers.given == {first: "right", second: "wrong", third: "wrong"}
    lines = [json.loads(line) for line in (tmp_path / "labels.jsonl").read_text().splitlines()]
    assert [line["answer"] for line in lines] == ["right", "skip", "wrong", "wrong"]
    # It goes on where it stopped; going back reaches the rows of the last session.
    resumed, screen = labelled(tmp_path, "b\nr\nr\n")
    assert resumed.given[third] == "right"
    assert len(resumed.given) == 4
    assert f"row {third:,}, so far: wrong" in screen


def test_it_stops_when_enough_rows_are_labelled(tmp_path: Path) -> None:
    answers, _ = labelled(tmp_path, "s\n" + "r\n" * 50, most=7)
    assert len(answers.labelled) == 7
    assert len(answers.given) == 8


def test_hostile_text_reaches_the_screen_written_out(tmp_path: Path) -> None:
    hostile = "\x1b[2J\x1b]0;owned\x07 \x9b31m a\rb \u202e" + "long " * 2_000
    column = pa.array([hostile] * ROWS, pa.large_string())
    table = TABLE.set_column(0, "text", column).set_column(3, "label", pa.array(["\x1b[31mred"] * ROWS))
    _, screen = labelled(tmp_path, "m\nq\n", table=table)
    assert "⟨U+001B⟩[2J" in screen
    assert not {"\x1b", "\x07", "\x9b", "\r", "\u202e"} & set(screen)
    assert "m shows 7," in screen
    assert screen.count("long ") > 2_000  # the second screen holds all of it


def rated(tmp_path: Path, wrong: set[int], labels: int) -> tuple[float, float, float]:
    answers = Answers(tmp_path / "labels.jsonl", TEXT)
    answers.given.update(
        {row: "wrong" if row in wrong else "right" for row in plan().order[:labels].tolist()}
    )
    found = error_rate(answers, plan(), flags(), TEXT)
    assert found.measure.value is not None
    assert found.measure.low is not None
    assert found.measure.high is not None
    return found.measure.low, found.measure.value, found.measure.high


def test_too_few_labels_are_missing_never_zero(tmp_path: Path) -> None:
    assert "assay label RUN" in (unlabelled().missing or "")
    answers = Answers(tmp_path / "labels.jsonl", TEXT)
    answers.given.update(dict.fromkeys(range(LEAST - 1), "right"))
    found = error_rate(answers, plan(), flags(), TEXT)
    assert found.measure.value is None
    assert f"{LEAST - 1} of at least {LEAST}" in (found.measure.missing or "")


def test_more_wrong_rows_give_a_higher_rate(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    clean, some, many = (
        rated(tmp_path, set(rng.permutation(ROWS)[: int(share * ROWS)].tolist()), 150)
        for share in (0.0, 0.1, 0.3)
    )
    assert clean[1] == 0
    assert 0 < clean[2] < 0.05
    assert some[0] < 0.1 < some[2]
    assert many[0] < 0.3 < many[2]
    assert clean[1] < some[1] < many[1]


def test_what_the_flags_know_narrows_the_interval_and_ranks_the_suspects(tmp_path: Path) -> None:
    suspicion = flags()["suspicion"].to_numpy()
    wrong = set(np.flatnonzero(suspicion > 0.8).tolist())
    answers = Answers(tmp_path / "labels.jsonl", TEXT)
    answers.given.update({row: "wrong" if row in wrong else "right" for row in plan().order[:150].tolist()})
    found = error_rate(answers, plan(), flags(), TEXT)
    low, high = found.measure.low or 0.0, found.measure.high or 1.0
    assert low < len(wrong) / ROWS < high
    assert high - low < 0.10  # 150 labels alone: 0.13
    first = found.suspects["row"].to_pylist()[:50]
    assert not set(first) & set(answers.given)
    assert len(set(first) & wrong) > 45
    assert "drawn at random within 4 strata" in found.measure.method


def test_labels_of_rows_of_ones_own_choice_are_named_as_such(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "labels.jsonl", TEXT)
    answers.given.update(dict.fromkeys(range(100), "right"))
    assert "not those that were drawn" in error_rate(answers, plan(), flags(), TEXT).measure.method
