"""What chains of generations say, as measures: early warnings first, then the loss, then what became of the text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.core.catalogue import define
from assay.core.measure import Measure, Reference
from assay.core.words import count
from assay.forecast.curves import Curve, Curves, calibration_change, over_seeds
from assay.forecast.groups import SHARE
from assay.forecast.share import SafeShare
from assay.forecast.simulate import Chain, Simulation
from assay.stats.bootstrap import interval
from assay.stats.collapse import FEWEST, SHAPES, Shapes, fit_shapes, half_life, slope

WATCHED = (
    "forecast.type_coverage",
    "forecast.distinct_2",
    "forecast.entropy",
    "forecast.repetition",
    "forecast.self_similarity",
    "forecast.template_share",
    "forecast.surprise",
    "forecast.group_shift",
    SHARE,
    "forecast.generator_error",
    "forecast.kept_right",
    "forecast.kept_wrong",
    "forecast.selection_threshold",
)
_REDRAWN = 100  # bootstrap draws whose shape is fitted again
_COUNT_MODEL = "ngram"


@dataclass(frozen=True)
class Reader:
    """Chains that were run equally far, and how their numbers become measures.

    Attributes:
        wanted: Chains by regime and seed.
        names: Of the regimes, as they stand in slices.
        learner: What was trained.
        margin: Change of the loss that does not matter.
        beyond: Generations after those that were run to which the loss is extrapolated.
    """

    simulation: Simulation
    wanted: Sequence[Sequence[Chain]]
    names: tuple[str, ...]
    learner: str
    margin: float
    level: float
    beyond: int = 0
    left_out: dict[str, int] | None = None

    def measures(self) -> list[Measure]:
        """All of them, regime by regime."""
        whole = Curves(self.simulation, self.wanted)
        tail = Curves(self.simulation, self.wanted, self.simulation.tail)
        real = self.simulation.real_watch() if self.wanted[0][0].generations[0].facts else []
        found: list[Measure] = []
        for place, (name, chains) in enumerate(zip(self.names, self.wanted, strict=True)):
            curves = {
                "tail": tail.change(place),
                "calibration": calibration_change(self.simulation, chains),
                "loss": whole.change(place),
            }
            found += self._warnings(name, curves)
            found += self._by_generation(name, "forecast.tail_change", tail.change(place), whole.text)
            found += self._calibration(name, chains)
            found += self._by_generation(name, "forecast.loss", whole.loss(place), whole.text)
            found += self._by_generation(name, "forecast.loss_change", whole.change(place), whole.text)
            found.append(self.growth(name, whole, place, {"regime": name}))
            found += self._outlook(name, whole.change(place), whole.text)
            found.append(self._half_life(name, chains))
            found += self._watched(name, chains, real)
        return found

    def growth(self, name: str, curves: Curves, place: int, slice: dict[str, str] | None) -> Measure:
        """The slope of the loss; the whole run's, without a slice, carries the name that its learner deserves."""
        change = curves.change(place)
        value = float(slope(change.value))
        low, high = interval(slope(change.draws), self.level)
        counted = slice is None and self.learner == _COUNT_MODEL
        return self._measure(
            "forecast.mechanism_growth" if counted else "forecast.loss_growth",
            slice,
            (value, min(low, value), max(high, value)),
            method=f"regime {name}, {self._said(curves.generations)}",
            unit=None if curves.text else "error difference per generation",
        )

    def headline(self, place: int) -> list[Measure]:
        """The growth that decides the claim, and the one that is not measured because of the learner."""
        curves = Curves(self.simulation, self.wanted)
        found = [self.growth(self.names[place], curves, place, None)]
        if self.learner == _COUNT_MODEL:
            why = "a count model over-states collapse; train gpt or finetune for a forecast of a transformer"
            found.append(missing("forecast.loss_growth", why, self.level))
        return found

    def share(self, safe: SafeShare | None, why: str = "") -> Measure:
        """The safe share of real rows."""
        if safe is None:
            return missing("forecast.safe_real_share", why, self.level)
        tried = "; ".join(
            f"{share:.0%}: {change:+.1%}" for share, change in zip(safe.tried, safe.growth, strict=True)
        )
        bound = f"margin {self.margin:.1%}, {self._said(len(self.wanted[0][0].generations))}; changes found: {tried}"
        return self._measure(
            "forecast.safe_real_share",
            None,
            (safe.value, max(safe.low, 0.0), min(safe.high, 1.0)),
            method=bound,
        )

    def _warnings(self, name: str, curves: dict[str, Curve | None]) -> Iterable[Measure]:
        """When each first passes the margin: what is hurt first is the early warning."""
        for of, curve in curves.items():
            if curve is None:
                continue
            where = {"regime": name, "of": of}
            last = len(curve.value)
            passed = curve.draws > self.margin
            first = np.where(passed.any(axis=1), passed.argmax(axis=1), last).astype(np.float64)
            low, high = interval(first, self.level)
            value = float(np.median(first))
            if value >= last:
                why = f"it does not pass the margin within {count(last - 1, 'generation')}"
                yield missing("forecast.first_warning", why, self.level, where)
            else:
                said = f"margin {self.margin:.1%}; {last} stands for later than was run; {self._said(last)}"
                yield self._measure("forecast.first_warning", where, (value, low, high), method=said)

    def _calibration(self, name: str, chains: Sequence[Chain]) -> Iterable[Measure]:
        for generation in range(len(chains[0].generations)):
            values = np.array([chain.generations[generation].calibration for chain in chains])
            where = {"regime": name, "round": str(generation)}
            if not np.isfinite(values).all():
                if generation == 0:
                    why = f"the learner {self.learner} says nothing of its confidence"
                    yield missing("forecast.calibration", why, self.level, {"regime": name})
                return
            yield self._over_seeds("forecast.calibration", where, values)

    def _by_generation(self, name: str, measure: str, curve: Curve, text: bool) -> Iterable[Measure]:
        units = {"forecast.loss": "share of items"}
        for generation in range(len(curve.value)):
            yield self._measure(
                measure,
                {"regime": name, "round": str(generation)},
                curve.bounds(generation, self.level),
                method=self._said(len(curve.value)),
                unit=None if text else units.get(measure, "error difference"),
            )

    def _outlook(self, name: str, change: Curve, text: bool) -> Iterable[Measure]:
        """The shapes and their probabilities, and what they say of later generations."""
        last = len(change.value) - 1
        if last < FEWEST:
            why = f"a shape needs {FEWEST} generations after the first; {last} were run"
            yield missing("forecast.shape", why, self.level, {"regime": name})
            return
        covariance = np.atleast_2d(np.cov(change.draws[:, 1:].T))
        fitted = fit_shapes(change.value[1:], covariance)
        again = np.array([fit_shapes(draw, covariance).probabilities for draw in change.draws[:_REDRAWN, 1:]])
        for place, shape in enumerate(SHAPES):
            value = float(fitted.probabilities[place])
            low, high = interval(again[:, place], self.level)
            yield self._measure(
                "forecast.shape",
                {"regime": name, "shape": shape},
                (value, min(low, value), max(high, value)),
                method=f"{self._said(last + 1)}; interval over {_REDRAWN} bootstrap draws",
            )
        yield from self._extrapolated(name, fitted, last, text)

    def _extrapolated(self, name: str, fitted: Shapes, last: int, text: bool) -> Iterable[Measure]:
        rng = np.random.default_rng([self.simulation.world.seed, 6])
        for generation in range(last + 1, last + self.beyond + 1):
            draws = fitted.draw(generation, 1000, rng)
            low, high = interval(draws, self.level)
            yield self._measure(
                "forecast.outlook",
                {"regime": name, "round": str(generation)},
                (float(np.median(draws)), low, high),
                method=f"extrapolated from {count(last, 'generation')}, not run; most likely {fitted.likeliest}",
                unit=None if text else "error difference",
            )

    def _half_life(self, name: str, chains: Sequence[Chain]) -> Measure:
        where = {"regime": name}
        measure = "forecast.tail_half_life"
        key = "forecast.type_coverage"
        held = np.array([[each.facts.get(key, math.nan) for each in chain.generations] for chain in chains])
        if not np.isfinite(held).all():
            return missing(
                measure, "there is no generated text whose words could be counted", self.level, where
            )
        value, low, high = half_life(np.maximum(held, 1e-4), self.level)
        if not math.isfinite(high):
            why = "the rarer words do not surely decline"
            if math.isfinite(low):
                why += f"; if they do, half of them last for {low:.1f} generations or more"
            return missing(measure, why, self.level, where)
        return self._measure(measure, where, (value, low, high), method=self._said(held.shape[1]))

    def _watched(
        self, name: str, chains: Sequence[Chain], real: Sequence[dict[str, float]]
    ) -> Iterable[Measure]:
        for key in _in_order(chains[0].generations[0].facts | chains[0].generations[-1].facts):
            measure, _, group = key.partition("/")
            for generation in range(len(chains[0].generations)):
                facts = [chain.generations[generation].facts for chain in chains]
                if any(key not in each for each in facts):
                    continue
                values = np.array([each[key] for each in facts])
                where = {"regime": name, "round": str(generation)} | ({"group": group} if group else {})
                if not np.isfinite(values).all():
                    yield missing(measure, "this generation wrote too little text", self.level, where)
                    continue
                known = np.array([each[key] for each in real if key in each])
                yield self._over_seeds(measure, where, values, known)

    def _over_seeds(
        self,
        measure: str,
        where: dict[str, str],
        values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
        real: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None = None,
    ) -> Measure:
        world = self.simulation.world
        overlap = world.budget / len(world.real)
        reference = None
        if real is not None and len(real) > 1 and np.isfinite(real).all():
            value, low, high = over_seeds(real, overlap, self.level)
            reference = Reference(value=value, low=low, high=high)
        value, low, high = over_seeds(values, overlap, self.level)
        # Nothing that is watched is negative, and Student's t does not know where a share ends.
        most = 1.0 if define(measure).unit.startswith("share") else math.inf
        found = (value, max(low, 0.0), min(high, most))
        said = f"{define(measure).formula}; mean over {len(values)} seeds"
        return self._measure(measure, where, found, method=said, reference=reference)

    def _said(self, generations: int) -> str:
        world = self.simulation.world
        seeds = len(self.wanted[0])
        return (
            f"{self.learner}, {count(generations - 1, 'generation')} after the first, {count(seeds, 'seed')}, "
            f"{world.budget:,} rows a generation"
        )

    def _measure(
        self,
        name: str,
        where: dict[str, str] | None,
        bounds: tuple[float, float, float],
        *,
        method: str,
        unit: str | None = None,
        reference: Reference | None = None,
    ) -> Measure:
        definition = define(name)
        return Measure(
            name=name,
            slice=where,
            value=bounds[0],
            low=bounds[1],
            high=bounds[2],
            level=self.level,
            n=len(self.simulation.world.test),
            unit=unit or definition.unit,
            worse=definition.worse,
            reference=reference,
            method=method,
            left_out=self.left_out or {},
        )


def _in_order(facts: Iterable[str]) -> list[str]:
    """Keys of what was watched, measure by measure."""
    known = [key for key in facts if key.partition("/")[0] in WATCHED]
    return sorted(known, key=lambda key: WATCHED.index(key.partition("/")[0]))


def missing(name: str, why: str, level: float, where: dict[str, str] | None = None) -> Measure:
    """A measure without a value."""
    definition = define(name)
    return Measure(
        name=name,
        slice=where,
        value=None,
        missing=why,
        level=level,
        unit=definition.unit,
        worse=definition.worse,
        method=definition.formula,
    )
