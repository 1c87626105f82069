"""Forest plots: one row per measure, its name and value above its whisker, the reference grey behind it."""

from __future__ import annotations

from collections.abc import Sequence

from assay.core import words
from assay.core.measure import Measure
from assay.report import layers, safe
from assay.report.figures import distance, part, title_of
from assay.report.layers import Layer, Spec
from assay.report.typography import tidy

_STEP = 42  # pixels of a row: a line of words and a whisker
_CONTROL = "trial.placebo"  # a yardstick, neither good nor bad
_CAP = 4.0  # times the real share up to which ratios are drawn
_WORDS = {"type": "nominal"}
# Names short enough for one line of a narrow page.
_SHORT = {
    "trial.gap": "synthetic only, against real only",
    "trial.benefit": "added, against the best of real",
    "trial.placebo": "a placebo added",
    "trial.reverse_gap": "real models on synthetic rows",
    "trial.tail_delta": "the rarest tenth",
    "trial.shifted_delta": "shifted",
    "trial.forgetting": "another task",
    "trial.preference_delta": "preferred answers",
    "trial.worst_slice_delta": "the worst slice",
    "trial.slice_delta": "slice",
}
# Never colour alone: each sign has its shape.
_SIGNS = ("better", "worse", "not told apart", "no direction", "differs")
_SHAPES = ["circle", "triangle-down", "diamond", "square", "circle"]
_INKS = ["var(--good)", "var(--harm)", "var(--muted)", "var(--second)", "var(--accent)"]
_FAULTS = {
    "duplicates.exact_share": "exact repeats",
    "duplicates.near_share": "near repeats",
    "duplicates.template_share": "templates",
    "quality.empty_share": "empty",
    "quality.refusal_share": "refusals",
    "quality.repetition_share": "repeating themselves",
    "quality.truncated_share": "stopping early",
    "quality.boilerplate_share": "assistant phrases",
    "quality.language_mismatch_share": "wrong language",
    "quality.placeholder_share": "gaps to fill in",
    "quality.contradiction_share": "contradictions",
    "copying.pii_share": "personal values",
}


def differences(measures: Sequence[Measure]) -> Spec | None:
    """Differences between models against none, in points or per cent of the loss; None below two."""
    shown = [each for each in measures if each.value is not None and words.in_percent(_plain(each.unit))]
    if len(shown) < 2:
        return None
    values = [_row(place, each, _named(each), 100, _sign(each)) for place, each in enumerate(shown)]
    unit = "points" if "difference" in shown[0].unit else "% of the test loss saved"
    return _forest(values, against=0.0, title=f"difference, {unit}", description="Differences between models")


def ratios(measures: Sequence[Measure], what: str) -> Spec | None:
    """Shares as multiples of the real share, against 1; None below two.

    Args:
        what: What the rows are, for the description: "groups of people".
    """
    shown = [each for each in measures if each.value is not None]
    if len(shown) < 2:
        return None
    values = [
        _row(place, each, part(each), 1, "differs" if distance(each) > 0 else "not told apart")
        for place, each in enumerate(shown)
    ]
    top = max(2.0, *(value["high"] for value in values))
    for value in values:  # past the edge a point stands at it; its words tell how far
        value["value"] = min(value["value"], _CAP)
    title = "times as common as among real rows; 1 is the same"
    return _forest(
        values, against=1.0, title=title, description=f"Shares of {what}", domain=[0.0, min(top, _CAP)]
    )


def gaps(measures: Sequence[Measure]) -> Spec | None:
    """Differences between a group and the others, in points, each beside the same gap in real rows; None below two."""
    shown = [each for each in measures if each.value is not None]
    if len(shown) < 2:
        return None
    values = []
    for place, each in enumerate(shown):
        where = each.slice or {}
        what = where.get("measure", "")
        group = safe.visible(where.get("group", part(each))).rpartition(": ")[2]
        label = f"{group}: {_FAULTS.get(what, safe.visible(what))}"
        values.append(_row(place, each, label, 100, "differs" if distance(each) > 0 else "not told apart"))
    title = "more common in rows about the group than about others, points"
    return _forest(values, against=0.0, title=title, description="Gaps between groups")


