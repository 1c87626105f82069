"""Which regions of the real data are thin or missing, and how large is the gap in all?"""

from __future__ import annotations

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.regions import LEAST_ROWS, NOWHERE, ROWS_PER_REGION, Regions
from assay.audit.probe import Floats, Probe, Reader, SampleProbe
from assay.audit.probes.neighbours import MOST_ROWS
from assay.audit.rows import Bools, Index, Rows

NAME = "coverage.regions"
_METHOD = (
    f"share of synthetic rows in this region / share of real rows in it; regions are k-means clusters, one for each "
    f"{ROWS_PER_REGION} rows, of the half of the real rows that is then not counted; the other half is halved by "
    "root, 20 times, for the reference"
)


def gap_probe(regions: Regions) -> SampleProbe:
    """The question how many rows would have to be of another region."""

    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        ours, theirs = regions.of(rows), regions.of(real)

        def gap(kept: Bools, kept_real: Bools) -> float:
            return float(np.maximum(_shares(theirs, kept_real) - _shares(ours, kept), 0).sum())

        return gap

    def _shares(where: Index, kept: Bools) -> Floats:
        counted = where[kept & (where != NOWHERE)]
        return np.bincount(counted, minlength=len(regions.names)) / (len(counted) or np.nan)

    return SampleProbe(
        "coverage.region_gap",
        prepare,
        f"sum over {len(regions.names)} regions of what the share of real rows exceeds that of synthetic rows by; "
        "equally many rows a side",
        equal="rows",
        against_real=True,
        most=MOST_ROWS,
        least=LEAST_ROWS,
    )


def region_probes(regions: Regions) -> tuple[Probe, ...]:
    """One probe for each region; one without a slice, which finds nothing, where there are none."""
    if not regions.names:
        return (Probe(NAME, _nothing, _METHOD, ratio=True),)
    return tuple(_probe(region, name) for region, name in enumerate(regions.names))


def _probe(region: int, name: str) -> Probe:
    def tally(columns: Columns) -> Floats:
        return np.column_stack([columns.region == region, columns.region != NOWHERE]).astype(float)

    return Probe(NAME, tally, _METHOD, ratio=True, slice={"region": name})


def _nothing(columns: Columns) -> Floats:
    return np.zeros((len(columns), 2))
