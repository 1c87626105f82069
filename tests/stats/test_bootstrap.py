"""The two-level bootstrap: items and seeds."""

import numpy as np
import pytest

from assay.stats import bootstrap


def test_without_training_noise_only_items_count() -> None:
    # Every seed gives the same answers: the error is that of a binomial share over 400 independent items.
    right = (np.arange(400) < 300).astype(float)
    sums = np.broadcast_to(right, (1, 6, 400)).copy()
    weights = bootstrap.cluster_weights(400, 4000, np.random.default_rng(0))
    estimate = bootstrap.two_level(sums, np.ones(400), np.array([0.8]), np.zeros(1), weights, 0)
    assert estimate.value[0] == 0.75
    np.testing.assert_allclose(estimate.draws.std(), np.sqrt(0.75 * 0.25 / 400), rtol=0.05)


def test_an_interval_that_most_draws_start_errs_on_the_other_side_only() -> None:
    inside = np.linspace(0, 1, 1001)[1:-1]
    at_zero, at_one = np.append(np.zeros(2000), inside), np.append(np.ones(2000), inside)
    low, high = bootstrap.between(at_zero, 0.0, 1.0)
    assert low == 0.0
    assert np.mean(at_zero > high) == pytest.approx(0.05, abs=0.001)
    assert bootstrap.between(at_one, 0.0, 1.0) == pytest.approx((1 - high, 1.0), abs=0.002)
    assert bootstrap.between(inside, 0.0, 1.0) == bootstrap.interval(inside)


def test_overlap_widens_the_seeds_part() -> None:
    by_seed = np.random.default_rng(0).normal(0.8, 0.01, size=(1, 6))
    drawn = np.broadcast_to(by_seed, (4000, 1, 6))
    apart, nested = (
        bootstrap.seed_level(
            by_seed, drawn, np.array([share]), np.array([1e-4]), np.random.default_rng(1)
        ).draws
        for share in (0.0, 0.8)
    )
    expected = np.sqrt((1 / 6 + 0.64 / 0.36) / (1 / 6))
    np.testing.assert_allclose(np.std(nested) / np.std(apart), expected, rtol=1e-6)


def test_the_draws_have_the_variance_they_are_given() -> None:
    by_seed = np.random.default_rng(0).normal(0.8, 0.01, size=(2, 6))
    drawn = np.broadcast_to(by_seed, (20_000, 2, 6))
    variance = np.array([1e-4, 4e-4])
    made = bootstrap.seed_level(by_seed, drawn, np.zeros(2), variance, np.random.default_rng(1))
    # Student's t with 5 degrees of freedom has 5/3 of the variance of its scale.
    np.testing.assert_allclose(made.draws.var(axis=0), variance / 6 * 5 / 3, rtol=0.1)


ROWS = np.tile([[100.0, 0.0], [0.0, 100.0]], (10, 1))


def test_luck_with_items_is_not_training_noise() -> None:
    rng = np.random.default_rng(0)
    lucky = (rng.random((20, 6, 1000)) < 0.8).astype(float)
    seen = lucky.mean(axis=2).var(axis=1, ddof=1).mean()
    assert bootstrap.training_variance(lucky, np.ones(1000), ROWS).mean() < 0.3 * seen
    skill = np.linspace(0.6, 0.9, 6)
    skilled = (rng.random((20, 6, 1000)) < skill[None, :, None]).astype(float)
    found = bootstrap.training_variance(skilled, np.ones(1000), ROWS)
    np.testing.assert_allclose(found.mean(), skill.var(ddof=1), rtol=0.05)


def test_arms_of_like_size_lend_each_other_precision_and_others_do_not() -> None:
    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(0.7, 0.05, (10, 6, 1)), rng.normal(0.7, 0.01, (10, 6, 1))
    outcomes = (rng.random((20, 6, 2000)) < np.concatenate([wide, narrow])).astype(float)
    small_and_large = np.repeat([[30.0, 0.0], [400.0, 0.0]], 10, axis=0)
    found = bootstrap.training_variance(outcomes, np.ones(2000), small_and_large)
    alone = outcomes.mean(axis=2).var(axis=1, ddof=1)
    assert found[:10].std() < 0.7 * alone[:10].std()
    np.testing.assert_allclose(found[:10].mean(), wide.var(axis=1, ddof=1).mean(), rtol=0.1)
    assert found[10:].mean() < 0.1 * found[:10].mean()


def test_kin_items_come_and_go_together() -> None:
    right = np.repeat(np.arange(40) % 2, 10).astype(float)
    alone = np.broadcast_to(right, (1, 6, 400)).copy()
    together = np.broadcast_to(right.reshape(40, 10).sum(axis=1), (1, 6, 40)).copy()
    spread = []
    for sums, sizes in ((alone, np.ones(400)), (together, np.full(40, 10.0))):
        weights = bootstrap.cluster_weights(len(sizes), 2000, np.random.default_rng(0))
        spread.append(bootstrap.two_level(sums, sizes, np.zeros(1), np.zeros(1), weights, 0).draws.std())
    assert spread[1] > 2.5 * spread[0]


def test_a_spread_known_from_more_seeds_leaves_thinner_tails() -> None:
    by_seed = np.random.default_rng(0).standard_normal((1, 8))
    drawn = np.tile(by_seed, (4000, 1, 1))
    widths = []
    for freedom in (None, 7, 14, 1e6):
        rng = np.random.default_rng(1)
        made = bootstrap.seed_level(by_seed, drawn, np.zeros(1), np.ones(1), rng, freedom=freedom)
        low, high = bootstrap.interval(made.draws[:, 0])
        widths.append(high - low)
    assert widths[0] == widths[1]  # as known as its own seeds make it
    assert widths[1] > widths[2] > widths[3]
    # Student's t with 7 and with many degrees of freedom, of a mean over eight seeds.
    assert widths[1] == pytest.approx(2 * 2.365 / 8**0.5, rel=0.05)
    assert widths[3] == pytest.approx(2 * 1.960 / 8**0.5, rel=0.05)
