"""The two shapes of a question about the data, and the one place that turns either into a Measure."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, Self

import numpy as np
import numpy.typing as npt
from typing_extensions import TypeVar

from assay.audit.annotate.columns import Columns
from assay.audit.rows import GROUPS, Bools, Index, Rows, draw_rows, draw_tokens, groups, mixed
from assay.core import words
from assay.core.catalogue import define
from assay.core.errors import InputError
from assay.core.lazy import lazy
from assay.core.measure import Measure, Reference
from assay.kernels.buckets import bucket_sums
from assay.stats import quantiles
from assay.stats.intervals import jackknife, redrawn, share

Floats = npt.NDArray[np.float64]
Roots = npt.NDArray[np.uint64]
Reader = Callable[[Bools, Bools], Any]

BUCKETS = 64
HALVINGS = 20


class Kin(Protocol):
    """Columns of rows, or of whatever else is counted, whose units know their kin."""

    @property
    def root(self) -> npt.NDArray[np.uint64]: ...

    def take(self, index: npt.NDArray[np.int64]) -> Self: ...


C = TypeVar("C", bound=Kin, default=Columns)


@dataclass(frozen=True)
class Probe(Generic[C]):
    """A question whose tally adds up: any split of the rows gives the same sum.

    Attributes:
        tally: What each row contributes, shape (rows, 2): hits, and the units of which they are a share.
        method: How the number came about, for people.
        equal_rows: The share grows with the number of rows, so both sides are cut to equally many.
        ratio: The number is the share divided by the same share of the real rows.
        alone: Real rows are no yardstick for it, so it has no reference.
        needs: Why there is no number when no row counts; None where there is no more to say than that.
        by_chance: What the hold-out explains: the tally of the same rows against real rows that the generator
            did not see. Without a hold-out the same share of real rows explains it.
        excess: The number is the share less what chance explains; else that is the reference.
        needs_holdout: Without a hold-out there is no such question.
        slice, unit: Where they differ from the name's own.
        least: Fewest units the share may rest on; with fewer the measure is missing and says so.
        counted: What the units are, for people.
    """

    name: str
    tally: Callable[[C], Floats]
    method: str
    equal_rows: bool = False
    ratio: bool = False
    alone: bool = False
    needs: str | None = None
    by_chance: Callable[[Columns], Floats] | None = None
    excess: bool = False
    needs_holdout: bool = False
    slice: Mapping[str, str] | None = None
    unit: str | None = None
    least: int = 1
    counted: str = "rows"


@dataclass(frozen=True)
class SampleProbe:
    """A question that needs all its rows at once: two samples and a generator in, a number out.

    Attributes:
        prepare: Does the dear work once for a sample of the questioned rows and one of the real rows; the
            reader it returns gives the number for any part of them, as masks of shape (rows,). An InputError
            says why the rows have no such number. Probes that share it are answered by one reading of one sample.
        number: The probe's own number of what the reader gives.
        equal: What both samples have equally much of.
        against_real: The real sample matters; the reference is then real rows against other real rows.
        most: Most tokens or rows a sample holds.
        least: Fewest rows a sample must hold.
        bounds: Smallest and largest value there can be.
        counts: The value is a number of findings, so it has at least the spread of a Poisson count.
        share_of: The value is a share of this part of the rows; where leaving kin out moves nothing, such as at
            1, the interval is that of as many independent rows.
        redrawn: The value is a share that a few rows left out do not move smoothly, nor alone: its interval is that
            of bootstrap draws. Of what `prepare` returned it gives the sample's units, the share of each draw and
            a draw's units.
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
    redrawn: Callable[[Any, np.random.Generator], tuple[float, Floats, float]] | None = None
    slice: Mapping[str, str] | None = None
    number: Callable[[Any], float] = float


