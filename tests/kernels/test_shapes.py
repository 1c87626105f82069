"""What is seen of a word: number, name, ending."""

import pyarrow as pa

from assay.kernels.shapes import NAME, NUMBER, PLAIN, shapes
from assay.kernels.text import tokens


def kinds_of(text: str) -> list[int]:
    column = pa.array([text], pa.large_string())
    kinds: list[int] = shapes(column, tokens(column)).kinds.tolist()
    return kinds


def test_a_capital_makes_a_name_unless_a_sentence_begins() -> None:
    text = "The cat met Anna. Then Bob said: Hello\nWorld, it was 1984 in MÜNCHEN"
    expected = [
        PLAIN,
        PLAIN,
        PLAIN,
        NAME,
        PLAIN,
        NAME,
        PLAIN,
        PLAIN,
        PLAIN,
        PLAIN,
        PLAIN,
        NUMBER,
        PLAIN,
        NAME,
    ]
    assert kinds_of(text) == expected


def test_scripts_without_case_have_no_names() -> None:
    assert set(kinds_of("我爱北京天安门")) == {PLAIN}
    assert kinds_of("पहला २ दिन") == [PLAIN, NUMBER, PLAIN]


def test_endings_ignore_case_and_go_by_the_last_two_letters() -> None:
    column = pa.chunked_array(
        [pa.array(["walking TALKING", ""]), pa.array([None, "sang", "a", "größe Füße"])]
    )
    endings = shapes(column, tokens(column)).endings
    assert len(endings) == 6
    assert endings[0] == endings[1] == endings[2]
    assert endings[3] not in (endings[0], endings[4])
    assert endings[4] == endings[5]
