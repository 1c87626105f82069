"""What the phrases found in rows add up to: the groups that each row speaks of, and its words of praise and blame."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def group_bits(row, group, theme_of, rows):  # type: ignore[no-untyped-def]
    """Groups that each row mentions, and those with more mentions than all others of their theme together.

    Args:
        row, group: As in `Found`; a group of no theme does not count.
        theme_of: Theme of each group, shape (groups,).
    Returns: Bits, shape (2, rows, groups / 8).
    """
    bits = np.zeros((2, rows, -(-len(theme_of) // 8)), np.uint8)
    of_group = np.zeros(len(theme_of), np.int64)
    of_theme = np.zeros(theme_of.max() + 1 if len(theme_of) else 0, np.int64)
    first = 0
    while first < len(row):
        last = first
        while last < len(row) and row[last] == row[first]:
            if group[last] < len(theme_of):
                of_group[group[last]] += 1
                of_theme[theme_of[group[last]]] += 1
            last += 1
        for each in group[first:last]:
            if each < len(theme_of):
                bit = np.uint8(1 << (each & 7))
                bits[0, row[first], each >> 3] |= bit
                if 2 * of_group[each] > of_theme[theme_of[each]]:
                    bits[1, row[first], each >> 3] |= bit
        for each in group[first:last]:
            if each < len(theme_of):
                of_group[each] = of_theme[theme_of[each]] = 0
        first = last
    return bits


@numba.njit(nogil=True, cache=True)
def praise(row, group, first, words, rows, positive, negative, negator, reach):  # type: ignore[no-untyped-def]
    """Words of praise, and words of praise or blame, in each row; shape (2, rows).

    Args:
        row, group, first, words: As in `Found`.
        positive, negative, negator: Which groups these are; no other counts.
        reach: A negator turns round what stands fewer words than this behind its end.
    """
    counts = np.zeros((2, rows), np.int64)
    ends, begun = np.empty(len(row), np.int64), 0  # of the row's negators, in order
    at_row, ended = -1, 0
    for each in range(len(row)):
        if row[each] != at_row:
            at_row, begun, ended = row[each], 0, 0
        if group[each] == negator:
            ends[begun] = first[each] + words[each]
            begun += 1
        elif group[each] == positive or group[each] == negative:
            while ended < begun and ends[ended] <= first[each]:
                ended += 1
            negated = ended > 0 and first[each] - ends[ended - 1] < reach
            counts[0, at_row] += (group[each] == positive) != negated
            counts[1, at_row] += 1
    return counts
