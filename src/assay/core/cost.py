"""What rows and trainings cost, from what was counted and the prices a person gave; what nobody counted stays unknown.

    worth of a dollar            real rows that a synthetic one is worth x price of a real row / price of a synthetic one
    a point by real rows         price of a real row / points that one more real row adds
    a point by synthetic rows    price of a synthetic row / real rows that it is worth / points that one more real row adds

The first decides whether synthetic rows are the cheaper way to the same gain: the slope of the real curve, noisy as it is,
cancels out of the comparison, and rows that may be worth nothing need no division by what may be zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from assay.core.catalogue import define
from assay.core.measure import Measure, Reference
from assay.core.trial import Trial

GENERATION, TRAININGS = "generation", "trainings"
_JOULES = 3.6e6  # of a kilowatt-hour
_ON_PROCESSORS = ("linear", "ngram")  # learners that never use a GPU
_ASK_REAL = "give the price of one more real row (--price real_row=…)"
_ASK = "give [prices] in study.toml (row; or read, written, hour), or --price row=…"


class Prices(BaseModel):
    """What things cost, as only the user can know.

    Attributes:
        row: US dollars for a synthetic row as it was generated; goes before what tokens or hours come to.
        real_row: US dollars for one more real row: collecting, cleaning, labelling.
        read, written: US dollars for a million tokens that a model reads and writes: what a service charges.
        hour: US dollars for an hour of the machine: what trainings cost, and generation that no service charges for.
        watts: Power to assume where no energy was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: float | None = Field(default=None, ge=0)
    real_row: float | None = Field(default=None, ge=0)
    read: float | None = Field(default=None, ge=0)
    written: float | None = Field(default=None, ge=0)
    hour: float | None = Field(default=None, ge=0)
    watts: float | None = Field(default=None, gt=0)


@dataclass(frozen=True)
class Amount:
    """A total with its interval.

    Attributes:
        n: How many rows or trainings it was counted on.
        unknown: How many did not say; their part is estimated.
    """

    value: float
    low: float
    high: float
    n: int
    unknown: int = 0

    def times(self, factor: float) -> Amount:
        """The same in another unit."""
        return Amount(self.value * factor, self.low * factor, self.high * factor, self.n, self.unknown)


@dataclass(frozen=True)
class Spent:
    """What making rows or training on them took; what is not in `known` nobody counted.

    Attributes:
        of: ``generation`` or ``trainings``.
        number: Rows made, or trainings.
        known: Totals by name: written, read (tokens), seconds, gpu_seconds, flops, joules.
        why: Why a total is not known, by name.
    """

    of: str
    number: int
    known: dict[str, Amount] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)


def total(counted: npt.NDArray[np.float64], number: int) -> Amount | None:
    """The sum over `number` things of which some were counted; those that were stand for the others.

    Args:
        counted: What each took, shape (those that say,).
    Returns: Exact where all were counted; else with the interval of a sample drawn without return, or None if fewer than
        two say.
    Source: Cochran 1977, Sampling Techniques, section 2.8.
    """
    n = len(counted)
    if n == number and n:
        value = float(counted.sum())
        return Amount(value, value, value, n)
    if n < 2:
        return None
    value = float(counted.mean()) * number
    reach = 1.96 * number * float(counted.std(ddof=1)) / math.sqrt(n) * math.sqrt(1 - n / number)
    return Amount(value, max(value - reach, 0.0), value + reach, n, number - n)


def of_trainings(trials: Sequence[Trial], joules: float | None, why: str) -> Spent:
    """What the trainings of a trial took together.

    Args:
        joules: Of the whole machine while they ran; None where it was not measured, with the reason in `why`.
    """
    learners = {trial.learner for trial in trials}
    sums = {
        "seconds": sum(trial.cost.seconds for trial in trials),
        "written": float(sum(trial.cost.tokens for trial in trials)),
        "flops": sum(trial.cost.flops for trial in trials),
    }
    known = {name: _exact(value, len(trials)) for name, value in sums.items() if value > 0}
    if learners <= set(_ON_PROCESSORS):
        known["gpu_seconds"] = _exact(0.0, len(trials))
    if joules is not None:
        known["joules"] = _exact(joules, len(trials))
    uncounted = f"the learner {', '.join(sorted(learners))} does not count it"
    return Spent(
        TRAININGS, len(trials), known, {"joules": why} | dict.fromkeys(("gpu_seconds", "flops"), uncounted)
    )


