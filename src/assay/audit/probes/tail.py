"""Do the rows still reach the rare real ones?"""

from __future__ import annotations

from assay.audit.probe import SampleProbe
from assay.audit.probes.neighbours import MOST_ROWS, TAIL, prepare
from assay.stats.prdc import K

LEAST_ROWS = 200

PROBE = SampleProbe(
    "coverage.tail",
    prepare,
    f"rare real rows with a row of the other side no farther than their {K}th real neighbour / rare real rows; rare "
    f"are the {TAIL:.0%} of a real sample whose {K}th neighbour is farthest; equally many rows a side",
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    least=LEAST_ROWS,
    share_of=TAIL,
    number=lambda places: places.tail,
)
