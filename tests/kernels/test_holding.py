import numpy as np

from assay.kernels.holding import held_by_part


def test_rows_of_each_part_are_counted_by_what_they_hold() -> None:
    rng = np.random.default_rng(0)
    holds, part, chosen = rng.random((40, 6)) < 0.4, rng.integers(3, size=40), rng.random(40) < 0.7
    offsets = np.concatenate([[0], np.cumsum(holds.sum(axis=1))])
    found = held_by_part(np.nonzero(holds)[1], offsets, chosen, part, 3, 6)
    expected = [holds[chosen & (part == each)].sum(axis=0) for each in range(3)]
    np.testing.assert_array_equal(found, expected)
