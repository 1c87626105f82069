"""A ladder of sizes to the measure of whether more of the corpus still helps as its beginning promised."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.core.catalogue import define
from assay.core.errors import InputError
from assay.core.measure import Measure, Reference
from assay.stats.bend import Bend, bend

Floats = npt.NDArray[np.float64]


def bends(
    sizes: Floats,
    losses: Floats,
    draws: Floats,
    *,
    corpus: str | None,
    items: int,
    unit: str = "rows",
    reference: tuple[Floats, Floats, Floats] | None = None,
    level: float = 0.95,
) -> Measure:
    """`scaling.bend` of one ladder, beside that of real rows where there is one.

    Args:
        sizes: Of the rungs, growing, shape (rungs,).
        losses: Lower is better, above 0: error rate, or bits per byte, shape (rungs,).
        draws: Joint draws over test items and seeds, shape (draws, rungs).
        corpus: What the ladder is made of, ``real`` or ``synthetic``.
        items: Test items the losses rest on.
        unit: What sizes count.
        reference: Sizes, losses and draws of the ladder of real rows.
    """
    definition = define("scaling.bend")
    told: dict[str, object] = {
        "name": definition.name,
        "corpus": corpus,
        "level": level,
        "n": items,
        "unit": definition.unit,
        "worse": definition.worse,
    }
    try:
        found = bend(sizes, losses, draws, level=level)
    except InputError as error:
        told |= {"value": None, "missing": error.what, "method": definition.formula}
        return Measure.model_validate(told)
    told |= {"value": found.excess, "low": found.low, "high": found.high}
    told["method"] = (
        f"E + B / D^{found.exponent:.2g} fitted to the {found.early} sizes up to half the largest foretells a loss of "
        f"{found.foretold:.4g} at {sizes[-1]:.0f} {unit}, measured {losses[-1]:.4g}; one-sided p of no bend = {found.p:.3g}; "
        f"refitted in each of {len(draws)} joint draws"
    )
    beside = _beside(reference, level)
    if beside is not None:
        told["reference"] = Reference(value=beside.excess, low=beside.low, high=beside.high)
    return Measure.model_validate(told)


def _beside(reference: tuple[Floats, Floats, Floats] | None, level: float) -> Bend | None:
    """The bend of the real ladder; a ladder too short for one is no reference."""
    if reference is None:
        return None
    try:
        return bend(*reference, level=level)
    except InputError:
        return None
