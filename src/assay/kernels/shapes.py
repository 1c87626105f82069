"""What can be seen of a word without knowing its language: a number, a name, or how it ends."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers
from assay.kernels.hashing import SEED, absorb, mix
from assay.kernels.scripts import folds
from assay.kernels.text import NAME, NUMBER, PLAIN, Tokens, decode, survey

__all__ = ["NAME", "NUMBER", "PLAIN", "Shapes", "shapes"]


@dataclass(frozen=True)
class Shapes:
    """The look of each token, in the order of `Tokens`.

    Attributes:
        kinds: As `Survey.looks`, shape (num_tokens,).
        endings: Hash of its last two code points regardless of case, shape (num_tokens,).
    """

    kinds: npt.NDArray[np.uint8]
    endings: npt.NDArray[np.uint64]


def shapes(column: TextColumn, tokens: Tokens) -> Shapes:
    """The look of each token of `column`, of which `tokens` are the tokens."""
    endings, row = [np.zeros(0, np.uint64)], 0
    for offsets, data in text_buffers(column):
        bounds = tokens.offsets[row : row + len(offsets)]
        row += len(offsets) - 1
        endings.append(_endings(offsets, data, bounds, tokens.starts, tokens.ends, folds()))
    return Shapes(survey(column).looks, np.concatenate(endings))


@numba.njit(nogil=True, cache=True)
def _endings(offsets, data, bounds, starts, ends, folds):  # type: ignore[no-untyped-def]
    found = np.empty(bounds[-1] - bounds[0], np.uint64)
    for row in range(len(bounds) - 1):
        for token in range(bounds[row], bounds[row + 1]):
            at, stop = offsets[row] + starts[token], offsets[row] + ends[token]
            last = previous = np.uint32(0)
            while at < stop:
                code, at = decode(data, at)
                previous = last
                last = folds[code] if code < len(folds) else code
            found[token - bounds[0]] = mix(absorb(absorb(SEED, previous), last))
    return found
