"""Change: how far a measure moved between two runs, with the interval of that distance.

Values are joined as independent errors. Where runs share rows their errors go together, so the true interval is
narrower than this one: what is called moved has moved; what is not may still have.

Where the two runs have other references (other real data, or another amount of it), what is compared is how far
each value lies from its own reference. A measure that depends on the amount of data says nothing about better or
worse between runs of other amounts: half of the same data has fewer repeats and more different words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from assay.core.catalogue import define
from assay.core.measure import Measure

LEVEL = 0.95
Direction = Literal["better", "worse", "neither"]
Bounds = tuple[float, float, float]  # value, low, high
_SAME_AMOUNT = 1.1  # largest ratio of two amounts that counts as the same
_LEAST_RATIO = 1e-3  # what a ratio of 0 counts as where its logarithm is taken


@dataclass(frozen=True)
class Change:
    """What lies between two values.

    Attributes:
        value: Later minus earlier, in the measure's unit.
        low, high: Bounds of its interval at 95 %.
        p: Two-sided p-value of "nothing moved".
        direction: Which way that is; `neither` where no way is better, or the amounts forbid to say.
    """

    value: float
    low: float
    high: float
    p: float
    direction: Direction


def quantile(level: float, comparisons: int = 1) -> float:
    """Standard normal half-width of an interval at `level` that holds for `comparisons` at once (Bonferroni)."""
    return NormalDist().inv_cdf(1 - (1 - level) / 2 / comparisons)


def change(before: Measure, after: Measure) -> Change:
    """How far a measure moved. Raises: ValueError: one of the two has no value."""
    value, low, high = _difference(_standing(before, after), _standing(after, before))
    if after.worse == "none" or not same_amount(before, after):
        direction: Direction = "neither"
    else:
        grown = worsening(before, after)[0]
        direction = "worse" if grown > 0 else "better" if grown < 0 else "neither"
    return Change(value, low, high, two_sided_p(value, low, high), direction)


def worsening(before: Measure, after: Measure) -> Bounds:
    """How much worse the later value is, with its interval at 95 %; negative where it is better.

    Returns: In the measure's unit. Where straying either way is worse, the growth of the distance to the
        reference (to 1, without one) as a logarithm: 0.05 is about 5 % further off.

    Raises: ValueError: a value is missing, or no way is worse.
    """
    if after.worse == "none":
        raise ValueError(f"{after.name} has no worse direction")
    if after.worse == "either":
        return _difference(_distance(before, after), _distance(after, before))
    value, low, high = _difference(_standing(before, after), _standing(after, before))
    return (value, low, high) if after.worse == "higher" else (-value, -high, -low)


def same_amount(before: Measure, after: Measure) -> bool:
    """Whether the amounts of data let two values be called better or worse."""
    if not define(after.name).by_amount:
        return True
    least, most = sorted((before.n, after.n))
    return most <= _SAME_AMOUNT * least


def same_reference(before: Measure, after: Measure) -> bool:
    """Whether values can be compared as they are: one reference for both, or none to compare with."""
    return before.reference is None or after.reference is None or before.reference == after.reference


def two_sided_p(value: float, low: float, high: float) -> float:
    """p-value of "the true value is 0", from a 95 % interval read as a normal error on the side of 0."""
    error = ((value - low) if value > 0 else (high - value)) / quantile(LEVEL)
    if error <= 0:
        return 1.0 if value == 0 else 0.0
    return math.erfc(abs(value) / error / math.sqrt(2))


def bounds(measure: Measure, *, comparisons: int = 1) -> Bounds:
    """Value, low and high at 95 % for `comparisons` at once; ValueError where there is no value."""
    if measure.value is None or measure.low is None or measure.high is None:
        raise ValueError(f"{measure.name} has no value")
    wider = quantile(LEVEL, comparisons) / quantile(measure.level)
    return (
        measure.value,
        measure.value - (measure.value - measure.low) * wider,
        measure.value + (measure.high - measure.value) * wider,
    )


def _difference(before: Bounds, after: Bounds) -> Bounds:
    value = after[0] - before[0]
    return (
        value,
        value - math.hypot(after[0] - after[1], before[2] - before[0]),
        value + math.hypot(after[2] - after[0], before[0] - before[1]),
    )


def _standing(measure: Measure, other: Measure) -> Bounds:
    """The value; where the other run has another reference, how far the value lies from its own."""
    value, low, high = bounds(measure)
    if same_reference(measure, other) or measure.reference is None:
        return value, low, high
    base = measure.reference
    return _difference((base.value, base.low, base.high), (value, low, high))


def _distance(measure: Measure, other: Measure) -> Bounds:
    """How far a ratio lies from its reference, as a logarithm, with the interval of that distance."""
    value, low, high = (_log(each) for each in bounds(measure))
    base = measure.reference
    if base is not None:
        middle = _log(base.value)
        ends = (middle, middle) if same_reference(measure, other) else (_log(base.low), _log(base.high))
        value, low, high = _difference((middle, *ends), (value, low, high))
    return (value, low, high) if value >= 0 else (-value, -high, -low)


def _log(ratio: float) -> float:
    return math.log(max(ratio, _LEAST_RATIO))
