"""The laws for small transformers trained from scratch, many at once."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from assay.core.errors import InputError, MissingExtra
from assay.models.gpt import GPT, GPTFitted, GPTReading
from assay.models.gpt_rows import Packed, Pieces, batch, order, tokenised, windows
from assay.models.gpt_shape import Shape
from assay.models.learner import Examples, Part, Sampling, Scored

torch = pytest.importorskip("torch")
pytest.importorskip("tokenizers")

SHAPE = Shape(
    depth=2,
    width=32,
    heads=2,
    vocabulary=320,
    context=32,
    batch=4,
    epochs=3,
    learning_rate=1e-2,
    hidden_learning_rate=1e-2,
)
WHO, DOES, WHAT = (
    ["the cat", "a dog", "my aunt", "that boy", "no one"],
    ["sees", "wants", "loves", "finds"],
    ["the moon", "red apples", "old books", "a small house", "ripe pears"],
)
ROWS = 160


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sentences(number: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [
        " and ".join(" ".join(str(rng.choice(words)) for words in (WHO, DOES, WHAT)) for _ in range(2)) + "."
        for _ in range(number)
    ]


def shuffled(texts: list[str]) -> list[str]:
    rng = np.random.default_rng(9)
    return [" ".join(rng.permutation(text.split())) for text in texts]


def plain(texts: list[str]) -> Examples:
    return Examples(tuple((Part(text),) for text in texts))


REAL = sentences(ROWS, seed=1)
TEST = plain(sentences(40, seed=2))
# All real rows, a quarter of them, as many rows of shuffled words; the second seed of the first arm; a repeated half.
WEIGHTS = np.zeros((5, 2 * ROWS), np.float32)
WEIGHTS[0, :ROWS] = WEIGHTS[1, : ROWS // 4] = WEIGHTS[2, ROWS:] = WEIGHTS[3, :ROWS] = 1
WEIGHTS[4, : ROWS // 2] = 1.5
SEEDS = np.array([7, 7, 7, 8, 7])


@cache
def reading() -> GPTReading:
    return GPT(shape=SHAPE, device="cpu").read(plain(REAL + shuffled(REAL)))


@cache
def fitted() -> GPTFitted:
    (block,) = reading().fit(WEIGHTS, SEEDS)
    return block


def bits(block: GPTFitted, scored: Scored) -> dict[int, float]:
    return dict(zip(block.arms.tolist(), -scored.gain.sum(axis=1).astype(float), strict=True))


def test_loss_falls_with_rows_and_words_in_disorder_teach_less() -> None:
    loss = bits(fitted(), fitted().score(TEST))
    assert loss[0] < 0.8 * loss[1]
    assert loss[1] < 8 * TEST.learned_bytes().sum()
    assert loss[0] < 0.8 * loss[2]


def test_alone_and_beside_others_an_arm_is_the_same() -> None:
    together = bits(fitted(), fitted().score(TEST))
    for arm in (0, 1, 4):
        (alone,) = reading().fit(WEIGHTS[[arm]], SEEDS[[arm]])
        assert bits(alone, alone.score(TEST))[0] == pytest.approx(together[arm], rel=1e-3)


def test_the_gradient_is_that_of_each_arms_mean_loss() -> None:
    from assay.models.gpt_training import Block, allowed, plans

    found, pieces = reading(), reading().pieces
    block = Block(found._network, pieces, plans(found._network, pieces, WEIGHTS, SEEDS), torch.device("cpu"))
    for number in range(4):  # what layers add starts at zero, and with it their gradient
        block.step(number)
    read = batch(pieces, [plan.packed for plan in block.plans], 0, 4, SHAPE.context)
    ours = block._gradient(block.weights, read)
    for arm in range(len(block.plans)):
        leaf = block.weights[[arm]].clone().requires_grad_()
        matrices = block.network.matrices(leaf)
        turns = block.network.turns(torch.arange(SHAPE.context))
        mask = allowed(torch.from_numpy(read.piece[[arm]]))
        hidden = block.network.hidden(matrices, torch.from_numpy(read.given[[arm]]), turns, mask)
        learned = torch.from_numpy(read.learned[arm]).flatten()
        logits = block.network.logits(matrices, hidden)[0, learned]
        loss = torch.nn.functional.cross_entropy(
            logits, torch.from_numpy(read.wanted[arm]).flatten()[learned]
        )
        loss.backward()
        torch.testing.assert_close(ours[[arm]], leaf.grad, rtol=1e-3, atol=1e-5)


def test_two_fits_are_equal_to_the_bit() -> None:
    again = list(reading().fit(WEIGHTS[:3], SEEDS[:3]))
    once_more = list(reading().fit(WEIGHTS[:3], SEEDS[:3]))
    assert torch.equal(again[0].weights, once_more[0].weights)


def test_seeds_differ_and_arms_of_a_seed_start_alike() -> None:
    none = np.zeros((3, 2 * ROWS), np.float32)
    (untrained,) = reading().fit(none, np.array([7, 8, 7]))
    first = dict(zip(untrained.arms.tolist(), untrained.weights, strict=True))
    assert torch.equal(first[0], first[2])
    assert not torch.equal(first[0], first[1])
    loss = bits(fitted(), fitted().score(TEST))
    assert loss[0] != loss[3]


def test_what_was_expected_is_what_it_cost() -> None:
    expected = reading().expect(WEIGHTS)
    for arm, cost in zip(fitted().arms, fitted().costs, strict=True):
        assert cost.flops == pytest.approx(expected[arm].flops, rel=0.05)
        assert expected[arm].seconds > 0
    by_arm = dict(zip(fitted().arms.tolist(), fitted().costs, strict=True))
    assert by_arm[0].tokens == reading().pieces.lengths[reading().pieces.row < ROWS].sum() * SHAPE.epochs
    assert by_arm[1].tokens < by_arm[4].tokens < by_arm[0].tokens


def test_the_prompt_is_context_and_neither_learned_nor_scored() -> None:
    prompt, answer = "the cat sees", " the moon and no one loves old books."
    block = fitted()

    def gain(first: bool, second: bool) -> Scored:
        return block.score(Examples(((Part(prompt, first), Part(answer, second)),)))

    both, only_prompt, only_answer = gain(True, True), gain(True, False), gain(False, True)
    np.testing.assert_allclose(both.gain, only_prompt.gain + only_answer.gain, rtol=1e-4)
    assert only_answer.decisions is not None
    assert only_answer.decisions[0] == len(block.bpe.encode([answer])[0]) + 1
    read_nothing = block.score(Examples(((Part(prompt, False), Part(answer, False)),)))
    assert not read_nothing.gain.any()
    rows = Examples(tuple((Part(text, False),) for text in REAL))
    (untouched,) = GPT(shape=SHAPE, device="cpu").read(rows).fit(np.ones((1, ROWS), np.float32), SEEDS[:1])
    assert untouched.costs[0].tokens == 0


def test_a_prompt_changes_what_is_expected_of_the_answer() -> None:
    with_prompt = fitted().score(Examples(((Part("the cat", False), Part(" sees the moon.")),)))
    without = fitted().score(plain([" sees the moon."]))
    assert (with_prompt.gain != without.gain).all()


def test_rows_in_one_sequence_do_not_see_each_other() -> None:
    texts = ["the cat sees", "a dog", "no", "old books and ripe pears."]
    together = fitted().score(plain(texts))
    for place, text in enumerate(texts):
        alone = fitted().score(plain([text]))
        np.testing.assert_allclose(together.gain[:, place], alone.gain[:, 0], rtol=1e-4)


def test_chances_of_texts_never_sum_above_one() -> None:
    block = fitted()
    pieces = [piece.decode() for piece in block.bpe.pieces if piece and max(piece) < 128]
    scored = block.score(plain(["", *pieces]))
    total = (2.0 ** scored.gain.astype(float)).sum(axis=1)
    assert (total <= 1 + 1e-5).all()
    assert (total > 0).all()


def test_an_untrained_model_knows_nothing_and_says_so() -> None:
    (block,) = reading().fit(np.zeros((1, 2 * ROWS), np.float32), SEEDS[:1])
    scored = block.score(TEST)
    assert scored.decisions is not None
    assert scored.over is not None
    per_token = -scored.gain.sum() / scored.decisions.sum()
    assert per_token == pytest.approx(np.log2(block.bpe.vocabulary), rel=0.05)
    assert not scored.over[:, :, 5:].any()
    assert np.abs(scored.over.sum()) < 0.1 * scored.decisions.sum()


def test_long_rows_lose_no_token() -> None:
    text = " and ".join(sentences(12, seed=3))
    scored = fitted().score(plain([text, "short"]))
    tokens = [len(fitted().bpe.encode([each])[0]) + 1 for each in (text, "short")]
    assert scored.decisions is not None
    assert scored.decisions.tolist() == tokens
    assert tokens[0] > 3 * SHAPE.context


@pytest.mark.parametrize("length", [1, 31, 32, 33, 56, 57, 300])
def test_windows_hold_every_place_anew_once(length: int) -> None:
    found = windows(length, 32)
    assert [place for _, new, end in found for place in range(new, end)] == list(range(length))
    assert all(end - start <= 32 and start <= new for start, new, end in found)
    assert all(new - start >= 8 for start, new, _ in found[1:])


def test_a_pair_prefers_words_in_order() -> None:
    texts = sentences(30, seed=4)
    wrong = shuffled(texts)
    scored = fitted().score(Examples(plain(texts).parts, rejected=plain(wrong).parts))
    arm = int(np.flatnonzero(fitted().arms == 0)[0])
    assert scored.preferred is not None
    assert scored.preferred[arm].mean() > 0.9


def test_packing_places_every_piece_once_and_within_a_sequence() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 33, 200)
    placed = Packed.fill(rng.permutation(200), lengths, 32)
    assert sorted(placed.piece) == list(range(200))
    used = np.zeros((placed.sequences, 32), int)
    for piece, sequence, offset in zip(placed.piece, placed.sequence, placed.offset, strict=True):
        used[sequence, offset : offset + lengths[piece]] += 1
    assert used.max() == 1
    assert used.mean() > 0.9
    assert (np.diff(placed.sequence) >= 0).all()


def test_a_batch_holds_the_tokens_of_its_pieces() -> None:
    pieces = reading().pieces
    placed = Packed.fill(np.arange(20), pieces.lengths, SHAPE.context)
    read = batch(pieces, [placed, placed], 0, placed.sequences + 1, SHAPE.context)
    for piece in range(20):
        held = read.piece == piece
        own = slice(pieces.starts[piece], pieces.starts[piece + 1])
        np.testing.assert_array_equal(read.given[held], np.tile(pieces.given[own], 2))
        np.testing.assert_array_equal(read.wanted[held], np.tile(pieces.wanted[own], 2))
    assert (read.piece[:, -1] == -1).all()
    assert not read.learned[read.piece == -1].any()


def test_orders_are_nested_and_weights_are_counts() -> None:
    pieces = reading().pieces
    large, small = WEIGHTS[0], WEIGHTS[1]
    of_large, of_small = (order(pieces, each, 7, 3) for each in (large, small))
    shared = np.isin(pieces.row[of_large], np.flatnonzero(small))
    np.testing.assert_array_equal(of_large[shared], of_small)
    rows = np.bincount(pieces.row[order(pieces, 2 * small, 7, 3)], minlength=pieces.rows)
    whole = np.bincount(pieces.row, minlength=pieces.rows)
    np.testing.assert_array_equal(rows, 6 * small * whole)
    some = np.bincount(pieces.row[order(pieces, 0.25 * large, 7, 40)], minlength=pieces.rows)
    assert some.sum() == pytest.approx(10 * (whole * large).sum(), rel=0.1)


def greedy_by_hand(block: GPTFitted, arm: int, prompt: str, most: int) -> str:
    """The likeliest token again and again, every time from the beginning."""
    from assay.models.gpt_training import allowed

    matrices = block.network.matrices(block.weights[[arm]])
    ((tokens, _),) = tokenised([[Part(prompt)]], block.bpe)
    written = tokens.tolist()
    for _ in range(most):
        given = torch.tensor(written)[None, None, -SHAPE.context :]
        turns = block.network.turns(torch.arange(given.shape[2]))
        hidden = block.network.hidden(matrices, given, turns, allowed(torch.zeros_like(given)))
        token = int(block.network.logits(matrices, hidden)[0, -1].argmax())
        if token == block.bpe.boundary:
            break
        written.append(token)
    return block.bpe.decode(written[len(tokens) :])


def test_at_temperature_zero_the_likeliest_token_is_taken() -> None:
    block = fitted()
    prompts = ["the cat", "my aunt wants red apples and"]
    drawn = block.sample(2, Sampling(temperature=0, most_tokens=12), 0, [[Part(text)] for text in prompts])
    for arm in range(len(block.arms)):
        for prompt, text in zip(prompts, drawn[arm], strict=True):
            assert text == greedy_by_hand(block, arm, prompt, 12)


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    block, sampling = fitted(), Sampling(most_tokens=24)
    three = block.sample(3, sampling, 5)
    assert block.sample(1, sampling, 5) == [arm[:1] for arm in three]
    assert block.sample(3, sampling, 6) != three
    (alone,) = reading().fit(WEIGHTS[[2]], SEEDS[[2]])
    arm = int(np.flatnonzero(block.arms == 2)[0])
    assert alone.sample(2, sampling, 5)[0] == three[arm][:2]
    assert len(set(three[arm])) == 3


def test_arms_of_a_seed_share_their_draws_and_seeds_do_not() -> None:
    (untrained,) = reading().fit(np.zeros((3, 2 * ROWS), np.float32), np.array([7, 7, 8]))
    untrained.weights[:] = untrained.weights[0]
    first, same, other = untrained.sample(2, Sampling(most_tokens=12), 0)
    assert first == same
    assert first != other


def test_tokens_may_be_learned_before() -> None:
    again = GPT(shape=SHAPE, encoding=reading().bpe, device="cpu").read(plain(["quite other text"]))
    assert again.bpe is reading().bpe


def test_text_goes_on_beyond_the_context() -> None:
    (long,) = fitted().sample(1, Sampling(most_tokens=90, top_p=0.9), 1, [[Part("the cat sees " * 20)]])[:1]
    assert isinstance(long[0], str)
    assert len(fitted().sample(4, Sampling(most_tokens=90), 1)) == len(fitted().arms)


def test_a_beam_as_wide_as_the_vocabulary_finds_the_likeliest_text() -> None:
    from assay.models.gpt_sampling import _Writer

    block, end = fitted(), fitted().bpe.boundary
    wide = Sampling(beams=block.bpe.vocabulary, most_tokens=2)
    ((prompt, _),) = tokenised([[Part("a dog loves")]], block.bpe)
    for arm in range(2):
        weights = block.weights[[arm]]
        first = _Writer(block.network, weights, [prompt], end, Sampling()).chances[0]
        every = [np.append(prompt, token) for token in range(block.bpe.vocabulary)]
        second = _Writer(block.network, weights, every, end, Sampling()).chances
        pairs = (first[:, None] + second) / 2
        pairs[end] = first[end]
        best = divmod(int(pairs.argmax()), block.bpe.vocabulary)
        found = _Writer(block.network, weights, [prompt], end, wide).search()[0, 0].tolist()
        assert found[0] == best[0]
        assert best[0] == end or found[1] == best[1]


def test_tokens_are_drawn_by_their_chances() -> None:
    from assay.models.gpt_sampling import _pick

    chances = torch.tensor([0.1, 0.6, 0.05, 0.25])
    draws = (torch.arange(1000) + 0.5) / 1000
    logs = chances.log().expand(1000, -1)
    shares = torch.bincount(_pick(logs, draws, Sampling()), minlength=4) / 1000
    torch.testing.assert_close(shares, chances, atol=0.002, rtol=0)
    nucleus = torch.bincount(_pick(logs, draws, Sampling(top_p=0.8)), minlength=4) / 1000
    torch.testing.assert_close(nucleus, torch.tensor([0, 0.6, 0, 0.25]) / 0.85, atol=0.002, rtol=0)
    assert (_pick(logs, draws, Sampling(temperature=0)) == 1).all()


def test_the_dial_sets_the_rest() -> None:
    shapes = [Shape.of(depth) for depth in (1, 2, 3, 6, 12)]
    sizes = [shape.parameters(shape.vocabulary) for shape in shapes]
    assert sizes == sorted(sizes)
    assert 1e6 < sizes[2] < 2e6
    network_sizes = sum(rows * columns for rows, columns in fitted().network.sizes)
    assert network_sizes == SHAPE.parameters(fitted().bpe.vocabulary) == fitted().weights.shape[1]
    with pytest.raises(InputError, match="1 to 32"):
        Shape.of(0)
    with pytest.raises(InputError, match="heads"):
        replace(SHAPE, width=30)


def test_wrong_use_is_named() -> None:
    with pytest.raises(InputError, match="top_p=0"):
        fitted().sample(1, Sampling(top_p=0), 0)
    with pytest.raises(InputError, match="needs rows"):
        GPT(shape=SHAPE).read(Examples(()))


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"assay\[train\]"):
        GPT().read(plain(["text"]))


def test_naming_the_learner_loads_no_torch() -> None:
    code = "import sys, assay.models.gpt; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pieces_of_any_script_come_back_whole() -> None:
    rows = [[Part("日本語のテキスト "), Part("और हिन्दी 🙂", learned=True)], [Part("", learned=True)]]
    pieces = Pieces.cut(rows, reading().bpe, 16)
    assert pieces.learned.sum() == len(reading().bpe.encode(p.text for p in rows[0])[0]) + 3
