import numpy as np
import pytest

from assay.kernels.sorting import sort_numbers


@pytest.mark.parametrize("size", [0, 1, 64, 65, 1_000])
@pytest.mark.parametrize("digit", [1, 8])
def test_numbers_come_in_order(size: int, digit: int) -> None:
    values = np.random.default_rng(size).integers(1 << 2 * digit, size=size).astype(np.int32)
    expected = np.sort(values)
    sort_numbers(values, digit, np.empty(size, np.int32), np.empty((1 << digit) + 1, np.int64))
    np.testing.assert_array_equal(values, expected)
