"""How many rows about each group of people are wrong, and how many more than of the rows about the others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.core.catalogue import define
from assay.core.measure import Measure
from assay.engine.groups.lists import MOST_VALUES, NOT_ASKED, NOT_PEOPLE, Lists
from assay.engine.groups.mentions import holds, read
from assay.label.rate import LEAST, NAME, Known
from assay.stats.ppi import Powered

GAP = "bias.gap"
FEWEST_ROWS = 50  # about a group, and about the others of its theme

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Part:
    """The rows about one group.

    Attributes:
        label: As it stands in slices.
        about, others: Rows about it, and about the others of its theme or column, shape (rows,).
    """

    label: str
    about: Bools
    others: Bools


def is_of_labels(measure: Measure) -> bool:
    """Whether it rests on a person's labels."""
    return measure.name == NAME or (measure.slice or {}).get("measure") == NAME


def parts(text: pa.ChunkedArray, lists: Lists, columns: Mapping[str, pa.ChunkedArray]) -> Iterator[Part]:
    """Every group that enough rows are about.

    Args:
        text: Of all synthetic rows.
        columns: The user's slice columns of the same rows.
    """
    for part in (*_listed(text, lists), *_named(columns)):
        if min(part.about.sum(), part.others.sum()) >= FEWEST_ROWS:
            yield part


def _listed(text: pa.ChunkedArray, lists: Lists) -> Iterator[Part]:
    if not lists.themes or not len(text):
        return
    about = np.concatenate([read(chunk, lists)[1] for chunk in text.chunks])
    for theme in lists.themes:
        if theme.name in NOT_ASKED:
            continue
        rows = {group: holds(about, group) for group in lists.members(theme.name)}
        anybody = np.logical_or.reduce(list(rows.values()))
        for group, mine in rows.items():
            yield Part(lists.groups[group].label, mine, anybody & ~mine)


def _named(columns: Mapping[str, pa.ChunkedArray]) -> Iterator[Part]:
    for name in sorted(set(columns) - set(NOT_PEOPLE)):
        values = columns[name].fill_null("").to_numpy().astype(str)
        filled = values != ""
        found = np.unique(values[filled]).tolist()
        if 2 <= len(found) <= MOST_VALUES:
            yield from (
                Part(f"{name}: {value}", values == value, filled & (values != value)) for value in found
            )


def rates(known: Known, found: Iterator[Part], level: float = 0.95) -> Iterator[Measure]:
    """`quality.error_rate` of each group, and `bias.gap` in it between the group and the others of its theme.

    A gap is there where the others have labels enough too; the rule for verdicts holds the share of false findings
    over all gaps.

    Source: stratified estimate of a domain, Sarndal, Swensson & Wretman 1992, Model Assisted Survey Sampling, chapter
        10; the interval of a difference from those of its parts, Donner & Zou 2012, as in the audit's gaps.
    """
    for part in found:
        labels, beside = known.within(part.about), known.within(part.others)
        where = {"group": part.label}
        if labels < LEAST:
            few = f"{labels} of at least {LEAST} labels are of rows about this group: label more, `assay label RUN`"
            yield _measure(NAME, where, None, labels, level, few)
            continue
        own, strata = known.share(part.about, level)
        said = (
            f"{labels:,} labels of {int(part.about.sum()):,} rows about the group, within {strata} strata, joined with "
            f"cheap scores as for all rows, lambda {own.tuning:.2f}"
        )
        yield _measure(NAME, where, (own.value, own.low, own.high), labels, level, said)
        if beside >= LEAST:
            rest, _ = known.share(part.others, level)
            gap = (
                f"rate in rows about the group less that in rows about the others of its theme; {said}; "
                f"{beside:,} labels of the others. Real rows have no labels, so it is held against none"
            )
            yield _measure(GAP, where | {"measure": NAME}, _apart(own, rest), labels, level, gap)


def _apart(own: Powered, rest: Powered) -> tuple[float, float, float]:
    value = own.value - rest.value
    down = math.hypot(own.value - own.low, rest.high - rest.value)
    up = math.hypot(own.high - own.value, rest.value - rest.low)
    return value, value - down, value + up


def _measure(
    name: str,
    where: dict[str, str],
    found: tuple[float, float, float] | None,
    labels: int,
    level: float,
    said: str,
) -> Measure:
    definition = define(name)
    value, low, high = found or (None, None, None)
    return Measure(
        name=name,
        corpus="synthetic",
        slice=where,
        value=value,
        low=low,
        high=high,
        level=level,
        n=labels,
        unit=definition.unit,
        worse=definition.worse,
        method=said if found else definition.formula,
        missing=None if found else said,
    )
