"""The published rank correlations of RegMix, from its published losses of 512 and 256 models.

Numbers: Liu et al. 2024, RegMix: Data Mixture as Regression for Language Model Pre-training, arXiv 2407.01492: loss on
Pile-CC foretold from mixes of 17 sources; 512 models of 1M parameters to learn from, 256 others of 1M and of 60M to
foretell. Their trees are LightGBM's, stopped by the test losses; ours never see those.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from assay.stats import mixtures, ranks

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "regmix" / "data"
pytestmark = [pytest.mark.shared, pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")]
PILE_CC = 8  # column of the losses, which start after the index


def table(name: str) -> npt.NDArray[np.float64]:
    return np.loadtxt(DATA / name, delimiter=",", skiprows=1)[:, 1:]


def shares(name: str) -> npt.NDArray[np.float64]:
    rounded = table(name)  # to three places, so that rows sum to 0.996 to 1.003
    whole: npt.NDArray[np.float64] = rounded / rounded.sum(axis=1, keepdims=True)
    return whole


@pytest.mark.parametrize(
    ("kind", "small", "large", "tolerance"),
    [("linear", 0.902, 0.893, 0.0006), ("trees", 0.989, 0.985, 0.003)],
)
def test_published_rank_correlations(
    kind: mixtures.Kind, small: float, large: float, tolerance: float
) -> None:
    losses = table("train_pile_loss_1m.csv")[:, PILE_CC]
    law = mixtures.fit(kind, shares("train_mixture_1m.csv"), losses, np.ones((1, len(losses))))
    for size, published in (("1m", small), ("60m", large)):
        foretold = law(shares(f"test_mixture_{size}.csv"))[0]
        measured = table(f"test_pile_loss_{size}.csv")[:, PILE_CC]
        assert ranks.spearman(foretold, measured) == pytest.approx(published, abs=tolerance)


def test_the_law_chosen_on_mixes_left_out_is_the_best_on_new_ones() -> None:
    mixes, losses = shares("train_mixture_1m.csv")[:200], table("train_pile_loss_1m.csv")[:200, PILE_CC]
    new, truth = shares("test_mixture_1m.csv"), table("test_pile_loss_1m.csv")[:, PILE_CC]
    tried = mixtures.choose(mixes, losses)
    errors = [
        mixtures.error(mixtures.fit(each.kind, mixes, losses, np.ones((1, len(losses))))(new)[0], truth)
        for each in tried
    ]
    assert int(np.argmin(errors)) == 0
