"""Kneser-Ney tables at another temperature: every distribution raised to a power, exactly and in one pass."""

from __future__ import annotations

import numba
import numpy as np

from assay.kernels.gram_trie import ROOT, Nodes, Trie
from assay.kernels.kneser_ney import Tables, node_chances


def tempered(trie: Trie, tables: Tables, temperature: float) -> Tables:
    """The model whose every distribution is that of `tables` raised to ``1 / temperature``, exactly.

    With interpolation no n-gram is less likely than what its context leaves to the shorter one, so the
    powers are again a share of the n-gram's own plus a factor times the shorter context's power: the tempered
    model has the form of the plain one and is drawn from in the same way.

    Args:
        temperature: Above 0.
    """
    shares, backoffs = _tempered(
        trie.children,
        trie.suffixes,
        tables.shares,
        tables.backoffs,
        node_chances(trie, tables),
        1 / temperature,
        trie.vocabulary,
    )
    return Tables(shares, backoffs, tables.discounts, tables.updates)


def likeliest(trie: Trie, tables: Tables) -> Nodes:
    """The likeliest next token after each node that may have children, shape (inner nodes,)."""
    out: Nodes = _likeliest(
        trie.children,
        trie.tokens,
        trie.suffixes,
        tables.backoffs,
        node_chances(trie, tables),
        1 / trie.vocabulary,
    )
    return out


@numba.njit(nogil=True, cache=True)
def _tempered(children, suffixes, shares, backoffs, chances, power, vocabulary):  # type: ignore[no-untyped-def]
    inner = len(backoffs)
    new_shares = np.zeros(len(shares), np.float32)
    new_backoffs = np.ones(inner, np.float32)
    # Powers are taken of chances over the context's largest, so that no temperature makes them all vanish.
    largest = np.empty(inner, np.float64)
    totals = np.empty(inner, np.float64)
    for context in range(inner):
        first, last = children[context], children[context + 1]
        if context == ROOT:
            below, total = 1.0 / vocabulary, np.float64(vocabulary)
        else:
            below, total = largest[suffixes[context]], totals[suffixes[context]]
        left = backoffs[context]
        top = left * below
        for node in range(first, last):
            if shares[node] > 0:
                top = max(top, chances[node])
        largest[context] = top
        rest = (left * below / top) ** power * total
        whole = rest
        for node in range(first, last):
            if shares[node] > 0:
                whole += (chances[node] / top) ** power - (left * chances[suffixes[node]] / top) ** power
        totals[context] = whole
        new_backoffs[context] = rest / whole
        for node in range(first, last):
            if shares[node] > 0:
                own = (chances[node] / top) ** power - (left * chances[suffixes[node]] / top) ** power
                new_shares[node] = own / whole
    return new_shares, new_backoffs


@numba.njit(nogil=True, cache=True)
def _likeliest(children, tokens, suffixes, backoffs, chances, least):  # type: ignore[no-untyped-def]
    inner = len(backoffs)
    best = np.zeros(inner, np.int32)
    largest = np.empty(inner, np.float64)
    for context in range(inner):
        if context == ROOT:
            token, top = 0, backoffs[ROOT] * least
        else:
            token, top = best[suffixes[context]], backoffs[context] * largest[suffixes[context]]
        for node in range(children[context], children[context + 1]):
            if chances[node] > top:
                token, top = tokens[node], chances[node]
        best[context], largest[context] = token, top
    return best
