"""How much do the distributions of synthetic and real rows overlap?"""

from __future__ import annotations

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.probes.neighbours import MOST_ROWS
from assay.audit.rows import Bools, Rows
from assay.stats.kmeans import kmeans, nearest
from assay.stats.mauve import mauve

_ROWS_PER_CLUSTER = 10


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    both = np.concatenate([rows.vectors, real.vectors])
    clusters = max(min(len(rows), len(real)) // _ROWS_PER_CLUSTER, 2)
    centres = kmeans(both, clusters, rng)
    cluster, beside = nearest(rows.vectors, centres), nearest(real.vectors, centres)

    def overlap(kept: Bools, kept_real: Bools) -> float:
        return mauve(
            np.bincount(cluster[kept], minlength=len(centres)),
            np.bincount(beside[kept_real], minlength=len(centres)),
        )

    return overlap


PROBE = SampleProbe(
    "fidelity.mauve",
    _prepare,
    f"area under the divergence frontier over k-means clusters of both sides, one for each {_ROWS_PER_CLUSTER} rows "
    "of a side, counts smoothed by a half; clusters stay while kin are left out; equally many rows a side",
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    least=50,
)
