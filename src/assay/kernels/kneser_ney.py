"""Interpolated modified Kneser-Ney over a trie that many trainings share: weights of rows in, probabilities out."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.gram_trie import ABSENT, ROOT, Nodes, Offsets, Trie

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

# Where the counts of counts decide no discount (very little text, or a vocabulary all of which is frequent).
FALLBACK = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class Tables:
    """One trained model: how each n-gram shares its context's mass, and what each context leaves to shorter ones.

    The probability of a token after a context is ``shares[n-gram] + backoffs[context] * (its probability after
    the context without its first token)``; below the empty context all tokens are alike.

    Attributes:
        shares: Discounted share of each node among its siblings, shape (nodes,).
        backoffs: Mass that each node leaves, 1 where nothing follows it, shape (inner nodes,).
        discounts: Taken from counts of one, two, and three or more, of each length, shape (order, 3).
        updates: Additions to tables that the training took: one for each token, one for each n-gram it holds.
    """

    shares: Floats
    backoffs: Floats
    discounts: Doubles
    updates: int


def fit_tables(
    trie: Trie,
    longest: Nodes,
    offsets: Offsets,
    learned: npt.NDArray[np.bool_],
    weights: Floats,
    discount: float | None = None,
) -> Tables:
    """Train on weighted rows of the trie's text.

    Only the longest n-grams, and those that begin a row, count how often they occur; shorter ones count the
    different tokens that they follow. A row weighs in the counts, not in what counts as seen once or twice:
    of an n-gram that occurs k times with a total weight of c, ``c * (k - discount of k) / k`` is left. So
    whole weights of one are the textbook's model, and to count every row twice changes nothing.

    Args:
        longest, offsets: As `build_trie` returned and took them.
        learned: Tokens that are predicted; others are context only, shape (tokens,).
        weights: Not negative, shape (rows,).
        discount: One discount for all counts in place of the estimated ones.
    Source: Chen & Goodman 1999, An empirical study of smoothing techniques for language modeling, Computer
        Speech & Language 13, 359-394 (equation for D1, D2, D3+); Kneser & Ney 1995 (continuation counts).
    """
    positive = weights[weights > 0]
    alike = len(positive) == 0 or positive.min() == positive.max()
    # A mean of one keeps the counts of row starts on the scale of the continuation counts beside them.
    scaled = weights if alike else weights / np.float32(positive.mean())
    seen, weighed, updates = _count(
        trie.levels, trie.suffixes, longest, offsets, learned, scaled.astype(np.float32), not alike
    )
    discounts = np.empty((trie.order, 3))
    for length in range(1, trie.order + 1):
        times = _times_seen(seen, trie.levels[length], trie.levels[length + 1])
        discounts[length - 1] = _discounts(times) if discount is None else discount
    backoffs, shares = _share(trie.levels, trie.children, seen, weighed, discounts)
    return Tables(shares, backoffs, discounts, int(updates))


def token_bits(tables: Tables, located: Nodes, wanted: npt.NDArray[np.bool_], vocabulary: int) -> Floats:
    """Bits of each wanted token given those before it, 0 for the others, shape (tokens,).

    Args:
        located: From `Trie.locate`; the first token of a row is never wanted.
    """
    out: Floats = _bits(tables.shares, tables.backoffs, located, wanted, vocabulary)
    return out


def node_chances(trie: Trie, tables: Tables) -> Doubles:
    """Probability of the last token of each node after the tokens before it, shape (nodes,)."""
    out: Doubles = _chances(
        trie.levels, trie.children, trie.suffixes, tables.shares, tables.backoffs, trie.vocabulary
    )
    return out


def _discounts(times: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """D1, D2 and D3+ from how many n-grams occur once to four times."""
    once, twice, thrice, four = (float(value) for value in times)
    if not (once and twice and thrice):
        return FALLBACK
    base = once / (once + 2 * twice)
    found = (1 - 2 * base * twice / once, 2 - 3 * base * thrice / twice, 3 - 4 * base * four / thrice)
    # Outside this range the estimate is noise of few counts: a discount may not exceed what it is taken from, and one of
    # nothing leaves nothing to what was never seen.
    return found if all(0 < value <= most for most, value in enumerate(found, 1)) else FALLBACK


@numba.njit(nogil=True, cache=True)
def _count(levels, suffixes, longest, offsets, learned, weights, weighted):  # type: ignore[no-untyped-def]
    """How often each node counts, what it weighs (empty unless `weighted`), and additions made."""
    nodes = levels[-1]
    order = len(levels) - 2
    seen = np.zeros(nodes, np.int32)
    weighed = np.zeros(nodes if weighted else 0, np.float32)
    updates = 0
    for row in range(len(weights)):
        if weights[row] == 0:
            continue
        for at in range(offsets[row] + 1, offsets[row + 1]):
            if learned[at]:
                seen[longest[at]] += 1
                if weighted:
                    weighed[longest[at]] += weights[row]
                updates += 1
    for length in range(order, 1, -1):
        for node in range(levels[length], levels[length + 1]):
            if seen[node] > 0:
                seen[suffixes[node]] += 1
                if weighted:
                    weighed[suffixes[node]] += np.float32(1)
                updates += 1
    return seen, weighed, updates


@numba.njit(nogil=True, cache=True)
def _times_seen(seen, start, stop):  # type: ignore[no-untyped-def]
    """How many nodes count once, twice, thrice and four times."""
    times = np.zeros(4, np.int64)
    for node in range(start, stop):
        if 0 < seen[node] <= 4:
            times[seen[node] - 1] += 1
    return times


@numba.njit(nogil=True, cache=True)
def _share(levels, children, seen, weighed, discounts):  # type: ignore[no-untyped-def]
    inner = len(children) - 1
    backoffs = np.ones(inner, np.float32)
    shares = np.zeros(len(seen), np.float32)
    length = 1
    for context in range(inner):
        first, last = children[context], children[context + 1]
        if first == last:
            continue
        while first >= levels[length + 1]:
            length += 1
        total = kept = 0.0
        for node in range(first, last):
            count = seen[node]
            if count == 0:
                continue
            weight = np.float64(weighed[node]) if len(weighed) else np.float64(count)
            left = weight * (1 - min(discounts[length - 1, min(count, 3) - 1] / count, 1.0))
            total += weight
            kept += left
            shares[node] = left
        if total > 0:
            for node in range(first, last):
                shares[node] /= total
            backoffs[context] = 1 - kept / total
    return backoffs, shares


@numba.njit(nogil=True, cache=True)
def _bits(shares, backoffs, located, wanted, vocabulary):  # type: ignore[no-untyped-def]
    out = np.zeros(len(wanted), np.float32)
    order = located.shape[1] - 1
    for at in range(len(wanted)):
        if not wanted[at]:
            continue
        chance = 1.0 / vocabulary
        for length in range(1, order + 1):
            context = located[at - 1, length - 1]
            if context == ABSENT:
                break
            chance *= backoffs[context]
            node = located[at, length]
            if node != ABSENT:
                chance += shares[node]
        out[at] = -np.log2(chance)
    return out


@numba.njit(nogil=True, cache=True)
def _chances(levels, children, suffixes, shares, backoffs, vocabulary):  # type: ignore[no-untyped-def]
    out = np.empty(levels[-1], np.float64)
    out[ROOT] = 1.0 / vocabulary  # stands for what lies below the empty context
    for context in range(len(backoffs)):
        for node in range(children[context], children[context + 1]):
            out[node] = shares[node] + backoffs[context] * out[suffixes[node]]
    return out
