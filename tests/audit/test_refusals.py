"""Refusals are found where they stand first, and ordinary complaints are left alone."""

import pyarrow as pa
import pytest

from assay.audit.annotate.refusals import refuses


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I cannot write this.",
        '"As an AI language model, I have no taste."',
        "Well. I am an AI and have no opinion.",
        "Sure, here's a review:",
        "**Here's a possible review**",
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
