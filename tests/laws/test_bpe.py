"""What byte pair encoding must keep: every text, and the same pieces every time."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import InputError
from assay.models.bpe import BPE, train_bpe

TEXTS = [
    "the cat sat on the mat",
    "the dog sat on the log, and they've said it's there: (19), 1,991",
    "Der Hund saß",
    "猫はマットの上に座った",
    "a" * 50,
] * 3
ENCODING = train_bpe(TEXTS, size=300)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=6))
def test_every_text_comes_back(texts: list[str]) -> None:
    ids, offsets = ENCODING.encode(texts)
    assert len(offsets) == len(texts) + 1
    assert offsets[-1] == len(ids)
    back = [ENCODING.decode(ids[first:last]) for first, last in pairwise(offsets)]
    assert back == texts


SPACED = st.text(st.sampled_from("ab 'sté語 \n\t\r\x1c\x85\xa0\u2003\u3000.,1½😀"), max_size=30)


PLAIN = st.text(st.sampled_from("thecatsondrvelm'' \n\t\x0b\x1c19.,-(A_\x7f\x00"), max_size=90)


@settings(max_examples=600, deadline=None)
@given(st.lists(SPACED | PLAIN, max_size=5))
def test_words_encoded_once_are_what_whole_texts_are_encoded_to(texts: list[str]) -> None:
    ids, offsets = ENCODING.encode(texts)
    whole = [encoding.ids for encoding in ENCODING._tokenizer.encode_batch(texts)]
    assert [ids[first:last].tolist() for first, last in pairwise(offsets)] == whole


def test_many_different_words_find_room() -> None:
    texts = [" ".join(str(number * 7919) for number in range(at, 40_000, 4)) for at in range(4)]
    ids, offsets = ENCODING.encode(texts)
    assert ENCODING.decode_rows(ids, offsets) == texts


def test_no_text_encodes_to_the_boundary_and_every_byte_is_a_piece() -> None:
    assert ENCODING.boundary == ENCODING.vocabulary - 1
    assert {bytes([byte]) for byte in range(256)} <= set(ENCODING.pieces)
    ids, _ = ENCODING.encode(["<|endoftext|> </s> <s> \x00 �", ENCODING.decode([ENCODING.boundary])])
    assert ids.max() < ENCODING.boundary
    assert ids.dtype == np.int32


def test_pieces_are_what_the_ids_decode_to() -> None:
    for at, piece in enumerate(ENCODING.pieces):
        assert ENCODING.decode([at]) == piece.decode("utf-8", errors="replace")


def test_frequent_words_become_short_and_size_is_a_limit() -> None:
    ids, _ = ENCODING.encode(["the cat sat on the mat"])
    assert len(ids) < 10
    assert train_bpe(["ab"], size=4096).vocabulary == 257
    assert train_bpe(TEXTS, size=280).vocabulary == 280
    with pytest.raises(InputError):
        train_bpe(TEXTS, size=256)


def test_same_texts_same_encoding_in_another_process_and_from_its_json() -> None:
    code = (
        "from tests.laws.test_bpe import TEXTS\n"
        "from assay.models.bpe import train_bpe\n"
        "print(train_bpe(TEXTS, size=300).fingerprint)"
    )
    other = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert other.stdout.strip() == ENCODING.fingerprint
    again = BPE(ENCODING.json)
    assert again == ENCODING
    assert np.array_equal(again.encode(TEXTS)[0], ENCODING.encode(TEXTS)[0])
    assert train_bpe(TEXTS[:2], size=300).fingerprint != ENCODING.fingerprint
