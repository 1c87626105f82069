"""Selection between generations: which rows are kept, and whether keeping them so can prevent collapse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.forecast.training import Trained
from assay.forecast.yardsticks import selection_threshold
from assay.models.learner import Examples

Index = npt.NDArray[np.int64]

NORMAL = 0.95  # of real rows are no stranger than what counts as right


def kept_best(scores: npt.NDArray[np.floating], number: int) -> Index:
    """The rows with the best scores, in their order, shape (number,)."""
    return np.sort(np.argsort(-scores, kind="stable")[:number])


@dataclass(frozen=True)
class Judge:
    """A model of real rows that no generation saw: a written row is right if it finds it no stranger than real ones.

    That is plausibility, not truth. For labels there is truth, and no judge is needed.

    Attributes:
        model: It.
        strangest: Bits per byte that real rows seldom pass.
    """

    model: Trained
    strangest: float

    @classmethod
    def of(cls, model: Trained, real: Examples) -> Judge:
        """Learn from other real rows what is strange to it."""
        return cls(model, float(np.quantile(_strangeness(model, real), NORMAL)))

    def facts(self, rows: Examples, chosen: Index) -> dict[str, float]:
        """See `of_labels`, with right as the judge sees it."""
        return self.of_labels(_strangeness(self.model, rows) <= self.strangest, chosen)

    @staticmethod
    def of_labels(right: npt.NDArray[np.bool_], chosen: Index) -> dict[str, float]:
        """How often the generator was wrong, and how wrong it may be for what selection keeps to be of use.

        Args:
            right: Of every row that was written, shape (rows,).
            chosen: The rows that were kept.
        """
        kept = np.zeros(len(right), bool)
        kept[chosen] = True
        chance = [float(kept[which].mean()) if which.any() else 0.0 for which in (right, ~right)]
        return {
            "forecast.generator_error": float((~right).mean()),
            "forecast.kept_right": chance[0],
            "forecast.kept_wrong": chance[1],
            "forecast.selection_threshold": selection_threshold(*chance),
        }


def _strangeness(model: Trained, rows: Examples) -> npt.NDArray[np.float64]:
    bits: npt.NDArray[np.float64] = -model.score(rows).gain[0] / np.maximum(rows.learned_bytes(), 1)
    return bits
