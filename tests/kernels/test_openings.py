"""The first characters of a row: what they hold, and how far they reach."""

import unicodedata

import numpy as np
import pyarrow as pa

from assay.kernels.scripts import SCRIPTS
from assay.kernels.text import tokens
from assay.kernels.writing import letters, openings


def test_the_first_characters_are_counted_as_if_there_were_no_others() -> None:
    texts = ["plain words here", "Grüße aus Köln", "слово за слово", "東京タワー", "", "ab"]
    texts += ["a1 " * 70 + "é" + "b`" * 90, "x" * 64, "`y`" * 100, "." * 100]
    for most in (6, 64, 200):
        found = openings(pa.array(texts, pa.large_string()), most)
        starts = [text[:most] for text in texts]
        np.testing.assert_array_equal(found.letters, letters(pa.array(starts, pa.large_string())))
        assert found.letters.shape == (len(texts), len(SCRIPTS))
        assert found.reach.tolist() == [len(start.encode()) for start in starts]
        assert found.plain.all()


def test_whatever_composing_changes_is_not_plain() -> None:
    texts = [unicodedata.normalize("NFD", text) for text in ("é", "Grüße", "한국", "ề")]
    texts += ["\u212b", "```\ncode", "a``b`", "wait"]
    found = openings(pa.array(texts, pa.large_string()), 100)
    assert found.plain.tolist() == [False] * 6 + [True] * 2
    # What lies beyond the characters asked for does not count.
    assert openings(pa.array(["abc ```"], pa.large_string()), 5).plain.all()


def test_taken_tokens_are_those_of_the_taken_rows() -> None:
    texts = pa.array(["one two", "", "three", "four five six", "seven"], pa.large_string())
    for index in ([0, 1, 2], [4, 0, 0, 3], [1], []):
        taken = tokens(texts).take(np.array(index, np.int64))
        made = tokens(texts.take(pa.array(index, pa.int64())))
        for one, other in zip(
            (taken.ids, taken.offsets, taken.starts, taken.ends),
            (made.ids, made.offsets, made.starts, made.ends),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)
