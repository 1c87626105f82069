"""Reading the curves, draw by draw."""

import numpy as np
import pytest

from assay.trial import curves

ROWS = np.array([50.0, 100.0, 200.0, 400.0, 800.0])


def curve(rows: curves.Floats) -> curves.Floats:
    return np.asarray(0.5 + 0.05 * np.log(rows / 50))


@pytest.mark.parametrize("rate", [-0.5, 0.0, 0.3, 1.0, 2.0])
def test_exchange_rate_of_a_known_world(rate: float) -> None:
    real, synthetic = np.array([100.0, 200.0]), np.array([100.0, 100.0])
    scores = curve(real + rate * synthetic)[None]
    found = curves.exchange_rates(ROWS, curve(ROWS)[None], real, synthetic, scores)
    assert found[0] == pytest.approx(rate, abs=0.021)


def test_beyond_the_ladder_nothing_is_extrapolated() -> None:
    real, synthetic = np.array([400.0]), np.array([400.0])
    found = curves.exchange_rates(ROWS, curve(ROWS)[None], real, synthetic, np.array([[0.99]]))
    assert found[0] == pytest.approx(1.0)  # 400 + 1.0 * 400 is the last rung; more is not claimed


def test_rising_pools_what_falls_and_keeps_what_rises() -> None:
    np.testing.assert_allclose(curves.rising(np.array([[1.0, 3.0, 2.0, 4.0]])), [[1, 2.5, 2.5, 4]])


def test_crossing_is_interpolated_and_stays_within_the_places() -> None:
    places = np.array([0.0, 0.5, 1.0])
    gains = np.array([[0.0, 0.01, -0.01], [0.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
    np.testing.assert_allclose(curves.crossing(places, gains, -0.005), [0.875, 1.0, 0.0])


@pytest.mark.parametrize("top", [0.0, 0.4, 1.0])
def test_the_best_place_of_a_hump_is_near_its_top(top: float) -> None:
    places = np.array([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
    assert curves.best_places(places, -((places - top) ** 2)[None]) == pytest.approx([top], abs=0.11)


def test_one_lucky_point_is_not_the_best_place() -> None:
    places = np.array([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
    falling = -0.1 * places
    falling[3] = 0.002
    assert curves.best_places(places, falling[None]) == [0.0]


def test_two_points_have_a_best_place_too() -> None:
    found = curves.best_places(np.array([0.0, 1.0]), np.array([[0.4, 0.5], [0.5, 0.4]]))
    np.testing.assert_array_equal(found, [1.0, 0.0])
