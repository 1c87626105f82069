"""The interactive plots of the page: Vega-Lite specifications, as plain data, from measures.

Colours are CSS variables, so that one drawing serves light, dark and print.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from assay.core import words
from assay.core.evidence import Evidence
from assay.core.measure import Measure
from assay.report import safe

Spec = dict[str, Any]
Layer = dict[str, Any]
Point = dict[str, Any]

WIDTH = 860  # pixels of the drawing that stands in for the live plot; the live one fills its column
_HEIGHT = 340
_SHARES = [0, 25, 50, 75, 100]
_X_AXIS = {"grid": False, "labelFlush": False, "labelOverlap": "greedy"}


def dose_response(evidence: Evidence) -> Spec | None:
    """Score by share of synthetic rows at a fixed number of rows, with the best and the harmful range.

    Returns: A Vega-Lite specification; None when fewer than three mixes were measured.
    """
    points = _arm(evidence, "replacement", _synthetic_share)
    if len(points) < 3:
        return None
    layers: list[Layer] = [
        *_best(evidence.find("trial.best_share")),
        *_harmful(evidence.find("trial.harmful_above")),
    ]
    if points[0]["x"] == 0:
        layers.append(_baseline(points[0]))
    layers += _line(points, "accent", "circle")
    axis = {"values": _SHARES, "title": f"share of synthetic rows, % ({points[0]['rows']:,} rows throughout)"}
    return _plot(
        layers,
        x={"scale": {"domain": [0, 100], "nice": False}, "axis": {**axis, **_X_AXIS}},
        y_title=_score_title(evidence, "trial.dose_response"),
        description="Score on real test rows by share of synthetic rows, at a fixed number of rows",
    )


def addition(evidence: Evidence) -> Spec | None:
    """Score when synthetic rows, or the real rows again, are added to all real rows; None without doses."""
    added = _arm(evidence, "addition", _synthetic_share)
    repeated = _arm(evidence, "repeated", _repeated_share)
    if len(added) < 2:
        return None
    layers: list[Layer] = []
    if added[0]["x"] == 0:
        layers.append(_level(added[0]))
    layers += _line(repeated, "second", "square", dash=[6, 4])
    layers += _line(added, "accent", "circle")
    last = max(point["x"] for point in added + repeated)
    axis = {"tickCount": 6, "title": "share of the rows added to all real rows, %"}
    return _plot(
        layers,
        x={"scale": {"domain": [0, last], "nice": False}, "axis": {**axis, **_X_AXIS}},
        y_title=_score_title(evidence, "trial.dose_response"),
        description="Score on real test rows when synthetic or repeated real rows are added to all real rows",
    )


def bias(evidence: Evidence) -> Spec | None:
    """Score gained and the widest score gap of a group, by share of added synthetic rows, on one axis; None without either."""
    added = _arm(evidence, "addition", _synthetic_share)
    rows = {point["x"]: point["rows"] for point in added}
    gaps = [{**point, "rows": rows.get(point["x"])} for point in _widest_gap(evidence)]
    if len(added) < 2 or len(gaps) < 2 or added[0]["x"] != 0:
        return None
    base = added[0]["y"]
    gained = [{**point, **{end: point[end] - base for end in ("y", "low", "high")}} for point in added]
    layers: list[Layer] = [
        _level({**gained[0], "y": 0}),
        *_line(gained, "accent", "circle"),
        *_line(gaps, "second", "square", dash=[6, 4]),
    ]
    axis = {"tickCount": 6, "title": "share of the rows added to all real rows, %"}
    last = max(point["x"] for point in added)
    return _plot(
        layers,
        x={"scale": {"domain": [0, last], "nice": False}, "axis": {**axis, **_X_AXIS}},
        y_title="points of accuracy on real test rows",
        description="Accuracy gained, and how far the model is behind for one group, when synthetic rows are added",
    )


def _widest_gap(evidence: Evidence) -> list[Point]:
    """The gaps of the group that is furthest behind at any share, from left to right."""
    by_group: dict[str, list[Point]] = {}
    for measure in evidence.sliced("bias.model_gap"):
        where = measure.slice or {}
        if measure.value is None or measure.low is None or measure.high is None:
            continue
        if measure.unit != "accuracy difference":  # bits gained and shares of a loss share no axis
            continue
        group = safe.visible(where.get("group", ""))
        by_group.setdefault(group, []).append(
            {
                "x": _synthetic_share(where),
                "y": 100 * measure.value,
                "low": 100 * measure.low,
                "high": 100 * measure.high,
                "score": f"{group}: {words.with_interval(measure)}",
                "n": measure.n,
            }
        )
    widest = max(by_group.values(), key=lambda points: max(point["y"] for point in points), default=[])
    return sorted(widest, key=lambda point: point["x"])


def learning_curve(evidence: Evidence) -> Spec | None:
    """Score by number of real rows, alone and with all synthetic rows; None below three sizes."""
    points = _arm(evidence, None, _real_rows)
    if len(points) < 3:
        return None
    first, last = points[0]["x"], points[-1]["x"]
    layers: list[Layer] = []
    even = evidence.find("trial.break_even_rows")
    if even is not None and even.value is not None and first <= even.value <= last:
        layers += _break_even(even, first, last)
    layers += _line(points, "second", "square", across="real rows", dash=[6, 4])
    layers += _line(_arm(evidence, "scarce+synthetic", _real_rows), "accent", "circle", across="real rows")
    axis = {
        "values": [point["x"] for point in points],
        "title": "real rows in training (logarithmic)",
        "format": ",d",
    }
    return _plot(
        layers,
        x={"scale": {"type": "log", "domain": [first, last], "nice": False}, "axis": {**axis, **_X_AXIS}},
        y_title=_score_title(evidence, "trial.learning_curve"),
        description="Score on real test rows by number of real rows in training",
    )


def _synthetic_share(where: dict[str, str]) -> float:
    return 100 * float(where["synthetic_share"])


def _repeated_share(where: dict[str, str]) -> float:
    """The share of a repeated arm's rows that are there again: 1.25 times the rows, 20 % of them again."""
    return 100 * (1 - 1 / float(where["repeats"]))


