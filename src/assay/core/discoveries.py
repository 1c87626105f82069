"""Many tests at once: how surprising each p-value still is among the others."""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: call those of at most q discoveries, and of these at most a share q is false on average.

    Source: Benjamini & Hochberg 1995, Journal of the Royal Statistical Society B 57, 289-300.
    """
    total, least = len(p_values), 1.0
    found = [1.0] * total
    order = sorted(range(total), key=lambda index: p_values[index], reverse=True)
    for rank, index in zip(range(total, 0, -1), order, strict=True):
        least = min(least, p_values[index] * total / rank)
        found[index] = least
    return found
