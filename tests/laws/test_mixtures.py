"""Laws of mixtures: planted laws come back, the right one is chosen, and equal sources show nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from assay.core.errors import InputError
from assay.stats import mixtures
from assay.trial import sources

Floats = npt.NDArray[np.float64]
NAMES = ("a", "b", "c", "d")
BEST = np.array([0.5, 0.3, 0.1, 0.1])


def mixes(number: int = 40, seed: int = 0) -> tuple[sources.Mixes, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    of_row = rng.choice(4, 2000, p=[0.3, 0.3, 0.2, 0.2])
    return sources.propose(of_row, NAMES, rng, mixes=number), of_row


def line(shares: Floats) -> Floats:
    out: Floats = shares @ np.array([1.0, 2.0, 3.0, 4.0])
    return out


def bowl(shares: Floats) -> Floats:
    out: Floats = 0.5 + 0.3 * ((shares - BEST) ** 2).sum(axis=1)
    return out


def growth(shares: Floats) -> Floats:
    out: Floats = 0.2 + np.exp(shares @ np.array([-1.5, -2.5, -1.0, -0.5]))
    return out


def flat(shares: Floats) -> Floats:
    return np.full(len(shares), 0.5)


@pytest.mark.parametrize(("law", "kind"), [(line, "linear"), (growth, "exponential"), (bowl, "quadratic")])
def test_a_planted_law_comes_back_and_is_chosen(law: Callable[[Floats], Floats], kind: mixtures.Kind) -> None:
    shares = mixes()[0].shares
    losses = law(shares) + np.random.default_rng(1).normal(0, 1e-4, len(shares))
    wanted = np.random.default_rng(2).dirichlet(np.ones(4), 50)
    found = mixtures.fit(kind, shares, losses, np.ones((1, len(losses))))(wanted)[0]
    assert found == pytest.approx(law(wanted), abs=2e-3)
    assert mixtures.choose(shares, losses)[0].kind == kind


def test_leave_one_out_of_a_line_is_that_of_the_hat_matrix() -> None:
    shares = mixes()[0].shares
    losses = bowl(shares)
    hat = shares @ np.linalg.pinv(shares)
    exact = losses - (losses - hat @ losses) / (1 - np.diag(hat))
    found = mixtures.left_out("linear", shares, losses)
    assert found.folds == len(losses)
    assert found.predicted == pytest.approx(exact)


def test_trees_wait_for_a_hundred_mixes() -> None:
    assert "trees" not in mixtures.usable(99, 4)
    assert "trees" in mixtures.usable(100, 4)
    with pytest.raises(InputError, match="needs"):
        mixtures.fit("linear", np.eye(3), np.ones(3), np.ones((1, 3)))


def test_each_fit_has_its_own_losses_and_weights() -> None:
    shares = mixes()[0].shares
    losses = np.vstack([growth(shares), 2 * growth(shares)])
    ones = np.ones_like(losses)
    for kind in ("mean", "linear", "exponential", "quadratic"):
        both = mixtures.fit(kind, shares, losses, ones)(shares)
        alone = mixtures.fit(kind, shares, losses[1], ones[:1])(shares)
        assert both[1] == pytest.approx(alone[0], rel=1e-4)


def test_the_best_mix_is_the_mean_of_the_best_few() -> None:
    wanted = np.eye(4)
    predicted = np.array([[3.0, 1.0, 2.0, 4.0]])
    assert mixtures.best_mix(wanted, predicted, 1)[0] == pytest.approx([0, 1, 0, 0])
    assert mixtures.best_mix(wanted, predicted, 2)[0] == pytest.approx([0, 0.5, 0.5, 0])


def test_every_mix_has_its_rows_and_none_twice() -> None:
    rng = np.random.default_rng(0)
    of_row = np.repeat(np.arange(4), [900, 400, 60, 30])
    plan = sources.propose(of_row, NAMES, rng, rows=300)
    assert (plan.counts.sum(axis=1) == 300).all()
    assert (plan.counts <= plan.available).all()
    assert plan.counts[2, 0] == 300  # the first source is large enough to stand alone
    assert plan.counts[4, 2] == 48  # the third is not: all it has, and the others' rows
    assert plan.shares[0] == pytest.approx(plan.available / plan.available.sum(), abs=0.01)
    weights = sources.weights(plan, of_row, np.arange(len(of_row), dtype=np.uint64), 3, rng)
    assert weights.shape == (len(plan.counts) * 3, len(of_row))
    assert set(np.unique(weights)) == {0.0, 1.0}
    by_source = np.array([[row[of_row == source].sum() for source in range(4)] for row in weights[::3]])
    assert (by_source == plan.counts).all()


def test_within_a_seed_smaller_parts_are_nested() -> None:
    plan, of_row = mixes()
    weights = sources.weights(plan, of_row, np.arange(2000, dtype=np.uint64), 1, np.random.default_rng(0))
    order = np.argsort(plan.counts[:, 1])
    less, more = (weights[place][of_row == 1] for place in (order[3], order[-1]))
    assert (less <= more).all()


@pytest.mark.parametrize(
    ("counts", "names", "options", "said"),
    [
        ([100], ("a",), {}, "one source"),
        ([100, 10], ("a", "b"), {}, "'b' has 10 rows"),
        ([100, 100], ("a", "b"), {"mixes": 5}, "5 mixes"),
        ([100, 100], ("a", "b"), {"rows": 999}, "999 rows"),
    ],
)
def test_what_cannot_be_mixed_is_refused(
    counts: list[int], names: tuple[str, ...], options: dict[str, int], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        sources.propose(np.repeat(np.arange(len(counts)), counts), names, np.random.default_rng(0), **options)


def found(
    law: Callable[[Floats], Floats], seed: int, noise: float = 0.01
) -> tuple[Floats, list[tuple[float, float, float] | None]]:
    """Best shares and their bounds, the gain last; None where missing."""
    plan, _ = mixes(seed=seed)
    rng = np.random.default_rng(seed)
    losses = law(plan.shares) + rng.normal(0, noise, len(plan.shares))
    measures = sources.measures(
        plan, losses, draws=losses + rng.normal(0, noise, (400, len(losses))), seed=seed
    )
    read = [
        None if m.value is None or m.low is None or m.high is None else (m.value, m.low, m.high)
        for m in measures
        if m.name in ("trial.source_share", "trial.source_gain")
    ]
    return plan.shares[0], read


def test_the_best_mix_of_a_bowl_lies_within_its_intervals() -> None:
    hits = []
    for seed in range(6):
        natural, read = found(bowl, seed)
        *shares, gain = [each for each in read if each is not None]
        assert len(shares) == 4
        hits += [low <= truth <= high for (_, low, high), truth in zip(shares, BEST, strict=True)]
        assert gain[1] <= bowl(natural[None])[0] - bowl(BEST[None])[0]
    assert np.mean(hits) > 0.85


def test_a_source_that_is_best_takes_the_mix() -> None:
    _, read = found(growth, 0)
    shares = [each for each in read[:-1] if each is not None]
    assert np.argmax([value for value, _, _ in shares]) == 1
    assert shares[1][0] > 0.8
    assert read[-1] is not None
    assert read[-1][1] > 0


def test_sources_that_are_equal_promise_no_gain() -> None:
    gains = [found(flat, seed)[1][-1] for seed in range(6)]
    assert sum(gain is None for gain in gains) >= 3
    assert all(gain is None or gain[1] <= 0 for gain in gains)


def test_same_seed_same_measures() -> None:
    assert found(bowl, 3)[1] == found(bowl, 3)[1]
