"""Runs of characters and the items nearest by them, against the same thing in plain Python."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.kernels.chargrams import BITS, LENGTH, STEP, WINDOW, Grams, char_grams
from assay.kernels.postings import likeness

TEXTS = st.lists(st.text(st.sampled_from("abcXY é ,.\n漢字_7"), max_size=40), max_size=8)


def plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def windows(text: str) -> set[str]:
    size = min(LENGTH, len(text))
    return {text[at : at + size] for at in range(len(text) - size + 1)} if size else set()


def counts(grams: Grams) -> list[int]:
    return [int(number) for number in np.diff(grams.offsets)]


@settings(max_examples=60, deadline=None)
@given(TEXTS)
def test_each_row_holds_its_different_runs(made: list[str]) -> None:
    grams = char_grams(pa.array(made, pa.large_string()))
    assert grams.row.tolist() == list(range(len(made)))
    assert counts(grams) == [len(windows(plain(text))) for text in made]
    for row in range(len(made)):
        ids = grams.ids[grams.offsets[row] : grams.offsets[row + 1]].astype(np.int64)
        assert (np.diff(ids) > 0).all()
        assert ids.size == 0 or ids.max() < 1 << BITS


def test_case_punctuation_line_breaks_chunks_and_slices_change_nothing() -> None:
    one = char_grams(pa.array(["skip this", "Sort the_List,\n(quickly)!"], pa.large_string()).slice(1))
    two = char_grams(pa.chunked_array([pa.array(["sort THE list quickly"]), pa.array([""])]))
    assert one.ids.tolist() == two.ids.tolist()
    assert counts(two) == [len(one.ids), 0]
    assert two.row.tolist() == [0, 1]


def test_a_long_row_is_cut_into_pieces_that_overlap() -> None:
    text = "".join(chr(97 + at % 26) if at % 7 else " " for at in np.random.default_rng(0).permutation(9_000))
    short, grams = "a short one", char_grams(pa.array([text, "a short one"], pa.large_string()))
    cleaned = plain(text)
    starts = range(0, len(cleaned), STEP)
    pieces = [cleaned[at : at + WINDOW] for at in starts if at == 0 or at + WINDOW - STEP < len(cleaned)]
    assert grams.row.tolist() == [0] * len(pieces) + [1]
    # Of 2,000 runs hashed to 22 bits, two or three may share a hash.
    assert counts(grams) == pytest.approx([len(windows(piece)) for piece in [*pieces, short]], abs=4)
    first = char_grams(pa.array([text, short], pa.large_string()), first_only=True)
    assert first.row.tolist() == [0, 1]
    assert first.ids[: first.offsets[1]].tolist() == grams.ids[: grams.offsets[1]].tolist()


def test_no_rows() -> None:
    grams = char_grams(pa.array([], pa.large_string()))
    assert len(grams) == 0
    assert grams.offsets.tolist() == [0]


@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_items_are_those_of_the_whole_table(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcde"), 6)) for _ in range(60)]
    pieces, items = (
        char_grams(pa.array([" ".join(rng.choice(words, 8)) for _ in range(number)], pa.large_string()))
        for number in (40, 25)
    )
    weights = rng.uniform(0.1, 3, 1 << BITS).astype(np.float32)
    table = np.array(
        [[_shared(pieces, row, items, item, weights) for item in range(25)] for row in range(40)]
    )
    mass, total = _mass(items, weights), _mass(pieces, weights)
    cosine = table / np.sqrt(mass[None] * total[:, None])
    found = likeness(pieces, items, weights, nearest=3, most=100)
    np.testing.assert_allclose(found.cosine[:, 0], cosine.max(axis=1), rtol=1e-5)
    rows = np.arange(40)
    for slot in range(3):
        item = found.item[:, slot]
        np.testing.assert_allclose(found.cosine[:, slot], cosine[rows, item], rtol=1e-5)
        np.testing.assert_allclose(found.held[:, slot], (table / mass)[rows, item], rtol=1e-5)
    ranked = np.sort(cosine, axis=1)[:, ::-1]
    np.testing.assert_allclose(found.lead[:, 0], ranked[:, 0] - ranked[:, 1], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.lead[:, 1], ranked[:, 1] - ranked[:, 0], rtol=1e-3, atol=1e-6)


def test_a_piece_is_not_held_against_the_item_it_is_of() -> None:
    items = char_grams(pa.array(["the same words", "the same words", "other things"], pa.large_string()))
    weights = np.ones(1 << BITS, np.float32)
    assert likeness(items, items, weights).item[:, 0].tolist() == [0, 0, 2]
    own = likeness(items, items, weights, own=np.arange(3))
    assert own.item[:2, 0].tolist() == [1, 0]
    assert own.cosine[:2, 0] == pytest.approx(1)


def _shared(pieces: Grams, row: int, items: Grams, item: int, weights: np.ndarray) -> float:
    both = np.intersect1d(_of(pieces, row), _of(items, item))
    return float(weights[both].sum())


def _mass(grams: Grams, weights: np.ndarray) -> np.ndarray:
    return np.array([weights[_of(grams, row)].sum() for row in range(len(grams))])


def _of(grams: Grams, row: int) -> np.ndarray:
    return grams.ids[grams.offsets[row] : grams.offsets[row + 1]]