def costs(
    spent: Iterable[Spent], prices: Prices, *, kept: int | None, measures: Sequence[Measure]
) -> tuple[Measure, ...]:
    """Every measure of cost.

    Args:
        spent: What generation and trainings took.
        kept: Synthetic rows that pass the filters of a curation; None where no audit flagged rows.
        measures: Of the run; the exchange rate and the learning curve among them.
    """
    found: list[Measure] = []
    row, lacking = None, _ASK
    for each in spent:
        money, how = _money(each, prices)
        found += _counted(each, prices)
        found.append(_measure("cost.usd", money, how, {"of": each.of}, how))
        if each.of == GENERATION:
            row, lacking = _per_row(money, each.number), how
            found.append(_per_kept_row(money, how, kept, each.number, prices))
    return (*found, *_worth(row, lacking, prices, measures))


def _counted(spent: Spent, prices: Prices) -> Iterator[Measure]:
    where = {"of": spent.of}
    unit = "rows" if spent.of == GENERATION else "trainings"
    what = f"summed over {spent.number:,} {unit}"
    silent = f"the {unit} do not say"
    for name, key, kind in (
        ("cost.tokens", "written", "written" if spent.of == GENERATION else "trained on"),
        ("cost.tokens", "read", "read"),
        ("cost.seconds", "seconds", ""),
        ("cost.gpu_seconds", "gpu_seconds", ""),
        ("cost.flops", "flops", ""),
    ):
        if key not in spent.known and (key == "read" or (key != "written" and not spent.known)):
            continue  # that nothing was counted is told once
        part = where | ({"tokens": kind} if kind else {})
        yield _measure(name, spent.known.get(key), what, part, spent.why.get(key, silent))
    joules, seconds = spent.known.get("joules"), spent.known.get("seconds")
    if joules is not None:
        how = f"{what}; energy counters of the processors, which count the whole machine"
        yield _measure("cost.kwh", joules.times(1 / _JOULES), how, where)
    elif prices.watts is not None and seconds is not None:
        how = f"{what}; {prices.watts:g} watts as you stated, times the seconds: not measured"
        yield _measure("cost.kwh", seconds.times(prices.watts / _JOULES), how, where)
    elif spent.known:
        why = f"{spent.why.get('joules', silent)}; state the power (watts under [prices] in study.toml) to assume one"
        yield _measure("cost.kwh", None, "", where, why)


def _money(spent: Spent, prices: Prices) -> tuple[Amount | None, str]:
    """US dollars and how they come about, or None and what is needed."""
    if spent.of == GENERATION and prices.row is not None:
        return _exact(prices.row * spent.number, spent.number), f"{prices.row:g} USD a row, as you gave it"
    by_token = {
        "written": (prices.written, 1e6, "USD a million tokens written"),
        "read": (prices.read, 1e6, "USD a million tokens read"),
    }
    by_hour = {"seconds": (prices.hour, 3600.0, "USD an hour")}
    charged = spent.of == GENERATION and (prices.written, prices.read) != (None, None)
    priced = {name: each for name, each in (by_token if charged else by_hour).items() if each[0] is not None}
    if not priced:
        return None, _ASK if spent.of == GENERATION else "give the price of an hour (hour under [prices])"
    unknown = [name for name in priced if name not in spent.known]
    if unknown:
        return None, f"there is a price, but the rows do not say their {', '.join(unknown)}"
    parts = [spent.known[name].times((price or 0.0) / per) for name, (price, per, _) in priced.items()]
    whole = Amount(
        sum(each.value for each in parts),
        sum(each.low for each in parts),
        sum(each.high for each in parts),
        spent.number,
        max(each.unknown for each in parts),
    )
    return whole, ", ".join(f"{price:g} {unit}" for price, _, unit in priced.values()) + ", as you gave them"


def _per_kept_row(money: Amount | None, how: str, kept: int | None, rows: int, prices: Prices) -> Measure:
    name = "cost.per_kept_row"
    if money is None:
        return _measure(name, None, "", None, how)
    if not kept:
        why = "no audit flagged rows" if kept is None else "no row passes the filters"
        return _measure(name, None, "", None, why)
    return _measure(
        name,
        money.times(1 / kept),
        f"{how}; cost of all {rows:,} rows / {kept:,} that pass the filters of `assay curate`",
        None,
        reference=prices.real_row,
    )


def _per_row(money: Amount | None, rows: int) -> Amount | None:
    return None if money is None or not rows else money.times(1 / rows)


def _worth(
    row: Amount | None, lacking: str, prices: Prices, measures: Sequence[Measure]
) -> Iterator[Measure]:
    """What a dollar of synthetic rows does beside one of real rows, and what one point of score costs either way."""
    rate = next((each for each in measures if each.name == "trial.exchange_rate"), None)
    slope, steep = _slope(measures)
    as_real, why = _as_real(row, lacking, rate)
    yield _of_a_dollar(row, lacking, prices.real_row, rate)
    real = None if prices.real_row is None else _exact(prices.real_row, 1)
    for rows, cost, unknown in (
        ("synthetic", as_real, why),
        ("real", real, _ASK_REAL),
    ):
        value = None if cost is None or slope is None else _over(cost, slope)
        yield _measure(
            "cost.per_point",
            value,
            f"at the upper end of the measured real curve, {steep}; ends of all intervals joined",
            {"rows": rows},
            unknown if cost is None else steep,
        )


