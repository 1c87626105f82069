"""The line through numbers with errors."""

import numpy as np
import pytest

from assay.stats.trend import change


def test_a_straight_climb_is_read_off_exactly() -> None:
    value, low, high = change(np.array([0.5, 0.6, 0.7, 0.8]), np.full(4, 0.01))
    assert value == pytest.approx(0.3)
    # Slope variance s^2 / sum (x - mean)^2 = 1e-4 / 5, times 3 steps, times 1.96.
    assert high - value == pytest.approx(1.96 * 3 * 0.01 / np.sqrt(5), rel=1e-3)
    assert value - low == pytest.approx(high - value)


def test_only_the_errors_make_the_interval() -> None:
    _, low, high = change(np.array([0.5, 0.5, 0.9, 0.9]), np.full(4, 0.01))
    assert high - low == pytest.approx(2 * 1.96 * 3 * 0.01 / np.sqrt(5), rel=1e-3)


def test_intervals_hold_the_truth() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(500):
        values = np.linspace(0.5, 0.6, 5) + rng.normal(0, 0.02, 5)
        _, low, high = change(values, np.full(5, 0.02))
        held += low <= 0.1 <= high
    assert 0.93 < held / 500 < 0.97