@dataclass(frozen=True)
class Found:
    """A number with its interval, or why there is none."""

    value: float | None = None
    low: float = 0.0
    high: float = 0.0
    n: int = 0
    missing: str | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Kinship:
    """Which rows are kin, by the root of each, and the 64 buckets that keep kin together."""

    root: Roots

    def take(self, index: Index) -> Kinship:
        """The rows at `index`; what is known of the roots is not found again."""
        taken = Kinship(self.root[index])
        taken.__dict__.update(bucket=self.bucket[index], number=self.number[index])
        return taken

    @lazy
    def bucket(self) -> Index:
        """Bucket of each row, shape (rows,)."""
        return (mixed(self.root) & np.uint64(BUCKETS - 1)).astype(np.int64)

    @lazy
    def number(self) -> Index:
        """The roots numbered, shape (rows,)."""
        return np.unique(self.root, return_inverse=True)[1].astype(np.int64)

    def sums(self, tallies: Floats) -> Floats:
        """Sum of the rows' tallies in each bucket, shape (64, k)."""
        return bucket_sums(self.bucket, tallies.astype(np.float64, copy=False), BUCKETS)

    def roots(self, chosen: Bools) -> Index:
        """How many roots the chosen rows have, by bucket, shape (64,)."""
        bucket = np.full(int(self.number.max(initial=-1)) + 1, -1, np.int64)
        bucket[self.number[chosen]] = self.bucket[chosen]
        return np.bincount(bucket[bucket >= 0], minlength=BUCKETS)


def buckets(columns: Kin, tallies: Floats) -> Floats:
    """Sum of the rows' tallies in each of 64 buckets of kin rows, shape (64, k)."""
    return Kinship(columns.root).sums(tallies)


def count(probe: Probe[C], columns: C, real: C, level: float) -> Found:
    """The probe's number for `columns`; `real` matters to ratios only."""
    try:
        found = _share(probe, columns, level)
        return _ratio(found, _share(probe, real, level)) if probe.ratio else found
    except InputError as error:
        return Found(missing=error.what)


def _share(probe: Probe[C], columns: C, level: float) -> Found:
    return _counted(probe, probe.tally(columns), Kinship(columns.root), level)


def counted(probe: Probe[C], tally: Floats, kinship: Kinship, level: float) -> Found:
    """The probe's share of some rows, of which the tally is given and who is kin."""
    try:
        return _counted(probe, tally, kinship, level)
    except InputError as error:
        return Found(missing=error.what)


def _counted(probe: Probe[C], tally: Floats, kinship: Kinship, level: float) -> Found:
    n = int(tally[:, 1].sum())
    if not n and probe.needs and len(tally):
        return Found(missing=probe.needs)
    if n < probe.least:
        return Found(
            missing=f"needs at least {words.count(probe.least, 'row')}{probe.counted.removeprefix('rows')}; there are {n:,}"
        )
    return tallied(tally, kinship, level)


def tallied(tally: Floats, kinship: Kinship, level: float) -> Found:
    """The share that hits, of units that kin share; `tally` of shape (units, 2): hits, and the units beside.

    Raises: InputError: fewer than two buckets hold units.
    """
    hits, units = kinship.sums(tally).T
    n = int(units.sum())
    if hits.any() and (hits < units).any():
        return Found(*share(hits, units, level), n=n)
    # None or all: no spread tells how many independent rows the units are worth. Their roots are the safe
    # count, for the words of a row, and the rows of a root, come as they are together.
    kin = kinship.roots(tally[:, 1] > 0).astype(float)
    return Found(*share(kin * hits.any(), kin, level), n=n)


def scaled(found: Found, factor: float) -> Found:
    """The number and its interval times `factor`."""
    return replace(
        found,
        value=None if found.value is None else found.value * factor,
        low=found.low * factor,
        high=found.high * factor,
    )


def difference(above: Found, below: Found) -> Found:
    """Difference of two shares; the errors of both, above and below, join as squares.

    Source: Donner & Zou 2012, as in `_ratio`.
    """
    if above.value is None or below.value is None:
        return Found(missing=above.missing or below.missing)
    value = above.value - below.value
    down = math.hypot(above.value - above.low, below.high - below.value)
    up = math.hypot(above.high - above.value, below.value - below.low)
    return Found(value, value - down, value + up, above.n)


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


def halvings(columns: Kin, seed: int) -> Bools:
    """The first half of the rows by root, 20 times, shape (20, rows)."""
    salts = range(seed * HALVINGS, (seed + 1) * HALVINGS)
    return np.stack([(mixed(columns.root, salt) & np.uint64(1)).astype(bool) for salt in salts])


