"""The constants that others found in the points of the Chinchilla paper.

Numbers: Besiroglu et al. 2024, Chinchilla Scaling: A Replication Attempt, arXiv 2404.10102, table 1: fitted to 240 points
read off a figure, the five of greatest loss set aside. The points are in the authors' repository (analyzing-chinchilla,
data/svg_extracted_data.csv).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.stats import scaling
from assay.stats.descent import huber
from assay.trial.points import Points, measures, read_points

DATA = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "data"
    / "analyzing_chinchilla/data/svg_extracted_data.csv"
)
there = [pytest.mark.shared, pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there")]
CONSTANTS = {"E": 1.8172, "A": 482.01, "alpha": 0.3478, "B": 2085.43, "beta": 0.3658}
WORST = 5


def extracted() -> Points:
    points = read_points(DATA)
    kept = np.argsort(points.losses, kind="stable")[:-WORST]
    return Points(
        points.axes, points.sizes[kept], points.losses[kept], None, points.columns, {}, points.derived
    )


def test_the_published_law_of_hoffmann_comes_back_from_points_on_it() -> None:
    """Hoffmann et al. 2022, equation 10: 1.69 + 406.4 / N^0.34 + 410.7 / D^0.28."""
    sizes = np.array([(n, d) for n in np.logspace(7.8, 10.2, 8) for d in np.logspace(8.5, 11.5, 8)])
    losses = 1.69 + 406.4 * sizes[:, 0] ** -0.34 + 410.7 * sizes[:, 1] ** -0.28
    found = scaling.fit(sizes, losses, draws=2)
    assert found.constants == pytest.approx([1.69, 406.4, 0.34, 410.7, 0.28], rel=2e-3)


class TestReplication:
    pytestmark = there

    def test_constants(self) -> None:
        found = {(m.slice or {}).get("parameter"): m for m in measures(extracted(), draws=200)}
        for name, published in CONSTANTS.items():
            value = found[name].value
            assert value is not None
            assert value == pytest.approx(published, rel=0.03 if name in "AB" else 0.005)
        best = found[None]
        assert best.value is not None
        assert best.value == pytest.approx(0.512, abs=0.005)

    def test_no_published_constants_fit_better(self) -> None:
        points = extracted()
        ours = scaling.fit(points.sizes, points.losses, draws=2)
        size, tokens = points.sizes.T
        for floor, a, alpha, b, beta in (
            (1.8172, 482.01, 0.3478, 2085.43, 0.3658),
            (1.69, 406.4, 0.34, 410.7, 0.28),
        ):
            law = floor + a * size**-alpha + b * tokens**-beta
            assert ours.objective <= huber(np.log(points.losses / law), scaling.DELTA).sum()

    def test_the_points_they_set_aside_are_found(self) -> None:
        points = read_points(DATA)
        found = scaling.fit(points.sizes, points.losses, draws=2)
        worst = set(np.argsort(points.losses)[-WORST:].tolist())
        assert len(worst & set(found.influential.tolist())) >= 4
        assert found.trimmed[4] == pytest.approx(CONSTANTS["beta"], rel=0.02)
        assert abs(found.constants[4] - found.trimmed[4]) > 0.05
