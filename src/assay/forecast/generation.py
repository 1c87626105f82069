"""What one generation gave: its scores on real rows, and the rows it wrote."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.models.learner import Examples, Part


@dataclass(frozen=True)
class Generation:
    """One trained model of one chain.

    Attributes:
        gain: On each test row, see `Scored.gain`, shape (test rows,).
        over: See `Scored.over`, shape (test rows, bins); None where the learner says nothing of its confidence.
        decisions: Of each test row, shape (test rows,); None likewise.
        facts: Numbers by the name of their measure.
        surprise: Written rows by their bits per byte under generation 0, in bins of `simulate.BINS`.
        rows: What it wrote, or labelled.
    """

    gain: npt.NDArray[np.float64]
    over: npt.NDArray[np.float64] | None
    decisions: npt.NDArray[np.int64] | None
    facts: dict[str, float]
    surprise: npt.NDArray[np.int64]
    rows: Examples

    @property
    def calibration(self) -> float:
        """Expected calibration error over all test rows; NaN where the learner has none."""
        if self.over is None or self.decisions is None:
            return float("nan")
        return float(np.abs(self.over.sum(axis=0)).sum() / self.decisions.sum())

    def save(self, path: Path) -> None:
        """Write it, whole or not at all."""
        facts = {
            "facts": self.facts,
            "parts": [[list(asdict(part).values()) for part in row] for row in self.rows.parts],
            "classes": self.rows.classes,
        }
        arrays = {"gain": self.gain, "surprise": self.surprise}
        optional = {"over": self.over, "decisions": self.decisions, "labels": self.rows.labels}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        aside = path.with_suffix(f".{os.getpid()}.aside")
        with aside.open("wb") as file:
            np.savez(file, told=np.frombuffer(json.dumps(facts).encode(), np.uint8), **arrays)  # type: ignore[arg-type]
        aside.replace(path)

    @classmethod
    def load(cls, path: Path) -> Generation | None:
        """Read it back; None where it was never finished."""
        if not path.exists():
            return None
        with np.load(path, allow_pickle=False) as kept:
            told = json.loads(kept["told"].tobytes())
            parts = tuple(tuple(Part(*each) for each in row) for row in told["parts"])
            return cls(
                kept["gain"],
                kept.get("over"),
                kept.get("decisions"),
                told["facts"],
                kept["surprise"],
                Examples(parts, kept.get("labels"), told["classes"]),
            )
