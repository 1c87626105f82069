"""What must hold of fine-tuning, on models made here: a few thousand random weights and a tokenizer of their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from assay.core.errors import EngineError, InputError
from assay.models.encoding import Encoder, windows
from assay.models.finetune import Finetune, Tuned, Tuning
from assay.models.learner import Examples, Part, Sampling, Scored
from assay.models.likelihoods import open_scorer
from assay.models.pretrained import open_base
from assay.models.schedule import schedule

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("peft")

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
PROSE = [
    "the cat sat on the mat and the cat saw the rat",
    "the rat ran to the mat and sat on the cat",
    "the cat and the rat sat on the mat",
    "a rat sat on a mat and saw a cat",
]
OTHER = ["zebra quilts vex jumpy foxglove", "quick wizards jinx blighted kvass"]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny(folder: Path, kind: str = "llama") -> Path:
    """A random model and a byte-level tokenizer, as safetensors in `folder`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=MARKS, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(PROSE * 5, trainer)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=MARKS[1], eos_token=MARKS[2], pad_token=MARKS[2]
    )
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    if kind == "llama":
        config = transformers.LlamaConfig(
            vocab_size=len(fast),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=256,
            tie_word_embeddings=True,
            initializer_range=0.2,  # so that adapters have something to work with
        )
    else:
        config = transformers.GPT2Config(
            vocab_size=len(fast), n_embd=32, n_layer=2, n_head=2, n_positions=256, initializer_range=0.2
        )
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny(tmp_path_factory.mktemp("llama")))


@pytest.fixture(scope="module")
def encoder(base: str) -> Encoder:
    return Encoder(open_base(base, device="cpu").tokenizer)


def learner(base: str, **changes: Any) -> Finetune:
    plain = Finetune(base, rank=4, epochs=4, learning_rate=2e-2, batch=4, most_tokens=64, device="cpu")
    return replace(plain, **changes)


def texts(*rows: str) -> Examples:
    return Examples(tuple((Part(row),) for row in rows))


def trained(reading: Tuning, weights: npt.ArrayLike, seeds: npt.ArrayLike | None = None) -> list[Tuned]:
    arms = np.asarray(weights, np.float32)
    return list(reading.fit(arms, np.zeros(len(arms), np.int64) if seeds is None else np.asarray(seeds)))


def same(one: Scored, other: Scored) -> bool:
    assert one.over is not None
    assert other.over is not None
    return np.array_equal(one.gain, other.gain) and np.array_equal(one.over, other.over)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
@pytest.mark.parametrize("method", ["lora", "full"])
def test_training_on_text_makes_it_likelier(tmp_path: Path, kind: str, method: str) -> None:
    reading = learner(str(tiny(tmp_path, kind)), method=method, epochs=8).read(texts(*PROSE))
    untrained, arm = (fit.score(texts(*PROSE)) for fit in trained(reading, [[0] * 4, [1] * 4]))
    assert (arm.gain > 0.8 * untrained.gain).all()


