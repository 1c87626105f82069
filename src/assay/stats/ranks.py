"""Do two learners rank the same arms alike, do the arms differ by more than noise, and what more data would settle it.

Scores are higher-is-better or lower-is-better, so long as both learners' are the same way round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.stats import quantiles
from assay.stats.bootstrap import interval

Floats = npt.NDArray[np.float64]

FEWEST_ARMS = 3


@dataclass(frozen=True)
class Interval:
    """A number and the bounds it lies within."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Agreement:
    """How alike two learners rank the same arms.

    Attributes:
        spearman: Correlation of the ranks.
        kendall: Pairs ordered alike minus pairs ordered otherwise, as a share of pairs, corrected for ties (tau-b).
        decisions: Share of pairs of arms of which both learners pick the same; a tie of one of them is half.
        clear: The same among the pairs that the dear learner tells apart; None where there is none.
        clear_pairs: How many pairs those are.
        pairs: All pairs.
    """

    spearman: Interval
    kendall: Interval
    decisions: Interval
    clear: Interval | None
    clear_pairs: int
    pairs: int


@dataclass(frozen=True)
class Separation:
    """How far the arms lie apart, in units of their noise.

    Attributes:
        ratio: Range of the arms' scores over the noise of one of them.
        chance: What the ratio would be on average if all arms were equal.
        signal: Range of the arms' scores, in their unit.
        noise: Standard error of one arm against the others, in the same unit.
    """

    ratio: Interval
    chance: Interval
    signal: float
    noise: float


@dataclass(frozen=True)
class Needed:
    """What would make a difference visible; None where no number of these alone would.

    Attributes:
        detectable: Smallest difference visible as things stand.
        items: Test items needed at the seeds there are.
        seeds: Seeds needed at the items there are.
        both: Items and seeds if both grow by the same factor.
    """

    detectable: float
    items: int | None
    seeds: int | None
    both: tuple[int, int] | None


def spearman(one: Floats, other: Floats) -> Floats:
    """Rank correlation row by row, shape (..., arms) to (...); 0 where one side is all ties.

    Source: Spearman 1904, American Journal of Psychology 15, 72-101.
    """
    first, second = _ranks(one), _ranks(other)
    first -= first.mean(axis=-1, keepdims=True)
    second -= second.mean(axis=-1, keepdims=True)
    return _ratio((first * second).sum(-1), np.sqrt((first**2).sum(-1) * (second**2).sum(-1)))


def kendall(one: Floats, other: Floats) -> Floats:
    """Tau-b row by row, shape (..., arms) to (...); 0 where one side is all ties.

    Source: Kendall 1945, Biometrika 33, 239-251.
    """
    first, second = _orders(one), _orders(other)
    return _ratio((first * second).sum(-1), np.sqrt((first**2).sum(-1) * (second**2).sum(-1)))


def decision_accuracy(one: Floats, other: Floats) -> Floats:
    """Share of pairs of arms ordered alike, a tie on either side counting half, shape (..., arms) to (...).

    Source: Magnusson et al. 2025, DataDecide.
    """
    accuracy: Floats = (1 + _orders(one) * _orders(other)).mean(axis=-1) / 2
    return accuracy


def agreement(
    cheap: Floats, dear: Floats, cheap_draws: Floats, dear_draws: Floats, *, level: float = 0.95
) -> Agreement:
    """Compare the rankings by two learners, with intervals over test items and seeds.

    Noise makes rankings differ, and draws hold the noise twice: the intervals reach lower than they must, never higher.
    The arms are taken as they are; other arms may agree better or worse.

    Args:
        cheap, dear: Mean score of each arm by either learner, shape (arms,).
        cheap_draws, dear_draws: Joint draws of them, as many of either, shape (draws, arms).
    Raises: InputError: fewer than `FEWEST_ARMS` arms, or other arms for one learner than for the other.
    """
    if cheap.shape != dear.shape or cheap_draws.shape != dear_draws.shape:
        raise InputError("the two learners were not tried on the same arms with as many draws")
    if len(cheap) < FEWEST_ARMS:
        raise InputError(f"{len(cheap)} arms make no ranking; it takes {FEWEST_ARMS}")
    order, drawn = _orders(dear), _orders(dear_draws)
    tail = (1 - level) / 2
    # A pair is clear when nearly all draws order it as the means do.
    clear = (drawn * order > 0).mean(axis=0) > 1 - tail
    found = None
    if clear.any():
        same = (1 + _orders(cheap) * order)[clear].mean() / 2
        found = _interval(float(same), (1 + _orders(cheap_draws) * order)[:, clear].mean(axis=1) / 2, level)
    return Agreement(
        spearman=_interval(float(spearman(cheap, dear)), spearman(cheap_draws, dear_draws), level),
        kendall=_interval(float(kendall(cheap, dear)), kendall(cheap_draws, dear_draws), level),
        decisions=_interval(
            float(decision_accuracy(cheap, dear)), decision_accuracy(cheap_draws, dear_draws), level
        ),
        clear=found,
        clear_pairs=int(clear.sum()),
        pairs=len(order),
    )


