"""Intervals over buckets of kin rows."""

import numpy as np
import pytest

from assay.core.errors import InputError
from assay.stats.intervals import Floats, jackknife, share


def ratio(tally: Floats) -> float:
    return float(tally[0] / tally[1])


def test_jackknife_of_a_mean_is_the_students_t_interval() -> None:
    # With one row a bucket, the jackknife of a mean is the textbook t interval: mean 3, sd/sqrt(5) = 0.7071.
    tallies = np.column_stack([np.arange(1.0, 6.0), np.ones(5)])
    value, low, high = jackknife(tallies, ratio, 0.95)
    assert value == 3.0
    assert (low, high) == pytest.approx((3 - 2.7764 * 0.70711, 3 + 2.7764 * 0.70711), abs=1e-4)


def test_empty_buckets_change_nothing() -> None:
    tallies = np.array([[1, 4], [2, 5], [0, 3]])
    assert jackknife(tallies, ratio) == jackknife(np.vstack([tallies, np.zeros((61, 2))]), ratio)


def test_one_bucket_is_no_interval() -> None:
    with pytest.raises(InputError, match="two independent roots"):
        jackknife(np.array([[1, 2], [0, 0]]), ratio)


def test_a_vanishing_denominator_is_refused() -> None:
    with pytest.raises(InputError, match="not finite"), np.errstate(divide="ignore", invalid="ignore"):
        jackknife(np.array([[1, 1], [1, 0]]), lambda tally: float(np.divide(tally[0], tally[1])))


def test_share_of_nothing_found_still_has_width() -> None:
    # The exact upper bound for 0 of 6400 is close to 3.7 / n, a little above for 64 buckets.
    value, low, high = share(np.zeros(64), np.full(64, 100))
    assert (value, low) == (0.0, 0.0)
    assert 3.6 / 6400 < high < 4.0 / 6400


def test_kin_rows_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    alone = rng.binomial(100, 0.2, size=64)
    together = 10 * rng.binomial(10, 0.2, size=64)
    rows = np.full(64, 100)
    narrow, wide = share(alone, rows), share(together, rows)
    assert wide[2] - wide[1] > 2 * (narrow[2] - narrow[1])
