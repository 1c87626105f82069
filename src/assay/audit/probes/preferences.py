"""In preference pairs: is the chosen answer longer, more marked up, more of a refusal than the rejected one?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.annotate.refusals import refuses
from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows
from assay.kernels.text import characters, tokens

Floats = npt.NDArray[np.float64]


def preference_probes(rows: Rows) -> tuple[SampleProbe, ...]:
    """The three differences, where there are pairs."""
    return (LENGTH, STYLE, REFUSAL) if rows.holds("rejected") else ()


def differences(rows: Rows, trait: Callable[[pa.Array], Floats]) -> Floats:
    """The trait of each chosen answer minus that of the rejected one, shape (rows,); NaN where there is no pair."""
    apart = trait(rows.answer) - trait(rows.rejected)
    return np.where(rows.rejected.is_valid().to_numpy(zero_copy_only=False), apart, np.nan)


def words(answers: pa.Array) -> Floats:
    """Words of each answer, shape (rows,)."""
    return np.diff(tokens(answers).offsets).astype(float)


def _signs(answers: pa.Array) -> Floats:
    """Share of each answer's characters that are punctuation, of which markup is a part, or line breaks."""
    found = characters(answers)
    return (found.punctuation + found.newlines) / np.maximum(found.chars, 1)


def _refusals(answers: pa.Array) -> Floats:
    return refuses(answers).astype(float)


def _probe(
    name: str, trait: Callable[[pa.Array], Floats], method: str, bounds: tuple[float, float] = (-1.0, 1.0)
) -> SampleProbe:
    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        apart = differences(rows, trait)
        paired = np.isfinite(apart)

        def mean(kept: Bools, _: Bools) -> float:
            return float(apart[kept & paired].mean()) if (kept & paired).any() else math.nan

        return mean

    return SampleProbe(
        name,
        prepare,
        f"{method}; mean over pairs",
        equal="rows",
        against_real=False,
        most=100_000,
        bounds=bounds,
    )


LENGTH = _probe(
    "preference.length_delta",
    words,
    "words of the chosen answer minus words of the rejected one",
    (-math.inf, math.inf),
)
STYLE = _probe(
    "preference.style_delta",
    _signs,
    "share of characters that are punctuation, markup or line breaks in the chosen answer minus that in the rejected one",
)
REFUSAL = _probe(
    "preference.refusal_delta",
    _refusals,
    "1 where the chosen answer refuses (see quality.refusal_share) minus 1 where the rejected one does",
)
