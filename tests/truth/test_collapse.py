"""Recursions that theory has solved, run through the forecast's own regimes."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from assay.forecast.regimes import FRESH, Regime
from assay.forecast.yardsticks import (
    agreement,
    best_weight,
    gaussian_drift,
    gaussian_spread,
    missed,
    mixture_error,
    regression_error,
    selection_threshold,
)
from assay.stats.collapse import fit_shapes

Array = np.ndarray
REPLACE, ACCUMULATE = Regime("replace"), Regime("accumulate")
GENERATIONS = 6


def recursion(
    regime: Regime, start: Array, fit: Callable[[Array], Array], write: Callable[[Array], Array]
) -> list[Array]:
    """What is fitted in each generation; many recursions side by side, samples on axis 1."""
    budget = start.shape[1]
    rng = np.random.default_rng(1)
    sources = [start]
    fitted = [fit(start)]
    for generation in range(1, GENERATIONS):
        sources.append(write(fitted[-1]))
        drawn = regime.draw(generation, budget, 0, rng)
        fitted.append(fit(np.concatenate([sources[source][:, index] for source, index in drawn], axis=1)))
    return fitted


def close(values: Array, expected: float) -> None:
    """Within four standard errors of the mean over the recursions."""
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - expected) < 4 * error, (values.mean(), expected, error)


def test_gaussian_loses_its_spread() -> None:
    rng, samples = np.random.default_rng(0), 20

    def fit(rows: Array) -> Array:
        return np.stack([rows.mean(axis=1), rows.std(axis=1)], axis=1)

    def write(fitted: Array) -> Array:
        return rng.normal(fitted[:, :1], fitted[:, 1:], (len(fitted), samples))

    fitted = recursion(REPLACE, rng.standard_normal((4000, samples)), fit, write)
    for generation, each in enumerate(fitted):
        close(each[:, 1] ** 2, gaussian_spread(generation, samples))


@pytest.mark.parametrize("regime", [REPLACE, ACCUMULATE])
def test_gaussian_mean_wanders_without_bound_only_under_replacement(regime: Regime) -> None:
    rng, samples = np.random.default_rng(0), 25

    def write(fitted: Array) -> Array:
        return rng.normal(fitted[:, None], 1, (len(fitted), samples))

    fitted = recursion(regime, rng.standard_normal((3000, samples)), lambda rows: rows.mean(axis=1), write)
    for generation, each in enumerate(fitted):
        close(each**2, gaussian_drift(generation, samples, accumulate=regime is ACCUMULATE))
    limit = math.pi**2 / 6 / samples
    assert gaussian_drift(100_000, samples, accumulate=True) == pytest.approx(limit, rel=1e-4)
    assert gaussian_drift(9, samples, accumulate=False) == 10 / samples


@pytest.mark.parametrize("regime", [REPLACE, ACCUMULATE])
def test_categorical_law_agrees_with_itself_more_and_more(regime: Regime) -> None:
    rng, samples = np.random.default_rng(0), 30
    law = np.array([0.4, 0.3, 0.15, 0.1, 0.05])

    def fit(rows: Array) -> Array:
        return np.stack([(rows == state).mean(axis=1) for state in range(len(law))], axis=1)

    def write(fitted: Array) -> Array:
        drawn: Array = (rng.random((len(fitted), samples, 1)) > fitted.cumsum(axis=1)[:, None]).sum(axis=2)
        return drawn

    start = write(np.tile(law, (3000, 1)))
    for generation, each in enumerate(recursion(regime, start, fit, write)):
        expected = agreement(generation, samples, (law**2).sum(), accumulate=regime is ACCUMULATE)
        close((each**2).sum(axis=1), expected)


@pytest.mark.parametrize(("regime", "published"), [(REPLACE, 0.1 * 6), (ACCUMULATE, 0.1 * 5369 / 3600)])
def test_linear_regression(regime: Regime, published: float) -> None:
    """Gerstgrasser et al. 2024: T = 111, d = 10, sigma = 1."""
    rng, samples, dimensions, runs = np.random.default_rng(0), 111, 10, 300
    inputs = rng.standard_normal((runs, samples, dimensions))

    def fit(rows: Array) -> Array:
        times = rows.shape[1] // samples
        repeated = np.tile(inputs, (1, times, 1))
        turned = repeated.transpose(0, 2, 1)
        found: Array = np.linalg.solve(turned @ repeated, turned @ rows[..., None])[..., 0]
        return found

    def write(fitted: Array) -> Array:
        drawn: Array = (inputs @ fitted[..., None])[..., 0] + rng.standard_normal((runs, samples))
        return drawn

    fitted = recursion(regime, rng.standard_normal((runs, samples)), fit, write)
    for generation, each in enumerate(fitted):
        expected = regression_error(generation, samples, dimensions, 1.0, accumulate=regime is ACCUMULATE)
        close((each**2).sum(axis=1), expected)
    assert expected == pytest.approx(published)


def test_missed_state() -> None:
    assert missed(0.0005, 1000) == pytest.approx(0.606, abs=5e-4)
    rng = np.random.default_rng(0)
    close((rng.binomial(1000, 0.0005, 20_000) == 0).astype(float), missed(0.0005, 1000))


def test_golden_ratio_weighs_fresh_and_synthetic_samples_best() -> None:
    assert best_weight() == pytest.approx((math.sqrt(5) - 1) / 2)
    for ratio in (0.25, 1.0, 4.0):
        weights = np.linspace(0.01, 0.99, 981)
        errors = [mixture_error(weight, ratio) for weight in weights]
        assert weights[int(np.argmin(errors))] == pytest.approx(best_weight(ratio), abs=2e-3)
    rng, samples = np.random.default_rng(0), 40
    regime = Regime("fresh", 0.5)
    for weight in (0.4, best_weight(), 0.9):
        means = np.zeros(4000)
        for generation in range(1, 25):
            # Half of the budget is fresh, half is written, as in the paper.
            drawn = regime.draw(generation, 2 * samples, 2 * samples, rng)
            lots = {source: len(index) for source, index in drawn}
            assert lots == {FRESH: samples, generation: samples}
            real = rng.standard_normal((4000, samples)).mean(axis=1)
            written = means + rng.standard_normal((4000, samples)).mean(axis=1)
            means = weight * real + (1 - weight) * written
        close(means**2 * samples, mixture_error(weight))


def test_selection_threshold_is_where_what_is_kept_turns_right() -> None:
    """Feng et al. 2024: more right than wrong rows are kept exactly below the threshold."""
    for right, wrong in ((0.8, 0.2), (0.5, 0.5), (0.9, 0.6)):
        threshold = selection_threshold(right, wrong)
        assert threshold == pytest.approx(right / (right + wrong))
        for error, useful in ((threshold - 0.02, True), (threshold + 0.02, False)):
            rng = np.random.default_rng(0)
            is_wrong = rng.random(200_000) < error
            kept = rng.random(200_000) < np.where(is_wrong, wrong, right)
            assert (is_wrong[kept].mean() < 0.5) == useful
    assert selection_threshold(0.7, 0.0) == 1.0
    assert selection_threshold(0.0, 0.7) == 0.0


@pytest.mark.parametrize(("accumulate", "shapes"), [(False, {"linear"}), (True, {"level", "logarithmic"})])
def test_published_regression_curves_have_the_published_shapes(accumulate: bool, shapes: set[str]) -> None:
    """Linear under replacement, bounded where rows accumulate; with errors of a tenth of the first step."""
    curve = np.array([regression_error(each, 111, 10, 1.0, accumulate=accumulate) for each in range(9)])
    noise = np.random.default_rng(0).normal(0, 0.003, 8)
    fitted = fit_shapes(curve[1:] - curve[0] + noise, np.eye(8) * 0.003**2)
    assert fitted.likeliest in shapes
    assert fitted.probabilities.sum() == pytest.approx(1)
