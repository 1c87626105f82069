"""Numbers made of two shares: their intervals hold the truth, and what is missing stays missing."""

from __future__ import annotations

import numpy as np
import pytest

from assay.audit.probe import Found, Kinship, difference, scaled, tallied


def test_errors_of_a_difference_join_as_squares() -> None:
    found = difference(Found(0.5, 0.46, 0.53, 90), Found(0.2, 0.16, 0.23, 90))
    assert found.value == pytest.approx(0.3)
    assert found.low == pytest.approx(0.3 - np.hypot(0.04, 0.03))
    assert found.high == pytest.approx(0.3 + np.hypot(0.03, 0.04))
    assert found.n == 90


def test_what_is_missing_stays_missing() -> None:
    gone, there = Found(missing="no rows"), Found(0.1, 0.0, 0.2)
    assert difference(gone, there).missing == difference(there, gone).missing == "no rows"
    assert scaled(gone, 3).value is None
    tripled = scaled(there, 3)
    assert (tripled.value, tripled.low, tripled.high) == pytest.approx((0.3, 0.0, 0.6))


@pytest.mark.parametrize(
    ("seen", "held", "factor"), [(0.004, 0.004, 1.0), (0.06, 0.02, 3.0), (0.0, 0.0, 2.0)]
)
def test_the_excess_over_a_scaled_hold_out_holds_the_truth(seen: float, held: float, factor: float) -> None:
    """Rows of 150 roots, all rows of a root alike in a third of them: 95 % intervals, 300 times."""
    rng = np.random.default_rng(11)
    kinship = Kinship(np.repeat(rng.integers(0, 2**63, 150).astype(np.uint64), 6))
    kin = np.repeat(rng.random(150) < 1 / 3, 6)
    held_truth = 0
    for _ in range(300):
        hits = []
        for rate in (seen, held):
            alone, together = rng.random(900), np.repeat(rng.random(150), 6)
            hits.append(np.where(kin, together, alone) < rate)
        shares = [tallied(np.column_stack([hit, np.ones(900)]).astype(float), kinship, 0.95) for hit in hits]
        found = difference(shares[0], scaled(shares[1], factor))
        held_truth += found.low <= seen - factor * held <= found.high
    assert held_truth >= 0.93 * 300
