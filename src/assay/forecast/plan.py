"""What a forecast will cost on this machine, and what is left out so that it keeps to a budget."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

from assay.core.words import count, duration
from assay.forecast.regimes import Regime
from assay.forecast.rows import taken
from assay.forecast.share import HALVINGS
from assay.forecast.simulate import World
from assay.forecast.training import Trained, Trainer, labelled

FEWEST_SEEDS, FEWEST_ROUNDS = 3, 4
_LEAST_PROBED, _PROBED = 50, 8


@dataclass(frozen=True)
class Plan:
    """What will be run.

    Attributes:
        regimes: In the order of their measures.
        seeds, rounds: Of each.
        share: Whether the safe share of real rows is looked for.
        rate: Seconds for each row that is trained on and written.
        left_out: What a forecast without a budget would hold besides, in words.
    """

    regimes: tuple[Regime, ...]
    seeds: int
    rounds: int
    share: bool
    rate: float = 0.0
    left_out: tuple[str, ...] = ()

    def seconds(self, budget_rows: int) -> float:
        """Of all trainings together, writing included."""
        regimes = (*self.regimes, *[Regime("replace")] * (HALVINGS if self.share else 0))
        rows = sum(
            (regime.rows(generation, budget_rows) + regime.candidates * budget_rows) / 2
            for regime in regimes
            for generation in range(self.rounds + 1)
        )
        return self.rate * rows * self.seeds

    def sentence(self, learner: str, budget_rows: int) -> str:
        """What the forecast will do and cost, for whoever waits for it."""
        trainings = len(self.regimes) * self.seeds * (self.rounds + 1)
        more = f" and at most {HALVINGS} more regimes to find the safe share" if self.share else ""
        text = (
            f"{learner}: {count(len(self.regimes), 'regime')} x {self.seeds} seeds x {self.rounds} generations after the "
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
    return (
        f"the smallest forecast takes about {duration(least)}; give --budget {int(least / 60) + 1}min or more"
    )


def rate(trainer: Trainer, world: World) -> float:
    """Seconds for each row trained on and written, from a small generation that is thrown away."""
    number = min(world.budget, max(_LEAST_PROBED, world.budget // _PROBED))
    rows = taken(world.real, world.orders[0, :number])

    def work(_: int, model: Trained) -> float:
        model.score(world.test)
        if rows.labels is not None:
            labelled(model, rows)
        else:
            model.write(number, world.sampling, 0, None)
        return time.perf_counter()

    taken_seconds = 0.0
    for _ in range(1 if trainer.together else 2):  # the first time may compile
        begun = time.perf_counter()
        (ended,) = trainer.each([rows], [0], work)
        taken_seconds = ended - begun
    side_by_side = 1 if trainer.together else os.cpu_count() or 1
    return max(taken_seconds, 1e-6) / number / side_by_side
