"""Trials of text and of answers, in worlds where the truth is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.engine.read import read
from assay.models.classifier import Linear
from assay.models.learner import Examples, Reading
from assay.trial.run import Settings, TrialResult, run_trial

QUICK = Settings(seeds=5)


def sentences(rows: int, rng: np.random.Generator, *, noise: float = 0.0) -> list[str]:
    """A chain of 200 words in which each has four likely followers; noise draws words from anywhere."""
    follows = np.random.default_rng(7).integers(200, size=(200, 4))
    out = []
    for _ in range(rows):
        word, text = int(rng.integers(200)), []
        for _ in range(25):
            text.append(f"word{word}")
            word = int(rng.integers(200)) if rng.random() < noise else int(follows[word, rng.integers(4)])
        out.append(" ".join(text))
    return out


def corpus(folder: Path, name: str, lines: list[str]) -> Corpus:
    path = folder / f"{name}.jsonl"
    path.write_text("\n".join(lines))
    origin = "synthetic" if name.startswith("synthetic") else "real"
    return read((str(path),), folder / name, name=name, origin=origin).corpus  # type: ignore[arg-type]


def as_text(texts: list[str]) -> list[str]:
    return [f'{{"text": "{text}"}}' for text in texts]


def as_answers(texts: list[str]) -> list[str]:
    halves = [(text[: len(text) // 2], text[len(text) // 2 :]) for text in texts]
    return [f'{{"prompt": "{first}", "completion": "{second}"}}' for first, second in halves]


def trial(
    folder: Path, noise: float, settings: Settings = QUICK, *, chat: bool = False, keep: Path | None = None
) -> TrialResult:
    rng = np.random.default_rng(3)
    form = as_answers if chat else as_text
    return run_trial(
        corpus(folder, "train", form(sentences(500, rng))),
        corpus(folder, "synthetic", form(sentences(400, rng, noise=noise))),
        corpus(folder, "test", form(sentences(300, rng))),
        settings,
        keep=keep,
    )


def found(result: TrialResult, name: str) -> Measure:
    return next(measure for measure in result.measures if measure.name == name)


def value(result: TrialResult, name: str) -> float:
    measured = found(result, name).value
    assert measured is not None
    return measured


@pytest.mark.parametrize("chat", [False, True])
def test_text_of_the_same_kind_is_worth_real_text(tmp_path: Path, chat: bool) -> None:
    result = trial(tmp_path, 0.0, chat=chat)
    gap, rate = found(result, "trial.gap"), found(result, "trial.exchange_rate")
    assert gap.low is not None
    assert gap.high is not None
    assert gap.low <= 0 <= gap.high
    assert gap.unit == "share of loss saved"
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low <= 1.05
    assert rate.high >= 0.95
    assert value(result, "trial.benefit") > 0
    curve = [m.value or 0.0 for m in result.measures if m.name == "trial.learning_curve"]
    assert all(m.unit == "bits per byte" for m in result.measures if m.name == "trial.learning_curve")
    # Among the largest sizes one seed's luck may outweigh what more rows bring.
    assert curve[:4] == sorted(curve[:4], reverse=True)
    assert min(curve) < 0.6 * curve[0]
    assert {each.learner for each in result.trials} == {"ngram"}


def test_noise_harms_more_with_dose_and_the_placebo_never_helps(tmp_path: Path) -> None:
    results = [trial(tmp_path / str(noise), noise) for noise in make(tmp_path, (0.0, 0.2, 0.5))]
    gaps = [value(result, "trial.gap") for result in results]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < -0.05
    rates = [value(result, "trial.exchange_rate") for result in results]
    assert rates == sorted(rates, reverse=True)
    for result in results:
        placebo = found(result, "trial.placebo")
        assert placebo.low is not None
        assert placebo.low <= 0.01


def make(folder: Path, noises: tuple[float, ...]) -> tuple[float, ...]:
    for noise in noises:
        (folder / str(noise)).mkdir()
    return noises


class Killed(Exception):
    """The process ends here."""


@dataclass(frozen=True)
class Mortal:
    """A linear learner whose reading dies after some blocks."""

    dies_after: int
    name: str = "linear"

    def read(self, rows: Examples) -> Reading:
        return _MortalReading(Linear().read(rows), self.dies_after)


class _MortalReading:
    def __init__(self, inner: Reading, lives: int) -> None:
        self.inner, self.lives, self.trained = inner, lives, 0
        self.expect = inner.expect

    def fit(  # type: ignore[no-untyped-def]
        self, weights, seeds, progress=None, done: npt.NDArray[np.bool_] | None = None
    ):
        for block in self.inner.fit(weights, seeds, done=done):
            if self.trained == self.lives:
                raise Killed
            self.trained += 1
            yield block


def test_a_killed_trial_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    from tests.trial.test_run import corpus as labelled
    from tests.trial.test_run import world

    rng = np.random.default_rng(5)
    train, synthetic, test = (
        labelled(tmp_path, name, *world(rows, rng))
        for name, rows in (("train", 500), ("synthetic", 400), ("test", 300))
    )
    whole = run_trial(train, synthetic, test, QUICK)
    kept = tmp_path / "kept"
    with pytest.raises(Killed):
        run_trial(
            train, synthetic, test, Settings(seeds=5, learner=Mortal(3)), keep=kept
        )  # one is for the price
    assert len(list(kept.rglob("*.npz"))) == 2
    learner = Mortal(1000)
    again = run_trial(train, synthetic, test, Settings(seeds=5, learner=learner), keep=kept)
    assert again.measures == whole.measures
    assert [each.score for each in again.trials] == [each.score for each in whole.trials]


def test_a_budget_is_told_and_kept(tmp_path: Path) -> None:
    told: list[str] = []
    rng = np.random.default_rng(3)
    run_trial(
        corpus(tmp_path, "train", as_text(sentences(400, rng))),
        corpus(tmp_path, "synthetic", as_text(sentences(300, rng))),
        corpus(tmp_path, "test", as_text(sentences(200, rng))),
        Settings(seeds=8, budget=3600),
        note=told.append,
    )
    assert told[0].startswith("ngram: ")
    assert "8 seeds" in told[0]


def test_a_learner_of_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not serve the task language-model"):
        trial(tmp_path, 0.0, Settings(learner="linear"))
    with pytest.raises(InputError, match="--depth would do nothing"):
        trial(tmp_path, 0.0, Settings(depth=2))


def test_sources_are_mixed_and_the_better_one_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    good, bad = sentences(400, rng), sentences(400, rng, noise=0.6)
    lines = [f'{{"text": "{text}", "maker": "good"}}' for text in good]
    lines += [f'{{"text": "{text}", "maker": "bad"}}' for text in bad]
    result = run_trial(
        corpus(tmp_path, "train", as_text(sentences(400, rng))),
        corpus(tmp_path, "synthetic", lines),
        corpus(tmp_path, "test", as_text(sentences(200, rng))),
        Settings(seeds=5, source="maker"),
    )
    shares = {(m.slice or {})["source"]: m.value for m in result.measures if m.name == "trial.source_share"}
    assert shares["good"] is not None
    assert shares["good"] > 0.8
    with pytest.raises(InputError, match="no column of few values called 'model'"):
        trial(tmp_path, 0.0, Settings(source="model"))


def test_a_transformer_is_tried_beside_the_cheap_learner(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="the extra train is not installed")
    torch.set_num_threads(1)
    from assay.models.gpt import GPT
    from assay.models.gpt_shape import Shape

    rng = np.random.default_rng(3)

    def short(rows: int, noise: float = 0.0) -> list[str]:
        return [" ".join(text.split()[:8]) for text in sentences(rows, rng, noise=noise)]

    tiny = GPT(
        shape=Shape(
            depth=1,
            width=16,
            heads=2,
            vocabulary=260,
            context=64,
            batch=8,
            epochs=1,
            learning_rate=3e-3,
            hidden_learning_rate=3e-3,
        )
    )
    result = run_trial(
        corpus(tmp_path, "train", as_text(short(110))),
        corpus(tmp_path, "synthetic", as_text(short(110, 0.8))),
        corpus(tmp_path, "test", as_text(short(55))),
        Settings(seeds=5, learner=tiny),
    )
    assert {each.learner for each in result.trials} == {"gpt", "ngram"}
    assert value(result, "trial.calibration_delta") is not None
    ranked = [m for m in result.measures if m.name == "evaluation.proxy_rank_correlation"]
    assert {(m.slice or {})["dear"] for m in ranked} == {"gpt"}
    assert all(m.value is not None and -1 <= m.value <= 1 for m in ranked)
