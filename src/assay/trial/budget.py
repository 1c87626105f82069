"""What a trial will cost, and which arms to leave out so that it keeps to a budget."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from assay.core.errors import InputError
from assay.core.trial import Cost
from assay.trial.arms import Arm, Design

FEWEST_SEEDS = 5
_UNITS = {"s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}

Price = Callable[[Arm], Cost]  # what one training of an arm costs


@dataclass(frozen=True)
class Plan:
    """What will be trained.

    Attributes:
        design: The arms.
        seeds: Trainings of each.
        cost: Of all of them together.
        left_out: What a design without a budget would hold besides, in words.
    """

    design: Design
    seeds: int
    cost: Cost
    left_out: tuple[str, ...] = ()

    def sentence(self, learner: str) -> str:
        """What the trial will do and cost, for whoever waits for it."""
        arms = len(self.design.arms)
        text = (
            f"{learner}: {arms} arms x {self.seeds} seeds = {arms * self.seeds} trainings, "
            f"{self.cost.tokens:,} tokens, {self.cost.flops:.1e} operations, about {duration(self.cost.seconds)}"
        )
        return text + (f"; left out: {', '.join(self.left_out)}" if self.left_out else "")


def seconds_of(budget: str) -> float:
    """Seconds in ``30min``, ``2h`` or ``90s``. Raises: InputError: it is none of these."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", budget.lower())
    if found is None or found[2] not in _UNITS or float(found[1]) == 0:
        raise InputError(f"{budget!r} is no length of time", fix="Write --budget 30min, 2h or 90s.")
    return float(found[1]) * _UNITS[found[2]]


def duration(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def plan(design: Design, seeds: int, price: Price, budget: float | None) -> Plan:
    """The design as it is, or as much of it as the budget pays for.

    First seeds go, down to the fewest that give intervals; then arms, those first that say least about the
    verdict: the ladder with few real rows, repeats, steps of the curves, the placebo. What every answer needs stays.

    Args:
        budget: In seconds.
    Raises: InputError: not even the last arms can be paid for.
    """
    known: dict[Arm, Cost] = {}

    def total(each: Design, times: int) -> Cost:
        for arm in each.arms:
            if arm not in known:
                known[arm] = price(arm)
        costs = [known[arm] for arm in each.arms]
        return Cost(
            seconds=times * sum(cost.seconds for cost in costs),
            tokens=times * sum(cost.tokens for cost in costs),
            flops=times * sum(cost.flops for cost in costs),
        )

    whole = total(design, seeds)
    if budget is None or whole.seconds <= budget:
        return Plan(design, seeds, whole)
    for fewer in range(seeds - 1, FEWEST_SEEDS - 1, -1):
        if total(design, fewer).seconds <= budget:
            return Plan(design, fewer, total(design, fewer), (f"{seeds - fewer} of {seeds} seeds",))
    left_out = [f"{seeds - FEWEST_SEEDS} of {seeds} seeds"] if seeds > FEWEST_SEEDS else []
    least = min(seeds, FEWEST_SEEDS)
    for what, thinner in _thinner(design):
        left_out.append(what)
        if total(thinner, least).seconds <= budget:
            return Plan(thinner, least, total(thinner, least), tuple(left_out))
        design = thinner
    raise InputError(
        f"the smallest trial takes about {duration(total(design, least).seconds)} on this machine",
        fix=f"Give --budget {int(total(design, least).seconds / 60) + 1}min or more, or fewer rows.",
    )


def _thinner(design: Design) -> Iterator[tuple[str, Design]]:
    """The design with less and less in it."""
    if design.fixes:
        design = replace(design, fixes=())
        yield "the fixes against bias", design
    kept = {Arm(design.equal), Arm(design.budget)}
    design = replace(design, scarce=())
    yield "the ladder with few real rows", design
    design = replace(design, repeated=design.repeated[-1:])
    yield "all repeats but one", design
    design = replace(design, replacement=_every_other(design.replacement))
    yield "every other share", design
    design = replace(design, addition=_every_other(design.addition))
    yield "every other dose", design
    design = replace(
        design, exchange=(), ladder=tuple(arm for arm in design.ladder[::2] if arm not in kept) + tuple(kept)
    )
    design = replace(design, ladder=tuple(sorted(design.ladder, key=lambda arm: arm.real)))
    yield "the exchange rate and every other size", design
    design = replace(design, control=())
    yield "the placebo", design
    ends = (design.replacement[0], design.replacement[-1])
    alone = tuple(sorted(kept, key=lambda arm: arm.real))
    yield "all but the ends", replace(design, replacement=ends, addition=design.addition[-1:], ladder=alone)


def _every_other(arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
    """From the last one back, and always the first."""
    return tuple(arm for place, arm in enumerate(arms) if place == 0 or (len(arms) - 1 - place) % 2 == 0)
