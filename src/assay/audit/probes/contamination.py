"""How many of an evaluation's items stand in the rows, word for word or in other words?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.probe import Floats, Probe
from assay.audit.rows import Bools, Index


@dataclass(frozen=True)
class Items:
    """An evaluation's items beside some rows; every array of shape (items,).

    Attributes:
        verbatim, reworded: Whether a row holds the item word for word, or in any words.
        countable: Items that have words which can be looked for.
    """

    root: npt.NDArray[np.uint64]
    verbatim: Bools
    reworded: Bools
    countable: Bools

    def __len__(self) -> int:
        return len(self.root)

    def take(self, index: Index) -> Items:
        """The items at `index`."""
        return Items(self.root[index], self.verbatim[index], self.reworded[index], self.countable[index])


def _verbatim(items: Items) -> Floats:
    return np.column_stack([items.verbatim & items.countable, items.countable]).astype(float)


def _reworded(items: Items) -> Floats:
    return np.column_stack([items.reworded & items.countable, items.countable]).astype(float)


def eval_probes(name: str, verbatim: str, reworded: str) -> tuple[Probe[Items], Probe[Items]]:
    """The two questions about one evaluation, with what their methods say."""
    where = {"eval": name}
    return (
        Probe("contamination.ngram_share", _verbatim, verbatim, slice=where),
        Probe("contamination.rephrased_share", _reworded, reworded, slice=where),
    )
