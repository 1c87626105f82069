"""Which rows ask what an evaluation asks, in other words.

Two stages. Retrieval finds the items nearest to each row by TF-IDF over runs of characters, which outlive
new names and another order of words. Then three numbers are weighed, how much of the item the row holds, how
near the two are, and how far the item is ahead of the next one; the weights are learnt from rephrasings made
on purpose against real rows, and the threshold is set by real rows, which are taken to be clean.

Source: Yang et al. 2023, Rethinking Benchmark and Contamination, for the problem and the two stages (theirs
    asks a language model second).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.evals import Eval
from assay.audit.rows import Bools, Index, Rows, mixed
from assay.kernels.chargrams import BITS, Grams, char_grams
from assay.kernels.postings import Likeness, Weights, likeness
from assay.stats.logistic import logistic

FALSE_ALARMS = 0.01
FEWEST_ITEMS = 40
_FOLDS = 5
_TAIL = 0.2
_BLOCK = 20_000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Near:
    """Rows and items that are near each other; arrays of shape (pairs,), `features` of shape (pairs, 3)."""

    row: Index
    item: Index
    features: Floats


@dataclass(frozen=True)
class Judge:
    """What tells a rewording from a chance resemblance, learnt for each fold of items from the other folds.

    Attributes:
        fold: Of each item, shape (items,).
        weights: Of the constant and the three numbers, shape (folds, 4).
        threshold: Shape (folds,).
        found, planted: Rephrasings made on purpose that passed, of how many.
    """

    fold: Index
    weights: Floats
    threshold: Floats
    found: int = 0
    planted: int = 0

    def score(self, near: Near) -> Floats:
        """How far each pair lies above the threshold of its item's fold, in log-odds."""
        fold = self.fold[near.item]
        weights = self.weights[fold]
        odds: Floats = weights[:, 0] + (weights[:, 1:] * near.features).sum(axis=1)
        return odds - self.threshold[fold]


def commonness(real: Rows, each: Eval) -> Weights:
    """How rare each run of characters is in real rows and items, shape (2**BITS,)."""
    holding = np.bincount(each.grams.ids, minlength=1 << BITS)
    pieces = len(each)
    for begin in range(0, len(real), _BLOCK):
        grams = char_grams(real.text.slice(begin, _BLOCK))
        holding += np.bincount(grams.ids, minlength=1 << BITS)
        pieces += len(grams)
    weights: Weights = np.log((1 + pieces) / (1 + holding)).astype(np.float32)
    return weights


def near(rows: Rows, each: Eval, weights: Weights) -> Near:
    """The pairs that retrieval finds."""
    parts = []
    for begin in range(0, len(rows), _BLOCK):
        grams = char_grams(rows.text.slice(begin, _BLOCK))
        parts.append(_pairs(grams.row + begin, likeness(grams, each.grams, weights)))
    none = Near(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3)))
    return Near(
        *(
            np.concatenate([getattr(none, name), *(getattr(part, name) for part in parts)])
            for name in ("row", "item", "features")
        )
    )


def judge(each: Eval, clean: Near, trusted: Bools, weights: Weights, *, times: float) -> Judge | str:
    """The judge of an evaluation's pairs, or why there is none.

    Args:
        clean: Pairs with real rows.
        trusted: Items that no real row holds word for word, shape (items,).
        times: Rows that will be judged for each real row. The best of more rows is better by chance alone, so
            the threshold rises with it, as an exponential tail does.
    """
    items = int(trusted.sum())
    if items < FEWEST_ITEMS:
        return (
            f"needs {FEWEST_ITEMS} items that can be matched to set its threshold; the evaluation has {items}"
        )
    fold = (mixed(each.root, salt=50) % np.uint64(_FOLDS)).astype(np.int64)
    own = _own(each.planted, each.grams, weights)
    usable = trusted[own.item]
    # What retrieval misses is missed; nothing is to be learnt from it.
    reached = usable & (own.features[:, 0] > 0)
    own = Near(own.row[reached], own.item[reached], own.features[reached])
    kept = trusted[clean.item]
    nearest = _best(clean.item[kept], clean.features[kept][:, 1])
    beside = clean.features[kept][nearest]
    beside_item = clean.item[kept][nearest]
    learnt = np.zeros((_FOLDS, own.features.shape[1] + 1))
    for out in range(_FOLDS):
        ours, theirs = fold[own.item] != out, fold[beside_item] != out
        if not (ours.any() and theirs.any()):
            return "needs items and real rows that resemble each other at least a little to set its threshold"
        features = np.concatenate([own.features[ours], beside[theirs]])
        learnt[out] = logistic(features, np.arange(len(features)) < ours.sum())
    raw = Judge(fold, learnt, np.zeros(_FOLDS))
    scores = raw.score(clean)
    best = _best(clean.item, scores)
    top = np.full(len(each), -np.inf)
    top[clean.item[best]] = scores[best]
    threshold = np.array([_threshold(top[trusted & (fold != out)], times) for out in range(_FOLDS)])
    made = Judge(fold, learnt, threshold)
    return Judge(fold, learnt, threshold, int((made.score(own) > 0).sum()), int(usable.sum()))


def _pairs(row: Index, found: Likeness) -> Near:
    here = found.item >= 0
    features = np.stack([found.held[here], found.cosine[here], found.lead[here]], axis=1)
    return Near(np.broadcast_to(row[:, None], here.shape)[here], found.item[here], features)


def _own(planted: Grams, items: Grams, weights: Weights) -> Near:
    """Each planted rephrasing beside the item it is of; all numbers 0 where retrieval misses it."""
    found = likeness(planted, items, weights)
    right = found.item == planted.row[:, None]
    features = np.stack(
        [(values * right).sum(axis=1) for values in (found.held, found.cosine, found.lead)], axis=1
    )
    return Near(np.arange(len(planted)), planted.row, features)


def _best(group: Index, value: Floats) -> Index:
    """Where each group has its largest value, the first of equals."""
    order = np.lexsort((-value, group))
    first = np.ones(len(order), bool)
    first[1:] = group[order][1:] != group[order][:-1]
    return order[first]


def _threshold(best: Floats, times: float) -> float:
    """The score that an item passes by chance with probability `FALSE_ALARMS`.

    Args:
        best: Best score of each clean item; minus infinity where nothing came near it.
    Source: exponential tail above a high quantile, Pickands 1975, Annals of Statistics 3, 119-131.
    """
    number = max(round(_TAIL * len(best)), 2)
    tail = np.sort(best)[-number:]
    tail = tail[np.isfinite(tail)]
    if len(tail) < 2:
        return 0.0
    level = tail[0]
    excess = float((tail - level).mean())
    return float(level + excess * max(math.log(len(tail) / len(best) * times / FALSE_ALARMS), 0.0))
