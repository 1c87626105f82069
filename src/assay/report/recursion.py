"""The plot of the forecast: the loss on real rows, generation by generation, regime by regime."""

from __future__ import annotations

from assay.core import words
from assay.core.evidence import Evidence
from assay.core.measure import Measure
from assay.report import safe
from assay.report.plots import Layer, Point, Spec, line, whole_plot

_MOST_REGIMES = 5  # more lines are told apart by no eye; the table has them all
_STYLES = (("harm", "circle", None), ("accent", "square", None), ("second", "diamond", [6, 4]))


def recursion(evidence: Evidence) -> Spec | None:
    """Change of the loss on real test rows over generations; beyond those that were run, dashed and as wide as unsure.

    Returns: A Vega-Lite specification; None where no regime was run for two generations.
    """
    run = _by_regime(evidence, "forecast.loss_change")
    beyond = _by_regime(evidence, "forecast.outlook")
    if not run or max(map(len, run.values())) < 3:
        return None
    layers: list[Layer] = []
    for place, (regime, points) in enumerate(list(run.items())[:_MOST_REGIMES]):
        colour, shape, dash = _STYLES[min(place, len(_STYLES) - 1)]
        layers += line(points, colour, shape, across="generation", dash=dash)
        later = [points[-1], *beyond.get(regime, [])]
        if len(later) > 1:
            layers += line(later, colour, shape, across="generation, extrapolated", dash=[2, 4])
        layers.append(_name(regime, later[-1], colour))
    last = max(point["x"] for points in (*run.values(), *beyond.values()) for point in points)
    axis = {"values": list(range(int(last) + 1)), "title": "generation", "grid": False}
    unit = evidence.sliced("forecast.loss_change")[0].unit
    return whole_plot(
        layers,
        x={"scale": {"domain": [0, last], "nice": False}, "axis": axis},
        y_title="change of the loss on real test rows, " + ("%" if words.in_percent(unit) else "points"),
        description="Change of the loss on real test rows by generation of recursive training, one line for each regime",
    )


def table(evidence: Evidence) -> tuple[tuple[str, str, str], ...]:
    """Regime, generation and change with its interval: the numbers behind the plot."""
    found = []
    for measure in (*evidence.sliced("forecast.loss_change"), *evidence.sliced("forecast.outlook")):
        where = measure.slice or {}
        if measure.value is not None and "round" in where:
            said = " (extrapolated)" if measure.name == "forecast.outlook" else ""
            found.append(
                (
                    safe.visible(where["regime"]),
                    safe.visible(where["round"]) + said,
                    words.with_interval(measure),
                )
            )
    return tuple(sorted(found, key=lambda row: row[0]))


def _by_regime(evidence: Evidence, name: str) -> dict[str, list[Point]]:
    found: dict[str, list[Point]] = {}
    for measure in evidence.sliced(name):
        where = measure.slice or {}
        if measure.value is not None and where.get("round", "").isdigit():
            found.setdefault(where.get("regime", ""), []).append(_point(measure, int(where["round"])))
    return {regime: sorted(points, key=lambda point: point["x"]) for regime, points in found.items()}


def _point(measure: Measure, generation: int) -> Point:
    return {
        "x": generation,
        "y": 100 * (measure.value or 0.0),
        "low": 100 * (measure.low or 0.0),
        "high": 100 * (measure.high or 0.0),
        "score": words.with_interval(measure),
        "n": measure.n,
    }


def _name(regime: str, point: Point, colour: str) -> Layer:
    return {
        "data": {"values": [{**point, "words": safe.visible(regime)}]},
        "mark": {
            "type": "text",
            "align": "right",
            "dx": -6,
            "dy": -10,
            "fontSize": 13,
            "fontWeight": 600,
            "color": f"var(--{colour})",
        },
        "encoding": {
            "x": {"field": "x", "type": "quantitative"},
            "y": {"field": "y", "type": "quantitative"},
            "text": {"field": "words", "type": "nominal"},
        },
    }
