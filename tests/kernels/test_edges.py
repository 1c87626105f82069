"""Phrases near the edges of a text: what the kernel finds is what a regular expression finds."""

import re

import numpy as np
import pyarrow as pa

from assay.kernels.edges import holding, literals
from assay.kernels.signs import signs

OPENINGS, ANYWHERE = ("sure, here", "sorry"), ("as an ai", "我不能说")
PIECES = (
    "Sure, HERE",
    "sorry",
    "Sorry",
    "as an AI",
    "xas an ai",
    "as an aix",
    "as an ai_",
    "我不能说",
    "é",
    " ",
    "'",
    "# ",
    "no",
    "x" * 9,
)
MOST = 24


def texts() -> list[str]:
    rng = np.random.default_rng(0)
    return [
        "".join(PIECES[each] for each in rng.integers(0, len(PIECES), rng.integers(0, 7)))
        for _ in range(2_000)
    ]


def test_the_first_and_last_characters_are_searched_as_by_a_pattern() -> None:
    def bounded(phrase: str) -> str:
        return rf"\b{phrase}\b" if phrase.isascii() else phrase

    anywhere = "|".join(map(bounded, ANYWHERE))
    leading = re.compile(rf"^[ '#]*(?:{'|'.join(map(bounded, OPENINGS))})|{anywhere}", re.ASCII)
    closing = re.compile(anywhere, re.ASCII)
    made = texts()
    column = pa.array(made, pa.large_string())
    first = holding(column, literals(OPENINGS, ANYWHERE, skipped=" '#"), MOST)
    assert first.tolist() == [leading.search(text.lower()[:MOST]) is not None for text in made]
    assert 200 < first.sum() < 1_800
    last = holding(column, literals((), ANYWHERE), MOST, at_end=True)
    assert last.tolist() == [closing.search(text.lower()[-MOST:]) is not None for text in made]


def test_small_letters_stand_for_both_cases_and_capitals_for_themselves() -> None:
    column = pa.array(["psum", "PSUM", "todo", "TODO", None, "[", "pSu"], pa.large_string())
    found = signs(column, ("psum", "TODO", "["))
    assert found.any_of("psum").tolist() == [True, True, False, False, False, False, False]
    assert found.any_of("TODO", "[").tolist() == [False, False, False, True, False, True, False]
