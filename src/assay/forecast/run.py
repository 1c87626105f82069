"""Run the forecast: real rows in, recursions of a learner on its own output, measures out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.core.corpus import Corpus
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.engine.groups.lists import NO_LISTS, Lists
from assay.forecast import regimes
from assay.forecast.measures import Reader, missing
from assay.forecast.observed import observed
from assay.forecast.plan import Pace, Plan, fitted, pace
from assay.forecast.regimes import Regime
from assay.forecast.rows import taken, texts_of
from assay.forecast.share import safe_share
from assay.forecast.simulate import BINS, JUDGED, Chain, Simulation, World
from assay.forecast.time_split import time_split
from assay.forecast.training import Trainer
from assay.models.learner import Learner, Sampling
from assay.models.learners import open_learner
from assay.models.tasks import Side, Task, class_names, read_side, task_of

MEASURES = (
    "forecast.loss_growth",
    "forecast.mechanism_growth",
    "forecast.safe_real_share",
    "drift.time_split",
)
START = 0.5  # share of the real rows that generation 0 sees; the others are the reserve
_FEWEST_TRAIN, _FEWEST_TEST, _FEWEST_ROOTS = 100, 50, 20
_MOST_TEST = 2_000
_LEAST_TOKENS, _MOST_TOKENS = 32, 1_024
_REALISTIC = "subsample"

Note = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How a forecast is made.

    Attributes:
        task: None finds out from the real rows.
        learner: By its name, or one that was set up; None takes the cheapest for the task.
        base, depth: See `open_learner`.
        rounds: Generations after the first.
        seeds: Starts, each with other real rows and other luck, at least 3; each runs every regime.
        full: All regimes and ways of drawing text, not only the worst case and the realistic one.
        share: Real rows of the regimes that keep some.
        safe: Look for the smallest share of real rows that keeps the loss within the margin.
        sampling: How text is drawn; `most_tokens` of 0 follows from the lengths of the real rows.
        budget: Seconds that it may take; None sets no limit.
        margin: Change of the loss that does not matter, as a share of it; points for labels.
        beyond: Generations after those that were run to which the loss is extrapolated.
        most_bytes: Of text to learn among the real rows that are used, drawn by root; None uses all.
    """

    task: Task | None = None
    learner: str | Learner | None = None
    base: str | None = None
    depth: int | None = None
    rounds: int = 5
    seeds: int = 5
    full: bool = False
    share: float = 0.1
    safe: bool = True
    sampling: Sampling = field(default_factory=lambda: Sampling(most_tokens=0))
    budget: float | None = None
    margin: float = 0.01
    beyond: int = 3
    most_bytes: int | None = None
    seed: int = 0
    level: float = 0.95


@dataclass(frozen=True)
class ForecastResult:
    """What a forecast found.

    Attributes:
        measures: All of them.
        record: Sample texts and histograms by regime and generation, for whoever draws them; must be JSON.
    """

    measures: tuple[Measure, ...]
    record: dict[str, Any]


def run_forecast(
    real: Corpus,
    test: Corpus,
    settings: Settings = Settings(),
    *,
    synthetic: Corpus | None = None,
    lists: Lists = NO_LISTS,
    keep: Path | None = None,
    note: Note = lambda text: None,
    progress: Progress = silent,
) -> ForecastResult:
    """Train on real rows, then on what that model writes, and so on; test every generation on the same real rows.

    Args:
        real: Real rows to train on.
        test: Real rows that no generation sees.
        synthetic: Rows that others generated. Where they carry a generation or a time, their recursion is measured as
            it was, beside the simulated one.
        lists: Groups of people whose shares in the text of each generation are followed.
        keep: Folder for finished generations; a forecast that was killed goes on from there.
        note: Told what the forecast will cost, before it starts.
    Returns: All measures named in `MEASURES` and more; missing with the reason where rows or budget do not suffice.
    Raises: InputError: the learner does not serve the task.
    """
    task = settings.task or task_of(real)
    classes = class_names(real) if task == "classification" else ()
    side, held = (read_side(corpus, task, classes) for corpus in (real, test))
    lacking = _lacking(side, held, settings.seeds)
    if lacking:
        note(lacking)
        return _nothing(lacking, settings.level)
    side = _some(side, settings.most_bytes, settings.seed)
    learner = open_learner(settings.learner, task, base=settings.base, depth=settings.depth)
    trainer = Trainer(learner, side.examples)
    world = _world(side, held, settings, trainer, lists)
    planned = _planned(settings, task, world, trainer)
    if isinstance(planned, str):
        note(planned)
        return _nothing(planned, settings.level)
    note(planned.sentence(learner.name, world.budget))

    world = replace(world, orders=world.orders[: planned.seeds])
    simulation = Simulation(world, trainer, keep, progress)
    wanted = simulation.run(planned.regimes, planned.rounds)
    reader = Reader(
        simulation,
        wanted,
        tuple(regime.name for regime in planned.regimes),
        learner.name,
        settings.margin,
        settings.level,
        beyond=settings.beyond,
        left_out=side.left_out | held.left_out,
    )
    measures = reader.headline(_place(planned.regimes))
    if planned.share:
        also = tuple(regime.share for regime in planned.regimes if regime.kind == "mixed")
        measures.append(
            reader.share(safe_share(simulation, planned.rounds, settings.margin, settings.level, also))
        )
    else:
        measures.append(reader.share(None, "the search for it was not asked for, or left out for the budget"))
    measures += reader.measures()
    if synthetic is not None:
        measures += observed(simulation, read_side(synthetic, task, classes), synthetic, reader)
    measures += time_split(trainer, side, real, settings.level, settings.seed)
    return ForecastResult(tuple(measures), _record(learner, planned, wanted))


