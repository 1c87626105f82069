"""The smallest share of real rows that keeps a recursion from harm, found by halving, not by a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.forecast.curves import Curves
from assay.forecast.regimes import Regime
from assay.forecast.simulate import Simulation
from assay.stats.bootstrap import interval
from assay.stats.collapse import crossing

HALVINGS = 5  # recursions that the search runs at most
_FINEST = 0.03  # shares that are no farther apart are not halved


@dataclass(frozen=True)
class SafeShare:
    """What halving found.

    Attributes:
        tried: Shares that were run, ascending.
        growth: Largest mean change of the loss at each of them, shape (tried,).
    """

    value: float
    low: float
    high: float
    tried: tuple[float, ...]
    growth: npt.NDArray[np.float64]


def safe_share(
    simulation: Simulation, rounds: int, margin: float, level: float, also: tuple[float, ...] = ()
) -> SafeShare:
    """Share of the start's real rows, kept in every generation, that holds the loss within the margin.

    All real rows are safe by construction, for then nothing changes. Each share asked is a whole recursion; the interval
    is that of the crossing of the line through all of them.

    Args:
        also: Shares that were run anyway.
    """
    tried = {0.0, *also}
    changes = _worst(simulation, sorted(tried), rounds)
    safe, unsafe = 1.0, 0.0
    for share, (growth, _) in changes.items():
        safe, unsafe = _narrowed(share, growth, margin, safe, unsafe)
    for _ in range(HALVINGS):
        share = round((safe + unsafe) / 2, 2)
        if changes[0.0][0] <= margin or safe - unsafe <= _FINEST or share in tried:
            break
        tried.add(share)
        changes = _worst(simulation, sorted(tried), rounds)
        safe, unsafe = _narrowed(share, changes[share][0], margin, safe, unsafe)
    shares = np.array([*sorted(tried), 1.0])
    values = np.array([*(changes[share][0] for share in sorted(tried)), 0.0])
    draws = np.column_stack([*(changes[share][1] for share in sorted(tried)), np.zeros(len(changes[0.0][1]))])
    low, high = interval(crossing(shares, draws, margin), level)
    value = float(crossing(shares, values[None], margin)[0])
    return SafeShare(value, min(low, value), max(high, value), tuple(sorted(tried)), values[:-1])


def _narrowed(share: float, growth: float, margin: float, safe: float, unsafe: float) -> tuple[float, float]:
    return (min(safe, share), unsafe) if growth <= margin else (safe, max(unsafe, share))


def _worst(
    simulation: Simulation, shares: list[float], rounds: int
) -> dict[float, tuple[float, npt.NDArray[np.float64]]]:
    """The change at the generation where it is largest on average, and its draws, of each share."""
    regimes = [Regime("mixed", share) if share else Regime("replace") for share in shares]
    curves = Curves(simulation, simulation.run(regimes, rounds))
    found = {}
    for place, share in enumerate(shares):
        change = curves.change(place)
        worst = int(change.value.argmax())
        found[share] = (float(change.value[worst]), change.draws[:, worst])
    return found
