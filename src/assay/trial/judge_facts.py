"""How a statement about a judge becomes a measure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from assay.core.measure import Measure, Worse
from assay.models.judge import Comparison, Rating
from assay.stats import intervals
from assay.trial.paired import DRAWS, by_cluster, clusters_of, mean_effect

Floats = npt.NDArray[np.float64]

_UNITS: dict[str, tuple[str, Worse]] = {
    "evaluation.judge_swap_consistency": ("share of pairs", "lower"),
    "evaluation.judge_position_bias": ("share of replies", "either"),
    "evaluation.judge_agreement": ("share of labels", "lower"),
    "evaluation.judge_kappa": ("kappa", "lower"),
    "evaluation.judge_self_preference": ("difference of shares", "higher"),
    "evaluation.preference_leakage": ("relative win rate", "higher"),
    "trial.judge_win_rate": ("share of pairs", "lower"),
}


def share_of(
    name: str,
    said: Sequence[Comparison | Rating],
    hits: Sequence[bool],
    where: dict[str, str],
    left: dict[str, int],
    level: float,
) -> Measure:
    """The share of items that are hits, as a measure; missing of fewer than two independent ones."""
    if len({root_of(each) for each in said}) < 2:
        return missing(name, "fewer than two independent items", where, left, level)
    value, low, high = grouped_share(said, hits, level)
    method = "exact binomial interval for as many independent items as these are worth"
    return measured(name, value, low, high, len(said), method, where, left, level)


def grouped_share(
    said: Sequence[Comparison | Rating], hits: Sequence[float], level: float
) -> tuple[float, float, float]:
    """Share, low and high; items of one cluster are kin."""
    kin = clusters_of([root_of(each) for each in said])
    return intervals.share(np.bincount(kin, hits), np.bincount(kin), level)


def root_of(each: Comparison | Rating) -> str:
    """What an item is kin of: its cluster, or itself."""
    return f"item {each.item}" if each.cluster is None else f"cluster {each.cluster}"


def mean_of(
    name: str,
    scores: Floats,
    said: Sequence[Comparison],
    ends: tuple[float, float],
    method: str,
    where: dict[str, str],
    left: dict[str, int],
    level: float,
    seed: int,
) -> Measure:
    """Mean of one score per item, shape (items, 1), between the `ends` of its scale."""
    kin = clusters_of([root_of(each) for each in said])
    effect = mean_effect([by_cluster(scores, kin)], np.bincount(kin).astype(np.float64), seed)
    low, high = effect.interval(level, ends[1] - ends[0])
    method = f"{method}; bootstrap of {DRAWS} draws over {effect.clusters} items"
    return measured(
        name, effect.value, max(low, ends[0]), min(high, ends[1]), len(said), method, where, left, level
    )


def unreadable(count: int) -> dict[str, int]:
    """As a measure's `left_out`."""
    return {"replies that are no verdict": count} if count else {}


def missing(name: str, reason: str, where: dict[str, str], left: dict[str, int], level: float) -> Measure:
    """A measure without a value and the reason."""
    unit, worse = _UNITS[name]
    return Measure(
        name=name, slice=where, value=None, missing=reason, level=level, unit=unit, worse=worse,
        method="a judge that was checked against labels", left_out=left,
    )  # fmt: skip


def measured(
    name: str,
    value: float,
    low: float,
    high: float,
    n: int,
    method: str,
    where: dict[str, str],
    left: dict[str, int],
    level: float,
) -> Measure:
    """A measure with its value."""
    unit, worse = _UNITS[name]
    return Measure(
        name=name, slice=where, value=value, low=low, high=high, level=level, n=n, unit=unit, worse=worse,
        method=method, left_out=left,
    )  # fmt: skip
