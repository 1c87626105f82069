"""Numbers as people read them: as many digits as the interval allows, always with their unit."""

from __future__ import annotations

import math

from assay.core.measure import Measure, Reference


def number(value: float, spread: float, unit: str) -> str:
    """`value` in its unit, rounded to the first two digits that `spread`, an interval's width, leaves sure.

    Reads as: shares and accuracies in per cent, differences of accuracy in points with a sign.
    """
    scaled, suffix = _scaled(value, unit)
    digits = _digits(spread * (100.0 if suffix else 1.0), scaled)
    sign = "+" if unit.endswith(("difference", "saved")) and scaled > 0 else ""
    text = f"{scaled:,.{digits}f}"
    if float(text.replace(",", "")) == 0.0:
        text, sign = text.lstrip("-"), ""
    return f"{sign}{text}{suffix}"


def with_interval(measure: Measure) -> str:
    """A measure as ``3.4 % (2.9 to 4.0)``; what was counted in full without an interval; without a value its reason."""
    if measure.value is None or measure.low is None or measure.high is None:
        return f"not measured: {measure.missing}"
    spread = measure.high - measure.low
    if spread == 0:
        return number(measure.value, spread, measure.unit)
    low, high = (_bare(bound, spread, measure.unit) for bound in (measure.low, measure.high))
    return f"{number(measure.value, spread, measure.unit)} ({low} to {high})"


def reference(measure: Measure) -> str:
    """The reference's value in the measure's unit, or a dash when there is none."""
    known: Reference | None = measure.reference
    return "–" if known is None else number(known.value, known.high - known.low, measure.unit)


def count(rows: int, noun: str) -> str:
    """``1 row``, ``2,400 rows``."""
    return f"{rows:,} {noun if rows == 1 else noun + 's'}"


def size(number: int) -> str:
    """``812 bytes``, ``6.7 kB``, ``1,234.5 MB``."""
    if number < 1e3:
        return f"{number} bytes"
    return f"{number / 1e3:.1f} kB" if number < 1e6 else f"{number / 1e6:,.1f} MB"


def share(part: float) -> str:
    """A share chosen by design, as a whole percentage."""
    return f"{100 * part:.0f} %"


def duration(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def in_percent(unit: str) -> bool:
    """Whether people read a number in this unit as a percentage."""
    return unit.startswith("share") or unit == "accuracy"


def _scaled(value: float, unit: str) -> tuple[float, str]:
    if "difference" in unit:
        return 100 * value, " points"
    if in_percent(unit):
        return 100 * value, " %"
    return value, ""


def _bare(value: float, spread: float, unit: str) -> str:
    _, suffix = _scaled(value, unit)
    return number(value, spread, unit).removesuffix(suffix)


def _digits(spread: float, value: float) -> int:
    scale = spread if spread > 0 else abs(value)
    if scale <= 0 or not math.isfinite(scale):
        return 0
    # Four decimals say enough of anything but a number that is itself smaller, such as the price of one row.
    most = 4 if value == 0 else max(4, 1 - math.floor(math.log10(abs(value))))
    return min(most, max(0, 1 - math.floor(math.log10(scale))))
