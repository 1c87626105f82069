"""Text drawn from Kneser-Ney tables: a token costs a walk down its contexts, never a pass over the vocabulary."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.gram_temperature import likeliest, tempered
from assay.kernels.gram_trie import ABSENT, ROOT, Nodes, Offsets, Trie, child
from assay.kernels.hashing import SEED, mix
from assay.kernels.kneser_ney import Doubles, Tables

_BUCKETS = 1 << 10  # float32 from 0 to 1 by exponent and the first three bits of the mantissa
_TIE = 1 - 1e-6


class Drawer:
    """Draws texts from one trained model.

    Args:
        temperature: Divides the logits; 0 takes the likeliest token.
        top_p: Only the likeliest tokens that together hold this mass; tokens as likely as the last one stay in.
    Source: Holtzman et al. 2020, The curious case of neural text degeneration (`top_p`).
    """

    def __init__(self, trie: Trie, tables: Tables, temperature: float, top_p: float) -> None:
        self.trie = trie
        self.top_p = top_p
        self.greedy = likeliest(trie, tables) if temperature == 0 else np.zeros(0, np.int32)
        self.tables = tables if temperature in (0, 1) else tempered(trie, tables, temperature)
        self.sums = _running(trie.children, self.tables.shares)
        # The least chance within the nucleus of each context, found when a text first comes there.
        self.least = np.full(len(self.tables.backoffs) if top_p < 1 else 0, -1, np.float32)
        self.alone = unigrams(trie, self.tables)

    def draw(
        self, starts: Nodes, seeds: npt.NDArray[np.uint64], boundary: int, most: int
    ) -> tuple[Nodes, Offsets]:
        """One text from each start.

        Args:
            starts: The node of what comes before each text, shape (texts,).
            seeds: Of each text, shape (texts,); a text depends on no other.
            boundary: The token that ends a text and is not part of it.
            most: Tokens after which a text ends in any case.
        Returns: tokens end to end, and where each text begins, shape (texts + 1,).
        """
        trie, tables = self.trie, self.tables
        tokens, lengths = _draw(
            trie.levels,
            trie.children,
            trie.tokens,
            trie.suffixes,
            tables.shares,
            tables.backoffs,
            self.sums,
            self.greedy,
            self.least,
            self.alone,
            self.top_p,
            starts,
            seeds,
            boundary,
            most,
        )
        return tokens, np.concatenate([np.zeros(1, np.int64), lengths.cumsum()])


def unigrams(trie: Trie, tables: Tables) -> Doubles:
    """Probability of each token after nothing, shape (vocabulary,)."""
    first, last = trie.levels[1], trie.levels[2]
    out: Doubles = tables.shares[first:last].astype(np.float64) + tables.backoffs[ROOT] / trie.vocabulary
    return out


@numba.njit(nogil=True, cache=True)
def _running(children, shares):  # type: ignore[no-untyped-def]
    """Running sums of the shares among siblings, shape (nodes,)."""
    sums = np.zeros(len(shares), np.float32)
    for context in range(len(children) - 1):
        total = 0.0
        for node in range(children[context], children[context + 1]):
            total += shares[node]
            sums[node] = total
    return sums


@numba.njit(nogil=True, cache=True)
def advance(levels, children, tokens, suffixes, state, token, known, below):  # type: ignore[no-untyped-def]
    """The longest n-gram of the trie that ends with `token` after `state` and can be a context.

    Args:
        known, below: A context that ends `state`, and its child by the token, so that it need not be sought there.
    """
    order = len(levels) - 2
    node = ABSENT
    while state != known and node == ABSENT:
        node = child(children, tokens, state, token)
        state = suffixes[state]
    if node == ABSENT:
        node = below
    return suffixes[node] if node >= levels[order] else node


@numba.njit(nogil=True, cache=True)
def _pick(children, suffixes, backoffs, sums, state, uniform, vocabulary):  # type: ignore[no-untyped-def]
    """The context that decides, and the node below it whose last token is drawn after `state`."""
    while True:
        left = np.float64(backoffs[state])
        first, stop = children[state], children[state + 1]
        if uniform >= left and stop > first and sums[stop - 1] > 0:
            end = sums[stop - 1]
            target = np.float32((uniform - left) / (1 - left) * end)
            low, high = first, stop - 1
            # The first whose sum exceeds the target; where rounding leaves none, the first that reaches the end.
            strict = target < end
            while low < high:
                middle = (low + high) >> 1
                if sums[middle] > target or (not strict and sums[middle] >= end):
                    high = middle
                else:
                    low = middle + 1
            return state, low
        uniform = min(uniform / left, 1 - 1e-16)
        if state == ROOT:
            # Below the empty context all tokens are alike, and each has its node there.
            return state, children[ROOT] + np.int32(uniform * vocabulary)
        state = suffixes[state]


@numba.njit(nogil=True, cache=True)
def chance_after(children, tokens, suffixes, shares, backoffs, state, token, vocabulary):  # type: ignore[no-untyped-def]
    """Probability of `token` after `state`."""
    chance, left = 0.0, 1.0
    while True:
        node = child(children, tokens, state, token)
        if node != ABSENT:
            chance += left * shares[node]
        left *= backoffs[state]
        if state == ROOT:
            return chance + left / vocabulary
        state = suffixes[state]


@numba.njit(nogil=True, cache=True)
def chances_after(children, tokens, suffixes, shares, backoffs, alone, state, out):  # type: ignore[no-untyped-def]
    """Write the probability of every token after `state` to `out`, shape (vocabulary,)."""
    left = 1.0
    context = state
    while context != ROOT:
        left *= backoffs[context]
        context = suffixes[context]
    for token in range(len(out)):
        out[token] = left * alone[token]
    left, context = 1.0, state
    while context != ROOT:
        for node in range(children[context], children[context + 1]):
            out[tokens[node]] += left * shares[node]
        left *= backoffs[context]
        context = suffixes[context]


@numba.njit(nogil=True, cache=True)
def _least_within(chances, top_p, mass):  # type: ignore[no-untyped-def]
    """The least of the likeliest chances that together reach `top_p`; `mass` is room for the buckets."""
    bits = chances.view(np.int32)
    mass[:] = 0
    for token in range(len(chances)):
        mass[bits[token] >> 20] += chances[token]
    total = 0.0
    bucket = len(mass) - 1
    while bucket > 0 and total + mass[bucket] < top_p:
        total += mass[bucket]
        bucket -= 1
    while bucket > 0 and mass[bucket] == 0:
        bucket -= 1
    number = 0
    for token in range(len(chances)):
        number += bits[token] >> 20 == bucket
    within = np.empty(number, np.float32)
    number = 0
    for token in range(len(chances)):
        if bits[token] >> 20 == bucket:
            within[number] = chances[token]
            number += 1
    within.sort()
    for at in range(len(within) - 1, -1, -1):
        total += within[at]
        if total >= top_p:
            return within[at]
    return within[0]


@numba.njit(nogil=True, cache=True)
def _draw(  # type: ignore[no-untyped-def]
    levels,
    children,
    tokens,
    suffixes,
    shares,
    backoffs,
    sums,
    greedy,
    least,
    alone,
    top_p,
    starts,
    seeds,
    boundary,
    most,
):
    vocabulary = len(alone)
    out = np.empty(1024, np.int32)
    lengths = np.zeros(len(starts), np.int64)
    chances = np.empty(vocabulary, np.float32)
    mass = np.empty(_BUCKETS, np.float64)
    written = 0
    for text in range(len(starts)):
        state = starts[text]
        random = seeds[text]
        if written + most > len(out):
            room = np.empty(max(2 * len(out), written + most), np.int32)
            room[:written] = out[:written]
            out = room
        for _ in range(most):
            if len(greedy):
                token = greedy[state]
                context, node = ROOT, children[ROOT] + token
            else:
                if len(least) and least[state] < 0:
                    chances_after(children, tokens, suffixes, shares, backoffs, alone, state, chances)
                    least[state] = _least_within(chances, top_p, mass)
                while True:
                    random += SEED
                    uniform = np.float64(mix(random) >> np.uint64(11)) * 2.0**-53
                    context, node = _pick(children, suffixes, backoffs, sums, state, uniform, vocabulary)
                    token = tokens[node]
                    if len(least) == 0:
                        break
                    chance = chance_after(
                        children, tokens, suffixes, shares, backoffs, state, token, vocabulary
                    )
                    if chance >= least[state] * _TIE:
                        break
            if token == boundary:
                break
            out[written] = token
            written += 1
            lengths[text] += 1
            state = advance(levels, children, tokens, suffixes, state, token, context, node)
    return out[:written].copy(), lengths
