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
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from assay.audit.evals import Eval
from assay.audit.rows import Bools, Index, Rows, mixed
from assay.kernels.chargrams import BITS, Grams, char_grams
from assay.kernels.postings import Likeness, Weights, likeness
from assay.stats.logistic import logistic

FALSE_ALARMS = 0.01
# The tails of scores are heavier than exponential ones: aimed at a half per cent, about one passes.
_AIMED = 0.005
FEWEST_ITEMS = 40
_FOLDS = 5
_TAIL, _TOP = 0.2, 0.05
_BLOCK = 20_000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Near:
    """Rows and items that are near each other; arrays of shape (pairs,), `features` of shape (pairs, 3)."""

    row: Index
    item: Index
    features: Floats

    def where(self, kept: Bools | Index) -> Near:
        """The pairs that are `kept`."""
        return Near(self.row[kept], self.item[kept], self.features[kept])


@dataclass(frozen=True)
class Judge:
    """What tells a rewording from a chance resemblance, learnt for each fold of items from the other folds.

    Attributes:
        fold: Of each item, shape (items,).
        weights: Of the constant and the three numbers, shape (folds, 4).
        threshold: Shape (folds,).
        found, planted: Rephrasings made on purpose that passed, of how many.
        alike: Items that would be found in another item of the evaluation, shape (items,).
        usual: What the best score of four of five items stays below in as many clean rows.
    """

    fold: Index
    weights: Floats
    threshold: Floats
    found: int = 0
    planted: int = 0
    alike: Bools = field(default_factory=lambda: np.zeros(0, bool))
    usual: float = 0.0

    def nearer(self, near: Near) -> bool:
        """Whether the rows as a whole lie nearer to the evaluation than real rows do.

        Then more than half of the items meet a row nearer than four of five meet a real one; the judge may
        take a like topic for a like question.
        """
        top = _top(self, near, len(self.fold))
        return _quantile(top, 0.5) > self.usual

    def score(self, near: Near) -> Floats:
        """How far each pair lies above the threshold of its item's fold, in log-odds."""
        fold = self.fold[near.item]
        weights = self.weights[fold]
        odds: Floats = weights[:, 0] + (weights[:, 1:] * near.features).sum(axis=1)
        return odds - self.threshold[fold]


def rarity(real: Rows, each: Eval) -> Weights:
    """The weight of each run of characters, shape (2**BITS,): the logarithm of how few texts hold it.

    A run is as common as it is among real rows or among the other items, whichever is more: what belongs to
    the manner of an evaluation tells nothing about one of its items.
    """
    in_real, pieces = np.zeros(1 << BITS, np.int64), 0
    for begin in range(0, len(real), _BLOCK):
        grams = char_grams(real.text.slice(begin, _BLOCK))
        in_real += np.bincount(grams.ids, minlength=1 << BITS)
        pieces += len(grams)
    others = np.maximum(np.bincount(each.grams.ids, minlength=1 << BITS) - 1, 0)
    common = np.maximum((in_real + 0.5) / (pieces + 0.5), (others + 0.5) / (len(each) + 0.5))
    weights: Weights = np.maximum(-np.log(common), 0).astype(np.float32)
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

    Two sorts of pairs are clean: an item and a real row, and an item and another item of the evaluation. The
    second keep topic and manner from being taken for the question itself where real rows are of another kind;
    but items may be twins, so the threshold is where real rows put it, or where four of five items stay below
    it beside the others, whichever is higher.

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
    own = own.where(usable & (own.features[:, 0] > 0))
    numbers = np.arange(len(each))
    siblings = _pairs(numbers, likeness(each.grams, each.grams, weights, own=numbers))
    sides = [side.where(trusted[side.item]) for side in (clean, siblings)]
    beside = [side.where(_best(side.item, side.features[:, 1])) for side in sides]
    learnt = np.zeros((_FOLDS, own.features.shape[1] + 1))
    for out in range(_FOLDS):
        parts = [side.features[fold[side.item] != out] for side in (own, *beside)]
        if not (len(parts[0]) and len(parts[1]) + len(parts[2])):
            return "needs items and real rows that resemble each other at least a little to set its threshold"
        features = np.concatenate(parts)
        learnt[out] = logistic(features, np.arange(len(features)) < len(parts[0]))
    raw = Judge(fold, learnt, np.zeros(_FOLDS))
    in_real, alike = (_top(raw, side, len(each)) for side in sides)
    threshold = np.zeros(_FOLDS)
    for out in range(_FOLDS):
        others = trusted & (fold != out)
        asked = max(_threshold(in_real[others], times), _quantile(alike[others], 1 - _TAIL))
        # Where no text comes near any item, one that does must at least be as likely as not.
        threshold[out] = asked if np.isfinite(asked) else 0.0
    made = Judge(fold, learnt, threshold)
    return replace(
        made,
        found=int((made.score(own) > 0).sum()),
        planted=int(usable.sum()),
        alike=(alike > threshold[fold]) & trusted,
        usual=_quantile((in_real - threshold[fold])[trusted], 1 - _TAIL)
        + _slope(in_real[trusted]) * math.log(times),
    )


def _top(raw: Judge, side: Near, items: int) -> Floats:
    """Best score of each item; minus infinity where nothing came near it."""
    scores = raw.score(side)
    best = _best(side.item, scores)
    top = np.full(items, -np.inf)
    top[side.item[best]] = scores[best]
    return top


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

    The tail is taken from between two quantiles: a few items at the top may really have been found, and must
    not raise the threshold above all others.

    Args:
        best: Best score of each clean item; minus infinity where nothing came near it.
    Source: exponential tail above a high quantile, Pickands 1975, Annals of Statistics 3, 119-131.
    """
    low = _quantile(best, 1 - _TAIL)
    if not np.isfinite(low):
        return _quantile(best, 1 - _TOP)
    return low + _slope(best) * max(math.log(_TAIL * times / _AIMED), 0.0)


def _slope(best: Floats) -> float:
    """How much higher the tail of scores reaches for each factor e in rarity; 0 where there is no tail."""
    low, high = _quantile(best, 1 - _TAIL), _quantile(best, 1 - _TOP)
    return (high - low) / math.log(_TAIL / _TOP) if np.isfinite(low) else 0.0


def _quantile(values: Floats, share: float) -> float:
    return float(np.quantile(values, share, method="inverted_cdf"))
