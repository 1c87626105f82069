"""Scores that other evaluators made: every arm against the first, paired by item, with what can be said of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.core.discoveries import adjusted
from assay.core.errors import InputError
from assay.core.evidence import Loss
from assay.core.measure import Measure, Worse
from assay.core.recipe import Recipe
from assay.core.trial import Cost, Trial
from assay.engine.eval_logs import harness_task
from assay.engine.scores import ArmScores, read_scores
from assay.stats import decisions
from assay.trial.paired import DRAWS, Effect, by_cluster, clusters_of, mean_effect

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

FEWEST_CLUSTERS = 10
_FEWEST_SLICE_ITEMS, _FEWEST_SLICE_CLUSTERS = 30, 10
# What counts errors or surprise; everything else counts successes.
LOWER_IS_BETTER = {"loss", "nll", "ppl", "perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte"}
LOWER_IS_BETTER |= {"brier", "brier_score", "ter", "wer", "cer", "error", "mse", "mae"}


@dataclass(frozen=True)
class ScoresResult:
    """Every arm, what they say together, and which rows had no say."""

    trials: tuple[Trial, ...]
    measures: tuple[Measure, ...]
    losses: tuple[Loss, ...]


def compare_scores(
    paths: Sequence[str | Path],
    *,
    metric: str | None = None,
    margin: float = 0.01,
    seed: int = 0,
    level: float = 0.95,
    slices: Sequence[str] = (),
    cluster: str | None = None,
    lower_is_better: bool | None = None,
) -> ScoresResult:
    """Compare per-item scores of several models, the first of which is the baseline (trained on real data).

    Args:
        paths: A file or folder per arm, see `engine.scores.read_scores`; arms are called after them.
        metric: Which metric; None takes the first one the baseline's file lists.
        margin: Difference of mean score that does not matter, in the score's own unit.
        slices, cluster: Columns to slice by, and the column that says which items are kin.
        lower_is_better: None decides by the metric's name, see `LOWER_IS_BETTER`. Scores of which less is better
            are compared with their sign turned, so that a negative delta is always the worse.
    Returns: One `Trial` per arm and seed; `trial.score` of each arm; `trial.score_delta`, `trial.slice_delta`,
        `trial.worst_slice_delta` and `evaluation.mde` of each arm but the first; rows and items left out.
    Raises: InputError: fewer than two paths, a file that cannot be used, or metrics that differ between arms.
    """
    if len(paths) < 2:
        raise InputError("a comparison needs at least two score files", fix="Give the baseline's file first.")
    first = read_scores(paths[0], metric=metric, slices=slices, cluster=cluster)
    folder = Path(paths[0]).is_dir()
    others = [
        read_scores(path, metric=metric if folder else first.metric, slices=slices, cluster=cluster)
        for path in paths[1:]
    ]
    arms = _called(paths, [first, *others])
    return compare_arms(arms, margin=margin, seed=seed, level=level, lower_is_better=lower_is_better)


def compare_arms(
    arms: Sequence[ArmScores],
    *,
    margin: float = 0.01,
    seed: int = 0,
    level: float = 0.95,
    lower_is_better: bool | None = None,
) -> ScoresResult:
    """As `compare_scores`, of arms already in memory."""
    arms = _named_apart(arms)
    baseline = arms[0]
    for arm in arms[1:]:
        if arm.metric != baseline.metric:
            raise InputError(
                f"{baseline.name} is scored by {baseline.metric}, {arm.name} by {arm.metric}",
                fix="Choose one that all of them have, with --metric.",
            )
    turned = _counts_down(baseline.metric) if lower_is_better is None else lower_is_better
    pairs = [_Pair.of(baseline, arm, turned=turned, seed=seed) for arm in arms[1:]]
    effects = [pair.effect() for pair in pairs]
    sure = adjusted([effect.different() for effect in effects])
    measures = [_mean(arm, level=level, seed=seed) for arm in arms]
    for pair, effect, p in zip(pairs, effects, sure, strict=True):
        measures += pair.measures(effect, p, arms=len(pairs), margin=margin, level=level)
    losses = (
        *(loss for arm in arms for loss in arm.losses),
        *(loss for pair in pairs for loss in pair.losses),
    )
    return ScoresResult(tuple(_trials(arms)), tuple(measures), losses)


@dataclass(frozen=True)
class _Pair:
    """The items that baseline and arm share, in one order.

    Attributes:
        scores, against: Of the arm and the baseline, shapes (items, runs) with runs of their own.
        kin: Cluster of each item, 0 to clusters - 1, shape (items,).
    """

    name: str
    baseline: str
    metric: str
    scores: Floats
    against: Floats
    same_runs: bool
    kin: Index
    slices: Mapping[str, npt.NDArray[np.object_]]
    losses: tuple[Loss, ...]
    left_out: dict[str, int]
    note: str
    seed: int

    @classmethod
    def of(cls, baseline: ArmScores, arm: ArmScores, *, turned: bool, seed: int) -> _Pair:
        here = {item: row for row, item in enumerate(arm.items)}
        rows, places, other = [], [], []
        for row, item in enumerate(baseline.items):
            place = here.get(item)
            if place is None:
                continue
            one, two = baseline.checks[row], arm.checks[place]
            if one is not None and two is not None and one != two:
                other.append(item)
                continue
            rows.append(row)
            places.append(place)
        known = set(baseline.items)
        lacking = {
            f"items only {baseline.name} was scored on": [
                item for item in baseline.items if item not in here
            ],
            f"items only {arm.name} was scored on": [item for item in arm.items if item not in known],
            "items of one id but different content": other,
        }
        if not rows:
            raise InputError(
                f"{baseline.name} and {arm.name} have no item in common",
                fix=f"Ids of the first: {', '.join(baseline.items[:3])}; of the second: {', '.join(arm.items[:3])}.",
            )
        names = [
            baseline.clusters[row] or arm.clusters[place] for row, place in zip(rows, places, strict=True)
        ]
        sign = -1.0 if turned else 1.0
        return cls(
            name=arm.name,
            baseline=baseline.name,
            metric=baseline.metric,
            scores=sign * arm.scores[places],
            against=sign * baseline.scores[rows],
            same_runs=arm.runs == baseline.runs and len(arm.runs) > 1,
            kin=clusters_of(names),
            slices=_slices(baseline, rows),
            losses=tuple(
                Loss(
                    what=f"{arm.name} against {baseline.name}",
                    why=why,
                    rows=len(items),
                    examples=tuple(items[:5]),
                )
                for why, items in lacking.items()
                if items
            ),
            left_out={why: len(items) for why, items in lacking.items() if items},
            note=", sign turned because less is better" if turned else "",
            seed=seed,
        )

    def measures(
        self, effect: Effect, adjusted: float, *, arms: int, margin: float, level: float
    ) -> Iterator[Measure]:
        """All that is said of this arm."""
        where = {"arm": self.name}
        over = f" (Benjamini-Hochberg over {arms} arms: {adjusted:.3g})" if arms > 1 else ""
        method = (
            f"{self.metric}{self.note}, {self.name} minus {self.baseline} on the same items; p = "
            f"{effect.different():.3g}{over}; two one-sided tests for a difference within {margin:g}: p = "
            f"{effect.equivalent(margin, self.reach):.3g}; {self._how(effect)}"
        )
        if effect.clusters < FEWEST_CLUSTERS:
            reason = f"fewer than {FEWEST_CLUSTERS} independent items in common (found: {effect.clusters})"
            for name in ("trial.score_delta", "trial.worst_slice_delta", "evaluation.mde"):
                yield _measure(name, where, None, reason, level, self.left_out)
            return
        yield self._measure("trial.score_delta", effect, where, method, level)
        yield from self._slices(level)
        yield self._detectable(effect, where, level)

    @property
    def reach(self) -> float:
        """Largest difference two scores of these could have: the width of the range that was seen."""
        both = (self.scores, self.against)
        return max(float(max(each.max() for each in both) - min(each.min() for each in both)), 0.0) or 1.0

    def effect(self, inside: npt.NDArray[np.bool_] | None = None) -> Effect:
        """Mean difference on all items or those `inside`, with draws over clusters and, where there are several
        trainings of an arm, over those."""
        keep = np.ones(len(self.kin), dtype=np.bool_) if inside is None else inside
        kin = np.unique(self.kin[keep], return_inverse=True)[1]
        arm, base = by_cluster(self.scores[keep], kin), by_cluster(self.against[keep], kin)
        sizes = np.bincount(kin).astype(np.float64)
        sides = [arm - base] if self.same_runs else [arm, -base]
        return mean_effect(sides, sizes, self.seed)

    def _slices(self, level: float) -> Iterator[Measure]:
        large = [
            ({column: value}, inside)
            for column, values in self.slices.items()
            for value in sorted({value for value in values if value is not None})
            if (inside := values == value).sum() >= _FEWEST_SLICE_ITEMS
            and len(np.unique(self.kin[inside])) >= _FEWEST_SLICE_CLUSTERS
        ]
        where = {"arm": self.name}
        if not large:
            asked = f"no slice has {_FEWEST_SLICE_ITEMS} items from {_FEWEST_SLICE_CLUSTERS} clusters"
            reason = asked if self.slices else "the scores name no slices (a column `slice`, or --slice)"
            yield _measure("trial.worst_slice_delta", where, None, reason, level, self.left_out)
            return
        kept, names = self._worst(large)
        worst = self.effect(kept)
        method = (
            f"of {len(large)} slices, the one that loses most on one half of the clusters, measured on the other "
            f"half, both ways: {names}; {self._how(worst)}"
        )
        yield self._measure("trial.worst_slice_delta", worst, where, method, level)
        effects = [self.effect(inside) for _, inside in large]
        sure = adjusted([effect.different() for effect in effects])
        for (slice_, _), effect, p in zip(large, effects, sure, strict=True):
            method = f"Benjamini-Hochberg p over {len(large)} slices = {p:.3g}; {self._how(effect)}"
            yield self._measure("trial.slice_delta", effect, {**where, **slice_}, method, level)

    def _worst(
        self, large: Sequence[tuple[dict[str, str], npt.NDArray[np.bool_]]]
    ) -> tuple[npt.NDArray[np.bool_], str]:
        """Items of the slice that loses most, chosen for each half of the clusters on the other half."""
        clusters = int(self.kin.max()) + 1
        half = (np.random.default_rng(self.seed).permutation(clusters) % 2)[self.kin]
        gain = self.scores.mean(axis=1) - self.against.mean(axis=1)
        kept = np.zeros(len(gain), dtype=np.bool_)
        names = []
        for side in (0, 1):
            seen = [inside & (half != side) for _, inside in large]
            means = [gain[each].mean() if each.any() else np.inf for each in seen]
            name, inside = large[int(np.argmin(means))]
            kept |= inside & (half == side)
            names += [f"{column} {value!r}" for column, value in name.items()]
        return kept, " and ".join(dict.fromkeys(names))

    def _detectable(self, effect: Effect, where: dict[str, str], level: float) -> Measure:
        error = effect.error(self.reach)
        low, high = decisions.error_bounds(error, effect.freedom, level)
        alone = float(np.var(self.scores.mean(axis=1)) + np.var(self.against.mean(axis=1)))
        apart = float(np.var(self.scores.mean(axis=1) - self.against.mean(axis=1)))
        saved = f"; pairing by item is worth {alone / apart:.2g} times the items" if apart > 0 else ""
        return _measure(
            "evaluation.mde",
            where,
            (
                decisions.detectable_effect(error),
                decisions.detectable_effect(low),
                decisions.detectable_effect(high),
            ),
            f"80 % power, 5 % level, from the standard error of trial.score_delta over {effect.clusters} clusters; "
            f"half of it needs about four times the items{saved}",
            level,
            self.left_out,
            effect.items,
        )

    def _measure(
        self, name: str, effect: Effect, where: dict[str, str], method: str, level: float
    ) -> Measure:
        low, high = effect.interval(level, self.reach)
        return _measure(name, where, (effect.value, low, high), method, level, self.left_out, effect.items)

    def _how(self, effect: Effect) -> str:
        runs = self.scores.shape[1], self.against.shape[1]
        if self.same_runs:
            trainings = f" and {runs[0]} trainings, paired by seed"
        elif max(runs) > 1:
            trainings = f" and {runs[0]} against {runs[1]} trainings (an arm with one has its luck left out)"
        else:
            trainings = ""
        kin = f"{effect.clusters} clusters of {effect.items} items"
        what = kin if effect.clusters < effect.items else f"{effect.items} items"
        return f"bootstrap of {DRAWS} draws over {what}{trainings}"


def _mean(arm: ArmScores, *, level: float, seed: int) -> Measure:
    """The arm's own mean score, over all of its items."""
    kin = clusters_of(arm.clusters)
    sizes = np.bincount(kin).astype(np.float64)
    effect = mean_effect([by_cluster(arm.scores, kin)], sizes, seed)
    reach = max(float(np.ptp(arm.scores)), 0.0) or 1.0
    low, high = effect.interval(level, reach)
    binary = bool(np.isin(arm.scores, (0.0, 1.0)).all())
    if binary:
        low, high = max(low, 0.0), min(high, 1.0)
    repeats = f", mean of up to {arm.repeats} repeats an item" if arm.repeats > 1 else ""
    others = f"; the file also has {', '.join(arm.others[:5])}" if arm.others else ""
    method = f"{arm.metric} ({arm.form}){repeats}; bootstrap of {DRAWS} draws over {effect.clusters} clusters{others}"
    bounds = (effect.value, low, high)
    left_out = {loss.why: loss.rows for loss in arm.losses}
    return _measure("trial.score", {"arm": arm.name}, bounds, method, level, left_out, effect.items)


