"""From per-item scores of all arms to measures: every difference paired by test item and by seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.catalogue import define
from assay.core.measure import Measure
from assay.stats import bootstrap, decisions
from assay.stats.bootstrap import Estimate
from assay.trial import curves
from assay.trial.arms import SEED_SHARE, Arm, Design

Floats = npt.NDArray[np.float64]

DRAWS = 2000
_FEWEST_SLICE_ITEMS, _FEWEST_SLICE_ROOTS = 30, 10
_BINS = 15


@dataclass(frozen=True)
class Scores:
    """What the trained arms did on the test set.

    Attributes:
        plan: The arms.
        correct: Whether each arm was right, shape (arms, seeds, items).
        confidence: Its probability for the class it chose, same shape.
        roots: Index of each item's root, 0 to clusters - 1, shape (items,).
        slices: Values of each slice by name, shape (items,); None where a row has none.
    """

    plan: Design
    correct: npt.NDArray[np.bool_]
    confidence: npt.NDArray[np.float32]
    roots: npt.NDArray[np.int64]
    slices: dict[str, npt.NDArray[np.object_]]


class Comparison:
    """Joint draws of all arms over the same test roots and seeds, and the measures read off them."""

    def __init__(
        self, scores: Scores, *, margin: float, level: float, seed: int, left_out: dict[str, int]
    ) -> None:
        self.scores, self.margin, self.level, self.left_out = scores, margin, level, left_out
        self.plan = scores.plan
        self.place = {arm: index for index, arm in enumerate(self.plan.arms)}
        self.clusters = int(scores.roots.max()) + 1
        self.sizes = np.bincount(scores.roots, minlength=self.clusters).astype(np.float64)
        self.items, self.seeds = len(scores.roots), scores.correct.shape[1]
        self.noise = seed
        self.weights = bootstrap.cluster_weights(self.clusters, DRAWS, np.random.default_rng(seed))
        self.halves = np.random.default_rng(seed).permutation(self.clusters) % 2
        self.overlap = self.plan.overlap()
        self.sums = self._by_root(scores.correct)
        self.rows = np.array([[arm.real, arm.synthetic] for arm in self.plan.arms], dtype=np.float64)
        variance = bootstrap.training_variance(self.sums, self.sizes, self.rows)
        self.accuracy = self._two_level(self.sums, self.overlap, variance)

    def measures(self) -> list[Measure]:
        """All of them, in the catalogue's order."""
        benefit = self._benefit()
        return [
            self.gap(),
            self._measure("trial.benefit", float(benefit.value[0]), benefit.draws[:, 0], _BENEFIT),
            *self._learning_curve(),
            *self._dose_response(),
            self._best_share(),
            self._harmful_above(),
            self._exchange_rate(),
            self._break_even(),
            self._calibration(),
            *self._slices(),
            self._detectable(benefit),
        ]

    def gap(self) -> Measure:
        """Synthetic only against real only at equal rows."""
        synthetic, real = Arm(0, self.plan.equal), Arm(self.plan.equal)
        value, draws = self._difference(synthetic, real)
        p = decisions.equivalence(draws, self.margin)
        return self._measure(
            "trial.gap",
            value,
            draws,
            f"{self.plan.equal} rows of either kind; {_BOOTSTRAP}; two one-sided tests for a difference within "
            f"{self.margin:g}: p = {p:.3g}",
        )

    def _benefit(self) -> Estimate:
        """Gain of the best dose over the best real-only baseline, chosen and measured on different data.

        Test roots and seeds are both cut in two. The dose and the baseline are chosen on one half of each
        and measured on the other, in all four ways, so that the winner's luck is not counted as gain.
        """
        plan = self.plan
        doses = [self.place[arm] for arm in plan.addition]
        baselines = [self.place[arm] for arm in (Arm(plan.budget), *plan.repeated)]
        gain = np.zeros((1, self.seeds, self.clusters))
        used = 0.0
        for parity in (0, 1):
            for half in (0, 1):
                chosen = self.sums[:, 1 - parity :: 2][:, :, self.halves != half].sum(axis=(1, 2))
                best = doses[int(np.argmax(chosen[doses]))]
                rival = baselines[int(np.argmax(chosen[baselines]))]
                here = np.flatnonzero(self.halves == half)
                seeds = np.arange(parity, self.seeds, 2)
                gain[0][np.ix_(seeds, here)] = (
                    self.sums[best][np.ix_(seeds, here)] - self.sums[rival][np.ix_(seeds, here)]
                )
                used = max(used, self.overlap[best], self.overlap[rival])
        # A difference of arms is an arm of its own: luck that both share is no luck in it.
        variance = bootstrap.training_variance(gain, self.sizes, np.array([[plan.budget, plan.doses]]))
        return self._two_level(gain, np.array([used]), variance)

    def _learning_curve(self) -> Iterator[Measure]:
        for arm in self.plan.ladder:
            yield self._score("trial.learning_curve", arm, {"real_rows": str(arm.real)})

    def _dose_response(self) -> Iterator[Measure]:
        plan = self.plan
        full = Arm(plan.budget)
        designs = {
            "replacement": plan.replacement,
            "addition": (full, *plan.addition),
            "repeated": (full, *plan.repeated),
            "scarce": tuple(Arm(arm.real) for arm in plan.scarce),
            "scarce+synthetic": plan.scarce,
        }
        for name, arms in designs.items():
            for arm in arms:
                share = plan.recipe(arm).synthetic_share
                yield self._score(
                    "trial.dose_response",
                    arm,
                    {
                        "design": name,
                        "synthetic_share": f"{share:.4g}",
                        "real_rows": str(arm.real),
                        "synthetic_rows": str(arm.synthetic),
                        "repeats": f"{arm.repeat:.4g}",
                    },
                )

    def _best_share(self) -> Measure:
        shares, value, draws = self._replacement()
        best = float(shares[int(np.argmax(value))])
        return self._measure(
            "trial.best_share",
            best,
            np.append(shares[np.argmax(draws, axis=1)], best),
            f"share of the best of {len(shares)} arms of {self.plan.equal} rows each; {_BOOTSTRAP}",
        )

    def _harmful_above(self) -> Measure:
        shares, value, draws = self._replacement()
        above = float(curves.crossing(shares, (value - value[0])[None], -self.margin)[0])
        if above >= 1.0:
            return self._missing(
                "trial.harmful_above",
                f"at no share up to 100 % does accuracy fall by more than {self.margin:g} ({self.plan.equal} rows)",
            )
        return self._measure(
            "trial.harmful_above",
            above,
            np.append(curves.crossing(shares, draws - draws[:, [0]], -self.margin), above),
            f"where accuracy falls {self.margin:g} below real only, interpolated between arms of "
            f"{self.plan.equal} rows; an upper end of 1 means that no harm up to 100 % is possible; {_BOOTSTRAP}",
        )

    def _exchange_rate(self) -> Measure:
        plan = self.plan
        ladder = [self.place[arm] for arm in plan.ladder]
        mixed = [self.place[arm] for arm in plan.exchange]
        rows = np.array([arm.real for arm in plan.ladder], dtype=np.float64)
        real = np.array([arm.real for arm in plan.exchange], dtype=np.float64)
        synthetic = np.array([arm.synthetic for arm in plan.exchange], dtype=np.float64)
        rise = self.accuracy.draws[:, ladder[-1]] - self.accuracy.draws[:, ladder[0]]
        if len(ladder) < 3 or len(mixed) < 2:
            return self._missing("trial.exchange_rate", "too few real rows for a ladder of sizes")
        if bootstrap.interval(rise, self.level)[0] <= 0:
            return self._missing(
                "trial.exchange_rate",
                f"the real curve is flat: from {plan.ladder[0].real} to {plan.budget} real rows accuracy does not rise "
                "beyond noise, so rows of either kind are worth nothing measurable here",
            )
        value = curves.exchange_rates(
            rows, self.accuracy.value[None, ladder], real, synthetic, self.accuracy.value[None, mixed]
        )
        draws = curves.exchange_rates(
            rows, self.accuracy.draws[:, ladder], real, synthetic, self.accuracy.draws[:, mixed]
        )
        note = {
            curves.LEAST_RATE: "at most (the curve ends here); ",
            curves.MOST_RATE: "at least (the curve ends here); ",
        }
        return self._measure(
            "trial.exchange_rate",
            float(value[0]),
            np.append(draws, value),
            f"{note.get(float(value[0]), '')}one rate for {len(mixed)} mixed arms, fitted in accuracy on the measured "
            f"real curve of {len(ladder)} sizes; {_BOOTSTRAP}",
        )

    def _break_even(self) -> Measure:
        plan = self.plan
        arms = (*plan.scarce, Arm(plan.budget, plan.doses))
        rows = np.log([arm.real for arm in arms])
        mixed = [self.place[arm] for arm in arms]
        alone = [self.place[Arm(arm.real)] for arm in arms]
        if len(arms) < 2:
            return self._missing("trial.break_even_rows", "too few real rows for a ladder of sizes")
        value = self.accuracy.value[mixed] - self.accuracy.value[alone]
        draws = self.accuracy.draws[:, mixed] - self.accuracy.draws[:, alone]
        crossed = float(curves.crossing(rows, value[None], 0.0)[0])
        note = {rows[0]: "at most; ", rows[-1]: "at least; "}.get(crossed, "")
        return self._measure(
            "trial.break_even_rows",
            float(np.exp(crossed)),
            np.exp(np.append(curves.crossing(rows, draws, 0.0), crossed)),
            f"{note}real rows at which adding {plan.doses} synthetic rows stops raising accuracy, interpolated between "
            f"{arms[0].real} and {plan.budget}; {_BOOTSTRAP}",
        )

    def _calibration(self) -> Measure:
        pair = [self.place[Arm(0, self.plan.equal)], self.place[Arm(self.plan.equal)]]
        confidence, correct = self.scores.confidence[pair], self.scores.correct[pair]
        bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
        by_seed = np.zeros((2, self.seeds))
        drawn = np.zeros((DRAWS, 2, self.seeds))
        total = self.weights @ self.sizes
        for arm in (0, 1):
            for seed in range(self.seeds):
                cell = self.scores.roots * _BINS + bins[arm, seed]
                over = np.bincount(
                    cell,
                    confidence[arm, seed].astype(np.float64) - correct[arm, seed],
                    minlength=self.clusters * _BINS,
                ).reshape(self.clusters, _BINS)
                by_seed[arm, seed] = np.abs(over.sum(axis=0)).sum() / self.items
                drawn[:, arm, seed] = np.abs(self.weights @ over).sum(axis=1) / total
        estimate = bootstrap.seed_level(
            by_seed,
            drawn,
            self.overlap[pair],
            by_seed.var(axis=1, ddof=1),
            np.random.default_rng(self.noise + 1),
        )
        value = float(estimate.value[0] - estimate.value[1])
        draws = estimate.draws[:, 0] - estimate.draws[:, 1]
        # Resampling makes any calibration error larger; the shift is taken out of the draws.
        shift = float(np.mean(drawn[:, 0] - drawn[:, 1])) - value
        return self._measure(
            "trial.calibration_delta",
            value,
            draws - shift,
            f"{_BINS} bins of equal width; {self.plan.equal} rows of either kind; {_BOOTSTRAP}",
        )

    def _slices(self) -> Iterator[Measure]:
        mixed, alone = self.plan.addition[-1], Arm(self.plan.budget)
        pair = [self.place[mixed], self.place[alone]]
        slices = list(self._large_slices())
        if not slices:
            reason = f"no label or slice has {_FEWEST_SLICE_ITEMS} test rows from {_FEWEST_SLICE_ROOTS} roots"
            yield self._missing("trial.worst_slice_delta", reason)
            return
        what = f"{mixed.synthetic} synthetic rows added to {mixed.real} real rows"
        worst, names = self._worst(pair, slices)
        yield self._delta(
            "trial.worst_slice_delta",
            self._within(pair, worst),
            f"{what}; of {len(slices)} slices, the one that loses most on one half of the test roots, measured on "
            f"the other half, both ways: {names}; {_BOOTSTRAP}",
            int(worst.sum()),
        )
        found = [self._within(pair, inside) for _, inside in slices]
        drawn = np.column_stack([each.draws[:, 0] - each.draws[:, 1] for each in found])
        adjusted = decisions.benjamini_hochberg(decisions.two_sided(drawn))
        for (slice_, inside), estimate, p in zip(slices, found, adjusted, strict=True):
            method = f"{what}; Benjamini-Hochberg p over {len(slices)} slices = {p:.3g}; {_BOOTSTRAP}"
            yield self._delta("trial.slice_delta", estimate, method, int(inside.sum()), slice_)

    def _large_slices(self) -> Iterator[tuple[dict[str, str], npt.NDArray[np.bool_]]]:
        """Each label and slice with rows enough: its name, and which items are in it."""
        for name, of_item in self.scores.slices.items():
            for value in sorted({each for each in of_item if each is not None}):
                inside: npt.NDArray[np.bool_] = of_item == value
                roots = len(np.unique(self.scores.roots[inside]))
                if inside.sum() >= _FEWEST_SLICE_ITEMS and roots >= _FEWEST_SLICE_ROOTS:
                    yield {name: str(value)}, inside

    def _worst(
        self, pair: list[int], slices: list[tuple[dict[str, str], npt.NDArray[np.bool_]]]
    ) -> tuple[npt.NDArray[np.bool_], str]:
        """Items of the slice that loses most, chosen for each half of the test roots on the other half.

        The worst of many slices is mostly bad luck; measured on other items than it was chosen on, it is not.
        """
        half = self.halves[self.scores.roots]
        gain = self.scores.correct[pair[0]].mean(axis=0) - self.scores.correct[pair[1]].mean(axis=0)
        kept = np.zeros(self.items, dtype=np.bool_)
        names = []
        for side in (0, 1):
            means = [
                gain[inside & (half != side)].mean() if (inside & (half != side)).any() else np.inf
                for _, inside in slices
            ]
            name, inside = slices[int(np.argmin(means))]
            kept |= inside & (half == side)
            names += [f"{key} {value!r}" for key, value in name.items()]
        return kept, " and ".join(dict.fromkeys(names))

    def _delta(
        self, name: str, estimate: Estimate, method: str, items: int, slice: dict[str, str] | None = None
    ) -> Measure:
        value = float(estimate.value[0] - estimate.value[1])
        measure = self._measure(name, value, estimate.draws[:, 0] - estimate.draws[:, 1], method, slice)
        return measure.model_copy(update={"n": items})

    def _within(self, arms: list[int], inside: npt.NDArray[np.bool_]) -> Estimate:
        """The two-level bootstrap on part of the test items."""
        _, roots = np.unique(self.scores.roots[inside], return_inverse=True)
        everything = _sums(self.scores.correct[:, :, inside], roots)
        sums = everything[arms]
        rng = np.random.default_rng(self.noise + 2)
        weights = bootstrap.cluster_weights(sums.shape[2], DRAWS, rng)
        sizes = np.bincount(roots).astype(np.float64)
        variance = bootstrap.training_variance(everything, sizes, self.rows)[arms]
        return bootstrap.two_level(sums, sizes, self.overlap[arms], variance, weights, self.noise + 1)

    def _detectable(self, benefit: Estimate) -> Measure:
        deviation = decisions.error_of(benefit.draws[:, 0])
        value = decisions.detectable_effect(deviation)
        low, high = decisions.error_bounds(deviation, self.seeds - 1, self.level)
        return Measure(
            **self._common("evaluation.mde"),
            value=value,
            low=decisions.detectable_effect(low),
            high=decisions.detectable_effect(high),
            method=f"80 % power, 5 % level, from the standard error of trial.benefit over {self.seeds} seeds and "
            f"{self.clusters} test roots; half of it needs about four times the test rows and the real rows",
        )

    def _replacement(self) -> tuple[Floats, Floats, Floats]:
        arms = self.plan.replacement
        places = [self.place[arm] for arm in arms]
        shares = np.array([self.plan.recipe(arm).synthetic_share for arm in arms])
        return shares, self.accuracy.value[places], self.accuracy.draws[:, places]

    def _difference(self, one: Arm, other: Arm) -> tuple[float, Floats]:
        first, second = self.place[one], self.place[other]
        value = float(self.accuracy.value[first] - self.accuracy.value[second])
        return value, self.accuracy.draws[:, first] - self.accuracy.draws[:, second]

    def _score(self, name: str, arm: Arm, slice_: dict[str, str]) -> Measure:
        place = self.place[arm]
        value, draws = float(self.accuracy.value[place]), self.accuracy.draws[:, place]
        return self._measure(name, value, draws, _BOOTSTRAP, slice=slice_)

    def _by_root(self, correct: npt.NDArray[np.bool_]) -> Floats:
        return _sums(correct, self.scores.roots)

    def _two_level(self, sums: Floats, overlap: Floats, variance: Floats) -> Estimate:
        return bootstrap.two_level(sums, self.sizes, overlap, variance, self.weights, self.noise + 1)

    def _measure(
        self, name: str, value: float, draws: Floats, method: str, slice: dict[str, str] | None = None
    ) -> Measure:
        low, high = bootstrap.interval(draws, self.level)
        return Measure(
            **self._common(name),
            slice=slice,
            value=value,
            low=min(low, value),
            high=max(high, value),
            method=method,
        )

    def _missing(self, name: str, reason: str) -> Measure:
        return Measure(**self._common(name), value=None, missing=reason, method=_BOOTSTRAP)

    def _common(self, name: str) -> dict[str, object]:
        definition = define(name)
        return {
            "name": name,
            "unit": definition.unit,
            "worse": definition.worse,
            "level": self.level,
            "n": self.items,
            "left_out": self.left_out,
        }


def _sums(correct: npt.NDArray[np.bool_], roots: npt.NDArray[np.int64]) -> Floats:
    """Right answers per root, shape (arms, seeds, items) to (arms, seeds, clusters)."""
    order = np.argsort(roots, kind="stable")
    starts = np.searchsorted(roots[order], np.arange(roots.max() + 1))
    return np.add.reduceat(correct[:, :, order], starts, axis=2, dtype=np.float64)


_BOOTSTRAP = (
    f"two-level bootstrap, {DRAWS} draws over test roots and seeds of {SEED_SHARE:.0%} of the rows, "
    "spread between seeds corrected for their overlap (after Nadeau & Bengio 2003)"
)
_BENEFIT = (
    "best dose against the better of real once and repeated, both chosen on one half of test roots and seeds and "
    f"measured on the other; {_BOOTSTRAP}"
)
