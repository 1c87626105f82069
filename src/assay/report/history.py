"""Many runs in a row: each measure as a series with its intervals, and how the latest differs from the one before."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from markupsafe import Markup, escape

from assay.core import words
from assay.core.catalogue import CATALOGUE
from assay.core.change import Change, change
from assay.core.claim import CLAIMS
from assay.core.discoveries import adjusted
from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.measure import Measure
from assay.core.rules import known, where_of
from assay.core.unseen import clean
from assay.report.compare import FALSE_DISCOVERY_RATE
from assay.report.sheet import render as draw

_TITLES = {each.name: each.title for each in CATALOGUE}
_DECIDING = {name: place for place, name in enumerate(name for each in CLAIMS for name in each.measures)}
_WIDTH, _HEIGHT, _LEFT, _TOP = 320, 120, 6, 10  # of one chart, in pixels; room for labels below


@dataclass(frozen=True)
class Series:
    """One measure over all runs.

    Attributes:
        points: What each run measured; None where it has no value.
        trend: What the last run did to it beyond noise: better, worse or moved; empty where nothing is sure.
    """

    name: str
    title: str
    where: str
    points: tuple[Measure | None, ...]
    trend: str = ""

    @property
    def told(self) -> tuple[str | None, ...]:
        """Each value in words."""
        return tuple(None if point is None else words.with_interval(point) for point in self.points)

    @property
    def latest(self) -> str:
        """The last value in words."""
        return self.told[-1] or "not measured"


@dataclass(frozen=True)
class History:
    """All runs of a folder in order.

    Attributes:
        runs: Name and date of each.
        verdicts: The verdict on each claim, run by run; None where a run does not know the claim.
    """

    folder: str
    runs: tuple[tuple[str, str], ...]
    series: tuple[Series, ...]
    verdicts: tuple[tuple[str, tuple[str | None, ...]], ...]


def history(folder: Path, *, names: Sequence[str] = (), order: Literal["time", "name"] = "time") -> History:
    """The series of all runs that lie in a folder, at any depth.

    Args:
        names: The measures to draw, all slices of them; default: those of all of the data that decide claims.
        order: By when the evidence was written, or by the name of the run's folder.

    Raises: InputError: fewer than two runs, or no run has such a measure.
    """
    runs = [Run(path.parent) for path in sorted(folder.rglob("evidence.json"))]
    if len(runs) < 2:
        raise InputError(
            f"a history needs two runs or more; there {'is one' if runs else 'are none'}",
            where=str(folder),
            fix="Give the folder that holds the folders of runs.",
        )
    if order == "time":
        runs.sort(key=lambda run: (_written(run), str(run.folder)))
    measured = {each.name for run in runs for each in run.evidence.measures if each.value is not None}
    known(names, measured, "measure of these runs", str(folder))
    return History(
        folder=folder.name,
        runs=tuple(
            (
                run.folder.relative_to(folder).as_posix(),
                f"{datetime.fromtimestamp(_written(run), UTC):%Y-%m-%d}",
            )
            for run in runs
        ),
        series=_series(runs, names),
        verdicts=_verdicts(runs),
    )


def record(found: History) -> dict[str, Any]:
    """The history as plain data for JSON."""
    return {
        "schema": "assay.history/1",
        "folder": found.folder,
        "runs": [{"name": name, "date": date} for name, date in found.runs],
        "claims": [{"id": claim, "verdicts": list(row)} for claim, row in found.verdicts],
        "series": [
            {
                "name": each.name,
                "where": each.where,
                "unit": next(point.unit for point in each.points if point is not None),
                "points": [
                    None if point is None else {"value": point.value, "low": point.low, "high": point.high}
                    for point in each.points
                ],
                "latest": each.trend or "within noise",
            }
            for each in found.series
        ],
    }


def render(found: History) -> str:
    """The history as one HTML file without scripts."""
    return draw(
        "history.html.jinja",
        title=f"{words.count(len(found.runs), 'run')} in {found.folder}",
        found=found,
        drawn=lambda series: _chart(series, found.runs),
        titles={each.id: each.title for each in CLAIMS},
    )


def _written(run: Run) -> float:
    return (run.folder / "evidence.json").stat().st_mtime


def _series(runs: list[Run], names: Sequence[str]) -> tuple[Series, ...]:
    by_key: dict[tuple[str, str], list[Measure | None]] = {}
    for at, run in enumerate(runs):
        for measure in run.evidence.measures:
            wanted = measure.name in names if names else measure.slice is None and measure.name in _DECIDING
            if wanted and measure.value is not None:
                key = (measure.name, where_of(measure.slice, measure.corpus))
                by_key.setdefault(key, [None] * len(runs))[at] = measure
    found = [
        Series(name, _TITLES.get(name, name), where, tuple(points))
        for (name, where), points in by_key.items()
        if names or sum(point is not None for point in points) > 1
    ]
    found = _with_trends(found)
    found.sort(key=lambda each: (_DECIDING.get(each.name, len(_DECIDING)), each.name, each.where))
    return tuple(found)


def _with_trends(series: list[Series]) -> list[Series]:
    """What the last step did to each, with the false discovery rate held at 5 % over all of them."""
    steps = [_last_step(each) for each in series]
    sure = iter(adjusted([step.p for step in steps if step is not None]))
    found = []
    for each, step in zip(series, steps, strict=True):
        moved = step is not None and next(sure) <= FALSE_DISCOVERY_RATE and step.value != 0
        trend = "" if step is None or not moved else step.direction
        found.append(replace(each, trend="moved" if trend == "neither" else trend))
    return found


def _last_step(series: Series) -> Change | None:
    before, after = series.points[-2:]
    if before is None or after is None or before.unit != after.unit:
        return None
    return change(before, after)


def _verdicts(runs: list[Run]) -> tuple[tuple[str, tuple[str | None, ...]], ...]:
    rows = {
        claim.id: tuple(
            next((each.verdict for each in run.evidence.claims if each.id == claim.id), None) for run in runs
        )
        for claim in CLAIMS
    }
    decided = {name: row for name, row in rows.items() if set(row) - {None, "not measured"}}
    return tuple(decided.items())


def _chart(series: Series, runs: tuple[tuple[str, str], ...]) -> Markup:
    """Inline SVG: a dot with its whisker for each run, a line between neighbours, grey for the reference."""
    shown = [point for point in series.points if point is not None]
    ends = [end for point in shown for end in (point.low, point.high) if end is not None]
    references = [point.reference for point in shown if point.reference is not None]
    ends += [end for each in references for end in (each.low, each.high)]
    low, high = min(ends), max(ends)
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    step = (_WIDTH - 2 * _LEFT) / max(1, len(series.points) - 1)

    def x(at: int) -> str:
        return f"{_LEFT + at * step:.1f}"

    def y(value: float) -> str:
        return f"{_TOP + _HEIGHT * (high - value) / (high - low):.1f}"

    parts = []
    if references:
        last = references[-1]
        height = max(2.0, float(y(last.low)) - float(y(last.high)))
        parts.append(f'<rect class="band" x="0" width="{_WIDTH}" y="{y(last.high)}" height="{height:.1f}"/>')
    places = [(at, point) for at, point in enumerate(series.points) if point is not None]
    for (at, point), (then, later) in itertools.pairwise(places):
        assert point.value is not None and later.value is not None  # noqa: PT018 (only points with a value)
        if then == at + 1:
            parts.append(
                f'<line class="line" x1="{x(at)}" y1="{y(point.value)}" x2="{x(then)}" y2="{y(later.value)}"/>'
            )
    for at, point in places:
        assert point.value is not None and point.low is not None and point.high is not None  # noqa: PT018
        told = escape(clean(f"{runs[at][0]} ({runs[at][1]}): {words.with_interval(point)}"))
        parts.append(
            f'<g><title>{told}</title><line class="whisk" x1="{x(at)}" x2="{x(at)}" y1="{y(point.low)}" '
            f'y2="{y(point.high)}"/><circle class="dot" cx="{x(at)}" cy="{y(point.value)}" r="4"/></g>'
        )
    bottom = _TOP + _HEIGHT + 18
    unit = shown[-1].unit
    parts += [
        f'<text x="0" y="{bottom}">{escape(clean(runs[0][0][:24]))}</text>',
        f'<text x="{_WIDTH}" y="{bottom}" text-anchor="end">{escape(clean(runs[-1][0][:24]))}</text>',
        f'<text x="{_WIDTH / 2}" y="{bottom}" text-anchor="middle">'
        f"{escape(words.number(low, high - low, unit))} … {escape(words.number(high, high - low, unit))}</text>",
    ]
    return Markup(
        f'<svg class="series" viewBox="0 0 {_WIDTH} {bottom + 4}" role="img">{"".join(parts)}</svg>'
    )
