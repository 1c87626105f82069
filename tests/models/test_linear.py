"""The many-arm classifier against scikit-learn, one arm at a time."""

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression

from assay.core.errors import EngineError
from assay.models import linear


def problem(
    classes: int, rows: int = 600
) -> tuple[sp.csr_matrix, npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Text-like counts, labels that depend on them, and twelve weightings with repeats and left-out rows."""
    rng = np.random.default_rng(classes)
    labels = rng.integers(classes, size=rows)
    tilt = rng.gamma(0.3, size=(classes, 400))
    words = rng.poisson(20 * tilt[labels] / tilt.sum(axis=1)[labels][:, None] + 0.01)
    counts = sp.csr_matrix(words.astype(np.float32))
    weights = rng.choice([0, 1, 1, 2.5], size=(12, rows)).astype(np.float32)
    weights[3, 100:] = 0
    return linear.tfidf(counts, np.ones(rows, dtype=np.bool_)), labels, weights


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("l2", [1.0, 0.1])
def test_every_arm_reaches_the_solution_of_scikit_learn(classes: int, l2: float) -> None:
    features, labels, weights = problem(classes)
    seen = np.zeros(len(weights))
    for fits in linear.fit(features, labels, weights, classes=classes, l2=l2, tolerance=1e-6):
        chances = fits.predict_proba(features)
        for place, arm in enumerate(fits.arms):
            seen[arm] += 1
            used = weights[arm] > 0
            other = LogisticRegression(C=1 / l2, tol=1e-9, max_iter=5000)
            other.fit(features[used].astype(np.float64), labels[used], weights[arm][used])
            expected = other.predict_proba(features.astype(np.float64))
            np.testing.assert_allclose(chances[place], expected, atol=2e-3)
            assert (chances[place].argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.998
    assert (seen == 1).all()


@pytest.mark.parametrize("classes", [2, 5])
def test_a_row_is_judged_by_its_own_arm_as_by_all(classes: int) -> None:
    features, labels, weights = problem(classes, rows=200)
    weights[:, labels == 0] = 1  # no arm is without rows of a class
    arm = np.random.default_rng(0).integers(-1, len(weights), size=200)
    judged = np.zeros(200, int)
    for fits in linear.fit(features, labels, weights, classes=classes):
        rows, chances = fits.predict_own(features, arm)
        judged[rows] += 1
        place = {int(each): number for number, each in enumerate(fits.arms)}
        of_all = fits.predict_proba(features)
        expected = np.array([of_all[place[int(arm[row])], row] for row in rows]).reshape(-1, classes)
        np.testing.assert_array_equal(chances, expected)
    np.testing.assert_array_equal(judged, arm >= 0)


def test_result_does_not_depend_on_threads() -> None:
    features, labels, weights = problem(5)
    one, two = (
        [fits.solution for fits in linear.fit(features, labels, weights, classes=5, threads=threads)]
        for threads in (1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_repeated_row_counts_as_often_as_its_weight() -> None:
    features, labels, _ = problem(2)
    doubled = next(linear.fit(features, labels, np.full((1, 600), 2.0), classes=2, tolerance=1e-7))
    copied = next(
        linear.fit(
            sp.vstack([features] * 2, "csr"),
            np.tile(labels, 2),
            np.ones((1, 1200)),
            classes=2,
            tolerance=1e-7,
        )
    )
    np.testing.assert_allclose(doubled.solution, copied.solution, atol=1e-3)


def test_too_few_passes_is_an_error_not_a_bad_model() -> None:
    features, labels, weights = problem(2)
    with pytest.raises(EngineError, match="did not converge in 2 passes"):
        list(linear.fit(features, labels, weights, classes=2, max_passes=2))


def test_tfidf_rows_have_length_one_and_unused_columns_are_gone() -> None:
    counts = sp.csr_matrix(np.array([[2, 0, 1, 0], [1, 0, 3, 0], [1, 5, 0, 1]], dtype=np.float32))
    features = linear.tfidf(counts, np.array([True, True, False]))
    assert features.shape == (3, 2)  # only two columns are used by two rows that may decide
    np.testing.assert_allclose(np.sqrt(features.multiply(features).sum(axis=1)), 1, rtol=1e-6)
