"""Every n-gram of a set of token rows, found once: a trie in breadth-first order, with links to suffixes."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError

Nodes = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

ROOT = 0
ABSENT = -1


@dataclass(frozen=True)
class Trie:
    """The n-grams up to an order, numbered so that those of one length, and the children of one, lie together.

    Node 0 is the empty n-gram; node `1 + id` is the token `id` alone, whether it occurs or not.

    Attributes:
        levels: First node of each length, shape (order + 2,): n-grams of length n are ``levels[n]`` up to
            ``levels[n + 1]``.
        children: First child of each node that may have any, ascending; a node's children end where the next
            node's begin, shape (levels[order] + 1,).
        tokens: Last token of each node, ascending among siblings, shape (nodes,).
        suffixes: Node of the same n-gram without its first token, shape (nodes,).
    """

    levels: Offsets
    children: Nodes
    tokens: Nodes
    suffixes: Nodes

    @property
    def order(self) -> int:
        """Longest n-gram."""
        return len(self.levels) - 2

    @property
    def vocabulary(self) -> int:
        """Number of token ids."""
        return int(self.levels[2] - self.levels[1])

    def locate(self, tokens: Nodes, offsets: Offsets) -> Nodes:
        """The n-grams that end at each token of other rows.

        Returns: Node of the n-gram of each length 0 to order, `ABSENT` where the trie has none or it would
            begin before its row, shape (tokens, order + 1).
        """
        out: Nodes = _locate(self.children, self.tokens, tokens, offsets, self.order)
        return out


def build_trie(tokens: Nodes, offsets: Offsets, vocabulary: int, order: int) -> tuple[Trie, Nodes]:
    """Find all n-grams of the rows, by one counting sort for each length.

    Args:
        tokens: Rows end to end, each id below `vocabulary`.
        offsets: Row i is ``tokens[offsets[i]:offsets[i + 1]]``, shape (rows + 1,).
    Returns: the trie, and the longest n-gram that ends at each token and lies within its row, shape (tokens,).
    Raises: InputError: more tokens than the trie can number.
    """
    if len(tokens) * order + vocabulary >= np.iinfo(np.int32).max:
        raise InputError(f"{len(tokens):,} tokens are too many for n-grams of order {order}")
    places = np.empty(len(tokens), np.int32)
    _place(offsets, places)
    by_token = _sorted_by(tokens, np.arange(len(tokens), dtype=np.int32), 0, vocabulary)
    levels = np.zeros(order + 2, np.int64)
    levels[1], levels[2] = 1, 1 + vocabulary
    last = [np.zeros(1, np.int32), np.arange(vocabulary, dtype=np.int32)]
    suffix = [np.zeros(1 + vocabulary, np.int32)]
    first_child = [np.ones(1, np.int32)]
    longest = tokens + np.int32(1)
    ending = longest.copy()
    for length in range(2, order + 1):
        start, stop = int(levels[length - 1]), int(levels[length])
        ordered = _sorted_by_prefix(ending, by_token, places, length, start, stop - start)
        node_tokens, node_suffixes, children, ending = _level(tokens, ending, ordered, start, stop)
        last.append(node_tokens)
        suffix.append(node_suffixes)
        first_child.append(children)
        levels[length + 1] = stop + len(node_tokens)
        _extend(places, length, ending, longest)
    first_child.append(np.array([levels[-1]], np.int32))
    trie = Trie(levels, np.concatenate(first_child), np.concatenate(last), np.concatenate(suffix))
    return trie, longest


@numba.njit(nogil=True, cache=True)
def _place(offsets, places):  # type: ignore[no-untyped-def]
    """Position of each token within its row."""
    for row in range(len(offsets) - 1):
        for at in range(offsets[row], offsets[row + 1]):
            places[at] = at - offsets[row]


@numba.njit(nogil=True, cache=True)
def _sorted_by(keys, order, least, number):  # type: ignore[no-untyped-def]
    """The positions of `order`, stably by their keys, which are `least` up to `least + number`."""
    begin = np.zeros(number + 1, np.int64)
    for at in order:
        begin[keys[at] - least + 1] += 1
    begin = np.cumsum(begin)
    out = np.empty(len(order), np.int32)
    for at in order:
        key = keys[at] - least
        out[begin[key]] = at
        begin[key] += 1
    return out


@numba.njit(nogil=True, cache=True)
def _sorted_by_prefix(ending, by_token, places, length, least, number):  # type: ignore[no-untyped-def]
    """Where n-grams of this length end, by the n-gram one token before, then by the token there."""
    begin = np.zeros(number + 1, np.int64)
    found = 0
    for at in range(len(ending)):
        if places[at] >= length - 1:
            begin[ending[at - 1] - least + 1] += 1
            found += 1
    begin = np.cumsum(begin)
    out = np.empty(found, np.int32)
    for at in by_token:
        if places[at] >= length - 1:
            key = ending[at - 1] - least
            out[begin[key]] = at
            begin[key] += 1
    return out


@numba.njit(nogil=True, cache=True)
def _level(tokens, ending, ordered, start, stop):  # type: ignore[no-untyped-def]
    """Number the n-grams of one length.

    Returns tokens and suffixes of the new nodes, the first child of each node `start` up to `stop`, and the
    new node that ends at each token.
    """
    node_tokens = np.empty(len(ordered), np.int32)
    node_suffixes = np.empty(len(ordered), np.int32)
    children = np.empty(stop - start, np.int32)
    out = np.full(len(tokens), ABSENT, np.int32)
    found, parent, token, filled = 0, -1, -1, 0
    for at in ordered:
        if ending[at - 1] != parent or tokens[at] != token:
            if ending[at - 1] != parent:
                parent = ending[at - 1]
                children[filled : parent - start + 1] = stop + found
                filled = parent - start + 1
            token = tokens[at]
            node_tokens[found] = token
            node_suffixes[found] = ending[at]
            found += 1
        out[at] = stop + found - 1
    children[filled:] = stop + found
    return node_tokens[:found].copy(), node_suffixes[:found].copy(), children, out


@numba.njit(nogil=True, cache=True)
def _extend(places, length, ending, longest):  # type: ignore[no-untyped-def]
    for at in range(len(places)):
        if places[at] >= length - 1:
            longest[at] = ending[at]


@numba.njit(nogil=True, cache=True)
def child(children, tokens, node, token):  # type: ignore[no-untyped-def]
    """The child of `node` by `token`, or `ABSENT`."""
    low, high = children[node], children[node + 1]
    stop = high
    while low < high:
        middle = (low + high) >> 1
        if tokens[middle] < token:
            low = middle + 1
        else:
            high = middle
    return low if low < stop and tokens[low] == token else ABSENT


@numba.njit(nogil=True, cache=True)
def _locate(children, node_tokens, tokens, offsets, order):  # type: ignore[no-untyped-def]
    out = np.full((len(tokens), order + 1), ABSENT, np.int32)
    for row in range(len(offsets) - 1):
        for at in range(offsets[row], offsets[row + 1]):
            out[at, 0] = ROOT
            out[at, 1] = 1 + tokens[at]
            for length in range(2, min(order, at - offsets[row] + 1) + 1):
                before = out[at - 1, length - 1]
                if before == ABSENT:
                    break
                # If an n-gram does not occur, none that ends with it does.
                found = child(children, node_tokens, before, tokens[at])
                if found == ABSENT:
                    break
                out[at, length] = found
    return out