def _forest(
    values: list[Spec], *, against: float, title: str, description: str, domain: list[float] | None = None
) -> Spec:
    data = {"values": values}
    tips = [layers.tip("name", "what"), layers.tip("said", "value"), layers.tip("real", "real against real"),
            layers.tip("n", "rows", ",d")]  # fmt: skip
    seen = [sign for sign in _SIGNS if any(value["sign"] == sign for value in values)]
    at = [_SIGNS.index(sign) for sign in seen]
    ink = {
        "field": "sign",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": seen, "range": [_INKS[place] for place in at]},
    }
    shape = {
        "field": "sign",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": seen, "range": [_SHAPES[place] for place in at]},
    }
    text = {"type": "text", "baseline": "middle", "dy": -8, "fontSize": 13, "color": "var(--ink)"}
    room = {"expr": "max(120, width - 190)"}  # the value stands at the right of the same line
    banded = [value for value in values if "band_low" in value]
    drawn: list[Layer] = [
        {
            "data": data,
            "mark": {"type": "rule", "color": "var(--rule)"},
            "encoding": {
                "x": {"value": 0},
                "x2": {"value": "width"},
                "y": {"field": "row", "type": "ordinal", "bandPosition": 1},
            },
        },
        *([_bands(banded)] if banded else []),
        {
            "data": {"values": [{"at": against}]},
            "mark": {"type": "rule", "color": "var(--muted)", "strokeDash": [3, 3]},
            "encoding": {"x": layers.field("at"), "y": {"value": 0}, "y2": {"value": "height"}},
        },
        {
            "data": data,
            "mark": {"type": "rule", "strokeWidth": 2.2, "clip": True, "yOffset": 9},
            "encoding": {"x": layers.field("low"), "x2": {"field": "high"}, "color": ink},
        },
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "size": 85, "opacity": 1, "clip": True, "yOffset": 9},
            "encoding": {"x": layers.field("value"), "color": ink, "shape": shape, "tooltip": tips},
        },
        {
            "data": data,
            "mark": {**text, "align": "left", "limit": room},
            "encoding": {"x": {"value": 0}, "text": {"field": "name", **_WORDS}},
        },
        {
            "data": data,
            "mark": {**text, "align": "right", "color": "var(--muted)"},
            "encoding": {"x": {"value": "width"}, "text": {"field": "said", **_WORDS}},
        },
    ]  # fmt: skip
    scale: Spec = {"nice": False, "zero": False, "padding": 14}
    if domain is not None:
        scale = {"domain": domain, "nice": False, "padding": 14}
    axis = {"title": title, "tickCount": 6, **layers.X_AXIS, "grid": False}
    return layers.rows(
        drawn, x={"scale": scale, "axis": axis}, description=description, height=_STEP * len(values)
    )


def _bands(values: list[Spec]) -> Layer:
    """The grey band of real against real behind each row that has one."""
    mark = {"type": "bar", "size": 14, "color": "var(--band)", "opacity": 0.75, "clip": True, "yOffset": 9}
    ends = {"x": layers.field("band_low"), "x2": {"field": "band_high"}}
    return {"data": {"values": values}, "mark": mark, "encoding": ends}


def _row(place: int, measure: Measure, name: str, scale: float, sign: str) -> Spec:
    value, low, high = (float(each or 0.0) for each in (measure.value, measure.low, measure.high))
    known = measure.reference
    band = {} if known is None else {"band_low": known.low * scale, "band_high": known.high * scale}
    real = "" if known is None else words.reference(measure)
    return {
        "row": place,
        "name": name,
        "value": value * scale,
        "low": low * scale,
        "high": high * scale,
        "said": tidy(words.with_interval(measure)),
        "real": real or "none",
        "n": measure.n,
        "sign": sign,
        **band,
    }


def _plain(unit: str) -> str:
    """The unit of which a difference is one: a share, or accuracy."""
    return "share" if "difference" in unit else unit


def _named(measure: Measure) -> str:
    inside = part(measure)
    name = _SHORT.get(measure.name, title_of(measure.name))
    return f"{name}: {inside}" if inside else name


def _sign(measure: Measure) -> str:
    """Whether the whole interval lies on the better or the worse side of no difference."""
    if measure.low is None or measure.high is None or measure.low <= 0 <= measure.high:
        return "not told apart"
    if measure.worse not in ("lower", "higher") or measure.name == _CONTROL:
        return "no direction"
    return "better" if (measure.low > 0) == (measure.worse == "lower") else "worse"
