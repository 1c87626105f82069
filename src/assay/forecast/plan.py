"""What a forecast will cost on this machine, and what is left out so that it keeps to a budget."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from assay.core.words import count, duration
from assay.forecast.regimes import Regime
from assay.forecast.rows import asked, taken
from assay.forecast.share import HALVINGS
from assay.forecast.simulate import World
from assay.forecast.training import Prompts, Trained, Trainer, labelled
from assay.models.learner import Examples, Sampling

FEWEST_SEEDS, FEWEST_ROUNDS = 3, 4
_PROBED = 8  # part of a generation that is tried
_LEAST_PROBED, _SLOW_PROBED = 50, 16  # rows, the second of a learner that takes long for each
_WARMING = 8  # rows of a first try that is not timed
_QUICK_TOKENS = 32  # that a first try may write
_TESTED, _SLOW_TESTED = 50, 16  # test rows that are tried, likewise


@dataclass(frozen=True)
class Pace:
    """What a learner takes on this machine.

    Attributes:
        row: Seconds for each row that is trained on and written.
        scored: Seconds for each row that is scored.
        opening: Seconds before the first row, once a generation: a pretrained model is opened again.
        least: Whether it takes more than that, for texts were cut short when it was measured.
    """

    row: float = 0.0
    scored: float = 0.0
    opening: float = 0.0
    least: bool = False


@dataclass(frozen=True)
class Plan:
    """What will be run.

    Attributes:
        regimes: In the order of their measures.
        seeds, rounds: Of each.
        share: Whether the safe share of real rows is looked for.
        pace: How long it takes.
        scored: Rows that each model scores.
        left_out: What a forecast without a budget would hold besides, in words.
    """

    regimes: tuple[Regime, ...]
    seeds: int
    rounds: int
    share: bool
    pace: Pace = Pace()
    scored: int = 0
    left_out: tuple[str, ...] = ()

    def seconds(self, budget_rows: int) -> float:
        """Of all trainings together, writing included."""
        regimes = (*self.regimes, *[Regime("replace")] * (HALVINGS if self.share else 0))
        rows = sum(
            (regime.rows(generation, budget_rows) + regime.candidates * budget_rows) / 2
            for regime in regimes
            for generation in range(self.rounds + 1)
        )
        trainings = len(regimes) * (self.rounds + 1)
        opened = (1 + (HALVINGS if self.share else 0)) * (self.rounds + 1)
        by_seed = self.pace.row * rows + self.pace.scored * self.scored * trainings
        return by_seed * self.seeds + self.pace.opening * opened

    def sentence(self, learner: str, budget_rows: int) -> str:
        """What the forecast will do and cost, for whoever waits for it."""
        trainings = len(self.regimes) * self.seeds * (self.rounds + 1)
        more = f" and at most {HALVINGS} more regimes to find the safe share" if self.share else ""
        text = (
            f"{learner}: {count(len(self.regimes), 'regime')} x {self.seeds} seeds x {count(self.rounds, 'generation')} after the "
            f"first = {trainings:,} trainings{more}, {budget_rows:,} rows a generation, about "
            f"{duration(self.seconds(budget_rows))}"
        )
        return text + (f"; left out: {', '.join(self.left_out)}" if self.left_out else "")


def fitted(plan: Plan, budget_rows: int, budget: float | None) -> Plan | str:
    """The plan as it is, or as much of it as the budget pays for.

    First seeds go, then the safe share, then generations, then all regimes but the first two.

    Args:
        budget: In seconds.
    Returns: The plan; or, where not even the least can be paid for, a sentence that says so.
    """
    if budget is None or plan.seconds(budget_rows) <= budget:
        return plan
    thinner, left_out = plan, list[str]()
    steps: list[tuple[bool, str, dict[str, object]]] = [
        (
            plan.seeds > FEWEST_SEEDS,
            f"{plan.seeds - FEWEST_SEEDS} of {plan.seeds} seeds",
            {"seeds": FEWEST_SEEDS},
        ),
        (plan.share, "the safe share of real rows", {"share": False}),
        (
            plan.rounds > FEWEST_ROUNDS,
            f"{plan.rounds - FEWEST_ROUNDS} of {plan.rounds} generations",
            {"rounds": FEWEST_ROUNDS},
        ),
        (
            len(plan.regimes) > 2,
            f"the regimes {', '.join(regime.name for regime in plan.regimes[2:])}",
            {"regimes": plan.regimes[:2]},
        ),
    ]
    for applies, what, change in steps:
        if applies:
            thinner = replace(thinner, **change)  # type: ignore[arg-type]
            left_out.append(what)
            if thinner.seconds(budget_rows) <= budget:
                return replace(thinner, left_out=tuple(left_out))
    least = thinner.seconds(budget_rows)
    about = "more than" if plan.pace.least else "about"
    return f"the smallest forecast takes {about} {duration(least)}; give --budget {int(least / 60) + 1}min or more"


def pace(trainer: Trainer, world: World, too_dear: Callable[[Pace], bool] = lambda least: False) -> Pace:
    """Seconds for rows, from a small generation that is thrown away.

    Args:
        too_dear: Told what a pretrained model takes for short texts alone; if that is too much, no long ones are tried.
    """
    slow = trainer.learner.name == "finetune"
    least = _SLOW_PROBED if slow else _LEAST_PROBED
    most = min(world.budget, max(least, 0 if trainer.together else world.budget // _PROBED))
    order = world.orders[0][trainer.fits[world.orders[0]]]
    tested = taken(world.test, np.arange(min(len(world.test), _SLOW_TESTED if slow else _TESTED)))
    side_by_side = 1 if trainer.together else os.cpu_count() or 1
    found, opening = Pace(), 0.0
    quick = replace(world.sampling, most_tokens=min(_QUICK_TOKENS, world.sampling.most_tokens))
    tries = [(_WARMING, quick), (most, world.sampling)]  # the first time may compile
    for number, sampling in tries:
        if found.least and too_dear(found):
            break
        rows = taken(world.real, order[:number])
        prompts = asked(rows)
        begun = time.perf_counter()
        if trainer.together and not found.opening:
            trainer.learner.read(rows)
            opening = time.perf_counter() - begun

        def work(
            _: int,
            model: Trained,
            rows: Examples = rows,
            prompts: Prompts = prompts,
            sampling: Sampling = sampling,
        ) -> tuple[float, float]:
            if rows.labels is not None:
                labelled(model, rows)
            else:
                model.write(len(rows), sampling, 0, prompts)
            written = time.perf_counter()
            model.score(tested)
            return written, time.perf_counter()

        begun = time.perf_counter()
        ((written, ended),) = trainer.each([rows], [0], work)
        found = Pace(
            max(written - begun - opening, 1e-6) / len(rows) / side_by_side,
            (ended - written) / len(tested) / side_by_side,
            opening,
            least=slow and world.real.labels is None and sampling != world.sampling,
        )
    return found
