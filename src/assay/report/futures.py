"""The forecast as plain data: curves by regime, what they add up to, and what each round wrote."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from assay.core import words
from assay.core.evidence import Evidence
from assay.core.measure import Measure
from assay.report import layers, safe
from assay.report.figures import Figure, Rows, figures, title_of
from assay.report.layers import HEIGHT, Layer, Point, Spec
from assay.report.plots import SERIES, SHAPES, points_of
from assay.report.whisker import bars

LOSS, OUTLOOK, SHAPE = "forecast.loss", "forecast.outlook", "forecast.shape"
MECHANISM = "forecast.mechanism_growth"
_ROUNDS, _SHOWN = 6, 10  # texts that stand side by side, and regimes whose texts are shown
_TEXT = 360  # characters of a text that stands beside others
_INKS, _MARKS = (*SERIES, "ink"), (*SHAPES, "triangle-left")
_DASHES: tuple[list[int], ...] = ([1, 0], [6, 4], [2, 3], [9, 3, 2, 3], [12, 4], [4, 2], [1, 2])
_LOW = 240  # pixels of the smaller plot
_TIPS = [
    layers.tip("regime", "regime"),
    layers.tip("x", "round", "d"),
    layers.tip("score", "loss"),
    layers.tip("n", "test rows", ",d"),
]


@dataclass(frozen=True)
class Wrote:
    """What one round of one regime wrote: a text, and how strange its texts are to the first model."""

    round: str
    text: str
    strangeness: Markup


@dataclass(frozen=True)
class Curve:
    """One measure of one regime, round by round."""

    title: str
    regime: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Forecast:
    """What the run foretells.

    Attributes:
        regimes: Names in the order of the plot's lines.
        samplings: Likewise of the second plot, of one regime whose text is drawn in several ways; or none.
        beyond: Whether lines go on past the rounds that were run.
        counted: Whether a count model was trained, which shows more collapse than a transformer.
        rounds: Rounds that any measure knows, as the heads of the table of `curves`.
        curves: All that was measured round by round.
        facts: What the whole forecast comes to: growth and safe share, as figures.
        parts: By regime first warning, growth, likeliest shape and half-life, likewise.
        samples: By regime, what the first and later rounds wrote, side by side.
    """

    regimes: tuple[str, ...]
    samplings: tuple[str, ...]
    beyond: bool
    counted: bool
    rounds: tuple[str, ...]
    curves: tuple[Curve, ...]
    facts: tuple[Figure, ...]
    parts: tuple[Figure, ...]
    samples: tuple[tuple[str, tuple[Wrote, ...]], ...]

    @property
    def anything(self) -> bool:
        """Whether there is something to show."""
        return bool(self.regimes or self.curves or self.facts or self.parts or self.samples)


def forecast(evidence: Evidence, rows: Rows, folder: Path) -> Forecast:
    """All that the run foretells; the texts come from `rows/forecast.json` in its folder, if it is there."""
    mine = [
        each for each in evidence.measures if each.name.startswith("forecast.") and each.value is not None
    ]
    staged = [each for each in mine if (each.slice or {}).get("round", "").isdecimal()]
    parts: dict[str, list[Measure]] = {}
    for each in mine:
        if each.slice and "round" not in each.slice:
            parts.setdefault(each.name, []).append(each)
    if SHAPE in parts:
        parts[SHAPE] = _likeliest(parts[SHAPE])
    rounds = sorted({int((each.slice or {})["round"]) for each in staged})
    return Forecast(
        regimes=tuple(safe.visible(name) for name in _regimes(evidence)),
        samplings=tuple(safe.visible(name) for name in _samplings(evidence)),
        beyond=any(each.name == OUTLOOK for each in mine),
        counted=any(each.name == MECHANISM for each in mine),
        rounds=tuple(str(each) for each in rounds),
        curves=_table(staged, rounds),
        facts=tuple(one for each in mine if not each.slice for one in figures([each], rows)),
        parts=tuple(one for found in parts.values() for one in figures(found, rows)),
        samples=_samples(folder / "rows" / "forecast.json"),
    )


def curves(evidence: Evidence) -> Spec | None:
    """Loss on real test rows by round, one line per regime, dotted past the last one run.

    Returns: None where no regime has two rounds.
    """
    said = "Loss on real test rows by round of training on the round before, by regime"
    return _plot(evidence, _regimes(evidence), said, HEIGHT)


def samplings(evidence: Evidence) -> Spec | None:
    """The same of the one regime that was run with text drawn in several ways; None where it was not."""
    said = "Loss on real test rows by round of training on the round before, by how its text was drawn"
    return _plot(evidence, _samplings(evidence), said, _LOW)


def _plot(evidence: Evidence, found: dict[str, list[Measure]], said: str, height: int) -> Spec | None:
    if not found:
        return None
    drawn: list[Layer] = []
    rounds: set[float] = set()
    for place, (regime, measures) in enumerate(found.items()):
        name = safe.visible(regime)
        points = [{**point, "regime": name} for point in points_of(measures, _round)]
        beyond = [{**point, "regime": name} for point in _beyond(evidence, regime, points)]
        drawn += layers.line(beyond, _INKS[place], _MARKS[place], _TIPS, dash=[1, 4], faint=True)
        drawn += layers.line(points, _INKS[place], _MARKS[place], _TIPS, dash=_DASHES[place])
        rounds |= {point["x"] for point in points + beyond}
    unit = next(iter(found.values()))[0].unit
    y_title = "wrong test rows, %" if words.in_percent(unit) else f"{unit} on real test rows"
    axis = {"values": sorted(rounds), "format": "d", "title": "round; round 0 is trained on real rows"}
    return layers.plot(
        drawn,
        x={
            "scale": {"domain": [min(rounds), max(rounds)], "nice": False},
            "axis": {**axis, **layers.X_AXIS},
        },
        y_title=f"{y_title} (lower is better)",
        description=said,
        height=height,
    )


def _lines(evidence: Evidence) -> dict[str, list[Measure]]:
    """The measured losses of each regime that has at least two."""
    by_regime: dict[str, list[Measure]] = {}
    for measure in evidence.sliced(LOSS):
        where = measure.slice or {}
        if measure.value is not None and where.get("round", "").isdecimal():
            by_regime.setdefault(where.get("regime", "one regime"), []).append(measure)
    return {name: found for name, found in by_regime.items() if len(found) > 1}


def _plain(name: str, names: Iterable[str]) -> str:
    """The regime that differs from this one by how text is drawn alone: what stands before the comma."""
    before = name.partition(", ")[0]
    return before if before in names else name


def _regimes(evidence: Evidence) -> dict[str, list[Measure]]:
    """Lines of the regimes whose text is drawn as the user asked."""
    lines = _lines(evidence)
    return {
        name: lines[name] for name in [each for each in lines if _plain(each, lines) == each][: len(_INKS)]
    }


def _samplings(evidence: Evidence) -> dict[str, list[Measure]]:
    """Lines of one regime and of those that differ from it by how text is drawn."""
    lines = _lines(evidence)
    first = next((_plain(name, lines) for name in lines if _plain(name, lines) != name), None)
    alike = [name for name in lines if _plain(name, lines) == first]
    return {name: lines[name] for name in alike[: len(_INKS)]}


def _beyond(evidence: Evidence, regime: str, points: list[Point]) -> list[Point]:
    """The loss that the outlook's change means, from the last round that was run; of a share, in per cent."""
    first, last = points[0], points[-1]
    found: list[Point] = []
    for measure in evidence.sliced(OUTLOOK):
        where = measure.slice or {}
        ends = (measure.value, measure.low, measure.high)
        if where.get("regime") != regime or not where.get("round", "").isdecimal() or None in ends:
            continue
        relative = measure.unit.startswith("share")
        at = [
            first["y"] * (1 + each) if relative else first["y"] + 100 * each
            for each in ends
            if each is not None
        ]
        said = f"extrapolated: change {words.with_interval(measure)}"
        place = {"x": _round(where), "score": said, "n": measure.n}
        found.append({"y": at[0], "low": at[1], "high": at[2], **place})
    return [last, *sorted(found, key=lambda point: point["x"])] if found else []


