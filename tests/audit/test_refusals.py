"""Refusals and an assistant's wrapping are found where they stand, and ordinary words are left alone."""

import pyarrow as pa
import pytest

from assay.audit.annotate.boilerplate import FILE, boilerplate
from assay.audit.annotate.refusals import refuses
from assay.audit.annotate.stock import locate, stock


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I cannot write this.",
        '"As an AI language model, I have no taste."',
        "Well. I am an AI and have no opinion.",
        "Es tut mir leid, aber ich kann das nicht schreiben.",
        "Como modelo de lenguaje, no tengo opiniones.",
        "很抱歉，我无法帮助您。",
        "申し訳ありませんが、お答えできません。",
    ],
)
def test_an_assistant_speaking_is_found(text: str) -> None:
    assert refuses(pa.array([text], pa.large_string())).tolist() == [True]


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I candidly disliked it.",
        "I am unable to use my card abroad.",
        "The robot says it cannot assist anyone.",
        "x" * 300 + " as an ai language model",
        "",
    ],
)
def test_other_rows_are_left_alone(text: str) -> None:
    assert refuses(pa.array([text], pa.large_string())).tolist() == [False]


def test_a_missing_answer_refuses_nothing() -> None:
    assert refuses(pa.array([None], pa.large_string())).tolist() == [False]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Sure, here's a review:", "Sure, here"),
        ("**Here’s a possible review**", "Here’s a possible"),
        ("Certainly! Here is the text.", "Certainly! Here"),
        ("x" * 300 + " I hope this helps!", "I hope this helps"),
        ("好的，以下是一段文字。", "好的，以下是"),
    ],
)
def test_the_wrapping_of_an_answer_is_found_and_its_phrase_located(text: str, phrase: str) -> None:
    assert boilerplate(pa.array([text], pa.large_string())).fails.tolist() == [True]
    place = locate(text, stock(FILE))
    assert place is not None
    assert text[slice(*place)].endswith(phrase)


@pytest.mark.parametrize(
    "text",
    [
        "Here is a film that divides people.",
        "Certainly one of the better ones.",
        "I hope this helps, I thought, and then " + "it went on and on " * 20,
        "他说当然以下是一个",
        "",
    ],
)
def test_people_who_talk_alike_are_left_alone(text: str) -> None:
    assert boilerplate(pa.array([text], pa.large_string())).fails.tolist() == [False]
