"""The two shapes of a question about the data, and the one place that turns either into a Measure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import stats

from assay.audit.annotate.columns import Columns
from assay.audit.rows import GROUPS, Bools, Rows, draw_rows, draw_tokens, groups, mixed
from assay.core.catalogue import define
from assay.core.errors import InputError
from assay.core.measure import Measure, Reference
from assay.stats.intervals import jackknife, share

Floats = npt.NDArray[np.float64]
Reader = Callable[[Bools, Bools], float]

BUCKETS = 64


@dataclass(frozen=True)
class Probe:
    """A question whose tally adds up: any split of the rows gives the same sum.

    Attributes:
        tally: What each row contributes, shape (rows, 2): hits, and the units of which they are a share.
        method: How the number came about, for people.
        equal_rows: The share grows with the number of rows, so both sides are cut to equally many.
        ratio: The number is the share divided by the same share of the real rows.
        slice, unit: Where they differ from the name's own.
    """

    name: str
    tally: Callable[[Columns], Floats]
    method: str
    equal_rows: bool = False
    ratio: bool = False
    slice: Mapping[str, str] | None = None
    unit: str | None = None


@dataclass(frozen=True)
class SampleProbe:
    """A question that needs all its rows at once: two samples and a generator in, a number out.

    Attributes:
        prepare: Does the dear work once for a sample of the questioned rows and one of the real rows; the
            reader it returns gives the number for any part of them, as masks of shape (rows,).
        equal: What both samples have equally much of.
        against_real: The real sample matters; the reference is then real rows against other real rows.
        most: Most tokens or rows a sample holds.
        least: Fewest rows a sample must hold.
        bounds: Smallest and largest value there can be.
        counts: The value is a number of findings, so it has at least the spread of a Poisson count.
        share_of: The value is a share of this part of the rows; where leaving kin out moves nothing, such as at
            1, the interval is that of as many independent rows.
    """

    name: str
    prepare: Callable[[Rows, Rows, np.random.Generator], Reader]
    method: str
    equal: str
    against_real: bool
    most: int
    least: int = 20
    bounds: tuple[float, float] = (0.0, 1.0)
    counts: bool = False
    share_of: float | None = None
    slice: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Found:
    """A number with its interval, or why there is none."""

    value: float | None = None
    low: float = 0.0
    high: float = 0.0
    n: int = 0
    missing: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)


def buckets(columns: Columns, tallies: Floats) -> Floats:
    """Sum of the rows' tallies in each of 64 buckets of kin rows, shape (64, k)."""
    bucket = (mixed(columns.root) & np.uint64(BUCKETS - 1)).astype(np.int64)
    return np.column_stack([np.bincount(bucket, weights=column, minlength=BUCKETS) for column in tallies.T])


def count(probe: Probe, columns: Columns, real: Columns, level: float) -> Found:
    """The probe's number for `columns`; `real` matters to ratios only."""
    try:
        found = _share(probe, columns, level)
        return _ratio(found, _share(probe, real, level)) if probe.ratio else found
    except InputError as error:
        return Found(missing=error.what)


def _share(probe: Probe, columns: Columns, level: float) -> Found:
    tally = probe.tally(columns)
    hits, units = buckets(columns, tally).T
    n = int(units.sum())
    if hits.any() and (hits < units).any():
        return Found(*share(hits, units, level), n=n)
    # None or all: no spread tells how many independent rows the units are worth. Their roots are the safe
    # count, for the words of a row, and the rows of a root, come as they are together.
    roots = np.unique(columns.root[tally[:, 1] > 0], return_index=True)[1]
    kin = buckets(columns.take(roots), np.ones((len(roots), 1)))[:, 0]
    return Found(*share(kin * hits.any(), kin, level), n=n)


