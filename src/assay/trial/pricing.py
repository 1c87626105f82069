"""What each arm costs on this machine, measured once: a trial that was killed goes on with the plan it had."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.core.trial import Cost
from assay.models.learner import Examples, Fitted, Reading
from assay.trial.arms import Arm
from assay.trial.budget import Prices
from assay.trial.written import Writing

_SOME = 64  # items whose scoring, and texts whose writing is timed
_FEW = 8  # items whose scoring is mostly what every call costs
_SOON = 0.02  # seconds, in which a call is made again to be timed well


def prices(
    reading: Reading,
    arms: Sequence[Arm],
    weights: npt.NDArray[np.float32],
    items: Sequence[Examples],
    keep: Path | None,
    writing: Writing | None = None,
) -> Prices:
    """The price of training each arm once, of scoring all items once, and of writing what is asked once.

    Args:
        weights: A training of each arm, shape (arms, rows).
        keep: Folder where the prices stay, beside the trainings: measured anew, they could plan another trial, whose
            trainings would not be those that were kept.
    """
    kept = None if keep is None else keep / "prices.json"
    if kept is not None and kept.exists():
        said = json.loads(kept.read_text(encoding="utf-8"))
        paid = map(Cost.model_validate, said["arms"])
        return Prices(dict(zip(arms, paid, strict=True)), said["scoring"], said["writing"])
    costs = reading.expect(weights)
    cheapest = min(range(len(costs)), key=lambda arm: costs[arm].seconds)
    [fitted] = reading.fit(weights[cheapest][None], np.zeros(1, np.int64))
    scoring = sum(_scoring(fitted, each) for each in items)
    wrote = 0.0 if writing is None else _writing(fitted, writing)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        facts = {"arms": [cost.model_dump() for cost in costs], "scoring": scoring, "writing": wrote}
        aside = kept.with_suffix(".aside")
        aside.write_text(json.dumps(facts), encoding="utf-8")
        aside.replace(kept)
    return Prices(dict(zip(arms, costs, strict=True)), scoring, wrote)


def _scoring(fitted: Fitted, items: Examples) -> float:
    """Seconds that one trained arm takes to score the items: what some of them take more than a few, carried on."""
    sizes = np.array([1 + sum(len(part.text) for part in row) for row in items.parts], np.float64)
    chosen = np.random.default_rng(0).permutation(len(items))
    few, some = chosen[:_FEW], chosen[:_SOME]
    fitted.score(items.take(few[:2]))  # what is compiled or loaded once is not counted
    start = _timed(fitted, items.take(few))
    if len(some) == len(few):
        return start
    more = max(_timed(fitted, items.take(np.sort(some))) - start, 0.0)
    extra = sizes[some].sum() - sizes[few].sum()
    return float(start + more * (sizes.sum() - sizes[few].sum()) / extra)


def _timed(fitted: Fitted, items: Examples) -> float:
    """Seconds to score the items; the least of several tries where one is soon over."""
    least, spent = np.inf, 0.0
    while spent < _SOON:
        start = time.perf_counter()
        fitted.score(items)
        took = time.perf_counter() - start
        least, spent = min(least, took), spent + took
    return float(least)


def _writing(fitted: Fitted, writing: Writing) -> float:
    """Seconds that one trained arm takes to write all texts, from some of them."""
    replace(writing, number=1).of(fitted)  # as above
    some = min(_SOME, writing.number)
    start = time.perf_counter()
    replace(writing, number=some).of(fitted)
    return (time.perf_counter() - start) * writing.number / some
