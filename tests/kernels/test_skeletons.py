"""Rows with words taken out are equal when the kept words and the slots between them are."""

import numpy as np
import pyarrow as pa

from assay.kernels.skeletons import skeletons
from assay.kernels.text import tokens

KEPT = ("the", "told", "that", "was")


def hashes(*texts: str, fewest: int = 2) -> list[int]:
    words = tokens(pa.array(texts, pa.large_string()))
    known = tokens(pa.array(KEPT, pa.large_string())).ids
    kept = np.isin(words.ids, known).astype(np.uint8)
    found: list[int] = skeletons(words.ids, words.offsets, kept, np.array([fewest]))[:, 0].tolist()
    return found


def test_slots_of_any_length_are_one_slot() -> None:
    one, longer, other, without = hashes(
        "The nurse told Ann that it was late",
        "the very old nurse told ANN AND BOB that he was quite late",
        "the told Ann that it was late",
        "the nurse told Ann that it was",
    )
    assert one == longer
    assert len({one, other, without}) == 3


def test_order_counts_and_too_few_kept_words_are_none() -> None:
    forth, back = hashes("the x told", "told x the")
    assert forth != back
    assert hashes("the x", "", "x y z", "the that")[:3] == [0, 0, 0]
    assert hashes("the x", "", fewest=1)[0] != 0
    assert hashes() == []


def test_ways_do_not_hear_of_each_other() -> None:
    words = tokens(pa.array(["The nurse told Ann that it was late", "a", ""], pa.large_string()))
    ways = np.random.default_rng(0).integers(0, 8, len(words.ids)).astype(np.uint8)
    fewest = np.array([1, 2, 3])
    together = skeletons(words.ids, words.offsets, ways, fewest)
    for way in range(3):
        alone = skeletons(words.ids, words.offsets, ((ways >> way) & 1).astype(np.uint8), fewest[[way]])
        np.testing.assert_array_equal(together[:, way], alone[:, 0])
