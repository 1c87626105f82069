"""Placebo rows and shifted tests."""

from collections import Counter

import numpy as np

from assay.models.learner import Examples, Part
from assay.trial.disturb import shifts, shuffled
from assay.trial.items import tail

TEXTS = [f"alpha beta{row} gamma delta epsilon zeta{row % 3}" for row in range(40)]
ROWS = Examples(tuple((Part(text),) for text in TEXTS), np.arange(40) % 2, 2)


def words(examples: Examples) -> Counter[str]:
    return Counter(word for row in examples.parts for part in row for word in part.text.split())


def test_placebo_keeps_words_and_lengths_and_nothing_else() -> None:
    placebo = shuffled(ROWS, ROWS, 40, np.random.default_rng(0))
    assert words(placebo) == words(ROWS)
    assert [len(row[0].text.split()) for row in placebo.parts] == [6] * 40
    assert {row[0].text for row in placebo.parts}.isdisjoint(TEXTS)
    assert placebo.labels is not None
    assert sorted(placebo.labels) == sorted(ROWS.labels if ROWS.labels is not None else [])


def test_placebo_holds_no_word_that_the_real_rows_lack() -> None:
    known = Examples(tuple((Part(f"alpha gamma beta{row}"),) for row in range(5)))
    placebo = shuffled(ROWS, known, 40, np.random.default_rng(0))
    assert set(words(placebo)) == {"alpha", "gamma", *(f"beta{row}" for row in range(5))}
    assert [len(row[0].text.split()) for row in placebo.parts] == [6] * 40
    assert words(placebo)["alpha"] / words(placebo)["beta0"] > 20  # as often as the rows say them
    strange = Examples(tuple((Part(f"nothing in common {row}"),) for row in range(5)))
    assert len(shuffled(ROWS, strange, 40, np.random.default_rng(0))) == 0


def test_shifts_change_what_they_say_and_keep_the_order() -> None:
    found = shifts(ROWS, np.random.default_rng(0))
    assert list(found) == ["typing errors", "lower case", "half the length"]
    assert found["half the length"].parts[0][0].text == "alpha beta0 gamma"
    typos = [row[0].text for row in found["typing errors"].parts]
    changed = [text for text, before in zip(typos, TEXTS, strict=True) if text != before]
    assert 10 < len(changed) < 40
    # A swap, a loss or a doubling moves a text's length by at most one for each of its words.
    assert all(abs(len(text) - len(before)) <= 6 for text, before in zip(typos, TEXTS, strict=True))
    assert np.array_equal(found["lower case"].labels, ROWS.labels)  # type: ignore[arg-type]


def test_answers_stay_as_they_are_when_prompts_shift() -> None:
    chat = Examples((((Part("PLEASE Answer ME", False, "user"), Part("An ANSWER", True, "assistant"))),) * 5)
    found = shifts(chat, np.random.default_rng(0))
    assert list(found) == ["typing errors", "lower case"]
    assert found["lower case"].parts[0] == (
        Part("please answer me", False, "user"),
        Part("An ANSWER", True, "assistant"),
    )


def test_the_tail_is_the_tenth_with_the_rarest_words() -> None:
    common = Examples(tuple((Part("the cat sat on the mat"),) for _ in range(90)))
    rare = Examples(tuple((Part(f"xylem{row} quokka{row}"),) for row in range(10)))
    both = Examples(common.parts + rare.parts)
    assert np.flatnonzero(tail(common, both)).tolist() == list(range(90, 100))
