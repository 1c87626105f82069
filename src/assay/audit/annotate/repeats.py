"""Which rows say what an earlier row said, word for word or nearly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.audit.rows import Bools


def repeats(groups: npt.NDArray[np.integer], counts: Bools) -> Bools:
    """Rows whose group already occurred in an earlier row.

    Args:
        groups: Group of each row, shape (rows,).
        counts: Rows that may count at all; an empty row repeats nothing.
    """
    earlier = np.ones(len(groups), bool)
    earlier[np.unique(groups, return_index=True)[1]] = False
    return earlier & counts
