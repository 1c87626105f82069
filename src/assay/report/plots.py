"""The plots of the trial, as Vega-Lite specifications from measures: mixing, adding, more real rows."""

from __future__ import annotations

from collections.abc import Callable

from assay.core import words
from assay.core.evidence import Evidence
from assay.core.measure import Measure
from assay.report import layers, safe
from assay.report.layers import Layer, Point, Spec
from assay.report.trials import lower_is_better, placebo_share

_SHARES = [0, 25, 50, 75, 100]
SERIES = ("accent", "second", "third", "fourth", "fifth", "sixth")
_LEFT = 0.15  # shares up to here leave room for words to the right of theirs
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


def dose_response(evidence: Evidence) -> Spec | None:
    """Score by share of synthetic rows at a fixed number of rows, with the flat, best and harmful ranges.

    Returns: A Vega-Lite specification; None when fewer than three mixes were measured.
    """
    points = _arm(evidence, "replacement", _synthetic_share)
    if len(points) < 3:
        return None
    drawn = _ranges(evidence)
    if points[0]["x"] == 0:
        drawn.append(layers.baseline(points[0], [layers.tip("score", "real rows only")]))
    drawn += layers.line(points, "accent", "circle", _tips("synthetic share, %"))
    axis = {"values": _SHARES, "title": f"share of synthetic rows, % ({points[0]['rows']:,} rows throughout)"}
    return layers.plot(
        drawn,
        x={"scale": {"domain": [0, 100], "nice": False}, "axis": {**axis, **layers.X_AXIS}},
        y_title=_score_title(evidence, "trial.dose_response"),
        description="Score on real test rows by share of synthetic rows, at a fixed number of rows",
    )


def addition(evidence: Evidence) -> Spec | None:
    """Score when synthetic rows, the real rows again or a placebo are added to all real rows; None without doses."""
    added = _arm(evidence, "addition", _synthetic_share)
    repeated = _arm(evidence, "repeated", _repeated_share)
    if len(added) < 2:
        return None
    drawn: list[Layer] = []
    if added[0]["x"] == 0:
        drawn.append(layers.level(added[0]))
    tips = _tips("share added, %")
    drawn += layers.line(repeated, "second", "square", tips, dash=[6, 4])
    drawn += layers.line(added, "accent", "circle", tips)
    last = max(point["x"] for point in added + repeated)
    control = placebo_share(evidence)
    share = min(100 * control / (1 + control), last)
    for point in _arm(evidence, "placebo", lambda _: share):
        drawn += layers.lone(point, "muted", "diamond", tips, "placebo: shuffled words")
    return layers.plot(
        drawn,
        x=_added_axis(last),
        y_title=_score_title(evidence, "trial.dose_response"),
        description="Score on real test rows when synthetic or repeated real rows are added to all real rows",
    )


def bias_response(evidence: Evidence) -> Spec | None:
    """The gap between groups by share of synthetic rows added, under the plot of scores on the same axis.

    Returns: None where no gap of a trained model was measured at three shares.
    """
    by_group: dict[str, list[Measure]] = {}
    for measure in evidence.sliced("bias.model_gap"):
        where = measure.slice or {}
        if "synthetic_share" in where:
            by_group.setdefault(where.get("group", "all groups"), []).append(measure)
    lines = {group: points_of(found, _synthetic_share) for group, found in by_group.items()}
    lines = {group: points for group, points in lines.items() if len(points) >= 3}
    if not lines:
        return None
    # The groups whose gap moves most are drawn; all stand in the table of groups.
    widest = sorted(lines, key=lambda group: -abs(lines[group][-1]["y"] - lines[group][0]["y"]))[:3]
    drawn: list[Layer] = []
    for place, group in enumerate(widest):
        shown = safe.visible(group)
        tips = [*_tips("share added, %")[:2], layers.tip("group", "group")]
        named = [{**point, "group": shown, "words": shown} for point in lines[group]]
        drawn += layers.line(named, SERIES[place], SHAPES[place], tips, dash=[[1, 0], [6, 4], [2, 3]][place])
        drawn += layers.beside(named[-1:], SERIES[place], dx=-10, dy=-12, align="right")
    unit = next(iter(by_group.values()))[0].unit
    scores = [*_arm(evidence, "addition", _synthetic_share), *_arm(evidence, "repeated", _repeated_share)]
    last = max(point["x"] for point in (*scores, *(point for points in lines.values() for point in points)))
    gap = "points" if "difference" in unit else "% of the loss"
    return layers.plot(
        drawn,
        x=_added_axis(last),
        y_title=f"gap between a group and the others, {gap} (0 is none)",
        description="Gap between groups of the trained model by share of synthetic rows added",
        height=230,
    )


