"""Opening a model to start from: what is refused, what is never fetched, and the packaged one from end to end."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.errors import EngineError, InputError, MissingExtra
from assay.models import pretrained
from assay.models.finetune import Finetune
from assay.models.learner import Examples, Part, Sampling
from assay.models.pretrained import base_folder, cache_folder, open_base
from tests.laws.test_finetune import one_thread, tiny  # noqa: F401  (the first is a fixture)

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

# Converting the packaged model takes half a minute, so the tests wait until somebody has used it once.
READY = any(cache_folder().glob(f"SmolLM2-135M-Instruct*/{pretrained._RECORD}"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny(tmp_path)


def test_a_pickle_is_refused_and_the_way_out_is_told(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"pytorch_model.bin is a pickle.*\n.*save_pretrained"):
        open_base(str(folder), device="cpu")


def test_a_pickle_beside_safetensors_is_left_alone(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04not to be read")
    assert open_base(str(folder), device="cpu").context == 256


def test_what_is_no_model_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(InputError, match=r"no config\.json"):
        open_base(str(empty))
    (empty / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no safetensors"):
        open_base(str(empty))
    (empty / "adapter_config.json").write_text("{}")
    with pytest.raises(InputError, match="an adapter, not a model"):
        open_base(str(empty))
    with pytest.raises(InputError, match="no model 'owner/name'"):
        open_base("owner/name")
    with pytest.raises(InputError, match="names no model"):
        open_base("hf://name")


def test_damaged_weights_are_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be opened"):
        open_base(str(folder), device="cpu")
    from safetensors.torch import load_file, save_file

    weights.write_bytes(whole)
    tensors = load_file(weights)
    tensors.pop("model.norm.weight")
    save_file(tensors, weights, {"format": "pt"})
    with pytest.raises(InputError, match=r"1 weights are missing, such as model\.norm\.weight"):
        open_base(str(folder), device="cpu")


def test_a_model_that_reads_ahead_is_refused(folder: Path) -> None:
    config = transformers.BertConfig(
        vocab_size=320,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.2,
    )
    transformers.BertLMHeadModel(config).save_pretrained(folder)
    with pytest.raises(InputError, match="reads ahead"):
        open_base(str(folder), device="cpu")


def test_the_fingerprint_is_of_all_that_makes_the_model(folder: Path) -> None:
    first = open_base(str(folder), device="cpu").sha256
    assert open_base(str(folder), device="cpu").sha256 == first
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rms_norm_eps": 1e-3}))
    assert open_base(str(folder), device="cpu").sha256 != first


def test_the_hub_is_asked_only_for_an_address_and_never_for_pickles(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def snapshot(name: str, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((name, revision))
        assert not any("bin" in pattern or pattern.endswith((".py", "*")) for pattern in allow_patterns)
        if name == "owner/none":
            raise OSError("404")
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    open_base(str(folder), device="cpu")
    assert asked == []
    assert base_folder("hf://owner/name@v1.0") == folder
    assert asked == [("owner/name", "v1.0")]
    with pytest.raises(EngineError, match="the hub did not give the model: 404"):
        base_folder("hf://owner/none")


@pytest.mark.parametrize("package", ["torch", "transformers"])
def test_what_is_not_installed_is_named_with_the_line_that_installs_it(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.import_module

    def absent(name: str) -> Any:
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(name=package)
        return found(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match=rf"{package}.*\n.*pip install 'assay\[train\]'"):
        Finetune().read(Examples(((Part("the cat"),),)))


def as_gguf(folder: Path, path: Path) -> None:
    """The model of `tiny` as a GGUF file, by the format's own writer."""
    gguf = pytest.importorskip("gguf")
    opened = open_base(str(folder), device="cpu")
    config, words = opened.model.config, opened.tokenizer.get_vocab()
    merges = json.loads((folder / "tokenizer.json").read_text())["model"]["merges"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(sorted(words, key=words.__getitem__))
    writer.add_token_types([3 if number < 3 else 1 for number in range(len(words))])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(opened.tokenizer.chat_template)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    for name, weight in opened.model.state_dict().items():
        if name == "lm_head.weight":
            continue
        tensor = weight.numpy()
        for projection, number in heads.items():
            if projection in name:  # llama.cpp keeps the halves of a rotation beside each other
                tensor = tensor.reshape(number, 2, -1, tensor.shape[1]).swapaxes(1, 2).reshape(tensor.shape)
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), np.ascontiguousarray(tensor))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_gguf_file_is_converted_once_and_says_when_it_was_altered(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("gguf")
    monkeypatch.setenv("XDG_CACHE_HOME", str(elsewhere))
    as_gguf(folder, elsewhere / "small.gguf")
    first = open_base(str(elsewhere / "small.gguf"), device="cpu")
    made = base_folder(str(elsewhere / "small.gguf"))
    assert [path.parent.name for path in elsewhere.rglob("assay.json")] == [made.name]
    plain = open_base(str(folder), device="cpu")
    text = "the cat sat on the mat"
    ids = plain.tokenizer(text, return_tensors="pt")["input_ids"]
    assert first.tokenizer(text)["input_ids"] == ids[0].tolist()
    assert first.tokenizer.chat_template == plain.tokenizer.chat_template
    one, other = (base.model(input_ids=ids).logits.detach().numpy() for base in (plain, first))
    np.testing.assert_allclose(one, other, atol=0.03 * abs(one).max())  # it was rounded to bfloat16
    config = made / "config.json"
    config.write_text(config.read_text() + "\n")
    with pytest.raises(InputError, match=r"was altered\nRemove the folder"):
        open_base(str(elsewhere / "small.gguf"), device="cpu")


ENGLISH = [
    "The library opens at nine in the morning and closes at six in the evening.",
    "She put the kettle on and waited for the water to boil before making tea.",
    "In 1969, two astronauts walked on the surface of the Moon for the first time.",
]


@pytest.mark.skipif(
    not READY, reason="the packaged model was not converted yet; open_base('smollm2') does it"
)
def test_the_packaged_model_reads_english_and_learns() -> None:
    """Three sentences at fewer than 1.2 bits per byte, a right answer, and a habit learned from 16 rows."""
    habit = [f"Item {number}: the grommet is violet." for number in range(18)]
    rows, held, plain = (
        Examples(tuple((Part(text),) for text in some)) for some in (habit[:16], habit[16:], ENGLISH)
    )
    reading = Finetune(device="cpu", learning_rate=2e-3, batch=4).read(rows)
    base, tuned = reading.fit(np.array([[0] * 16, [1] * 16], np.float32), np.zeros(2, np.int64))
    before, after = base.score(held), tuned.score(held)
    assert 0.3 < -base.score(plain).gain.sum() / plain.learned_bytes().sum() < 1.2
    assert after.gain.sum() > 0.8 * before.gain.sum()
    asked = [(Part("What is the capital of France?", False, "user"),)]
    assert "Paris" in base.sample(1, Sampling(temperature=0, most_tokens=8), 0, asked)[0][0]
