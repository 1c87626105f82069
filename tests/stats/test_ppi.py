"""Prediction-powered inference against what can be worked out by hand, and its coverage in a small simulation."""

import numpy as np
import pytest
from scipy import stats

from assay.core.errors import InputError
from assay.stats.ppi import Powered, prediction_powered


def one_stratum(answers: list[float], scores: list[float], rows: int, expected: float) -> Powered:
    place = np.zeros(len(answers), np.int64)
    return prediction_powered(
        np.array(answers), np.array(scores), place, np.array([rows]), np.array([expected])
    )


def test_a_score_without_information_leaves_the_textbook_interval() -> None:
    found = one_stratum([1.0] * 20 + [0.0] * 80, [0.5] * 100, 1_000_000, 0.9)
    assert (found.value, found.tuning) == (0.2, 0.0)
    # Wilson's interval for 20 of 100 with t(99): worked out from the published formula.
    t = stats.t.ppf(0.975, 99)
    centre = (0.2 + t**2 / 198) / (1 + t**2 / 99)
    assert found.worth == pytest.approx(99, rel=0.02)
    assert (found.low + found.high) / 2 == pytest.approx(centre, abs=0.002)


def test_scores_that_are_right_settle_the_share_of_all_rows() -> None:
    answers = [1.0] * 10 + [0.0] * 40
    found = one_stratum(answers, answers, 1_000, 0.1)
    assert found.tuning == pytest.approx(1.0)
    # 50 labelled rows hold 10 hits, the other 950 rows 95 by their scores.
    assert found.value == pytest.approx(105 / 1000)
    alone = one_stratum(answers, [0.0] * 50, 1_000, 0.0)
    # That all 50 labels agreed with their scores does not make the scores infallible.
    assert 0.3 < (found.high - found.low) / (alone.high - alone.low) < 0.5


def test_scores_that_are_biased_do_no_harm() -> None:
    """Scores too high by 0.3 everywhere are taken back by the labels."""
    answers = [1.0] * 10 + [0.0] * 40
    shifted = one_stratum(answers, [each + 0.3 for each in answers], 1_000, 0.4)
    assert shifted.value == pytest.approx(105 / 1000)


def test_scores_that_point_the_wrong_way_are_not_trusted() -> None:
    answers = [1.0] * 10 + [0.0] * 40
    found = one_stratum(answers, [1 - each for each in answers], 1_000, 0.5)
    assert (found.tuning, found.value) == (0.0, 0.2)


def test_all_rows_labelled_leaves_nothing_to_chance() -> None:
    found = one_stratum([1.0, 0.0, 0.0, 0.0], [0.0] * 4, 4, 0.0)
    assert (found.value, found.low, found.high) == (0.25, 0.25, 0.25)


def test_no_hit_among_the_labels_still_has_an_upper_bound() -> None:
    found = one_stratum([0.0] * 50, [0.0] * 50, 100_000, 0.0)
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0.05 < found.high < 0.09


def test_strata_weigh_by_their_rows_not_by_their_labels() -> None:
    stratum = np.repeat([0, 1], 50)
    answers = np.r_[np.ones(50), np.zeros(50)]
    found = prediction_powered(answers, np.zeros(100), stratum, np.array([100, 900]), np.zeros(2))
    assert found.value == pytest.approx(0.1)


def test_one_label_in_a_stratum_is_refused() -> None:
    with pytest.raises(InputError, match="two labels"):
        prediction_powered(np.zeros(3), np.zeros(3), np.array([0, 0, 1]), np.array([9, 9]), np.zeros(2))


def test_intervals_hold_the_truth() -> None:
    """400 samples of 80 labels; the full simulation is benchmarks/ppi_coverage.py."""
    rng = np.random.default_rng(0)
    held = narrower = 0
    for _ in range(400):
        risk = rng.beta(0.5, 1.5, 2_000)
        wrong = (rng.random(2_000) < risk).astype(float)
        chosen = rng.permutation(2_000)[:80]
        others = np.delete(risk, chosen).mean()
        found = one_stratum(list(wrong[chosen]), list(risk[chosen]), 2_000, others)
        alone = one_stratum(list(wrong[chosen]), [0.0] * 80, 2_000, 0.0)
        held += found.low <= wrong.mean() <= found.high
        narrower += found.high - found.low < alone.high - alone.low
    assert 0.92 < held / 400 < 0.985
    assert narrower > 390