def halved(probe: Probe, columns: Columns, level: float, halves: Bools) -> Found:
    """A ratio's reference: one half of the real rows to the other, the geometric mean over their halvings.

    One halving alone would be noisier than the ratio it is held against: it has half the rows a side.
    """
    tally = probe.tally(columns)
    total, logs = tally.sum(axis=0), []
    for half in halves:
        first = half.astype(np.float64) @ tally
        hits, units = np.stack([first, total - first]).T
        if hits.all() and units.all():
            logs.append(math.log(hits[0] / units[0]) - math.log(hits[1] / units[1]))
    if len(logs) < HALVINGS // 2:
        return Found(missing="too few real rows are in the slice to halve it")
    reach = quantiles.student(0.5 + level / 2, len(logs) - 1) * np.std(logs, ddof=1) / math.sqrt(len(logs))
    low, value, high = np.exp(np.mean(logs) + reach * np.array([-1, 0, 1]))
    return Found(float(value), float(low), float(high), int(total[1]))


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
    return sample_together([probe], rows, real, size, seed, level)[0]


def sample_together(
    probes: Sequence[SampleProbe], rows: Rows, real: Rows, size: int, seed: int, level: float
) -> list[Found]:
    """The numbers of probes that share `prepare`: the sample is drawn by the first and read once for all."""
    first = probes[0]
    drawn, beside, rng = draw(first, rows, real, size, seed)
    fewest = min(len(drawn), len(beside)) if first.against_real else len(drawn)
    able = size > 0 and fewest >= min(probe.least for probe in probes)
    try:
        read = first.prepare(drawn, beside, rng) if able else None
    except InputError as error:
        return [Found(missing=error.what) for _ in probes]
    group, group_beside = groups(drawn), groups(beside)

    @functools.cache
    def reading(kept: bytes) -> Any:
        present = np.frombuffer(kept) > 0
        assert read is not None
        return read(present[group], present[group_beside])

    # A tally that says "this group is in": taking one away leaves the others in, all the jackknife asks for.
    present = np.eye(GROUPS)[np.unique(np.concatenate([group, group_beside]))]
    roots = min(len(np.unique(side.root)) for side in (drawn, beside))
    return [
        _redrawn(probe, read, reading, size, seed, level)
        if probe.redrawn is not None and able
        else _of_parts(probe, present, reading, size, roots, level)
        if size > 0 and fewest >= probe.least
        else Found(
            missing=f"needs samples of at least {probe.least} rows with words; the smaller has {fewest}"
        )
        for probe in probes
    ]


def _redrawn(
    probe: SampleProbe,
    read: Reader | None,
    reading: Callable[[bytes], Any],
    size: int,
    seed: int,
    level: float,
) -> Found:
    """The number of a sample with the interval of draws from it."""
    assert probe.redrawn is not None
    value = probe.number(reading(np.ones(GROUPS).tobytes()))
    rng = np.random.default_rng([seed, 9, *probe.name.encode()])
    try:
        units, draws, drawn = probe.redrawn(read, rng)
        return Found(*redrawn(value, units, draws, drawn, level), n=size)
    except InputError as error:
        return Found(missing=error.what)


def _of_parts(
    probe: SampleProbe,
    present: Floats,
    reading: Callable[[bytes], Any],
    size: int,
    roots: int,
    level: float,
) -> Found:
    """The number of a sample whose parts can be read; `present` says which groups there are."""
    try:
        value, low, high = jackknife(present, lambda kept: probe.number(reading(kept.tobytes())), level)
    except InputError as error:
        return Found(missing=error.what)
    if probe.counts:
        # Leaving rows out moves no count of zero; that few events were seen says how many may be expected.
        tail = (1 - level) / 2
        low = min(low, quantiles.chi_square(tail, 2 * value) / 2 if value else 0.0)
        high = max(high, quantiles.chi_square(1 - tail, 2 * value + 2) / 2)
        return Found(value, max(low, 0.0), float(high), size)
    if probe.share_of is not None and low == high:
        worth = roots * probe.share_of / GROUPS
        _, low, high = share(np.full(GROUPS, value * worth), np.full(GROUPS, worth), level)
    least, most = probe.bounds
    return Found(value, max(low, least), min(high, most), size)


def measure(probe: Probe[C] | SampleProbe, found: Found, reference: Found, level: float) -> Measure:
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


def _compares(probe: Probe[C] | SampleProbe) -> bool:
    """Whether the number speaks of a pair of corpora rather than of the synthetic one."""
    return probe.ratio if isinstance(probe, Probe) else probe.against_real
