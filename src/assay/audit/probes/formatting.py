"""Does format alone tell synthetic from real rows, and which trait of it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse

from assay.audit.probe import Reader, SampleProbe
from assay.audit.probes.classifier import MOST_ROWS, Told, auc, tell_apart
from assay.audit.rows import Bools, Rows

Floats = npt.NDArray[np.float64]
FEATURES = ("length", "newlines", "markup", "punctuation", "upper case", "digits", "spaces", "letters")


def traits(rows: Rows) -> Floats:
    """Format of each row, shape (rows, 8), in the order of `FEATURES`; all but length per character."""
    chars = rows.characters
    per = np.maximum(chars.chars, 1)
    kinds = (
        chars.newlines,
        chars.markup,
        chars.punctuation,
        chars.upper,
        chars.digits,
        chars.spaces,
        chars.letters,
    )
    return np.column_stack([np.log1p(chars.chars), *(kind / per for kind in kinds)])


@dataclass(frozen=True)
class Traits:
    """Format of two samples: how all traits together tell them apart, and how each does alone.

    Attributes:
        together: Told by a classifier.
        ours, theirs: The traits, shape (rows, 8).
        upwards: Whether larger values of each speak for the questioned rows, shape (8,).
    """

    together: Told
    ours: Floats
    theirs: Floats
    upwards: Bools

    def alone(self, feature: int, kept: Bools, kept_real: Bools) -> float:
        """AUC of one trait, in the direction in which it tells the whole samples apart."""
        if not (kept.any() and kept_real.any()):
            return float("nan")
        value = auc(self.ours[kept, feature], self.theirs[kept_real, feature])
        return value if self.upwards[feature] else 1 - value


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    ours, theirs = traits(rows), traits(real)
    features = np.vstack([ours, theirs])
    # Ranks tame the long tails of counts; presence alone often tells (a row with any line break).
    spread = np.column_stack([_ranks(column) for column in features.T] + [features[:, 1:4] > 0])
    matrix = scipy.sparse.csr_matrix(spread.astype(np.float32))
    together = tell_apart(matrix, np.concatenate([rows.root, real.root]), len(rows))
    upwards = np.array([auc(one, other) >= 0.5 for one, other in zip(ours.T, theirs.T, strict=True)])
    found = Traits(together, ours, theirs, upwards)
    return lambda kept, kept_real: (found, kept, kept_real)


def _ranks(column: Floats) -> Floats:
    """Mid-ranks from -1 to 1."""
    _, number, counts = np.unique(column, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return 2 * middle[number] / len(column) - 1


def _probe(
    number: Callable[[Traits, Bools, Bools], float], method: str, slice: Mapping[str, str] | None = None
) -> SampleProbe:
    return SampleProbe(
        "fidelity.formatting_auc",
        _prepare,
        method,
        equal="rows",
        against_real=True,
        most=MOST_ROWS,
        least=50,
        slice=slice,
        number=lambda reading: number(*reading),
    )


def _alone(feature: int) -> SampleProbe:
    return _probe(
        lambda found, kept, kept_real: found.alone(feature, kept, kept_real),
        f"AUC of one number alone, in whichever direction it tells the sides apart: {FEATURES[feature]}"
        + ("" if feature == 0 else " per character"),
        {"feature": FEATURES[feature]},
    )


PROBE = _probe(
    lambda found, kept, kept_real: found.together.auc(kept, kept_real),
    "logistic regression on length and on newlines, markup, punctuation, upper case, digits, spaces and letters "
    "per character; no word counts",
)
EACH = tuple(_alone(feature) for feature in range(len(FEATURES)))
