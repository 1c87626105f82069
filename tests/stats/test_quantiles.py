"""Quantiles against scipy.stats, which is another implementation of the same."""

import pytest
from scipy import stats

from assay.stats import quantiles


@pytest.mark.parametrize("p", [0.0005, 0.025, 0.5, 0.8, 0.975, 0.9999])
def test_quantiles_are_those_of_scipy(p: float) -> None:
    assert quantiles.normal(p) == pytest.approx(stats.norm.ppf(p), abs=1e-12)
    for freedom in (1, 4.5, 63):
        assert quantiles.student(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), rel=1e-9, abs=1e-12)
        assert quantiles.chi_square(p, freedom) == pytest.approx(stats.chi2.ppf(p, freedom), rel=1e-9)
    for above, below in ((0.5, 3.0), (12.0, 400.0), (1.0, 1.0)):
        assert quantiles.beta(p, above, below) == pytest.approx(stats.beta.ppf(p, above, below), rel=1e-9)
