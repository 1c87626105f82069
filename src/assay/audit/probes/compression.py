"""How far does the text compress?"""

from __future__ import annotations

import math
import zlib

import numpy as np

from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows
from assay.kernels.arrow import text_buffers

_LEVEL = 6


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    offsets, every = next(text_buffers(rows.text))
    data, lengths = every[offsets[0] : offsets[-1]], np.diff(offsets)

    def ratio(kept: Bools, _: Bools) -> float:
        raw = data[np.repeat(kept, lengths)].tobytes()
        return len(raw) / len(zlib.compress(raw, _LEVEL)) if raw else float("nan")

    return ratio


PROBE = SampleProbe(
    "diversity.compression_ratio",
    _prepare,
    f"bytes / bytes after zlib level {_LEVEL}, of whole rows in random order",
    equal="tokens",
    against_real=False,
    most=100_000,
    bounds=(0.0, math.inf),
)
