"""A measure ready to read: its words, its drawing, how it was made and the rows beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from assay.core import words
from assay.core.catalogue import CATALOGUE
from assay.core.measure import Measure
from assay.report import safe
from assay.report.whisker import Domain, domain, whisker

_EXAMPLES = 3  # example rows beside one measure
_TABLE = 30  # rows of a table
# Whose row stands beside an example, by the family of its measure.
_WHOSE = {"copying": "real row it resembles", "coverage": "nearest synthetic row"}
_DEFINITIONS = {definition.name: definition for definition in CATALOGUE}


@dataclass(frozen=True)
class Example:
    """A row beside a finding, and the row it resembles."""

    row: str
    text: safe.Marked
    beside: safe.Marked | None
    whose: str
    note: str


@dataclass(frozen=True)
class Figure:
    """One measure, ready to read.

    Attributes:
        part: The values of its slice, `where` with their keys.
        reference: Real against real, to as many digits as the value; `band` with its interval.
        blind: What numbers of this kind do not see is told elsewhere on the page.
        parts: Slices of the same measure, each with its value.
    """

    title: str
    name: str
    where: str
    part: str
    value: str
    reference: str
    band: str
    drawing: Markup
    decides: bool
    method: str
    formula: str
    source: str
    n: int
    counted: str
    left_out: str
    blind: bool
    examples: tuple[Example, ...]
    parts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Table:
    """Figures that share one scale, and how many more there are."""

    figures: tuple[Figure, ...] = ()
    more: int = 0
    reach: str = ""

    @property
    def has_examples(self) -> bool:
        """Whether any figure has rows to show."""
        return any(each.examples for each in self.figures)


class Rows:
    """The example rows of a run, looked up by the measure they belong to."""

    def __init__(self, examples: pa.Table) -> None:
        self._examples = examples
        self._held = set(examples["measure"].to_pylist())

    def of(self, measure: Measure) -> tuple[Example, ...]:
        """The first rows beside a measure; of all its slices, where it has none itself."""
        if measure.name not in self._held:
            return ()
        mine = self._examples.filter(pc.equal(self._examples["measure"], measure.name)).to_pylist()
        # The slice is JSON text; compare it as data, since writers may order and space it differently.
        rows = [
            row
            for row in mine
            if measure.slice is None
            or (row["slice"] is not None and json.loads(row["slice"]) == measure.slice)
        ]
        return tuple(_example(row) for row in rows[:_EXAMPLES])


def title_of(name: str) -> str:
    """A measure's title in plain words, or its name where the catalogue knows none."""
    known = _DEFINITIONS.get(name)
    return known.title if known else safe.visible(name)


def figure(
    measure: Measure,
    rows: Rows,
    across: Domain | None = None,
    *,
    decides: bool = False,
    unit: str | None = None,
) -> Figure:
    """A measure with a value, drawn over the range `across` or its own; `unit` replaces that of the measure."""
    shown = measure if unit is None else measure.model_copy(update={"unit": unit})
    known = _DEFINITIONS.get(measure.name)
    left_out = ", ".join(
        f"{words.count(rows_, 'row')} ({safe.visible(why)})" for why, rows_ in measure.left_out.items()
    )
    return Figure(
        title=title_of(measure.name),
        name=measure.name,
        where=where(measure),
        part=part(measure),
        value=words.with_interval(shown),
        reference=_reference(shown),
        band=_band(shown),
        drawing=whisker(shown, across),
        decides=decides,
        method=measure.method,
        formula=known.formula if known else "",
        source=known.source if known else "",
        n=measure.n,
        counted=f"n = {measure.n:,}; {100 * measure.level:.0f} % interval; unit: {shown.unit}",
        left_out=left_out or "nothing",
        blind=measure.name.startswith("bias."),
        examples=rows.of(measure),
    )


def figures(measures: Sequence[Measure], rows: Rows, *, decides: bool = False) -> tuple[Figure, ...]:
    """The measures that have a value; several are drawn over one range."""
    valued = [each for each in measures if each.value is not None]
    across = domain(valued) if len(valued) > 1 else None
    return tuple(figure(each, rows, across, decides=decides) for each in valued)


def table(
    measures: Sequence[Measure],
    rows: Rows,
    *,
    also: tuple[float, ...],
    unit: str | None = None,
    most: int = _TABLE,
) -> Table:
    """The first `most` measures on one scale that also holds the values in `also`."""
    shown = measures[:most]
    across = domain(shown, also=also) if shown else None
    made = tuple(figure(each, rows, across, unit=unit) for each in shown)
    return Table(made, len(measures) - len(shown), f"{across[1]:.2g}" if across else "")


def where(measure: Measure) -> str:
    """The slice in words: ``label: refund``."""
    return ", ".join(
        f"{safe.visible(key)}: {safe.visible(value)}" for key, value in (measure.slice or {}).items()
    )


def part(measure: Measure) -> str:
    """The values of the slice alone: ``refund``."""
    return ", ".join(safe.visible(each) for each in (measure.slice or {}).values())


def thin_first(measure: Measure) -> float:
    """Sorts slices: the smallest value, or where more is worse the largest."""
    if measure.value is None:
        return float("inf")
    return -measure.value if measure.worse == "higher" else measure.value


def clear_first(measure: Measure) -> tuple[float, float]:
    """Sorts slices by how far their interval lies from that of the reference, the surest difference first."""
    return -distance(measure), thin_first(measure)


def distance(measure: Measure) -> float:
    """How far the interval lies from the reference's, or from 0 without one; not above 0 where they touch."""
    if measure.low is None or measure.high is None:
        return float("-inf")
    known = measure.reference
    low, high = (0.0, 0.0) if known is None else (known.low, known.high)
    return max(measure.low - high, low - measure.high)


def _reference(measure: Measure) -> str:
    known = measure.reference
    if known is None or measure.low is None or measure.high is None:
        return ""
    spread = max(known.high - known.low, measure.high - measure.low)
    return words.number(known.value, spread, measure.unit)


def _band(measure: Measure) -> str:
    known = measure.reference
    if known is None:
        return ""
    return words.with_interval(
        measure.model_copy(update={"value": known.value, "low": known.low, "high": known.high})
    )


def _example(row: dict[str, Any]) -> Example:
    text = row["text"] or ""
    span = safe.marked(text, row["start"], row["end"])
    wanted = (
        "" if row["start"] is None else text.encode()[row["start"] : row["end"]].decode("utf-8", "replace")
    )
    return Example(
        row=f"{safe.visible(row['corpus'] or 'row')} row {row['row']:,}",
        text=span,
        whose=_WHOSE.get(row["measure"].partition(".")[0], "row it resembles"),
        beside=None if row["beside"] is None else safe.marked_like(row["beside"], wanted),
        note=safe.visible(row["note"] or "", safe.ROW_LIMIT),
    )
