"""A dot with its whisker over the grey band of real against real: "is this big?" without reading."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from assay.core.measure import Measure

WIDTH, HEIGHT = 220, 22
_PAD = 8

Domain = tuple[float, float]


def domain(measures: Sequence[Measure], *, also: Sequence[float] = ()) -> Domain:
    """The range that holds all intervals and references, and the values in `also`."""
    ends = list(also)
    for measure in measures:
        ends += [end for end in (measure.low, measure.high) if end is not None]
        if measure.reference is not None:
            ends += [measure.reference.low, measure.reference.high]
        else:
            ends.append(0.0)  # without a reference, nothing is what a number is read against
    low, high = min(ends), max(ends)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def whisker(measure: Measure, across: Domain | None = None) -> Markup:
    """Inline SVG of one measure, or nothing if it has no value.

    Args:
        across: The range drawn from edge to edge; by default the measure's own.
    """
    if measure.value is None or measure.low is None or measure.high is None:
        return Markup()
    low, high = across or domain([measure])

    def at(value: float) -> float:
        return round(_PAD + (WIDTH - 2 * _PAD) * (value - low) / (high - low), 1)

    middle = HEIGHT / 2
    parts = [f'<line class="track" x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}"/>']
    if measure.reference is not None:
        left, right = at(measure.reference.low), at(measure.reference.high)
        wide = max(right - left, 4.0)
        parts.append(f'<rect class="band" x="{left:.1f}" y="1" width="{wide:.1f}" height="{HEIGHT - 2}"/>')
    elif low <= 0 <= high:
        parts.append(f'<line class="zero" x1="{at(0)}" x2="{at(0)}" y1="1" y2="{HEIGHT - 1}"/>')
    left, right = at(measure.low), at(measure.high)
    parts.append(f'<line class="reach" x1="{left}" x2="{right}" y1="{middle}" y2="{middle}"/>')
    parts += [
        f'<line class="reach" x1="{x}" x2="{x}" y1="{middle - 4}" y2="{middle + 4}"/>' for x in (left, right)
    ]
    parts.append(f'<circle class="dot" cx="{at(measure.value)}" cy="{middle}" r="4.5"/>')
    # Only numbers and our own words were written, so the text is markup as it stands.
    return Markup(
        f'<svg class="whisker" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )


def bars(counts: Sequence[float]) -> Markup:
    """Inline SVG of a histogram, its highest bar the full height; nothing without counts."""
    top = max(counts, default=0)
    if top <= 0:
        return Markup()
    wide = WIDTH / len(counts)
    heights = [round(max(each, 0) / top * (HEIGHT + 8), 1) for each in counts]
    drawn = "".join(
        f'<rect class="bar" x="{at * wide:.1f}" y="{HEIGHT + 8 - tall:.1f}" width="{max(wide - 1, 0.5):.1f}" height="{tall}"/>'
        for at, tall in enumerate(heights)
        if tall
    )
    return Markup(
        f'<svg class="bars" viewBox="0 0 {WIDTH} {HEIGHT + 9}" width="{WIDTH}" height="{HEIGHT + 9}" aria-hidden="true">'
        f'<line class="track" x1="0" x2="{WIDTH}" y1="{HEIGHT + 8.5}" y2="{HEIGHT + 8.5}"/>{drawn}</svg>'
    )
