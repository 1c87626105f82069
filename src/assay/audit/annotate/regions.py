"""Which region of the real data each row lies in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.rows import Index, Rows, draw_rows
from assay.kernels.numbering import numbered
from assay.stats.kmeans import kmeans, nearest

ROWS_PER_REGION = 50
MOST_REGIONS = 20
MOST_ROWS = 20_000
LEAST_ROWS = 2 * ROWS_PER_REGION
_WORDS = 3
_LONGEST_WORD = 30
_FEWEST_ROWS = 5
NOWHERE = -1


@dataclass(frozen=True)
class Regions:
    """Clusters of real rows, named by their words.

    Attributes:
        names: The most telling words of each region, no two alike.
        centres: Shape (regions, dimensions).
    """

    names: tuple[str, ...]
    centres: npt.NDArray[np.float32]

    def of(self, rows: Rows) -> Index:
        """Region of each row, shape (rows,); `NOWHERE` for rows without a known word."""
        where = np.full(len(rows), NOWHERE, np.int64)
        if self.names:
            placed = rows.vectors.any(axis=1)
            where[placed] = nearest(rows.vectors[placed], self.centres)
        return where


NO_REGIONS = Regions((), np.zeros((0, 0), np.float32))


def find_regions(real: Rows, seed: int) -> Regions:
    """Regions of real rows that serve for nothing else, one for each fifty rows; none where rows are few.

    Whoever compares shares must count other rows than these: a region fits its own rows better than others.
    """
    rng = np.random.default_rng([seed, 4])
    real = draw_rows(real, MOST_ROWS, rng)
    placed = np.flatnonzero(real.vectors.any(axis=1))
    wanted = min(len(placed) // ROWS_PER_REGION, MOST_REGIONS)
    if wanted < 2:
        return NO_REGIONS
    centres = kmeans(real.vectors[placed], wanted, rng)
    where = np.full(len(real), NOWHERE, np.int64)
    where[placed] = nearest(real.vectors[placed], centres)
    filled = np.unique(where[placed])
    if len(filled) < 2:
        return NO_REGIONS
    return Regions(_names(real, where, filled), centres[filled])


def _names(real: Rows, where: Index, filled: Index) -> tuple[str, ...]:
    """For each region the words whose presence in a row tells most, three of them or as many as tell it apart.

    Source: Monroe, Colaresi & Quinn 2008, Political Analysis 16, 372-403: z of the log-odds with an
        informative Dirichlet prior.
    """
    ids, first, word, row = numbered(real.tokens.ids, real.tokens.offsets)
    total = np.bincount(word, minlength=len(ids)).astype(float)
    names: list[str] = []
    for region in filled:
        inside = np.bincount(word[where[row] == region], minlength=len(ids)).astype(float)
        z = _telling(inside, total)
        z[total < _FEWEST_ROWS] = -np.inf
        words: list[str] = []
        for each in np.argsort(-z, kind="stable"):
            words.append(_word(real, int(first[each])))
            if len(words) >= _WORDS and ", ".join(words) not in names:
                break
        names.append(", ".join(words))
    return tuple(names)


def _telling(inside: npt.NDArray[np.float64], total: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    outside = total - inside
    prior = total / max(total.sum(), 1) * min(inside.sum(), outside.sum())
    ours, theirs = inside + prior, outside + prior
    odds = np.log(ours / (ours.sum() - ours)) - np.log(theirs / (theirs.sum() - theirs))
    return np.asarray(odds / np.sqrt(1 / ours + 1 / theirs))


def _word(rows: Rows, token: int) -> str:
    row = int(np.searchsorted(rows.tokens.offsets, token, "right")) - 1
    text: bytes = rows.text[row].as_py().encode()
    word = text[rows.tokens.starts[token] : rows.tokens.ends[token]].decode().lower()
    return word if len(word) <= _LONGEST_WORD else word[:_LONGEST_WORD] + "…"