def _nothing(why: str, level: float) -> ForecastResult:
    return ForecastResult(tuple(missing(name, why, level) for name in MEASURES), {"missing": why})


def _world(side: Side, held: Side, settings: Settings, trainer: Trainer, lists: Lists) -> World:
    rng = np.random.default_rng(settings.seed)
    orders = np.stack([_order(side.roots, rng) for _ in range(settings.seeds)])
    chosen = np.sort(_order(held.roots, rng)[:_MOST_TEST])
    _, roots = np.unique(held.roots[chosen], return_inverse=True)
    sampling = settings.sampling
    if sampling.most_tokens == 0:
        longest = float(np.quantile(side.examples.learned_bytes(), 0.99))
        # Two bytes a token and more: nothing of usual length is cut.
        sampling = replace(sampling, most_tokens=int(np.clip(longest / 2, _LEAST_TOKENS, _MOST_TOKENS)))
    if trainer.most_tokens is not None:
        sampling = replace(sampling, most_tokens=min(sampling.most_tokens, trainer.most_tokens))
    budget = int(START * len(side))
    return World(
        side.examples,
        orders,
        budget,
        taken(held.examples, chosen),
        roots,
        sampling,
        settings.seed,
        lists,
    )


def _planned(settings: Settings, task: Task, world: World, trainer: Trainer) -> Plan | str:
    wanted: tuple[Regime, ...] = regimes.full(settings.share) if settings.full else regimes.short()
    if settings.full and task != "classification":
        wanted += regimes.drawn_otherwise(world.sampling)
    scored = len(world.test) + (0 if task == "classification" else min(JUDGED, world.budget))
    plan = Plan(wanted, settings.seeds, settings.rounds, settings.safe, scored=scored)

    def of(found: Pace) -> Plan | str:
        return fitted(replace(plan, pace=found), world.budget, settings.budget)

    return of(pace(trainer, world, lambda least: isinstance(of(least), str)))


def _some(side: Side, most_bytes: int | None, seed: int) -> Side:
    """As many rows, whole roots of them, as hold so much text, but never too few for a forecast."""
    sizes = side.examples.learned_bytes()
    if most_bytes is None or sizes.sum() <= most_bytes:
        return side
    order = _order(side.roots, np.random.default_rng([seed, 10]))
    reached = int(np.searchsorted(np.cumsum(sizes[order]), most_bytes))
    chosen = np.sort(order[: max(reached, 2 * _FEWEST_TRAIN)])
    return replace(
        side,
        examples=taken(side.examples, chosen),
        names=side.names[chosen],
        roots=side.roots[chosen],
        left_out=side.left_out
        | {f"real rows beyond {most_bytes / 1e6:g} MB of text": len(side) - len(chosen)},
        kept=side.kept[chosen],
    )


def _place(wanted: Sequence[Regime]) -> int:
    """The regime that decides: the realistic one."""
    return next((at for at, regime in enumerate(wanted) if regime.kind == _REALISTIC), 0)


def _order(roots: npt.NDArray[np.uint64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Rows in an order that is random between roots and keeps a root's rows together, shape (rows,)."""
    _, members = np.unique(roots, return_inverse=True)
    place = rng.permutation(members.max() + 1)[members]
    return np.argsort(place, kind="stable")


def _lacking(side: Side, held: Side, seeds: int) -> str:
    """What the forecast still needs, or nothing."""
    needs = [f"at least 3 seeds (given: {seeds})"] if seeds < 3 else []
    for name, rows, fewest in (("real training", side, _FEWEST_TRAIN), ("test", held, _FEWEST_TEST)):
        if len(rows) < fewest:
            needs.append(f"{fewest} {name} rows that its task can use (found: {len(rows)})")
        elif len(np.unique(rows.roots)) < _FEWEST_ROOTS:
            needs.append(f"{_FEWEST_ROOTS} independent roots among the {name} rows")
    return "the forecast needs " + "; ".join(needs) if needs else ""


def _record(learner: Learner, planned: Plan, wanted: Sequence[Sequence[Chain]]) -> dict[str, Any]:
    """One sample text and the histogram of strangeness of each generation, the first seed's and all seeds'."""
    return {
        "schema": "assay.forecast/1",
        "learner": learner.name,
        "rounds": planned.rounds,
        "seeds": planned.seeds,
        "bins": BINS.tolist(),
        "regimes": [
            {
                "regime": regime.name,
                "generations": [
                    {
                        "round": generation,
                        "sample": _sample(chains[0], generation),
                        "histogram": np.sum(
                            [chain.generations[generation].surprise for chain in chains], axis=0
                        ).tolist(),
                    }
                    for generation in range(planned.rounds + 1)
                ],
            }
            for regime, chains in zip(planned.regimes, wanted, strict=True)
        ],
    }


def _sample(chain: Chain, generation: int) -> str:
    """The first text of some length that it wrote."""
    rows = chain.generations[generation].rows
    if rows.labels is not None:
        return ""
    texts = texts_of(rows)
    middle = sorted(map(len, texts))[len(texts) // 2]
    return next((text for text in texts if len(text) >= middle), "")[:2_000]


def to_json(record: dict[str, Any]) -> str:
    """The text of `forecast.json`."""
    return json.dumps(record, ensure_ascii=False, indent=1)
