"""What the n-gram learner must keep: proper probabilities, weights that mean what they say, honest draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import InputError
from assay.kernels.gram_sampling import Drawer
from assay.kernels.gram_temperature import likeliest, tempered
from assay.kernels.gram_trie import ABSENT, Trie, build_trie
from assay.kernels.kneser_ney import Tables, fit_tables, token_bits
from assay.models.bpe import train_bpe, train_words
from assay.models.learner import Examples, Part, Sampling
from assay.models.ngram import Models, NGram

SUBJECTS = ("the cat", "the dog", "a bird", "my friend", "das Mädchen", "猫")
VERBS = ("sees", "likes", "chases", "finds")
OBJECTS = ("a mouse", "the ball", "the sun", "some bread", "nothing at all")


def sentences(number: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    return [
        " ".join(str(draw.choice(words)) for words in (SUBJECTS, VERBS, OBJECTS)) + "." for _ in range(number)
    ]


def plain(texts: Sequence[str]) -> Examples:
    return Examples(tuple((Part(text),) for text in texts))


def trained(rows: Examples, weights: np.ndarray | None = None, **settings: object) -> Models:
    reading = NGram(**{"vocabulary": 320, **settings}).read(rows)  # type: ignore[arg-type]
    arms = np.ones((1, len(rows)), np.float32) if weights is None else weights.astype(np.float32)
    return next(iter(reading.fit(arms, np.zeros(len(arms), np.int64))))


ROWS = plain(sentences(150, seed=0))
ITEMS = plain([*sentences(20, seed=1), "Quite another thing: 42 €!", "", "猫 sees 狗"])
MODELS = trained(ROWS)


def model(seed: int, vocabulary: int = 9, order: int = 3) -> tuple[Trie, Tables]:
    """A small model of random rows."""
    draw = np.random.default_rng(seed)
    sizes = draw.integers(2, 9, 30)
    offsets = np.concatenate([[0], sizes.cumsum()])
    tokens = np.minimum(draw.integers(0, vocabulary, offsets[-1]), draw.integers(0, vocabulary, offsets[-1]))
    tokens[offsets[:-1]] = tokens[offsets[1:] - 1] = vocabulary - 1
    trie, longest = build_trie(tokens.astype(np.int32), offsets, vocabulary, order)
    predicted = np.ones(len(tokens), bool)
    predicted[offsets[:-1]] = False
    return trie, fit_tables(trie, longest, offsets, predicted, np.ones(30, np.float32))


def distribution(trie: Trie, tables: Tables, context: Sequence[int]) -> np.ndarray:
    """Chance of every token after a context, by scoring each."""
    rows = np.array([[*context, token] for token in range(trie.vocabulary)], np.int32)
    offsets = np.arange(len(rows) + 1) * rows.shape[1]
    wanted = np.zeros(rows.shape, bool)
    wanted[:, -1] = True
    bits = token_bits(tables, trie.locate(rows.ravel(), offsets), wanted.ravel(), trie.vocabulary)
    return np.asarray(2.0 ** -bits.reshape(rows.shape)[:, -1].astype(np.float64))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 5), st.lists(st.integers(0, 8), min_size=1, max_size=5), st.integers(1, 4))
def test_chances_sum_to_one_after_any_context(seed: int, context: list[int], order: int) -> None:
    trie, tables = model(seed, order=order)
    chances = distribution(trie, tables, context)
    assert chances.sum() == pytest.approx(1, abs=1e-5)
    assert (chances > 0).all()


def test_chances_of_weighted_rows_and_of_no_rows_sum_to_one() -> None:
    weights = np.random.default_rng(0).choice([0, 0.5, 1, 3], (2, len(ROWS)))
    weights[1] = 0
    models = trained(ROWS, weights)
    trie = models.counts.trie
    for tables in models.tables:
        chances = distribution(trie, tables, [models.counts.encoding.boundary, ord("t")])
        assert chances.sum() == pytest.approx(1, abs=1e-5)
    assert np.allclose(chances, 1 / trie.vocabulary)


def test_an_arm_is_the_model_of_its_rows_alone() -> None:
    """The trie holds rows of other arms; they must leave no trace."""
    weights = np.zeros((1, len(ROWS)))
    weights[0, :60] = 1
    encoding = MODELS.counts.encoding
    alone = trained(Examples(ROWS.parts[:60]), encoding=encoding)
    among = trained(ROWS, weights, encoding=encoding)
    assert np.allclose(alone.score(ITEMS).gain, among.score(ITEMS).gain, rtol=1e-5)
    assert alone.sample(20, Sampling(), 3) == among.sample(20, Sampling(), 3)


def test_counting_every_row_again_changes_nothing_and_counting_some_does() -> None:
    one = np.ones(len(ROWS))
    some = one.copy()
    some[:30] = 3
    gain = trained(ROWS, np.stack([one, 2.5 * one, some])).score(ITEMS).gain
    assert np.array_equal(gain[0], gain[1])
    assert not np.allclose(gain[0], gain[2])
    favoured = Examples(ROWS.parts[:30])
    gain = trained(ROWS, np.stack([one, some])).score(favoured).gain.sum(axis=1)
    assert gain[1] > gain[0]


def test_more_rows_score_better_and_noise_scores_worse() -> None:
    noise = ["".join(reversed(text)) for text in sentences(150, seed=5)]
    rows = plain([*sentences(150, seed=0), *noise])
    weights = np.zeros((4, 300))
    weights[0, :20] = weights[1, :60] = weights[2, :150] = weights[3, 150:] = 1
    gain = trained(rows, weights).score(plain(sentences(40, seed=9))).gain.sum(axis=1)
    assert gain[0] < gain[1] < gain[2]
    assert gain[3] < gain[0]


@pytest.mark.parametrize("unit", ["bpe", "words"])
def test_every_text_has_a_score_and_probabilities_of_texts_are_proper(unit: str) -> None:
    models = trained(ROWS, unit=unit)
    gain = models.score(ITEMS).gain
    assert gain.shape == (1, len(ITEMS))
    assert np.isfinite(gain).all()
    assert (gain < 0).all()
    # Different texts are different events.
    texts = sorted({f"{s} {v} {o}." for s in SUBJECTS for v in VERBS for o in OBJECTS})
    total = (2.0 ** models.score(plain(texts)).gain.astype(np.float64)).sum()
    assert 0.3 < total <= 1


def test_words_stay_whole_and_others_are_spelled() -> None:
    words = train_words(sentences(50, seed=0), 400)
    ids, _ = words.encode(["the cat sees the ball.", "the zebra"])
    assert words.decode(ids) == "the cat sees the ball.the zebra"
    assert [words.pieces[at] for at in ids[:3]] == [b"the", b" cat", b" sees"]
    assert words.pieces[ids[-1]] == b"a"


def test_a_prompt_is_read_and_not_scored() -> None:
    pairs = Examples(
        tuple((Part(f"Say {word}", learned=False), Part(word)) for word in ("yes", "no", "maybe") * 20)
    )
    models = trained(pairs, order=5)
    answers = models.score(pairs).gain
    assert -answers.sum() / pairs.learned_bytes().sum() < 1
    swapped = Examples(
        tuple((Part("Say no", learned=False), *row[1:]) for row in pairs.parts), rejected=pairs.parts
    )
    assert models.score(swapped).gain[0, 0] < answers[0, 0]
    texts = models.sample(0, Sampling(), 0, prompts=[row[:1] for row in pairs.parts])[0]
    said = sum(text == row[1].text for text, row in zip(texts, pairs.parts, strict=True))
    assert said > 45


def test_the_likelier_answer_per_byte_is_preferred() -> None:
    rows = tuple((Part("Q", learned=False), Part(text)) for text in sentences(20, seed=3))
    worse = tuple((Part("zzzz qqqq 999"),) for _ in rows)
    scored = MODELS.score(Examples(rows, rejected=worse))
    assert scored.preferred is not None
    assert scored.preferred.all()
    turned = Examples(
        tuple((row[0], lost[0]) for row, lost in zip(rows, worse, strict=True)),
        rejected=tuple((row[1],) for row in rows),
    )
    assert not MODELS.score(turned).preferred.any()  # type: ignore[union-attr]
    assert MODELS.score(ITEMS).preferred is None


def drawn(trie: Trie, tables: Tables, context: int, temperature: float, top_p: float) -> np.ndarray:
    """Shares of the first tokens of many draws after one token."""
    number = 40_000
    drawer = Drawer(trie, tables, temperature, top_p)
    seeds = np.random.default_rng(0).integers(0, 1 << 63, number, np.uint64)
    tokens, _ = drawer.draw(np.full(number, 1 + context, np.int32), seeds, boundary=-1, most=1)
    return np.bincount(tokens, minlength=trie.vocabulary) / number


@pytest.mark.parametrize(("temperature", "top_p"), [(1, 1), (0.6, 1), (1.7, 1), (1, 0.7), (0.6, 0.8)])
def test_draws_have_the_chances_they_should(temperature: float, top_p: float) -> None:
    trie, tables = model(seed=2)
    for context in (0, 3, 8):
        chances = distribution(trie, tables, [context]) ** (1 / temperature)
        chances /= chances.sum()
        order = np.argsort(-chances)
        within = np.searchsorted(chances[order].cumsum(), top_p) + 1
        chances[order[within:]] = 0
        chances /= chances.sum()
        shares = drawn(trie, tables, context, temperature, top_p)
        assert np.abs(shares - chances).max() < 0.012
        assert not shares[chances == 0].any()


def test_temperature_is_exact_after_every_context_and_zero_takes_the_likeliest() -> None:
    trie, tables = model(seed=4)
    best = likeliest(trie, tables)
    for temperature in (0.05, 0.5, 2.0):
        other = tempered(trie, tables, temperature)
        for context in [(at,) for at in range(9)] + [(8, 0), (0, 1), (1, 0)]:
            chances = distribution(trie, tables, context)
            powers = (chances / chances.max()) ** (1 / temperature)
            assert distribution(trie, other, context) == pytest.approx(powers / powers.sum(), abs=1e-5)
    for token in range(9):
        assert best[1 + token] == distribution(trie, tables, [token]).argmax()


def test_samples_look_like_the_rows_and_depend_on_the_seed_alone() -> None:
    texts = MODELS.sample(300, Sampling(), seed=7)[0]
    assert texts == MODELS.sample(300, Sampling(), seed=7)[0]
    assert texts != MODELS.sample(300, Sampling(), seed=8)[0]
    assert texts[:50] == MODELS.sample(50, Sampling(), seed=7)[0]
    whole = Counter(text.endswith(".") for text in texts)
    assert whole[True] > 250
    short = MODELS.sample(20, Sampling(most_tokens=3), seed=7)[0]
    assert max(map(len, short)) < max(map(len, texts))


def test_beams_find_a_text_likelier_per_token_than_greedy() -> None:
    encoding = MODELS.counts.encoding

    def mean(text: str) -> float:
        tokens = len(encoding.encode([text])[0]) + 1
        return float(MODELS.score(plain([text])).gain[0, 0]) / tokens

    greedy = MODELS.sample(1, Sampling(temperature=0), seed=0)[0][0]
    beams = MODELS.sample(2, Sampling(beams=8), seed=0)[0]
    assert beams[0] == beams[1]
    assert mean(beams[0]) >= mean(greedy)


def test_a_trie_holds_exactly_the_n_grams_of_its_rows() -> None:
    draw = np.random.default_rng(1)
    rows = [draw.integers(0, 5, size).tolist() for size in (1, 7, 0, 4, 9)]
    tokens = np.array([token for row in rows for token in row], np.int32)
    offsets = np.cumsum([0, *map(len, rows)])
    trie, longest = build_trie(tokens, offsets, 5, 4)
    grams = {
        tuple(row[at - size : at]) for row in rows for size in (2, 3, 4) for at in range(size, len(row) + 1)
    }
    assert trie.levels[-1] == 1 + 5 + len(grams)
    located = trie.locate(tokens, offsets)
    assert np.array_equal(located.max(axis=1), longest)
    assert (trie.locate(np.array([4, 4, 4, 4], np.int32), np.array([0, 4]))[0, 2:] == ABSENT).all()


def test_fits_pass_over_what_is_done_and_settings_are_checked() -> None:
    reading = NGram(vocabulary=300).read(ROWS)
    weights = np.ones((6, len(ROWS)), np.float32)
    done = np.array([True] * 4 + [False] * 2)
    blocks = list(reading.fit(weights, np.zeros(6, np.int64), done=done))
    assert [block.arms.tolist() for block in blocks] == [[4, 5]]
    expected = reading.expect(weights)
    assert len(expected) == 6
    assert expected[0].tokens == blocks[0].costs[0].tokens > 0
    assert expected[0].flops >= blocks[0].costs[0].flops > 0
    for wrong in ({"order": 0}, {"discount": 1.5}):
        with pytest.raises(InputError):
            NGram(**wrong)


def test_rows_of_nothing_are_read() -> None:
    models = trained(Examples(((), (Part(""),), (Part("a"),))), encoding=train_bpe(["abc"]))
    assert np.isfinite(models.score(plain(["a", "b"])).gain).all()
