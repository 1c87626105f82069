"""What a trial will cost, and which arms to leave out so that it keeps to a budget."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from assay.core.errors import InputError
from assay.core.trial import Cost
from assay.core.words import duration
from assay.trial.arms import Arm, Design
from assay.trial.groups import doses

FEWEST_SEEDS = 5
_HALVINGS, _FEWEST_BUDGET = 5, 150
_FIXES = "the fixes against bias"
_UNITS = {"s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


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


@dataclass(frozen=True)
class Prices:
    """What one training of each arm costs; an arm that nobody priced costs what the others do by row.

    Attributes:
        scoring: Seconds that each training takes besides, to score what it is tested on.
        writing: Seconds that it takes to write what the design asks of it.
    """

    known: Mapping[Arm, Cost]
    scoring: float = 0.0
    writing: float = 0.0

    def of(self, arm: Arm) -> Cost:
        """The price of an arm."""
        if arm in self.known:
            return self.known[arm]
        part = arm.rows / sum(other.rows for other in self.known)
        return _sum(self.known.values(), part)

    def total(self, design: Design, seeds: int) -> Cost:
        """The price of every arm with every seed, of its scoring, and of what it is to write."""
        trained = _sum((self.of(arm) for arm in design.arms), seeds)
        besides = self.scoring * len(design.arms) + (
            self.writing * len(doses(design)) if design.writes else 0.0
        )
        return trained.model_copy(update={"seconds": trained.seconds + besides * seeds})


def plan(whole: Design, seeds: int, prices: Prices, budget: float | None) -> Plan:
    """The design as it is, or as much of it as the budget pays for.

    First seeds go, down to the fewest that give intervals; then what models would write, and arms, those first that say
    least about the verdict: the fixes, the ladders of synthetic and of few real rows, repeats, steps of the curves, the placebo. What every answer
    needs stays. Where that is too dear still, everything is tried again with half the rows.

    Args:
        whole: The design without a budget.
        budget: In seconds.
    Raises: InputError: not even the last arms with the fewest rows can be paid for.
    """
    cost = prices.total(whole, seeds)
    if budget is None or cost.seconds <= budget:
        return Plan(whole, seeds, cost)
    least = cost
    for halvings in range(_HALVINGS + 1):
        part = 2.0**-halvings
        design = whole.of_rows(part)
        rows = [f"{1 - part:.0%} of the rows"] if halvings else []
        rows += [_FIXES] if halvings and whole.fixes else []
        for fewer in range(seeds, min(seeds, FEWEST_SEEDS) - 1, -1):
            cost = prices.total(design, fewer)
            some = [*rows, f"{seeds - fewer} of {seeds} seeds"] if fewer < seeds else rows
            if cost.seconds <= budget:
                return Plan(design, fewer, cost, tuple(some))
        arms: list[str] = []
        for what, thinner in _thinner(design):
            arms.append(what)
            cost = prices.total(thinner, fewer)
            if cost.seconds <= budget:
                return Plan(thinner, fewer, cost, (*some, *arms))
        least = cost
        if design.budget // 2 < _FEWEST_BUDGET or design.doses // 2 < _FEWEST_BUDGET:
            break
    raise InputError(
        f"the smallest trial takes about {duration(least.seconds)} on this machine",
        fix=f"Give --budget {int(least.seconds / 60) + 1}min or more, or a smaller learner.",
    )


def _sum(costs: Iterable[Cost], times: float) -> Cost:
    paid = list(costs)
    return Cost(
        seconds=times * sum(cost.seconds for cost in paid),
        tokens=round(times * sum(cost.tokens for cost in paid)),
        flops=times * sum(cost.flops for cost in paid),
    )


def _thinner(design: Design) -> Iterator[tuple[str, Design]]:
    """The design with less and less in it."""
    if design.writes:
        design = replace(design, writes=False)
        yield "what models write of groups", design
    if design.fixes:
        design = replace(design, fixes=())
        yield _FIXES, design
    kept = {Arm(design.equal), Arm(design.budget)}
    design = replace(design, pure=())
    yield "the ladder of synthetic rows", design
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
