"""Does format alone tell synthetic from real rows, and which trait of it?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

from assay.audit.probe import Reader, SampleProbe
from assay.audit.probes.classifier import MOST_ROWS, auc, tell_apart
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


def _together(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    features = np.vstack([traits(rows), traits(real)])
    # Ranks tame the long tails of counts; presence alone often tells (a row with any line break).
    spread = np.column_stack([_ranks(column) for column in features.T] + [features[:, 1:4] > 0])
    matrix = scipy.sparse.csr_matrix(spread.astype(np.float32))
    return tell_apart(matrix, np.concatenate([rows.root, real.root]), len(rows)).auc


def _ranks(column: Floats) -> Floats:
    """Mid-ranks from -1 to 1."""
    _, number, counts = np.unique(column, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return 2 * middle[number] / len(column) - 1


def _alone(feature: int) -> SampleProbe:
    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        ours, theirs = traits(rows)[:, feature], traits(real)[:, feature]
        upwards = auc(ours, theirs) >= 0.5

        def reader(kept: Bools, kept_real: Bools) -> float:
            if not (kept.any() and kept_real.any()):
                return float("nan")
            value = auc(ours[kept], theirs[kept_real])
            return value if upwards else 1 - value

        return reader

    return SampleProbe(
        "fidelity.formatting_auc",
        prepare,
        f"AUC of one number alone, in whichever direction it tells the sides apart: {FEATURES[feature]}"
        + ("" if feature == 0 else " per character"),
        equal="rows",
        against_real=True,
        most=MOST_ROWS,
        least=50,
        slice={"feature": FEATURES[feature]},
    )


PROBE = SampleProbe(
    "fidelity.formatting_auc",
    _together,
    "logistic regression on length and on newlines, markup, punctuation, upper case, digits, spaces and letters "
    "per character; no word counts",
    equal="rows",
    against_real=True,
    most=MOST_ROWS,
    least=50,
)
EACH = tuple(_alone(feature) for feature in range(len(FEATURES)))