def _of_a_dollar(row: Amount | None, lacking: str, real_row: float | None, rate: Measure | None) -> Measure:
    name = "cost.worth"
    if row is None or real_row is None:
        return _measure(name, None, "", None, lacking if row is None else _ASK_REAL)
    if rate is None or rate.value is None or rate.low is None or rate.high is None:
        return _measure(name, None, "", None, _no_rate(rate))
    if row.low <= 0:
        return _measure(
            name, None, "", None, "synthetic rows cost nothing here, so no dollar is spent on them"
        )
    ends = [end * real_row / price for end in (rate.low, rate.high) for price in (row.low, row.high)]
    found = Amount(rate.value * real_row / row.value, min(ends), max(ends), rate.n, row.unknown)
    how = "trial.exchange_rate x price of a real row / cost of a row as generated; ends of both intervals joined"
    return _measure(name, found, how, None)


def _no_rate(rate: Measure | None) -> str:
    return f"no exchange rate: {'no trial was run' if rate is None else rate.missing}"


def _as_real(row: Amount | None, lacking: str, rate: Measure | None) -> tuple[Amount | None, str]:
    if row is None:
        return None, lacking
    if rate is None or rate.value is None or rate.low is None or rate.high is None:
        return None, _no_rate(rate)
    if rate.low <= 0:
        return None, (
            f"a synthetic row may be worth no real row at all ({rate.value:.2g}, {rate.low:.2g} to {rate.high:.2g}), "
            "so no number of them is sure to buy the same gain"
        )
    return _over(row, Amount(rate.value, rate.low, rate.high, rate.n)), ""


def _slope(measures: Sequence[Measure]) -> tuple[Amount | None, str]:
    """Points that one more real row adds between half and all of the real rows; or why that is not known."""
    curve = sorted(
        (
            (int((each.slice or {})["real_rows"]), each)
            for each in measures
            if each.name == "trial.learning_curve" and each.slice and each.value is not None
        ),
        key=lambda pair: pair[0],
    )
    if len(curve) < 2:
        return None, "no learning curve of real rows was measured"
    rows, top = curve[-1]
    fewer, below = min(curve[:-1], key=lambda each: abs(each[0] - rows / 2))
    assert top.value is not None and below.value is not None  # noqa: PT018 (those without a value are out)
    bits = top.unit == "bits per byte"
    gain = below.value - top.value if bits else top.value - below.value
    reach = math.hypot(*(((each.high or 0.0) - (each.low or 0.0)) / 2 for each in (top, below)))
    scale = 100 / (rows - fewer) / (top.value if bits else 1.0)
    unit = "per cent of the loss" if bits else "points"
    if gain - reach <= 0:
        return None, (
            f"from {fewer:,} to {rows:,} real rows the score rises by {100 * gain / (top.value if bits else 1):.2g} {unit}, "
            "no more than its interval is wide, so the price of a point cannot be told"
        )
    slope = Amount(gain * scale, (gain - reach) * scale, (gain + reach) * scale, top.n)
    return slope, f"{1000 * slope.value:.3g} {unit} for 1,000 more real rows between {fewer:,} and {rows:,}"


def _over(cost: Amount, gain: Amount) -> Amount:
    return Amount(cost.value / gain.value, cost.low / gain.high, cost.high / gain.low, gain.n, cost.unknown)


def _exact(value: float, n: int) -> Amount:
    return Amount(value, value, value, n)


def _measure(
    name: str,
    amount: Amount | None,
    method: str,
    slice: dict[str, str] | None,
    missing: str = "",
    *,
    reference: float | None = None,
) -> Measure:
    definition = define(name)
    of_rows = slice is None or slice.get("of") == GENERATION or slice.get("rows") == "synthetic"
    known = None
    if amount is not None and reference is not None:
        known = Reference(value=reference, low=reference, high=reference)
    return Measure(
        name=name,
        corpus="synthetic" if of_rows else None,
        slice=slice,
        value=None if amount is None else amount.value,
        low=None if amount is None else amount.low,
        high=None if amount is None else amount.high,
        n=0 if amount is None else amount.n,
        unit=definition.unit,
        worse=definition.worse,
        reference=known,
        method=method or "not counted",
        left_out={"rows that do not say": amount.unknown} if amount is not None and amount.unknown else {},
        missing=missing or "not known" if amount is None else None,
    )
