"""The forecast by a pretrained model, on one made here: text from nothing, answers to prompts, and labels."""

from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import InputError
from assay.forecast.regimes import Regime
from assay.forecast.rows import texts_of
from assay.forecast.simulate import Simulation, World
from assay.forecast.training import Trainer
from assay.models.finetune import Finetune
from assay.models.learner import Examples, Part, Sampling

pytest.importorskip("torch")
pytest.importorskip("peft")

from tests.laws.test_finetune import OTHER, PROSE, base, one_thread

__all__ = ["base", "one_thread"]

LONG = "the cat sat " * 200


def world(real: Examples, test: Examples, most_tokens: int = 6) -> World:
    orders = np.stack([np.random.default_rng(seed).permutation(len(real)) for seed in range(2)])
    return World(real, orders, len(real) // 2, test, np.arange(len(test)), Sampling(most_tokens=most_tokens))


def asked(rows: int) -> Examples:
    return Examples(
        tuple(
            (Part(PROSE[at % 4], False, "user"), Part(OTHER[at % 2], True, "assistant")) for at in range(rows)
        )
    )


def learner(base: str) -> Finetune:
    return Finetune(base, rank=2, learning_rate=1e-2, most_tokens=64, device="cpu")


def test_answers_are_handed_on_behind_real_prompts_that_the_model_can_read(base: str) -> None:
    rows = asked(12)
    long = (Part(LONG, False, "user"), Part("yes", True, "assistant"))
    real = Examples((*rows.parts, long, *rows.parts[:3]))
    trainer = Trainer(learner(base), real)
    assert trainer.fits.tolist() == [row is not long for row in real.parts]
    assert trainer.most_tokens is not None
    assert 128 <= trainer.most_tokens < 256
    here = Simulation(world(real, asked(4)), trainer)
    ((one, other),) = here.run([Regime("replace")], 1)
    for chain in (one, other):
        for generation in chain.generations:
            assert [row[0].text in PROSE for row in generation.rows.parts] == [True] * 8
            assert np.isfinite(generation.gain).all()
            assert 0 <= generation.calibration <= 1
    # Seeds have luck of their own although they are trained in one call.
    assert texts_of(one.generations[0].rows) != texts_of(other.generations[0].rows)
    with pytest.raises(InputError, match="shortest prompt"):
        Trainer(learner(base), Examples((long,)))


def test_labels_are_handed_on(base: str) -> None:
    def rows(number: int) -> Examples:
        labels = np.arange(number) % 2
        return Examples(
            tuple((Part((PROSE if each else OTHER)[at % 2]),) for at, each in enumerate(labels)), labels, 2
        )

    here = Simulation(world(rows(24), rows(6)), Trainer(learner(base), rows(24)))
    ((one, _),) = here.run([Regime("selected")], 1)
    for generation in one.generations:
        assert generation.rows.labels is not None
        assert set(generation.rows.labels.tolist()) <= {0, 1}
        assert 0 <= generation.facts["forecast.generator_error"] <= 1