def separation(scores: Floats, draws: Floats, *, level: float = 0.95) -> Separation:
    """Signal to noise: the range of the arms' scores over the noise of an arm.

    What all arms of a draw share (luck with its test items) cannot blur their ranking and is no noise here. A range of noisy
    numbers is too large on average; draws show by how much, and that is taken out of the interval. `chance` holds
    the ratio of equal arms, for nothing but noise has a range too.

    Args:
        scores: Mean score of each arm, shape (arms,).
        draws: Joint draws of them, shape (draws, arms).
    Raises: InputError: fewer than two arms, or draws without any spread.
    Source: Heineman et al. 2025, Signal and Noise (there the noise is that between checkpoints of one run).
    """
    if len(scores) < 2:
        raise InputError("one arm cannot be told from others")
    away = draws - draws.mean(axis=1, keepdims=True)
    away -= away.mean(axis=0)
    arms = len(scores)
    # Taking the mean of the arms out takes a share of 1 / arms of the noise with it.
    noise = float(np.sqrt((away**2).mean() * arms / (arms - 1)))
    signal = float(np.ptp(scores))
    if noise <= 1e-12 * max(np.abs(scores).max(), 1e-300):
        raise InputError("the draws have no spread, so there is no noise to compare with")
    ranges = np.ptp(draws, axis=1)
    shift = float(ranges.mean()) - signal
    tail = (1 - level) / 2
    low, high = np.quantile(ranges - shift, [tail, 1 - tail])
    equal = np.ptp(away, axis=1) / noise
    ratio = Interval(signal / noise, max(min(low, signal), 0.0) / noise, max(high, signal) / noise)
    return Separation(ratio, _interval(float(equal.mean()), equal, level), signal, noise)


def needed(
    effect: float,
    items: int,
    seeds: int,
    *,
    item_deviation: float,
    seed_deviation: float,
    fixed_error: float = 0.0,
    power: float = 0.8,
    size: float = 0.05,
) -> Needed:
    """How many test items or seeds would make a difference of `effect` visible.

    The squared error of a difference is ``item_deviation^2 / items + seed_deviation^2 / seeds + fixed_error^2``.

    Args:
        effect: Smallest difference that matters, above 0.
        items, seeds: Independent test items (or roots) and seeds there are.
        item_deviation: Standard deviation of the difference between items.
        seed_deviation: Between seeds, luck with the items taken out.
        fixed_error: Standard error that neither lowers, such as that of having one sample of training rows.
        power: Probability of finding a difference of this size.
        size: Of the two-sided test.
    Raises: InputError: an effect that is not above 0, or no items or seeds.
    Source: Card et al. 2020, With Little Power Comes Great Responsibility; variance components of the two-way layout,
        Searle, Casella & McCulloch 1992.
    """
    if not effect > 0 or items < 1 or seeds < 1:
        raise InputError("an effect above 0 and at least one item and seed are needed")
    reach = quantiles.normal(1 - size / 2) + quantiles.normal(power)
    wanted = (effect / reach) ** 2 - fixed_error**2
    of_items, of_seeds = item_deviation**2, seed_deviation**2
    now = of_items / items + of_seeds / seeds
    factor = now / wanted if wanted > 0 else math.inf
    return Needed(
        detectable=reach * math.sqrt(now + fixed_error**2),
        items=_count(of_items, wanted - of_seeds / seeds),
        seeds=_count(of_seeds, wanted - of_items / items),
        both=(_up(items * factor), _up(seeds * factor)) if math.isfinite(factor) else None,
    )


def _count(variance: float, left: float) -> int | None:
    if left <= 0:
        return None
    return max(_up(variance / left), 1)


def _up(number: float) -> int:
    """The next whole number, unless rounding noise alone lies between."""
    return max(math.ceil(number * (1 - 1e-12)), 1)


def _ranks(scores: Floats) -> Floats:
    """Rank of each arm among the arms, ties sharing the mean of theirs, shape (..., arms) to the same."""
    ranks = np.empty(scores.shape)
    for place in np.ndindex(scores.shape[:-1]):
        ordered = np.sort(scores[place])
        below, above = (np.searchsorted(ordered, scores[place], side) for side in ("left", "right"))
        ranks[place] = (below + above + 1) / 2
    return ranks


def _orders(scores: Floats) -> Floats:
    """Sign of the difference of every pair of arms, shape (..., arms) to (..., pairs)."""
    first, second = np.triu_indices(scores.shape[-1], 1)
    signs: Floats = np.sign(scores[..., first] - scores[..., second])
    return signs


def _ratio(above: Floats, below: Floats) -> Floats:
    above, below = np.asarray(above), np.asarray(below)
    out: Floats = np.divide(above, below, out=np.zeros_like(above, dtype=np.float64), where=below > 0)
    return out


def _interval(value: float, draws: Floats, level: float) -> Interval:
    low, high = interval(draws, level)
    return Interval(value, min(low, value), max(high, value))
