"""Rank agreement, signal to noise, and what more data would settle."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from assay.core.errors import InputError
from assay.stats import ranks
from assay.stats.bootstrap import Estimate
from assay.trial import proxy

Floats = npt.NDArray[np.float64]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("ties", [False, True])
def test_correlations_are_those_of_the_textbook(ties: bool) -> None:
    for _ in range(20):
        one, other = RNG.normal(size=(2, 9))
        if ties:
            one, other = one.round(), other.round()
        assert ranks.spearman(one, other) == pytest.approx(stats.spearmanr(one, other)[0], abs=1e-12)
        assert ranks.kendall(one, other) == pytest.approx(stats.kendalltau(one, other)[0], abs=1e-12)


def test_all_tied_scores_have_no_rank_correlation() -> None:
    assert ranks.spearman(np.ones(5), np.arange(5.0)) == 0
    assert ranks.kendall(np.ones(5), np.arange(5.0)) == 0
    assert ranks.decision_accuracy(np.ones(5), np.arange(5.0)) == 0.5


def test_draws_are_ranked_row_by_row() -> None:
    one, other = RNG.normal(size=(2, 7, 6))
    rows = [float(ranks.kendall(a, b)) for a, b in zip(one, other, strict=True)]
    assert ranks.kendall(one, other) == pytest.approx(rows)


def test_decision_accuracy_is_what_kendall_says_without_ties() -> None:
    one, other = RNG.normal(size=(2, 12))
    assert ranks.decision_accuracy(one, other) == pytest.approx((1 + ranks.kendall(one, other)) / 2)


def draws(scores: Floats, noise: float, seed: int) -> Floats:
    return scores + np.random.default_rng(seed).normal(0, noise, (800, len(scores)))


def test_agreement_falls_and_widens_with_noise() -> None:
    dear = np.linspace(0.5, 0.9, 8)
    cheap = dear - 0.2
    sure = ranks.agreement(cheap, dear, draws(cheap, 1e-4, 1), draws(dear, 1e-4, 2))
    assert (sure.spearman.value, sure.spearman.low, sure.decisions.low) == (1.0, 1.0, 1.0)
    assert sure.clear_pairs == sure.pairs == 28
    noisy = ranks.agreement(cheap, dear, draws(cheap, 0.2, 1), draws(dear, 0.2, 2))
    assert noisy.spearman.low < 0.8
    assert noisy.clear_pairs < 28


def test_unrelated_learners_agree_on_half_of_the_pairs() -> None:
    found = [
        ranks.agreement(a, b, draws(a, 0.1, 1), draws(b, 0.1, 2)).decisions.value
        for a, b in RNG.normal(size=(40, 2, 10))
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_equal_arms_lie_no_farther_apart_than_chance() -> None:
    inside = 0
    for seed in range(40):
        seen = np.random.default_rng(seed).normal(0.7, 0.02, 8)
        found = ranks.separation(seen, draws(seen, 0.02, seed + 100))
        inside += found.chance.low <= found.ratio.value <= found.chance.high
    assert inside >= 34  # 38 expected


def test_luck_that_all_arms_share_is_no_noise() -> None:
    scores = np.linspace(0.6, 0.7, 6)
    own = draws(scores, 0.01, 1)
    shared = own + np.random.default_rng(2).normal(0, 0.5, (800, 1))
    plain, shifted = (ranks.separation(scores, each) for each in (own, shared))
    assert shifted.noise == pytest.approx(plain.noise)
    assert plain.noise == pytest.approx(0.01, rel=0.1)
    assert plain.ratio.value == pytest.approx(10, rel=0.1)


def test_what_is_needed_makes_the_effect_detectable() -> None:
    def ask(effect: float, items: int, seeds: int) -> ranks.Needed:
        return ranks.needed(effect, items, seeds, item_deviation=0.5, seed_deviation=0.02)

    found = ask(0.02, 500, 8)
    assert found.items is not None
    assert found.both is not None
    assert ask(0.02, found.items, 8).detectable <= 0.02 < ask(0.02, found.items - 2, 8).detectable
    assert ask(0.02, *found.both).detectable <= 0.02
    again = ask(found.detectable, 500, 8)
    assert again.items == 500
    assert again.both == (500, 8)


def test_what_no_number_would_settle_is_none() -> None:
    assert (
        ranks.needed(0.01, 500, 8, item_deviation=0.5, seed_deviation=0.05).items is None
    )  # seeds alone are too noisy
    assert ranks.needed(0.01, 500, 8, item_deviation=0.5, seed_deviation=0.0).seeds is None
    fixed = ranks.needed(0.01, 500, 8, item_deviation=0.5, seed_deviation=0.01, fixed_error=0.02)
    assert (fixed.items, fixed.seeds, fixed.both) == (None, None, None)
    with pytest.raises(InputError):
        ranks.needed(0.0, 500, 8, item_deviation=0.5, seed_deviation=0.01)


def test_two_learners_become_measures() -> None:
    dear = np.linspace(0.5, 0.9, 8)
    cheap = dear.copy()
    cheap[[0, 7]] = cheap[[7, 0]]
    pair = [Estimate(each, draws(each, 0.01, seed)) for seed, each in enumerate((cheap, dear))]
    found = proxy.measures(*pair, learners=("linear", "gpt"), items=300)
    assert [measure.name for measure in found] == [
        "evaluation.proxy_rank_correlation",
        "evaluation.proxy_rank_correlation",
        "evaluation.decision_accuracy",
        "evaluation.decision_accuracy",
        "evaluation.snr",
        "evaluation.snr",
    ]
    assert found[0].value == pytest.approx(stats.spearmanr(cheap, dear)[0])
    snr = found[-1]
    assert snr.value is not None
    assert snr.reference is not None
    assert snr.value > snr.reference.high
    few = proxy.measures(*pair, learners=("linear", "gpt"), arms=np.array([0, 1]), items=300)
    assert few[0].value is None
    assert "2 arms" in (few[0].missing or "")


def test_equal_arms_leave_no_clear_pair() -> None:
    flat = Estimate(np.full(5, 0.5), draws(np.full(5, 0.5), 0.1, 3))
    found = proxy.measures(flat, flat, learners=("linear", "gpt"), items=300)
    assert found[3].value is None
    assert "none of 10 pairs" in (found[3].missing or "")