def _round(where: dict[str, str]) -> float:
    return float(where["round"])


def _likeliest(shapes: list[Measure]) -> list[Measure]:
    """Of each regime the shape with the highest probability."""
    best: dict[str, Measure] = {}
    for each in shapes:
        regime = (each.slice or {}).get("regime", "")
        if regime not in best or (each.value or 0) > (best[regime].value or 0):
            best[regime] = each
    return list(best.values())


def _table(staged: list[Measure], rounds: list[int]) -> tuple[Curve, ...]:
    """Measure by measure and regime by regime; a dash where a round has no value."""
    held: dict[tuple[str, str, str], dict[int, str]] = {}
    for each in staged:
        where = each.slice or {}
        key = (each.name, where.get("group", ""), where.get("regime", ""))
        held.setdefault(key, {})[int(where["round"])] = words.with_interval(each)
    return tuple(
        Curve(
            title_of(name) + (f", {safe.visible(group)}" if group else ""),
            safe.visible(regime),
            tuple(found.get(each, "–") for each in rounds),
        )
        for (name, group, regime), found in sorted(held.items(), key=lambda item: item[0][0] != LOSS)
    )


def _samples(path: Path) -> tuple[tuple[str, tuple[Wrote, ...]], ...]:
    """The texts in the file, cut; a file of another form shows nothing."""
    try:
        held: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ()
    regimes = held.get("regimes") if isinstance(held, dict) else None
    shown = []
    for regime in regimes if isinstance(regimes, list) else []:
        generations = regime.get("generations") if isinstance(regime, dict) else None
        wrote = (
            [_wrote(each) for each in generations if isinstance(each, dict)]
            if isinstance(generations, list)
            else []
        )
        told = [each for each in wrote if each.text]
        if told:
            shown.append((safe.visible(str(regime.get("regime", ""))), tuple(_spread(told))))
    return tuple(shown[:_SHOWN])


def _wrote(generation: dict[str, Any]) -> Wrote:
    counts = generation.get("histogram")
    numbers = [each for each in counts if isinstance(each, int | float)] if isinstance(counts, list) else []
    return Wrote(
        round=safe.visible(str(generation.get("round", ""))),
        text=safe.visible(str(generation.get("sample") or ""), _TEXT),
        strangeness=bars(numbers),
    )


def _spread(found: list[Wrote]) -> list[Wrote]:
    """At most so many rounds, the first and the last among them."""
    if len(found) <= _ROUNDS:
        return found
    return [found[round(at * (len(found) - 1) / (_ROUNDS - 1))] for at in range(_ROUNDS)]
