"""Kneser-Ney against its formulas in plain dictionaries, and against NLTK where the two models are the same."""

from __future__ import annotations

import importlib.util
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest

from assay.kernels.gram_trie import build_trie
from assay.kernels.kneser_ney import FALLBACK, _discounts, fit_tables, token_bits

VOCABULARY, BOUNDARY = 12, 11
Row = Sequence[int]


class Formula:
    """Chen & Goodman's interpolated modified Kneser-Ney, straight from the page."""

    def __init__(self, rows: Sequence[Row], times: Sequence[int], order: int) -> None:
        self.order = order
        counts: list[Counter[tuple[int, ...]]] = [Counter() for _ in range(order + 1)]
        for row, number in zip(rows, times, strict=True):
            for _ in range(number):
                for end in range(1, len(row)):
                    # A whole n-gram of the highest order, or what there is at the start of a row.
                    length = min(end + 1, order)
                    counts[length][tuple(row[end + 1 - length : end + 1])] += 1
        for length in range(order - 1, 0, -1):
            for gram in counts[length + 1]:
                counts[length][gram[1:]] += 1
        self.counts = counts
        self.discounts = [
            (0.0, 0.0, 0.0),
            *(self._discounts(counts[length]) for length in range(1, order + 1)),
        ]
        self.followers: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
        for length in range(1, order + 1):
            for gram, count in counts[length].items():
                self.followers[gram[:-1]].append((gram[-1], count))

    @staticmethod
    def _discounts(counts: Counter[tuple[int, ...]]) -> tuple[float, ...]:
        of = Counter(counts.values())
        if not (of[1] and of[2] and of[3]):
            return FALLBACK
        base = of[1] / (of[1] + 2 * of[2])
        found = tuple(size - (size + 1) * base * of[size + 1] / of[size] for size in (1, 2, 3))
        return found if all(0 < value <= size for size, value in enumerate(found, 1)) else FALLBACK

    def chance(self, context: tuple[int, ...], token: int) -> float:
        context = context[max(0, len(context) - self.order + 1) :]
        below = self.chance(context[1:], token) if context else 1 / VOCABULARY
        followers = self.followers[context]
        total = sum(count for _, count in followers)
        if not total:
            return below
        taken = self.discounts[len(context) + 1]
        left = sum(taken[min(count, 3) - 1] for _, count in followers)
        own = sum(count - taken[min(count, 3) - 1] for follower, count in followers if follower == token)
        return (own + left * below) / total


def _rows(number: int, seed: int) -> list[list[int]]:
    """Rows of a skewed chain, some with a boundary inside, as a prompt and its answer have."""
    draw = random.Random(seed)
    rows = []
    for _ in range(number):
        row = [BOUNDARY]
        for _ in range(draw.randrange(1, 14)):
            row.append((row[-1] * 3 + min(draw.randrange(6), draw.randrange(6))) % BOUNDARY)
            if draw.random() < 0.05:
                row.append(BOUNDARY)
        rows.append([*row, BOUNDARY])
    return rows


def _flat(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    tokens = np.array([token for row in rows for token in row], np.int32)
    offsets = np.cumsum([0, *(len(row) for row in rows)])
    predicted = np.ones(len(tokens), bool)
    predicted[offsets[:-1]] = False
    return tokens, offsets, predicted


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_probabilities_are_those_of_the_formula(order: int) -> None:
    rows, items = _rows(60, seed=order), _rows(12, seed=100)
    tokens, offsets, predicted = _flat(rows)
    trie, longest = build_trie(tokens, offsets, VOCABULARY, order)
    times = [at % 3 != 0 for at in range(len(rows))]
    tables = fit_tables(trie, longest, offsets, predicted, np.array(times, np.float32))
    formula = Formula(rows, [int(value) for value in times], order)
    assert np.allclose(tables.discounts, formula.discounts[1:])
    seen, ends, wanted = _flat(items)
    bits = token_bits(tables, trie.locate(seen, ends), wanted, VOCABULARY)
    expected = [
        -np.log2(formula.chance(tuple(row[:at]), row[at])) if at else 0.0
        for row in items
        for at in range(len(row))
    ]
    assert bits == pytest.approx(expected, rel=1e-5)


def test_a_discount_of_exactly_nothing_is_not_believed() -> None:
    # D3+ = 3 - 4 * (4 / 8) * (3 / 2) = 0: a vocabulary all of which is frequent would leave nothing to new words.
    assert _discounts(np.array([4, 2, 2, 3])) == FALLBACK
    assert _discounts(np.array([4, 2, 2, 2])) == (0.5, 0.5, 1.0)


def test_estimated_discounts_are_used_where_counts_allow() -> None:
    tokens, offsets, predicted = _flat(_rows(400, seed=3))
    trie, longest = build_trie(tokens, offsets, VOCABULARY, 4)
    tables = fit_tables(trie, longest, offsets, predicted, np.ones(400, np.float32))
    assert not np.allclose(tables.discounts[-1], FALLBACK)
    first, second, third = tables.discounts[-1]
    assert 0 < first < second < third < 3


@pytest.mark.skipif(importlib.util.find_spec("nltk") is None, reason="the package nltk is not installed")
@pytest.mark.parametrize("order", [2, 3])
def test_perplexity_is_that_of_nltk(order: int) -> None:
    """One long row without boundaries, every token of the vocabulary in it: there the two models are the same.

    NLTK has one discount for all counts, none for single tokens, and no probability for a token that it has not
    seen. With a fixed discount ours leaves single tokens what it takes from them when all of them occur.
    """
    from nltk.lm import KneserNeyInterpolated
    from nltk.util import everygrams

    draw = random.Random(1)
    text = [0]
    while len(text) < 3_000:
        text.append((text[-1] * 7 + min(draw.randrange(40), draw.randrange(40))) % 60)
    train, test = text[:2_700], text[2_700:]
    assert set(train) == set(range(60))
    theirs = KneserNeyInterpolated(order, discount=0.1)
    words = [str(token) for token in train]
    theirs.fit([list(everygrams(words, max_len=order))], vocabulary_text=words)
    grams = [
        tuple(str(token) for token in test[max(0, at - order + 1) : at + 1])
        for at in range(order - 1, len(test))
    ]
    expected = theirs.perplexity(grams)

    tokens, offsets = np.array(train, np.int32), np.array([0, len(train)])
    trie, longest = build_trie(tokens, offsets, 60, order)
    tables = fit_tables(
        trie, longest, offsets, np.ones(len(train), bool), np.ones(1, np.float32), discount=0.1
    )
    asked = np.array(test, np.int32)
    wanted = np.arange(len(test)) >= order - 1
    bits = token_bits(tables, trie.locate(asked, np.array([0, len(test)])), wanted, 60)
    assert 2 ** bits[wanted].mean() == pytest.approx(expected, rel=0.01)