def _real_rows(where: dict[str, str]) -> float:
    return float(where["real_rows"])


def _training_rows(where: dict[str, str]) -> int:
    """All rows an arm trains on, repeats included."""
    real = float(where.get("real_rows", "0")) * float(where.get("repeats", "1"))
    return round(real + float(where.get("synthetic_rows", "0")))


def _arm(evidence: Evidence, design: str | None, at: Callable[[dict[str, str]], float]) -> list[Point]:
    """The measured points of one design from left to right; without a design, those of the learning curve."""
    name = "trial.learning_curve" if design is None else "trial.dose_response"
    points = []
    for measure in evidence.sliced(name):
        where = measure.slice or {}
        if where.get("design") != design:
            continue
        if measure.value is not None and measure.low is not None and measure.high is not None:
            scale = 100.0 if words.in_percent(measure.unit) else 1.0
            points.append(
                {
                    "x": at(where),
                    "y": measure.value * scale,
                    "low": measure.low * scale,
                    "high": measure.high * scale,
                    "score": words.with_interval(measure),
                    "rows": _training_rows(where),
                    "n": measure.n,
                }
            )
    return sorted(points, key=lambda point: point["x"])


def _score_title(evidence: Evidence, name: str) -> str:
    unit = evidence.sliced(name)[0].unit
    return f"{unit} on real test rows" + (", %" if words.in_percent(unit) else "")


def _line(
    points: list[Point], colour: str, shape: str, *, across: str = "share, %", dash: list[int] | None = None
) -> list[Layer]:
    """A line with its band; the points tell their numbers when pointed at. No points, no line."""
    if not points:
        return []
    ink = f"var(--{colour})"
    data = {"values": points}
    x = {"field": "x", "type": "quantitative"}
    tips = [
        {"field": "x", "type": "quantitative", "title": across, "format": ",.6~g"},
        {"field": "score", "type": "nominal", "title": "score"},
        {"field": "rows", "type": "quantitative", "title": "training rows", "format": ",d"},
        {"field": "n", "type": "quantitative", "title": "test rows", "format": ",d"},
    ]
    return [
        {
            "data": data,
            "mark": {"type": "area", "color": ink, "opacity": 0.16},
            "encoding": {
                "x": x,
                "y": {"field": "low", "type": "quantitative"},
                "y2": {"field": "high"},
            },
        },
        {
            "data": data,
            "mark": {"type": "line", "color": ink, "strokeWidth": 2.5, "strokeDash": dash or [1, 0]},
            "encoding": {"x": x, "y": {"field": "y", "type": "quantitative"}},
        },
        {
            "data": data,
            "mark": {"type": "point", "shape": shape, "filled": True, "color": ink, "size": 70, "opacity": 1},
            "encoding": {"x": x, "y": {"field": "y", "type": "quantitative"}, "tooltip": tips},
        },
    ]


