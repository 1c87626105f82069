"""How many labels are likely wrong?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from assay.audit.annotate.labels import DRAWN_ROWS, DRAWS, MOST_ROWS, Noise, label_noise
from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows
from assay.core.errors import InputError


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    return _reader(label_noise(rows, rng))


def knowing(rows: Rows, noise: Callable[[], Noise | None]) -> SampleProbe:
    """The probe where the labels of all `rows` are judged already: a sample of all of them is not judged again."""

    def prepare(drawn: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        return _reader(noise()) if drawn is rows else _prepare(drawn, real, rng)

    return replace(PROBE, prepare=prepare)


@dataclass(frozen=True)
class _Doubt:
    """Reads what is known of the labels."""

    noise: Noise

    def __call__(self, kept: Bools, _: Bools) -> float:
        return self.noise.share(kept)


def _reader(noise: Noise | None) -> _Doubt:
    if noise is None:
        raise InputError("needs rows with 2 to 200 labels, each on 5 rows or more")
    return _Doubt(noise)


PROBE = SampleProbe(
    "quality.label_noise_share",
    _prepare,
    "confident learning: rows that are confidently of another class than their label / rows that are "
    "confidently of any class; logistic regression on TF-IDF, 5 folds by root id, a threshold for each class; interval: "
    f"{DRAWS} bootstrap draws of at most {DRAWN_ROWS:,} rows by root, each with classifiers of its own",
    equal="rows",
    against_real=False,
    most=MOST_ROWS,
    least=200,
    redrawn=lambda doubt, rng: doubt.noise.redrawn(rng),
)
