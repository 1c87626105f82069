"""Equivalence, detectable effects and many tests at once."""

import numpy as np
import pytest

from assay.stats import decisions


def test_equivalence_needs_all_draws_within_the_margin() -> None:
    draws = np.random.default_rng(0).normal(0.0, 0.002, size=5000)
    assert decisions.equivalence(draws, 0.01) < 0.001
    assert decisions.equivalence(draws + 0.01, 0.01) > 0.4


def test_detectable_effect_is_the_textbook_one() -> None:
    assert decisions.detectable_effect(1.0) == pytest.approx(2.8016, abs=1e-4)


def test_error_bounds_hold_the_error_and_shrink_with_seeds() -> None:
    few, many = decisions.error_bounds(1.0, 5), decisions.error_bounds(1.0, 50)
    assert few[0] < many[0] < 1 < many[1] < few[1]
