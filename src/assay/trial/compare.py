"""From per-item scores of all arms to measures: every difference paired by test item and by seed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from assay.core.catalogue import define
from assay.core.measure import Measure
from assay.stats import bootstrap
from assay.stats.bootstrap import Estimate
from assay.trial.arms import SEED_SHARE, Arm, Design

Floats = npt.NDArray[np.float64]

DRAWS = 2000
METHOD = (
    f"two-level bootstrap, {DRAWS} draws over test roots and seeds of {SEED_SHARE:.0%} of the rows, "
    "spread between seeds corrected for their overlap (after Nadeau & Bengio 2003)"
)


@dataclass(frozen=True)
class Set:
    """What the arms scored on items that belong together.

    Attributes:
        gain: Shape (arms, seeds, items), higher is better.
        sizes: What a score is divided by, shape (items,).
        roots: Index of each item's root, 0 to clusters - 1, shape (items,).
    """

    gain: npt.NDArray[np.float32]
    sizes: Floats
    roots: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """What the trained arms did.

    Attributes:
        plan: The arms.
        main: On the real test rows.
        slices: Values of each slice of the test rows by name, shape (items,); None where a row has none.
        tail: Whether a test row is among those with the rarest words, shape (items,).
        shifted: On disturbed and on other test rows, by name.
        synthetic: On synthetic rows; None where that says nothing.
        general: On rows of another kind, if there are any.
        over: Of the test rows, see `Scored.over`, shape (arms, seeds, items, bins); None without confidences.
        decisions: Shape (items,); None likewise.
        preferred: Shape (arms, seeds, items); None where rows are no pairs.
        text: Whether scores are bits of text; else they are right answers.
        swapped: On test rows with another group in their text, by what was swapped.
        chosen: Classes chosen, shape (arms, seeds, items); None where there are none.
        chosen_swapped: The same of the swapped rows, by what was swapped; empty likewise.
        pairs: On texts that benchmarks compare.
        written: What arms write of groups of people, by arm, shape (seeds, texts, leans); None where none was asked.
        learner: What was trained.
    """

    plan: Design
    main: Set
    slices: dict[str, npt.NDArray[np.object_]]
    tail: npt.NDArray[np.bool_]
    shifted: dict[str, Set]
    synthetic: Set | None = None
    general: Set | None = None
    over: npt.NDArray[np.float32] | None = None
    decisions: npt.NDArray[np.int64] | None = None
    preferred: npt.NDArray[np.bool_] | None = None
    text: bool = False
    swapped: dict[str, Set] = field(default_factory=dict)
    chosen: npt.NDArray[np.int16] | None = None
    chosen_swapped: dict[str, npt.NDArray[np.int16]] = field(default_factory=dict)
    pairs: Set | None = None
    written: dict[Arm, npt.NDArray[np.uint8]] | None = None
    learner: str = "linear"


class Comparison:
    """Joint draws of all arms over the same test roots and seeds, from which measures are read.

    Right answers are compared as they are. Losses are compared as shares of the loss of real rows alone, so that the
    same margin serves every task: a difference of -0.02 is a loss 2 % higher.
    """

    def __init__(
        self,
        scores: Scores,
        *,
        margin: float,
        level: float,
        seed: int,
        left_out: dict[str, int],
        draws: int = DRAWS,
    ) -> None:
        self.scores, self.plan, self.margin, self.level = scores, scores.plan, margin, level
        self.left_out, self.noise = left_out, seed
        self.place = {arm: index for index, arm in enumerate(self.plan.arms)}
        self.rows = np.array(
            [[arm.real, arm.synthetic, arm.placebo] for arm in self.plan.arms], dtype=np.float64
        )
        self.overlap = self.plan.overlap()
        self.items, self.seeds = len(scores.main.roots), scores.main.gain.shape[1]
        self.clusters = int(scores.main.roots.max()) + 1
        self.halves = halves_of(self.clusters, seed)
        self.weights = bootstrap.cluster_weights(self.clusters, draws, np.random.default_rng(seed))
        self.sizes: Floats = np.bincount(
            scores.main.roots, scores.main.sizes, minlength=self.clusters
        ).astype(np.float64)
        self.drawn: dict[int, Floats] = {}
        self.unit_loss = 1.0
        self.sums = sums_by_root(scores.main.gain, scores.main.roots)
        if scores.text:
            alone = self.sums[self.place[Arm(self.plan.budget)]]
            self.unit_loss = -float(alone.sum() / self.seeds / self.sizes.sum())
            self.sums = self.sums / self.unit_loss
        variance = bootstrap.training_variance(self.sums, self.sizes, self.rows)
        self.score = self.two_level(self.sums, self.overlap, variance)

    @property
    def learner(self) -> str:
        """What was trained."""
        return self.scores.learner

    @property
    def difference_unit(self) -> str:
        """Unit of a difference of scores."""
        return "share of loss saved" if self.scores.text else "accuracy difference"

    @property
    def what(self) -> str:
        """What a score is, in a sentence."""
        return "bits per byte of the test rows" if self.scores.text else "accuracy"

    def difference(self, one: Arm, other: Arm) -> tuple[float, Floats]:
        """Score of one arm minus that of another: value and draws."""
        first, second = self.place[one], self.place[other]
        value = float(self.score.value[first] - self.score.value[second])
        return value, self.score.draws[:, first] - self.score.draws[:, second]

    def two_level(
        self,
        sums: Floats,
        overlap: Floats,
        variance: Floats,
        luck: Floats | float = 0.0,
        freedom: float | None = None,
    ) -> Estimate:
        """Draws over the test roots and seeds of this comparison, for anything summed by root."""
        return bootstrap.two_level(
            sums, self.sizes, overlap, variance, self.weights, self.noise + 1, luck, freedom
        )

    def within(self, arms: list[int], inside: npt.NDArray[np.bool_]) -> Estimate:
        """The arms on part of the test items."""
        main = self.scores.main
        _, roots = np.unique(main.roots[inside], return_inverse=True)
        return self.on(Set(main.gain[:, :, inside], main.sizes[inside], roots), arms)

    def on(self, items: Set, arms: list[int]) -> Estimate:
        """The arms on other items, in the same unit of loss."""
        everything = sums_by_root(items.gain, items.roots) / self.unit_loss
        sizes = np.bincount(items.roots, items.sizes).astype(np.float64)
        weights = self._weights_of(len(sizes))
        variance = bootstrap.training_variance(everything, sizes, self.rows)[arms]
        return bootstrap.two_level(
            everything[arms], sizes, self.overlap[arms], variance, weights, self.noise + 1
        )

    def _weights_of(self, clusters: int) -> Floats:
        """Draws of so many roots, the same ones whenever they are asked for."""
        if clusters not in self.drawn:
            rng = np.random.default_rng(self.noise + 2)
            self.drawn = {clusters: bootstrap.cluster_weights(clusters, DRAWS, rng)}
        return self.drawn[clusters]

    def level_of(self, name: str, arm: Arm, slice: dict[str, str]) -> Measure:
        """The score of an arm as people read it: accuracy, or bits per byte."""
        place = self.place[arm]
        value, draws = float(self.score.value[place]), self.score.draws[:, place]
        if not self.scores.text:
            return self.measure(name, value, draws, METHOD, slice=slice, unit="accuracy")
        factor = -self.unit_loss
        return self.measure(name, value * factor, draws * factor, METHOD, slice=slice, unit="bits per byte")

    def delta(
        self, name: str, estimate: Estimate, method: str, items: int, slice: dict[str, str] | None = None
    ) -> Measure:
        """First arm of the estimate minus its second."""
        value = float(estimate.value[0] - estimate.value[1])
        draws = estimate.draws[:, 0] - estimate.draws[:, 1]
        measure = self.measure(name, value, draws, method, slice, self.difference_unit)
        return measure.model_copy(update={"n": items})

    def measure(
        self,
        name: str,
        value: float,
        draws: Floats,
        method: str,
        slice: dict[str, str] | None = None,
        unit: str | None = None,
    ) -> Measure:
        """A measure with its percentile interval; the unit is the catalogue's unless given."""
        low, high = bootstrap.interval(draws, self.level)
        common = self.common(name) | ({} if unit is None else {"unit": unit})
        return Measure(
            **common, slice=slice, value=value, low=min(low, value), high=max(high, value), method=method
        )

    def missing(self, name: str, reason: str) -> Measure:
        """The measure without a value."""
        return Measure(**self.common(name), value=None, missing=reason, method=METHOD)

    def common(self, name: str) -> dict[str, object]:
        """What every measure of this comparison has."""
        definition = define(name)
        return {
            "name": name,
            "unit": definition.unit,
            "worse": definition.worse,
            "level": self.level,
            "n": self.items,
            "left_out": self.left_out,
        }


def halves_of(clusters: int, seed: int) -> npt.NDArray[np.int64]:
    """Test roots cut in two, shape (clusters,): what is chosen on one half is measured on the other."""
    return parts_of(clusters, seed, 2)


def parts_of(clusters: int, seed: int, parts: int) -> npt.NDArray[np.int64]:
    """Test roots in so many parts of like size, drawn at random, shape (clusters,)."""
    return np.random.default_rng(seed).permutation(clusters) % parts


def sums_by_root(gain: npt.NDArray[np.float32], roots: npt.NDArray[np.int64]) -> Floats:
    """Scores summed within each root, shape (arms, seeds, items) to (arms, seeds, clusters)."""
    order = np.argsort(roots, kind="stable")
    starts = np.searchsorted(roots[order], np.arange(roots.max() + 1))
    return np.add.reduceat(gain[:, :, order], starts, axis=2, dtype=np.float64)
