"""Sums by bucket."""

import numpy as np

from assay.kernels.buckets import bucket_sums


def test_each_bucket_holds_the_sum_of_its_rows_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    bucket, tallies = rng.integers(5, size=400), rng.standard_normal((400, 3))
    expected = np.column_stack([np.bincount(bucket, column, minlength=7) for column in tallies.T])
    assert np.array_equal(bucket_sums(bucket, tallies, 7), expected)
    assert not bucket_sums(bucket, tallies, 7)[5:].any()
    assert bucket_sums(bucket[:0], tallies[:0], 2).tolist() == [[0.0] * 3] * 2
