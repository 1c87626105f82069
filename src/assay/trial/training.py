"""Train arms and score them, block by block; what was trained before a kill is not trained again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.core.progress import Progress
from assay.core.trial import Cost
from assay.models.learner import Examples, Fitted, Reading, Scored
from assay.trial.arms import Arm, Orders, weights
from assay.trial.written import Codes, Writing

Floats = npt.NDArray[np.float32]
_KEPT = ("gain", "over", "decisions", "preferred", "chosen")


@dataclass
class Results:
    """What trained arms did on the items.

    Attributes:
        gain: By arm, shape (seeds, items); see `Scored.gain`.
        over: By arm, shape (seeds, main items, bins); empty where the learner is not calibrated.
        decisions: Decisions of each main item, shape (main items,); None likewise.
        preferred: By arm, shape (seeds, main items); empty where rows are no pairs.
        chosen: By arm, shape (seeds, items); empty where there are no classes.
        costs: Of the trainings, by arm, one for each seed.
        written: By arm, what it writes, shape (seeds, texts, leans); see `written.codes`. Arms that were not asked have none.
        scoring: Seconds of all scoring, and of the writing.
    """

    gain: dict[Arm, Floats] = field(default_factory=dict)
    over: dict[Arm, Floats] = field(default_factory=dict)
    decisions: npt.NDArray[np.int64] | None = None
    preferred: dict[Arm, npt.NDArray[np.bool_]] = field(default_factory=dict)
    chosen: dict[Arm, npt.NDArray[np.int16]] = field(default_factory=dict)
    costs: dict[Arm, tuple[Cost, ...]] = field(default_factory=dict)
    written: dict[Arm, Codes] = field(default_factory=dict)
    scoring: float = 0.0

    def seconds(self) -> float:
        """Of all trainings, all scoring and all writing."""
        return self.scoring + sum(cost.seconds for each in self.costs.values() for cost in each)


class Trainer:
    """One learner's reading of the rows, the seeds' orders, and the items."""

    def __init__(
        self,
        name: str,
        reading: Reading,
        drawn: Orders,
        items: Sequence[Examples],
        main: int,
        keep: Path | None,
        progress: Progress,
    ) -> None:
        """Args:
        name: The learner's.
        items: Scored one after another.
        main: How many of the items, the first ones, are the test proper; all of them are in the first `items`.
        keep: Folder for finished blocks, kept across kills; None keeps nothing.
        """
        self.name, self.reading, self.drawn, self.items, self.main = name, reading, drawn, items, main
        self.keep, self.progress = keep, progress
        self.results = Results()

    def train(self, arms: Sequence[Arm], writing: Writing | None = None) -> Results:
        """Train the arms that have no results yet, each with every seed, and return all results.

        Args:
            writing: What these arms are to write.
        """
        new = [arm for arm in arms if arm not in self.results.gain]
        if not new:
            return self.results
        seeds = self.drawn.seeds
        matrix = weights(new, self.drawn)
        kept = self._kept(matrix)
        found: dict[int, tuple[Scored, Cost, int]] = {}
        for scored, costs, runs, seconds in map(_load, sorted(kept.glob("*.npz")) if kept else ()):
            found |= {int(run): (scored, costs[place], place) for place, run in enumerate(runs)}
            self.results.scoring += seconds
        told: dict[int, Codes] = {}
        for path in sorted(kept.glob("*.written")) if kept and writing else ():
            with np.load(path, allow_pickle=False) as old:
                told |= dict(zip(old["runs"].tolist(), old["codes"], strict=True))
        done = np.isin(np.arange(len(matrix)), list(found))
        self.progress("trial", int(done.sum()), len(matrix), "trainings")
        for block in self.reading.fit(matrix, np.tile(np.arange(seeds), len(new)), done=done):
            start = time.perf_counter()
            scored = self._scored(block)
            codes = None if writing is None else writing.of(block)
            seconds = time.perf_counter() - start
            self.results.scoring += seconds
            if codes is not None:
                told |= dict(zip(block.arms.tolist(), codes, strict=True))
            if kept is not None:
                first = f"{block.arms.min():06d}"
                # What is written goes first: a block whose scores stand is done.
                if codes is not None:
                    _write(kept / f"{first}.written", runs=block.arms, codes=codes)
                _save(kept / f"{first}.npz", scored, block.costs, block.arms, seconds)
            found |= {int(run): (scored, block.costs[place], place) for place, run in enumerate(block.arms)}
            self.progress("trial", len(found), len(matrix), "trainings")
        for place, arm in enumerate(new):
            by_seed = range(place * seeds, (place + 1) * seeds)
            self._take(arm, [found[run] for run in by_seed])
            if writing is not None:
                self.results.written[arm] = np.stack([told[run] for run in by_seed])
        return self.results

    def _scored(self, block: Fitted) -> Scored:
        """A block on all items, without what only the test proper needs on the others."""
        first, *rest = [block.score(items) for items in self.items]
        over = None if first.over is None else first.over[:, : self.main].copy()
        decisions = None if first.decisions is None else first.decisions[: self.main]
        preferred = None if first.preferred is None else first.preferred[:, : self.main]
        gain = np.concatenate([first.gain, *(scored.gain for scored in rest)], axis=1)
        return Scored(gain, over, decisions, preferred, first.chosen)

    def _take(self, arm: Arm, runs: list[tuple[Scored, Cost, int]]) -> None:
        results = self.results
        results.gain[arm] = np.stack([scored.gain[place] for scored, _, place in runs])
        results.costs[arm] = tuple(cost for _, cost, _ in runs)
        first = runs[0][0]
        results.decisions = first.decisions
        if first.over is not None:
            results.over[arm] = np.stack(
                [scored.over[place] for scored, _, place in runs if scored.over is not None]
            )
        if first.preferred is not None:
            results.preferred[arm] = np.stack(
                [scored.preferred[place] for scored, _, place in runs if scored.preferred is not None]
            )
        if first.chosen is not None:
            results.chosen[arm] = np.stack(
                [scored.chosen[place] for scored, _, place in runs if scored.chosen is not None]
            )

    def _kept(self, matrix: Floats) -> Path | None:
        """The folder of this very set of trainings, by this learner."""
        if self.keep is None:
            return None
        folder = self.keep / f"{self.name}-{hashlib.sha256(matrix.tobytes()).hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _save(
    path: Path, scored: Scored, costs: tuple[Cost, ...], runs: npt.NDArray[np.int64], scoring: float
) -> None:
    arrays = {name: value for name in _KEPT if (value := getattr(scored, name)) is not None}
    paid = np.array([[cost.seconds, cost.tokens, cost.flops] for cost in costs])
    _write(path, runs=runs, costs=paid, scoring=np.array(scoring), **arrays)


def _write(path: Path, **arrays: npt.NDArray[np.generic]) -> None:
    """Whole or not at all."""
    aside = path.with_suffix(f".{os.getpid()}.aside")
    with aside.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    aside.replace(path)


def _load(path: Path) -> tuple[Scored, tuple[Cost, ...], npt.NDArray[np.int64], float]:
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in _KEPT if name in kept}
        costs = tuple(Cost(seconds=row[0], tokens=int(row[1]), flops=row[2]) for row in kept["costs"])
        return Scored(**arrays), costs, kept["runs"], float(kept["scoring"])