def _ratio(above: Found, below: Found) -> Found:
    """Ratio of two independent shares; the relative errors of both, above and below, join as squares.

    Source: Donner & Zou 2012, Statistical Methods in Medical Research 21, 347-359 (intervals from the limits
        of the parts), on the logarithmic scale.
    """
    if not (above.value is not None and below.value and below.low > 0):
        return Found(missing="no real row is in the slice")
    if above.value == 0:
        return Found(0.0, 0.0, above.high / below.low, above.n)
    down = math.hypot(math.log(above.value / above.low), math.log(below.high / below.value))
    up = math.hypot(math.log(above.high / above.value), math.log(below.value / below.low))
    value = above.value / below.value
    return Found(value, value * math.exp(-down), value * math.exp(up), above.n)


def sample_size(probe: SampleProbe, *sides: Rows) -> int:
    """How many tokens or rows each side's sample gets: what the smallest side has, within the bound."""
    have = [int(side.lengths.sum()) if probe.equal == "tokens" else len(side) for side in sides]
    return min(*have, probe.most)


def draw(
    probe: SampleProbe, rows: Rows, real: Rows, size: int, seed: int
) -> tuple[Rows, Rows, np.random.Generator]:
    """The two samples of `size` tokens or rows, and the generator for whatever else is left to chance."""
    rng = np.random.default_rng([seed, *probe.name.encode()])
    draw_from = draw_tokens if probe.equal == "tokens" else draw_rows
    return draw_from(rows, size, rng), draw_from(real, size, rng), rng


def sample(probe: SampleProbe, rows: Rows, real: Rows, size: int, seed: int, level: float) -> Found:
    """The probe's number for a sample of `rows` beside one of `real`."""
    drawn, beside, rng = draw(probe, rows, real, size, seed)
    fewest = min(len(drawn), len(beside)) if probe.against_real else len(drawn)
    if size == 0 or fewest < probe.least:
        return Found(
            missing=f"needs samples of at least {probe.least} rows with words; the smaller has {fewest}"
        )
    read = probe.prepare(drawn, beside, rng)
    group, group_beside = groups(drawn), groups(beside)
    # A tally that says "this group is in": taking one away leaves the others in, all the jackknife asks for.
    present = np.eye(GROUPS)[np.unique(np.concatenate([group, group_beside]))]
    try:
        value, low, high = jackknife(
            present, lambda kept: read(kept[group] > 0, kept[group_beside] > 0), level
        )
    except InputError as error:
        return Found(missing=error.what)
    if probe.counts:
        # Leaving rows out moves no count of zero; that few events were seen says how many may be expected.
        tail = (1 - level) / 2
        low = min(low, stats.chi2.ppf(tail, 2 * value) / 2 if value else 0.0)
        high = max(high, stats.chi2.isf(tail, 2 * value + 2) / 2)
        return Found(value, max(low, 0.0), float(high), size)
    if probe.share_of is not None and low == high:
        roots = min(len(np.unique(side.root)) for side in (drawn, beside)) * probe.share_of / GROUPS
        _, low, high = share(np.full(GROUPS, value * roots), np.full(GROUPS, roots), level)
    least, most = probe.bounds
    return Found(value, max(low, least), min(high, most), size)


def measure(probe: Probe | SampleProbe, found: Found, reference: Found, level: float) -> Measure:
    """What was found, as it stands in the evidence."""
    definition = define(probe.name)
    unit = probe.unit if isinstance(probe, Probe) and probe.unit else definition.unit
    return Measure(
        name=probe.name,
        corpus=None if _compares(probe) else "synthetic",
        slice=dict(probe.slice) if probe.slice else None,
        value=found.value,
        low=None if found.value is None else found.low,
        high=None if found.value is None else found.high,
        level=level,
        n=found.n,
        unit=unit,
        worse=definition.worse,
        reference=None
        if found.value is None or reference.value is None
        else Reference(value=reference.value, low=reference.low, high=reference.high),
        method=probe.method,
        left_out=dict(found.left_out),
        missing=found.missing,
    )


def _compares(probe: Probe | SampleProbe) -> bool:
    """Whether the number speaks of a pair of corpora rather than of the synthetic one."""
    return probe.ratio if isinstance(probe, Probe) else probe.against_real
