"""How often wanted words stand near each context word."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.numbering import index, places
from assay.kernels.text import Tokens

Ids = npt.NDArray[np.uint64]


def neighbours(
    words: Tokens, wanted: Ids, contexts: Ids, part: npt.NDArray[np.int64], parts: int, *, window: int = 5
) -> npt.NDArray[np.float32]:
    """Times each wanted word stands within `window` words of each context word, by part of the rows.

    Args:
        wanted, contexts: Ids of words, none twice in either.
        part: Which of `parts` parts each row belongs to, shape (rows,).
        window: Words before and after that count, within the row.
    Returns: Shape (parts, wanted, contexts); whole numbers, exact up to 2^24.
    """
    here, there = (places(index(sought), sought, words.ids) for sought in (wanted, contexts))
    counts = np.zeros((parts, len(wanted), len(contexts)), np.float32)
    _count(counts, here, there, words.offsets, part, window)
    return counts


@numba.njit(nogil=True, cache=True)
def _count(counts, here, there, offsets, part, window):  # type: ignore[no-untyped-def]
    for row in range(len(offsets) - 1):
        begin, stop = offsets[row], offsets[row + 1]
        for at in range(begin, stop):
            if here[at] < 0:
                continue
            for near in range(max(begin, at - window), min(stop, at + window + 1)):
                if near != at and there[near] >= 0:
                    counts[part[row], here[at], there[near]] += 1
