"""What plots are made of: Vega-Lite layers as plain data. Colours are CSS variables, so one drawing serves light, dark and print."""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]
Layer = dict[str, Any]
Point = dict[str, Any]

WIDTH = 860  # pixels of the drawing that stands in for the live plot; the live one fills its column
HEIGHT = 340
X_AXIS = {"grid": False, "labelFlush": False, "labelOverlap": "greedy"}
_LABEL = 13  # pixels of the words on a plot
_ROW = 17  # pixels between two lines of words


def field(name: str) -> Spec:
    """A quantitative channel of that field."""
    return {"field": name, "type": "quantitative"}


def tip(name: str, title: str, form: str | None = None) -> Spec:
    """A line of a tooltip; numbers have a format, words none."""
    if form is None:
        return {"field": name, "type": "nominal", "title": title}
    return {**field(name), "title": title, "format": form}


def line(
    points: list[Point],
    colour: str,
    shape: str,
    tips: list[Spec],
    *,
    dash: list[int] | None = None,
    faint: bool = False,
) -> list[Layer]:
    """A line with its band; the points tell their numbers when pointed at. No points, no line.

    Args:
        points: Each with x, y, low and high.
        colour, shape: A CSS variable without its dashes, and a symbol of Vega.
        faint: For what was not measured but foretold.
    """
    if not points:
        return []
    ink = f"var(--{colour})"
    data = {"values": points}
    ends = {"y": field("low"), "y2": {"field": "high"}}
    at = {"x": field("x"), "y": field("y")}
    stroke = {"type": "line", "color": ink, "strokeWidth": 2.5, "strokeDash": dash or [1, 0]}
    dot = {"type": "point", "shape": shape, "filled": not faint, "color": ink, "size": 75, "opacity": 1}
    band = {"type": "area", "color": ink, "opacity": 0.07 if faint else 0.15}
    return [
        {"data": data, "mark": band, "encoding": {"x": field("x"), **ends}},
        {"data": data, "mark": stroke, "encoding": at},
        {"data": data, "mark": dot, "encoding": {**at, "tooltip": tips}},
    ]


def lone(point: Point, colour: str, shape: str, tips: list[Spec], said: str) -> list[Layer]:
    """One hollow point with its whisker and words beside it: a control beside the lines."""
    ink = f"var(--{colour})"
    data = {"values": [point]}
    dot = {"type": "point", "shape": shape, "filled": False, "color": ink, "size": 90, "strokeWidth": 2.2}
    return [
        {
            "data": data,
            "mark": {"type": "rule", "color": ink, "strokeWidth": 1.5},
            "encoding": {"x": field("x"), "y": field("low"), "y2": {"field": "high"}},
        },
        {
            "data": data,
            "mark": {**dot, "opacity": 1},
            "encoding": {"x": field("x"), "y": field("y"), "tooltip": tips},
        },
        *beside([{**point, "words": said}], colour, dx=-10, align="right"),
    ]


def baseline(point: Point, tips: list[Spec]) -> Layer:
    """A band over the whole width at the height of one arm."""
    return {
        "data": {"values": [point]},
        "mark": {"type": "rect", "color": "var(--band)", "opacity": 0.45},
        "encoding": {"y": field("low"), "y2": {"field": "high"}, "tooltip": tips},
    }


def level(point: Point) -> Layer:
    """A thin line over the whole width, where the band of the same arm begins another line's band already."""
    return {
        "data": {"values": [point]},
        "mark": {"type": "rule", "color": "var(--muted)", "strokeDash": [1, 3]},
        "encoding": {"y": field("y")},
    }


def shade(low: float, high: float, opacity: float, colour: str) -> Layer:
    """The range between two places on the horizontal axis."""
    return {
        "data": {"values": [{"low": low, "high": high}]},
        "mark": {"type": "rect", "color": f"var(--{colour})", "opacity": opacity},
        "encoding": {"x": field("low"), "x2": {"field": "high"}},
    }


def said(at: float, text: str, colour: str, *, row: int = 0, late: bool = False) -> Layer:
    """Words at the top of the plot that start at a place, or end there where the plot would cut them."""
    return {
        "data": {"values": [{"at": at, "words": text}]},
        "mark": {
            "type": "text",
            "align": "right" if late else "left",
            "dx": -7 if late else 7,
            "fontSize": _LABEL,
            "fontWeight": 600,
            "color": f"var(--{colour})",
        },
        "encoding": {
            "x": field("at"),
            "y": {"value": 12 + _ROW * row},
            "text": {"field": "words", "type": "nominal"},
        },
    }


def beside(points: list[Point], colour: str, *, dx: int = 2, dy: int = 0, align: str = "left") -> list[Layer]:
    """The words of points next to them, on a halo that keeps lines out of the letters."""
    text = {"type": "text", "align": align, "dy": dy, "dx": dx, "fontSize": _LABEL - 0.5, "fontWeight": 600}
    place = {"x": field("x"), "y": field("y"), "text": {"field": "words", "type": "nominal"}}
    halo = {"stroke": "var(--paper)", "strokeWidth": 5, "strokeJoin": "round", "color": "var(--paper)"}
    return [
        {"data": {"values": points}, "mark": {**text, **ink}, "encoding": place}
        for ink in (halo, {"color": f"var(--{colour})"})
    ]


def rule(at: float) -> Layer:
    """A dashed line from top to bottom."""
    return {
        "data": {"values": [{"value": at}]},
        "mark": {"type": "rule", "color": "var(--ink)", "strokeDash": [4, 3]},
        "encoding": {"x": field("value")},
    }


def plot(layers: list[Layer], *, x: Spec, y_title: str, description: str, height: int = HEIGHT) -> Spec:
    """The specification of a plot whose vertical title stands level above its axis, where narrow pages have room."""
    return {
        **_frame(description),
        "height": height,
        "layer": layers,
        "encoding": {
            "x": {"type": "quantitative", **x},
            "y": {
                "type": "quantitative",
                "scale": {"zero": False, "nice": True, "padding": 34},
                # Plots under each other share their left edge.
                "axis": {"title": y_title, "tickCount": 6, "minExtent": 34, **_LEVEL_TITLE},
            },
        },
    }


def rows(layers: list[Layer], *, x: Spec, description: str, height: int) -> Spec:
    """The specification of a plot with one line per row, as a forest plot has."""
    return {
        **_frame(description),
        "height": height,
        "layer": layers,
        "encoding": {
            "x": {"type": "quantitative", **x},
            "y": {"field": "row", "type": "ordinal", "axis": None, "scale": {"padding": 0}},
        },
    }


_LEVEL_TITLE = {
    "titleAngle": 0,
    "titleAlign": "left",
    "titleAnchor": "end",
    "titleBaseline": "bottom",
    "titleX": -36,
    "titleY": -12,
}


def _frame(description: str) -> Spec:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": description,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": None,
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