def amplification(evidence: Evidence) -> Spec | None:
    """How many times as far as in real rows the trained model leans to groups, by share of synthetic rows added.

    Returns: None where it was not measured at three shares.
    """
    whole = [
        measure
        for measure in evidence.sliced("bias.amplification")
        if (measure.slice or {}).get("step") == "whole"
    ]
    points = points_of(whole, _synthetic_share)
    if len(points) < 3:
        return None
    tips = _tips("share added, %")[:2]
    scores = [*_arm(evidence, "addition", _synthetic_share), *_arm(evidence, "repeated", _repeated_share)]
    return layers.plot(
        [layers.level({"x": 0.0, "y": 1.0}), *layers.line(points, "third", "triangle-up", tips)],
        x=_added_axis(max(point["x"] for point in (*scores, *points))),
        y_title="lean towards groups, times that of the real rows",
        description="How far the trained model leans to groups, by share of synthetic rows added",
        height=200,
    )


def learning_curve(evidence: Evidence) -> Spec | None:
    """Score by number of real rows, alone and with all synthetic rows, with the exchange rate as an arrow.

    Returns: None below three sizes.
    """
    points = _arm(evidence, None, _real_rows)
    if len(points) < 3:
        return None
    first, last = points[0]["x"], points[-1]["x"]
    scarce = _arm(evidence, "scarce+synthetic", _real_rows)
    drawn: list[Layer] = []
    even = evidence.find("trial.break_even_rows")
    if even is not None and even.value is not None and first <= even.value < last:
        drawn += _break_even(even, first, last)
    tips = _tips("real rows")
    drawn += layers.line(points, "second", "square", tips, dash=[6, 4])
    drawn += layers.line(scarce, "accent", "circle", tips)
    falls = lower_is_better(evidence.sliced("trial.learning_curve")[0].unit)
    drawn += _exchange(evidence.find("trial.exchange_rate"), scarce, last, above=falls)
    axis = {
        "values": [point["x"] for point in points],
        "title": "real rows in training (logarithmic)",
        "format": ",d",
    }
    return layers.plot(
        drawn,
        x={
            "scale": {"type": "log", "domain": [first, last], "nice": False},
            "axis": {**axis, **layers.X_AXIS},
        },
        y_title=_score_title(evidence, "trial.learning_curve"),
        description="Score on real test rows by number of real rows in training",
    )


def _added_axis(last: float) -> Spec:
    axis = {"tickCount": 6, "title": "share of the rows added to all real rows, %"}
    return {"scale": {"domain": [0, last], "nice": False}, "axis": {**axis, **layers.X_AXIS}}


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
    return points_of(
        [each for each in evidence.sliced(name) if (each.slice or {}).get("design") == design], at
    )


def points_of(measures: list[Measure], at: Callable[[dict[str, str]], float]) -> list[Point]:
    """The measures with a value as points of a line, from left to right.

    Args:
        at: Where a slice stands on the horizontal axis.
    """
    points = []
    for measure in measures:
        where = measure.slice or {}
        if measure.value is not None and measure.low is not None and measure.high is not None:
            scale = 100.0 if words.in_percent(measure.unit) or "difference" in measure.unit else 1.0
            points.append(
                {
                    "x": at(where),
                    "y": measure.value * scale,
                    "low": measure.low * scale,
                    "high": measure.high * scale,
                    "score": words.with_interval(measure),
                    "rows": _training_rows(where),
                    "added": float(where.get("synthetic_rows", "0")),
                    "n": measure.n,
                }
            )
    return sorted(points, key=lambda point: point["x"])


def _score_title(evidence: Evidence, name: str) -> str:
    unit = evidence.sliced(name)[0].unit
    percent = ", %" if words.in_percent(unit) else ""
    better = "lower" if lower_is_better(unit) else "higher"
    return f"{unit} on real test rows{percent} ({better} is better)"


def _tips(across: str) -> list[Spec]:
    return [
        layers.tip("x", across, ",.6~g"),
        layers.tip("score", "score"),
        layers.tip("rows", "training rows", ",d"),
        layers.tip("n", "test rows", ",d"),
    ]


