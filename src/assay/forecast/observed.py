"""A recursion that has happened: rows that say which generation they are of, measured as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from assay.core.corpus import Corpus
from assay.core.measure import Measure
from assay.forecast.generation import Generation
from assay.forecast.measures import Reader, missing
from assay.forecast.regimes import Regime
from assay.forecast.rows import taken
from assay.forecast.simulate import BINS, Chain, Simulation
from assay.forecast.training import Trained
from assay.models.learner import Examples
from assay.models.tasks import Side

NAME = "observed"
FEWEST_ROWS = 100  # of a generation
_MOST_PERIODS = 6
_HALF = 0.5  # of a generation's rows, for each seed


def observed(simulation: Simulation, side: Side, corpus: Corpus, reader: Reader) -> list[Measure]:
    """The same measures as of a simulated regime, of models trained on the rows of each generation.

    Generation 0 are the real rows, as many of them. Rows without a generation but with a time are cut into periods.

    Args:
        simulation: What the simulated regimes ran in: same test rows, same learner, same seeds.
        side: Usable rows of the corpus.
        reader: How measures are made.
    """
    found = _generations(side, corpus)
    if not found:
        why = f"needs {FEWEST_ROWS} synthetic rows each of one generation or more, or with times"
        return [missing("forecast.loss_growth", why, reader.level, {"regime": NAME})]
    world = simulation.world
    budget = min(world.budget, int(_HALF * min(map(len, found))))
    here = Simulation(replace(world, budget=budget), simulation.trainer, None, simulation.progress)
    sets, seeds = [], []
    for seed in range(world.seeds):
        rng = np.random.default_rng([world.seed, seed, 7])
        sets.append(here.world.start(seed))
        sets += [taken(side.examples, np.sort(rng.permutation(rows)[:budget])) for rows in found]
        seeds += [seed] * (len(found) + 1)

    def tested(place: int, model: Trained) -> Generation:
        return _tested(here, model, sets[place])

    generations = here.trainer.each(sets, seeds, tested)
    length = len(found) + 1
    chains = [
        Chain(Regime("replace"), seed, generations[seed * length : (seed + 1) * length])
        for seed in range(world.seeds)
    ]
    return replace(reader, simulation=here, wanted=[chains], names=(NAME,)).measures()


def _tested(here: Simulation, model: Trained, rows: Examples) -> Generation:
    scored = model.score(here.world.test)
    return Generation(
        gain=scored.gain[0].astype(np.float64),
        over=None if scored.over is None else scored.over[0].astype(np.float64),
        decisions=scored.decisions,
        facts=here.look(rows) if rows.labels is None else {},
        surprise=np.zeros(len(BINS) - 1, np.int64),
        rows=rows,
    )


def _generations(side: Side, corpus: Corpus) -> list[npt.NDArray[np.int64]]:
    """Usable rows of each generation above 0, or of each period, in order; nothing where too few say."""
    table = corpus.table(["generation", "time"]).take(side.kept)
    numbers = table.column("generation").to_numpy(zero_copy_only=False).astype(np.float64)
    lots = [np.flatnonzero(numbers == each) for each in np.unique(numbers[numbers > 0])]
    lots = [lot for lot in lots if len(lot) >= FEWEST_ROWS]
    if lots:
        return lots
    times = table.column("time")
    dated = np.flatnonzero(times.is_valid().to_numpy())
    if len(dated) < 2 * FEWEST_ROWS or len(times.drop_null().unique()) < 2:
        return []
    order = pc.sort_indices(times).to_numpy()[: len(dated)].astype(np.int64)
    periods = min(_MOST_PERIODS, len(dated) // FEWEST_ROWS)
    return [np.sort(part) for part in np.array_split(order, periods)]
