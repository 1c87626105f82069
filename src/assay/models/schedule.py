"""When a training sees which row, and how large its steps are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_WARM_UP = 0.1  # share of the steps over which the learning rate rises


def schedule(weights: npt.NDArray[np.float32], epochs: int, seed: int) -> npt.NDArray[np.int64]:
    """Rows in the order in which an arm sees them, epoch after epoch.

    A row of weight w is seen w times an epoch: after e epochs e * w times, rounded up or down by a draw of its own,
    and the draws are spread evenly. Draws and places in the order depend on seed and row alone, so arms of
    one seed see the rows they share alike.
    """
    rng = np.random.default_rng(seed)
    rows = len(weights)
    draws = (rng.permutation(rows) + rng.random()) / max(rows, 1)
    exact = weights.astype(np.float64)
    seen = np.floor(draws).astype(np.int64)
    order = []
    for epoch in range(1, epochs + 1):
        until = np.floor(epoch * exact + draws).astype(np.int64)
        copies = np.repeat(np.arange(rows), until - seen)
        nth = np.arange(len(copies)) - np.repeat(np.cumsum(until - seen) - (until - seen), until - seen)
        # Copies of a row lie apart: each goes a golden section further round the epoch.
        places = (rng.random(rows)[copies] + nth * 0.6180339887) % 1
        order.append(copies[np.argsort(places, kind="stable")])
        seen = until
    return np.concatenate(order)


def height(step: int, steps: int) -> float:
    """The learning rate of a step as a share of its highest: up over the first tenth, then down to zero."""
    warm = max(1, round(_WARM_UP * steps))
    return (step + 1) / warm if step < warm else (steps - step) / (steps - warm + 1)
