"""The small logistic regression, against scikit-learn's and on data it must not choke on."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from assay.stats.intervals import binomial
from assay.stats.logistic import logistic


def test_it_finds_what_scikit_learn_finds() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 3)) * [1, 10, 0.1] + [0, 5, 1]
    hits = rng.random(500) < 1 / (1 + np.exp(-(features[:, 0] - 0.2 * (features[:, 1] - 5))))
    spread = features.std(axis=0)
    known = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(features / spread, hits)
    found = logistic(features, hits)
    np.testing.assert_allclose(found[1:] * spread, known.coef_[0], rtol=1e-3, atol=1e-4)
    assert found[0] == pytest.approx(known.intercept_[0], abs=1e-3)


def test_separable_and_constant_columns_stay_finite() -> None:
    hits = np.arange(40) < 20
    found = logistic(np.column_stack([hits.astype(float), np.ones(40)]), hits)
    assert np.isfinite(found).all()
    assert found[1] > 0
    assert found[2] == 0


def test_the_exact_binomial_interval() -> None:
    assert binomial(0, 164) == pytest.approx((0.0, 0.0, 1 - 0.025 ** (1 / 164)))
    share, low, high = binomial(5, 10)
    assert (share, low, high) == pytest.approx((0.5, 0.187, 0.813), abs=1e-3)
    assert binomial(10, 10)[2] == 1.0
    assert binomial(0, 0) == (0.0, 0.0, 1.0)
