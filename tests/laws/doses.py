"""What a planted defect must do to a measure: move it for the worse, further with dose, and surely in the end."""

from __future__ import annotations

import math
from collections.abc import Callable

from assay.core.catalogue import define
from assay.core.measure import Measure


def assert_worse_with_dose(
    clean: Measure, weak: Measure, strong: Measure, read: Callable[[Measure], float] | None = None
) -> None:
    """A measure of clean rows, of a weak dose and of a strong one; `read` gives a number that rises as it worsens."""

    def worse(measure: Measure) -> float:
        return (-1 if measure.worse == "lower" else 1) * (measure.value or 0.0)

    values = [(read or worse)(measure) for measure in (clean, weak, strong)]
    assert values[0] < values[1] < values[2], values
    assert surely_worse(strong), strong


def beyond(measure: Measure) -> float:
    """By how much a measure exceeds its reference."""
    assert measure.value is not None
    assert measure.reference is not None
    return measure.value - measure.reference.value


def surely_worse(measure: Measure) -> bool:
    """Whether the value lies past its reference, in the worse direction, by more than tolerance and noise."""
    definition, reference = define(measure.name), measure.reference
    assert measure.value is not None
    assert measure.low is not None
    assert measure.high is not None
    assert reference is not None
    tolerated = definition.tolerance * (reference.value if definition.relative else 1.0)
    higher = measure.value - reference.value
    above = higher - math.hypot(measure.value - measure.low, reference.high - reference.value) > tolerated
    below = -higher - math.hypot(measure.high - measure.value, reference.value - reference.low) > tolerated
    return {"higher": above, "lower": below}.get(measure.worse, above or below)
