"""Does the data drift from batch to batch, or away from real rows?"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.audit.probe import Found, measure, sample, sample_size
from assay.audit.probes.classifier import PROBE as CLASSIFIER
from assay.audit.rows import GROUPS, Index, Rows, divide
from assay.core.catalogue import define
from assay.core.measure import Measure
from assay.stats import quantiles
from assay.stats.trend import change

LEAST_ROWS = 100  # in a batch; smaller ones are joined with their neighbours
MOST_BATCHES = 8

PROBE = replace(
    CLASSIFIER,
    name="drift.batch",
    method="rows of a batch told from as many of the batch before: " + CLASSIFIER.method,
    most=1_000,
)
_TREND = "drift.trend"
_NO_ORDER = "needs rows with different values in a column batch, generation or time"


@dataclass(frozen=True)
class Batch:
    """Rows that came together, or some small neighbouring lots of them."""

    name: str
    index: Index


def batches(rows: Rows) -> tuple[str, list[Batch]]:
    """The batches of `rows` in their order, and the column that tells them: batch, generation or time."""
    for column in ("batch", "generation", "time"):
        values = getattr(rows, column)
        named = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
        encoded = values.take(pa.array(named)).dictionary_encode()
        if len(encoded.dictionary) < 2:
            continue
        names = encoded.dictionary
        order = _by_name(names.to_pylist()) if column == "batch" else pc.sort_indices(names).to_numpy()
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        written = [str(name) for name in names.take(pa.array(order)).to_pylist()]
        return column, _joined(rank[encoded.indices.to_numpy()], named, written)
    return "", []


def drift(rows: Rows, pool: Rows, seed: int, level: float) -> list[Measure]:
    """`drift.batch` of all batches and of each, and `drift.trend`.

    The value of the whole is that of the batch that differs most from the one before; its reference is the
    largest of as many comparisons of real rows at random, so that looking for the largest is no finding.

    Args:
        rows: Synthetic rows.
        pool: Real rows.
    """
    column, found = batches(rows)
    if len(found) < 2:
        return [measure(PROBE, Found(missing=_NO_ORDER), Found(missing=_NO_ORDER), level), _trend([], level)]
    parts = [rows.take(batch.index) for batch in found]
    halves = [_halves(pool, seed + 60 + turn) for turn in range(len(parts) - 1)]
    real = [each for pair in halves for each in pair] if len(pool) else []
    size = sample_size(PROBE, *parts, *real)
    said = f"{PROBE.method}; {len(parts)} batches by {column}, {size:,} rows each"
    left_out = {f"no {column}": len(rows) - sum(len(part) for part in parts)}
    left_out = {why: number for why, number in left_out.items() if number}
    steps = [sample(PROBE, after, before, size, seed, level) for before, after in itertools.pairwise(parts)]
    chance = [sample(PROBE, other, beside, size, seed, level) for beside, other in halves]
    worst = max(range(len(steps)), key=lambda step: steps[step].value or 0.0)
    most = replace(PROBE, method=f"{said}; most between {found[worst].name!r} and {found[worst + 1].name!r}")
    measures = [
        measure(
            most,
            replace(steps[worst], left_out=left_out),
            max(chance, key=lambda each: each.value or 0.0),
            level,
        )
    ]
    for step, batch in enumerate(found[1:]):
        against = replace(PROBE, method=said, slice={"batch": batch.name})
        measures.append(measure(against, steps[step], chance[step], level))
    distance = []
    if real:
        beside, other = halves[0]
        distance = [sample(PROBE, part, beside, size, seed, level) for part in parts]
        apart = sample(PROBE, other, beside, size, seed, level)
        method = f"rows of a batch told from as many real rows: {CLASSIFIER.method}"
        for batch, each in zip(found, distance, strict=True):
            against = replace(PROBE, method=method, slice={"batch": batch.name, "against": "real"})
            measures.append(measure(against, each, apart, level))
    return [*measures, _trend(distance, level)]


def _trend(distance: list[Found], level: float) -> Measure:
    """How far the AUC against real rows climbs over the batches."""
    definition = define(_TREND)
    known = [each for each in distance if each.value is not None]
    missing = None
    if not distance:
        missing = _NO_ORDER
    elif len(known) < 3 or len(known) < len(distance):
        missing = f"needs at least three batches that can be told from real rows; there are {len(known)}"
    low = high = value = None
    if missing is None:
        # The jackknife's intervals are Student's t over the groups of kin.
        reach = 2 * quantiles.student(0.5 + level / 2, GROUPS - 1)
        errors = np.array([max((each.high - each.low) / reach, 1e-3) for each in known])
        value, low, high = change(np.array([each.value or 0.0 for each in known]), errors, level)
    return Measure(
        name=_TREND,
        corpus="synthetic",
        value=value,
        low=low,
        high=high,
        level=level,
        n=sum(each.n for each in known),
        unit=definition.unit,
        worse=definition.worse,
        method="least-squares line through the AUC of each batch against the same real rows, first batch to last",
        missing=missing,
    )


def _halves(pool: Rows, salt: int) -> tuple[Rows, Rows]:
    first, second = divide(pool, 0.5, salt=salt)
    return pool.take(first), pool.take(second)


def _by_name(names: list[str]) -> Index:
    """Order of names in which 2 comes before 10."""
    parts = [
        [(part.zfill(20) if part.isdigit() else part) for part in re.split(r"(\d+)", name)] for name in names
    ]
    return np.array(sorted(range(len(names)), key=parts.__getitem__), dtype=np.int64)


def _joined(rank: Index, rows: Index, names: list[str]) -> list[Batch]:
    """Neighbouring lots joined until each batch has `LEAST_ROWS` and there are no more than `MOST_BATCHES`."""
    sizes = np.bincount(rank, minlength=len(names))
    ends = _ends(sizes, LEAST_ROWS)
    if len(ends) > MOST_BATCHES:
        ends = _ends(sizes, -(-len(rows) // MOST_BATCHES))
    found = []
    for start, end in zip([0, *ends], ends, strict=False):
        name = names[start] if end - start == 1 else f"{names[start]} to {names[end - 1]}"
        found.append(Batch(name, rows[(rank >= start) & (rank < end)]))
    return found


def _ends(sizes: Index, least: int) -> list[int]:
    """Where each batch ends when lots are taken together until they hold `least` rows."""
    ends, held = [], 0
    for lot, size in enumerate(sizes.tolist(), start=1):
        held += size
        if held >= least:
            ends.append(lot)
            held = 0
    if ends:
        ends[-1] = len(sizes)  # the last one takes what is left over
    return ends