def _trials(arms: Sequence[ArmScores]) -> Iterator[Trial]:
    for place, arm in enumerate(arms):
        # Only the baseline's recipe is known; of the others nobody said which shares they were trained on.
        recipe = Recipe(real=1.0) if place == 0 else Recipe()
        for number, run in enumerate(arm.runs):
            yield Trial(
                learner=f"imported: {arm.name}",
                recipe=recipe,
                seed=int(run) if run.isascii() and run.isdigit() and len(run) < 19 else number,
                score={arm.metric: float(arm.scores[:, number].mean())},
                cost=Cost(),
            )


_UNITS: dict[str, tuple[str, Worse]] = {
    "trial.score": ("score", "lower"),
    "trial.score_delta": ("score difference", "lower"),
    "trial.slice_delta": ("score difference", "lower"),
    "trial.worst_slice_delta": ("score difference", "lower"),
    "evaluation.mde": ("score difference", "higher"),
}


def _measure(
    name: str,
    where: dict[str, str],
    found: tuple[float, float, float] | None,
    method: str,
    level: float,
    left_out: dict[str, int],
    items: int = 0,
) -> Measure:
    unit, worse = _UNITS[name]
    value, low, high = found or (None, None, None)
    return Measure(
        name=name,
        slice=where,
        value=value,
        low=low,
        high=high,
        level=level,
        n=items,
        unit=unit,
        worse=worse,
        method=method,
        left_out=left_out,
        missing=method if found is None else None,
    )


def _counts_down(metric: str) -> bool:
    return metric.partition(",")[0].rpartition("/")[2].lower() in LOWER_IS_BETTER


def _called(paths: Sequence[str | Path], arms: Sequence[ArmScores]) -> list[ArmScores]:
    """Arms called after their files, or after the folders these lie in if the files tell only the task."""
    tasks, folders = [harness_task(arm.name) for arm in arms], [Path(path).parent.name for path in paths]
    clash, apart = len(set(tasks)) < len(tasks), len(set(folders)) == len(folders)
    return [
        replace(arm, name=folder) if clash and apart and folder else arm
        for arm, folder in zip(arms, folders, strict=True)
    ]


def _named_apart(arms: Sequence[ArmScores]) -> list[ArmScores]:
    """Two arms of one name get a number behind it."""
    taken: set[str] = set()
    out = []
    for arm in arms:
        number, name = 1, arm.name
        while name in taken:
            number += 1
            name = f"{arm.name} {number}"
        taken.add(name)
        out.append(replace(arm, name=name))
    return out


def _slices(arm: ArmScores, rows: Sequence[int]) -> dict[str, npt.NDArray[np.object_]]:
    return {
        name: np.array([values[row] for row in rows], dtype=object) for name, values in arm.slices.items()
    }
