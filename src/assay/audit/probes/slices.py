"""Which parts of the real data are thin or missing?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.parts import REST
from assay.audit.probe import HALVINGS, Floats, Probe

# More values than this in one column are ids or free text rather than parts of a population.
MOST_VALUES = 200


def slice_probes(synthetic: Columns, real: Columns) -> tuple[Probe, ...]:
    """One probe for each value that real rows have in a column both sides fill."""
    return tuple(
        _probe(name, str(value))
        for name in sorted(real.parts)
        if (synthetic.parts.get(name, np.array([""])) != "").any()
        for value in _values(real, name)
    )


def _values(real: Columns, name: str) -> list[str]:
    values = [str(value) for value in np.unique(real.parts[name]) if value not in ("", REST)]
    return values if 2 <= len(values) <= MOST_VALUES else []


def _probe(name: str, value: str) -> Probe:
    def tally(columns: Columns) -> Floats:
        values = columns.parts[name]
        return np.column_stack([values == value, values != ""]).astype(float)

    return Probe(
        "coverage.slice_ratio",
        tally,
        f"share of synthetic rows with this {name} / share of real rows with it, "
        f"of the rows that have one; the reference is the mean over {HALVINGS} halvings of the real rows by root",
        ratio=True,
        slice={name: value},
    )