def _ranges(evidence: Evidence) -> list[Layer]:
    """Where the best share lies, which shares do as well, and from where more of it harms."""
    best, above = evidence.find("trial.best_share"), evidence.find("trial.harmful_above")
    flat = _flat(evidence)
    drawn = _best(best, flat)
    # Its words end at the right edge; on a narrow page they leave the first line to words that begin at the left.
    alone = best is None or (best.low or 0.0) <= _LEFT
    lines = sum(layer["mark"]["type"] == "text" for layer in drawn)
    return [*drawn, *_harmful(above, row=0 if alone else lines)]


def _flat(evidence: Evidence) -> tuple[float, float] | None:
    """The shares that do as well as the best, where they are more than one."""
    ends = [evidence.find("trial.flat_range", slice={"end": end}) for end in ("lowest", "highest")]
    low, high = (None if each is None or each.value is None else 100 * each.value for each in ends)
    return None if low is None or high is None or high <= low else (low, high)


def _best(measure: Measure | None, flat: tuple[float, float] | None) -> list[Layer]:
    """One shade where both ranges are the same; words about the right half end at its right edge."""
    known = measure is not None and measure.low is not None and measure.high is not None
    best = (100 * measure.low, 100 * measure.high) if known else None  # type: ignore[union-attr,operator]
    drawn: list[Layer] = []
    if best is not None and best[1] - best[0] >= 100:  # nothing is shaded where nothing is known
        drawn.append(layers.said(0, "best: anywhere from 0 to 100 %", "good"))
    elif best is not None:
        also = "best, or as good: " if best == flat else "best: "
        drawn += _range(best, also, 0.16, row=0)
    if flat is not None and flat != best:
        drawn += _range(flat, "as good as the best: ", 0.1, row=1)
    return drawn


def _range(ends: tuple[float, float], says: str, opacity: float, row: int) -> list[Layer]:
    low, high = ends
    reach = f"{low:.0f} %" if low == high else f"{low:.0f} to {high:.0f} %"
    late = low >= 50
    words_ = layers.said(high if late else low, says + reach, "good", row=row, late=late)
    return [layers.shade(low, high, opacity, "good"), words_] if high > low else [words_]


def _harmful(measure: Measure | None, row: int) -> list[Layer]:
    if measure is None or measure.value is None or measure.value >= 1:
        return []
    text = f"harmful above {words.with_interval(measure)}"
    return [
        layers.shade(100 * measure.value, 100.0, 0.11, "harm"),
        layers.said(100, text, "harm", row=row, late=True),
    ]


def _break_even(measure: Measure, first: float, last: float) -> list[Layer]:
    """Where adding synthetic rows stops helping, on the axis of real rows."""
    value, low, high = measure.value or first, measure.low or first, measure.high or last
    return [
        layers.shade(max(low, first), min(high, last), 0.4, "band"),
        layers.rule(value),
        layers.said(value, f"break-even: {value:,.0f} real rows", "ink", late=value > (first * last) ** 0.5),
    ]


def _exchange(rate: Measure | None, scarce: list[Point], last: float, *, above: bool) -> list[Layer]:
    """From an arm with few real rows, level to as many real rows as it is worth by the rate of all arms.

    Args:
        above: Words stand above the arrow, where falling curves leave room.
    """
    if rate is None or rate.value is None or rate.value <= 0:
        return []
    fitting = [point for point in scarce if point["x"] + rate.value * point["added"] <= last]
    if not fitting:
        return []
    start = fitting[0]
    worth = start["x"] + rate.value * start["added"]
    data = {"values": [{"x": start["x"], "to": worth, "y": start["y"],
                        "words": f"{start['added']:,.0f} synthetic rows ≈ {worth - start['x']:,.0f} real rows"}]}  # fmt: skip
    ink = "var(--ink)"
    line = {"type": "rule", "color": ink, "strokeWidth": 2}
    head = {"type": "point", "shape": "triangle-right", "filled": True, "color": ink, "size": 90}
    x, y = layers.field("x"), layers.field("y")
    return [
        {"data": data, "mark": line, "encoding": {"x": x, "x2": {"field": "to"}, "y": y}},
        {"data": data, "mark": {**head, "opacity": 1}, "encoding": {"x": layers.field("to"), "y": y}},
        *layers.beside(data["values"], "ink", dy=-14 if above else 15),
    ]