def test_bits_are_those_of_the_model_itself(base: str) -> None:
    """Against one forward pass over the row as transformers alone would make it."""
    opened = open_base(base, device="cpu")
    ids = [0, *opened.tokenizer(PROSE[0], add_special_tokens=False)["input_ids"]]
    logs = opened.model(input_ids=torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    nats = -logs[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
    (arm,) = trained(learner(base).read(texts(PROSE[0])), [[0]])
    scored = arm.score(texts(PROSE[0], "x", PROSE[1]))
    np.testing.assert_allclose(-scored.gain[0, 0], float(nats.sum().detach()) / np.log(2), rtol=1e-5)
    assert scored.over is not None
    right = logs.argmax(-1) == torch.tensor(ids[1:])
    over = (logs.exp().amax(-1) - right.float()).sum()
    np.testing.assert_allclose(scored.over[0, 0].sum(), float(over.detach()), rtol=1e-4)


def test_a_base_is_asked_as_it_is(base: str) -> None:
    rows = Examples(((Part(PROSE[0]),), (Part("the cat", learned=False), Part(" sat on the mat"))))
    asked = open_scorer(base, device="cpu").score(rows)
    [untrained] = trained(learner(base).read(texts(*PROSE)), [[0.0] * len(PROSE)])
    assert np.array_equal(asked.gain, untrained.score(rows).gain)
    assert (asked.gain < 0).all()


def test_one_arm_knows_nothing_of_another(base: str) -> None:
    for method in ("lora", "full"):
        reading = learner(base, method=method, epochs=1, learning_rate=1e-2).read(texts(*PROSE, *OTHER))
        here, there = [1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]
        first = trained(reading, [here, there])[0].score(texts(*PROSE))
        last = trained(reading, [there, there, here])[2].score(texts(*PROSE))
        assert same(first, last)


def test_adapters_leave_the_base_as_it_was(base: str) -> None:
    reading = learner(base).read(texts(*PROSE))

    def frozen() -> dict[str, Any]:
        return {
            name: weight.clone()
            for name, weight in reading.base.model.state_dict().items()
            if "lora_" not in name
        }

    before = frozen()
    trained(reading, [[1] * 4, [2] * 4])
    after = frozen()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_an_arm_can_be_scored_after_others_were_trained(base: str) -> None:
    for method in ("lora", "full"):
        reading = learner(base, method=method, epochs=1).read(texts(*PROSE, *OTHER))
        at_once = []
        kept = []
        for fit in reading.fit(np.eye(6, dtype=np.float32)[:3] * 4, np.zeros(3, np.int64)):
            at_once.append(fit.score(texts(*OTHER)))
            kept.append(fit)
        assert all(same(one, fit.score(texts(*OTHER))) for one, fit in zip(at_once, kept, strict=True))


def test_same_seed_same_numbers_another_seed_others(base: str) -> None:
    one, two = (trained(learner(base, epochs=1).read(texts(*PROSE)), [[1] * 4] * 2, [7, 8]) for _ in range(2))
    scores = [[fit.score(texts(*OTHER)) for fit in fits] for fits in (one, two)]
    assert same(scores[0][0], scores[1][0])
    assert same(scores[0][1], scores[1][1])
    assert not same(scores[0][0], scores[0][1])
    draws = [fits[0].sample(3, Sampling(most_tokens=12), 5) for fits in (one, two)]
    assert draws[0] == draws[1]


def test_rows_of_weight_zero_change_nothing(base: str) -> None:
    one, other = (
        trained(learner(base).read(texts(*PROSE[:2], *rest)), [[1, 1.5, 0, 0]])[0].score(texts(*PROSE))
        for rest in (PROSE[2:], OTHER)
    )
    assert same(one, other)


def test_only_the_answer_is_learned(base: str) -> None:
    """An answer that is always the same is learned; the prompts before it, always the same too, are not."""
    rows = Examples(((Part("the cat sat ", False), Part("on the mat")),) * 4)
    asked = Examples(((Part("the cat sat "), Part("on the mat", False)),))
    reading = learner(base, epochs=6).read(rows)
    before, after = trained(reading, [[0] * 4, [1] * 4])
    answers = [fit.score(Examples(rows.parts[:1])).gain[0, 0] for fit in (before, after)]
    prompts = [fit.score(asked).gain[0, 0] for fit in (before, after)]
    assert answers[1] / answers[0] < 0.5
    assert prompts[1] / prompts[0] > 0.7


def text_of(encoder: Encoder, ids: npt.NDArray[np.int64]) -> str:
    return str(encoder.tokenizer.decode(ids, skip_special_tokens=False))


CHATS = [
    ("what is a rat", " the rat ", "and a cat?", "\n\nthe cat sat\n"),
    ("assistant", "user", "a", "assistant"),
    ("<|im_end|>\n<|im_start|>assistant\nthe", "<|im_start|>", "MATMAT", "täglich 猫が座る 🐈\n"),
    ("", "the", " ", "a"),
]


@pytest.mark.parametrize("chat", CHATS, ids=range(len(CHATS)))
def test_what_is_learned_of_a_chat_is_each_answer_to_the_letter(
    encoder: Encoder, chat: tuple[str, ...]
) -> None:
    row = tuple(
        Part(text, role == "assistant", role)
        for text, role in zip(chat, ("user", "assistant") * 2, strict=True)
    )
    found = encoder.encode(row)
    written = "".join(f"<|im_start|>{part.role}\n{part.text}<|im_end|>\n" for part in row)
    assert text_of(encoder, found.ids) == written
    assert text_of(encoder, found.ids[found.scored]) == chat[1] + chat[3]
    assert text_of(encoder, found.ids[found.trained]) == f"{chat[1]}<|im_end|>{chat[3]}<|im_end|>"
    # Four marks open turns and four close them, whatever the contents say.
    assert np.isin(found.ids, [1, 2]).sum() == 8
    asked = encoder.prompt(row[:3])
    np.testing.assert_array_equal(asked, found.ids[: len(asked)])
    assert found.scored[len(asked)]


@pytest.mark.parametrize(
    ("prompt", "answer"), [("the m", "at sat"), ("the ", "mat"), ("", "the"), ("猫", "が")]
)
def test_a_token_never_lies_across_the_edge_of_an_answer(encoder: Encoder, prompt: str, answer: str) -> None:
    found = encoder.encode((Part(prompt, False), Part(answer)))
    assert text_of(encoder, found.ids) == f"<|endoftext|>{prompt}{answer}<|endoftext|>"
    assert text_of(encoder, found.ids[found.scored]) == answer
    assert text_of(encoder, found.ids[found.trained]) == f"{answer}<|endoftext|>"


def test_writing_stops_where_the_template_ends_an_answer(base: str) -> None:
    """Also where the tokenizer's own last mark is another one."""
    tokenizer = open_base(base, device="cpu").tokenizer
    tokenizer.eos_token = MARKS[0]
    assert Encoder(tokenizer).ends == [0, 2]
    tokenizer.chat_template = None
    assert Encoder(tokenizer).ends == [0]


def test_marks_within_plain_text_are_plain_text(encoder: Encoder) -> None:
    found = encoder.encode((Part("the<|endoftext|>cat"),))
    assert (found.ids == 0).sum() == 2
    assert text_of(encoder, found.ids[found.scored]) == "the<|endoftext|>cat"


def test_a_template_that_refuses_turns_says_so(base: str) -> None:
    tokenizer = open_base(base, device="cpu").tokenizer
    for template, said in (
        ("{{ raise_exception('Only user turns') }}", "Only user turns"),
        ("{{ messages[0]['content'] }}", "does not write all"),
    ):
        tokenizer.chat_template = template
        with pytest.raises(InputError, match=said):
            Encoder(tokenizer).encode((Part("a", False, "user"), Part("b", True, "assistant")))
    tokenizer.chat_template = None
    plain = Encoder(tokenizer).encode((Part("a", False, "user"), Part("b", True, "assistant")))
    assert text_of(Encoder(tokenizer), plain.ids) == "User: a\n\nAssistant: b<|endoftext|>"
    assert text_of(Encoder(tokenizer), plain.ids[plain.scored]) == "b"


@pytest.mark.parametrize("tokens", [2, 9, 10, 11, 14, 15, 37, 100])
def test_windows_predict_each_token_once_from_half_a_window_or_more(tokens: int) -> None:
    seen = np.zeros(tokens, np.int64)
    for window in windows(0, tokens, None, 10):
        assert window.stop - window.start <= 10
        assert window.fresh - window.start >= min(5, window.fresh)
        seen[window.fresh : window.stop] += 1
    assert seen[0] == 0
    assert (seen[1:] == 1).all()


def test_a_long_row_is_scored_whole_whatever_the_window(base: str) -> None:
    row = " ".join(PROSE * 3)
    ids = len(open_base(base, device="cpu").tokenizer(row)["input_ids"])
    wide, narrow = (
        trained(learner(base, most_tokens=most).read(texts(*PROSE)), [[1] * 4])[0].score(texts(row, "the"))
        for most in (256, 32)
    )
    for scored in (wide, narrow):
        assert scored.decisions is not None
        assert scored.decisions[0] == ids
    np.testing.assert_allclose(wide.gain, narrow.gain, rtol=0.15)


def labelled(rng: np.random.Generator, number: int) -> Examples:
    labels = rng.integers(2, size=number)
    words = (["cat", "mat"], ["rat", "saw"])
    rows = [" ".join(rng.choice([*words[label], "the", "and"], size=8)) for label in labels]
    return Examples(tuple((Part(row),) for row in rows), labels.astype(np.int64), 2)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_separable_set_is_learned(base: str, method: str) -> None:
    rng = np.random.default_rng(0)
    rows, items = labelled(rng, 40), labelled(rng, 30)
    reading = learner(base, method=method, learning_rate=1e-2, batch=8, epochs=6).read(rows)
    before, after = trained(reading, [[0] * 40, [1] * 40])
    scored = after.score(items)
    assert scored.gain.mean() >= 0.9
    assert scored.over is not None
    assert scored.decisions is not None
    assert (scored.decisions == 1).all()
    assert ((scored.over[0] != 0).sum(axis=1) <= 1).all()
    # Without training the classes are even: confidence one half, in the eighth of fifteen bins.
    untrained = before.score(items)
    assert untrained.over is not None
    np.testing.assert_allclose(untrained.over[0][:, 7], 0.5 - untrained.gain[0], atol=1e-6)
    with pytest.raises(EngineError, match="writes no text"):
        after.sample(1, Sampling(), 0)
    with pytest.raises(InputError, match="have none"):
        after.score(texts("the cat"))


def test_a_label_is_learned_from_a_row_longer_than_the_window(base: str) -> None:
    rng = np.random.default_rng(1)
    rows = labelled(rng, 24)
    reading = learner(base, most_tokens=12, learning_rate=1e-2, epochs=6).read(rows)
    (arm,) = trained(reading, [[1] * 24])
    assert arm.score(rows).gain.mean() >= 0.9


def pairs(number: int) -> Examples:
    asked = Part("the cat ", False)
    good, bad = Part("sat on the mat"), Part("saw a rat run")
    return Examples(((asked, good),) * number, rejected=((bad,),) * number)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_planted_preference_is_learned_and_its_reverse_too(base: str, method: str) -> None:
    rows = pairs(8)
    turned = Examples(rows.losing().parts, rejected=tuple((row[-1],) for row in rows.parts))
    for given, wanted in ((rows, True), (turned, False)):
        reading = learner(base, method=method, epochs=6, learning_rate=5e-3).read(given)
        before, after = (fit.score(pairs(1)) for fit in trained(reading, [[0] * 8, [1] * 8]))
        assert after.preferred is not None
        assert after.preferred.tolist() == [[wanted]]
        assert (after.gain[0, 0] > before.gain[0, 0]) == wanted


def test_the_gradient_of_pairs_is_that_of_the_loss_as_published(base: str) -> None:
    """In one graph, -log sigmoid(beta * margin) by torch's own hand."""
    reading = learner(base, method="full").read(pairs(1))
    objective, model = reading._objective, reading.base.model
    reading.tunable.reset(0)
    objective.prepare()
    with torch.no_grad():  # away from the base, where the margin is zero
        torch.manual_seed(3)
        for weight in reading.tunable.changeable():
            weight += 0.05 * torch.randn_like(weight)
    objective.backward(np.array([0]))
    ours = model.get_input_embeddings().weight.grad.clone()
    model.zero_grad()

    def likelihood(parts: tuple[Part, ...]) -> Any:
        row = reading.encoder.encode(parts)
        logs = model(input_ids=torch.tensor(row.ids[None])).logits[0, :-1].log_softmax(-1)
        nats = logs[torch.arange(len(row.ids) - 1), torch.tensor(row.ids[1:])]
        return nats[torch.tensor(row.trained[1:])].sum()

    row = pairs(1)
    margin = likelihood(row.parts[0]) - likelihood(row.losing().parts[0])
    reference = float(objective.reference[0])  # type: ignore[attr-defined]
    (-torch.nn.functional.logsigmoid(0.1 * (margin - reference))).backward()
    assert torch.allclose(ours, model.get_input_embeddings().weight.grad, rtol=1e-3, atol=1e-6)


def test_a_step_does_not_depend_on_how_many_rows_fit_into_a_pass(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.models import passes

    one = trained(learner(base, epochs=1).read(texts(*PROSE)), [[1] * 4])[0].score(texts(*PROSE))
    monkeypatch.setattr(passes, "_TOKENS_AT_ONCE", {"cpu": 1})
    other = trained(learner(base, epochs=1).read(texts(*PROSE)), [[1] * 4])[0].score(texts(*PROSE))
    np.testing.assert_allclose(one.gain, other.gain, rtol=1e-3)


def test_weights_are_how_often_a_row_is_seen() -> None:
    weights = np.array([0, 1, 2.5, 0.3] * 50, np.float32)
    for epochs in (1, 4):
        seen = np.bincount(schedule(weights, epochs, 3), minlength=200)
        assert (abs(seen - epochs * weights) < 1).all()
        assert abs(seen.sum() - epochs * weights.sum()) <= 10
    often = sum(np.bincount(schedule(weights, 1, seed), minlength=200) for seed in range(200)) / 200
    np.testing.assert_allclose(often, weights, atol=0.15)


def test_arms_of_one_seed_see_the_rows_they_share_in_one_order() -> None:
    both = schedule(np.ones(60, np.float32), 2, 5)
    half = schedule((np.arange(60) < 30).astype(np.float32), 2, 5)
    np.testing.assert_array_equal(both[both < 30], half)
    assert not np.array_equal(both, schedule(np.ones(60, np.float32), 2, 6))


def test_cost_is_known_before_and_does_not_touch_the_arms(base: str) -> None:
    weights = np.array([[1, 1, 1, 1], [2, 0, 0, 0], [0, 0, 0, 0]], np.float32)
    reading = learner(base, epochs=2).read(texts(*PROSE))
    expected = reading.expect(weights)
    fits = trained(reading, weights)
    alone = trained(learner(base, epochs=2).read(texts(*PROSE)), weights)
    assert same(fits[0].score(texts(*OTHER)), alone[0].score(texts(*OTHER)))
    for cost, fit in zip(expected, fits, strict=True):
        assert cost.tokens == fit.costs[0].tokens
        assert cost.flops == pytest.approx(fit.costs[0].flops)
    assert expected[0].seconds > 0
    assert expected[2].seconds == expected[2].tokens == 0
    every, changed = reading.tunable.parameters
    assert expected[0].flops == expected[0].tokens * (4 * every + 2 * changed)


def test_what_was_learned_is_written(base: str) -> None:
    rows = Examples(
        ((Part("what sat?", False, "user"), Part("the cat sat on the mat", True, "assistant")),) * 4
    )
    (arm,) = trained(learner(base, method="full", epochs=12, learning_rate=1e-2).read(rows), [[2] * 4])
    asked = [(Part("what sat?", False, "user"),)] * 3
    for sampling in (
        Sampling(temperature=0, most_tokens=24),
        Sampling(beams=3, most_tokens=24),
        Sampling(temperature=0.05, top_p=0.5, most_tokens=24),
    ):
        assert arm.sample(3, sampling, 0, asked) == [["the cat sat on the mat"] * 3]
    assert [len(found) for found in arm.sample(5, Sampling(most_tokens=4), 0)] == [5]
    assert arm.sample(0, Sampling(), 0, []) == [[]]
    with pytest.raises(InputError, match="longer than the 256"):
        arm.sample(1, Sampling(most_tokens=400), 0)


def test_hot_draws_differ_and_the_callers_random_numbers_stay(base: str) -> None:
    (arm,) = trained(learner(base).read(texts(*PROSE)), [[0] * 4])
    torch.manual_seed(1)
    wanted = torch.rand(1)
    torch.manual_seed(1)
    first, second = (arm.sample(4, Sampling(most_tokens=12), seed)[0] for seed in (0, 1))
    assert torch.equal(torch.rand(1), wanted)
    assert len({*first, *second}) == 8


def test_empty_rows_cost_nothing_and_break_nothing(base: str) -> None:
    rows = Examples(((Part(""),), (), (Part("the", False),), (Part("the cat"),)))
    (arm,) = trained(learner(base).read(rows), [[1] * 4])
    scored = arm.score(rows)
    assert scored.decisions is not None
    assert (scored.gain[0] < 0).tolist() == [False, False, False, True]
    assert (scored.decisions > 0).tolist() == [False, False, False, True]


def test_settings_that_cannot_be_are_refused() -> None:
    for wrong in ({"method": "half"}, {"rank": 0}, {"learning_rate": 2.0}, {"most_tokens": 1}):
        with pytest.raises(InputError):
            Finetune(**wrong)


def test_a_training_that_diverges_is_an_error(base: str) -> None:
    reading = learner(base, method="full", epochs=200, learning_rate=0.99).read(texts(*PROSE))
    with torch.no_grad():
        reading.base.model.get_input_embeddings().weight.fill_(float("inf"))
    reading.tunable._first = {}
    with pytest.raises(EngineError, match="diverged at step 1"):
        trained(reading, [[1] * 4])