def _baseline(point: Point) -> Layer:
    """A band over the whole width at the height of one arm."""
    return {
        "data": {"values": [point]},
        "mark": {"type": "rect", "color": "var(--band)", "opacity": 0.45},
        "encoding": {
            "y": {"field": "low", "type": "quantitative"},
            "y2": {"field": "high"},
            "tooltip": [{"field": "score", "type": "nominal", "title": "real only"}],
        },
    }


def _level(point: Point) -> Layer:
    """A thin line over the whole width, where the band of the same arm begins another line's band already."""
    return {
        "data": {"values": [point]},
        "mark": {"type": "rule", "color": "var(--muted)", "strokeDash": [1, 3]},
        "encoding": {"y": {"field": "y", "type": "quantitative"}},
    }


def _best(measure: Measure | None) -> list[Layer]:
    if measure is None or measure.low is None or measure.high is None:
        return []
    low, high = 100 * measure.low, 100 * measure.high
    if high - low >= 100:  # nothing is shaded where nothing is known
        return _shade(low, high, "best: anywhere from 0 to 100 %", "good", row=0)[1:]
    return _shade(low, high, f"best: {low:.0f} to {high:.0f} %", "good", row=0)


def _harmful(measure: Measure | None) -> list[Layer]:
    if measure is None or measure.value is None or measure.value >= 1:
        return []
    said = f"harmful above {words.with_interval(measure)}"
    return _shade(100 * measure.value, 100.0, said, "harm", row=1)


def _shade(low: float, high: float, words: str, colour: str, row: int) -> list[Layer]:
    """Words start at the range's left edge, or end at its right edge where the plot would cut them."""
    late = low > 50
    data = {"values": [{"low": low, "high": high, "at": high if late else low, "words": words}]}
    return [
        {
            "data": data,
            "mark": {"type": "rect", "color": f"var(--{colour})", "opacity": 0.13},
            "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}},
        },
        {
            "data": data,
            "mark": {
                "type": "text",
                "align": "right" if late else "left",
                "dx": -6 if late else 6,
                "fontSize": 13,
                "fontWeight": 600,
                "color": f"var(--{colour})",
            },
            "encoding": {
                "x": {"field": "at", "type": "quantitative"},
                "y": {"value": 14 + 18 * row},
                "text": {"field": "words", "type": "nominal"},
            },
        },
    ]


def _break_even(measure: Measure, first: float, last: float) -> list[Layer]:
    """Where adding synthetic rows stops helping, on the axis of real rows."""
    value, low, high = measure.value or first, measure.low or first, measure.high or last
    words = f"break-even: {value:,.0f} real rows"
    late = value > (first * last) ** 0.5
    data = {"values": [{"value": value, "low": max(low, first), "high": min(high, last), "words": words}]}
    return [
        {
            "data": data,
            "mark": {"type": "rect", "color": "var(--band)", "opacity": 0.55},
            "encoding": {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}},
        },
        {
            "data": data,
            "mark": {"type": "rule", "color": "var(--ink)", "strokeDash": [4, 3]},
            "encoding": {"x": {"field": "value", "type": "quantitative"}},
        },
        {
            "data": data,
            "mark": {
                "type": "text",
                "align": "right" if late else "left",
                "dx": -8 if late else 8,
                "fontSize": 13,
                "fontWeight": 600,
                "color": "var(--ink)",
            },
            "encoding": {
                "x": {"field": "value", "type": "quantitative"},
                "y": {"value": 14},
                "text": {"field": "words", "type": "nominal"},
            },
        },
    ]


def _plot(layers: list[Layer], *, x: Spec, y_title: str, description: str) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": description,
        "width": "container",
        "height": _HEIGHT,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": None,
        "layer": layers,
        "encoding": {
            "x": {"type": "quantitative", **x},
            "y": {
                "type": "quantitative",
                "scale": {"zero": False, "nice": True, "padding": 34},
                "axis": {"title": y_title, "tickCount": 6},
            },
        },
        "config": {
            "font": "system-ui, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "labelColor": "var(--muted)",
                "titleColor": "var(--ink)",
                "titleFontWeight": 500,
                "titlePadding": 10,
                "labelFontSize": 12,
                "titleFontSize": 13,
                "gridColor": "var(--rule)",
                "domainColor": "var(--muted)",
                "tickColor": "var(--muted)",
            },
        },
    }
