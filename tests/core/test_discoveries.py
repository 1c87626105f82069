"""Adjusted p-values against a case worked by hand."""

import pytest

from assay.core.discoveries import adjusted


def test_a_worked_example() -> None:
    # p * 4 / rank, then the running minimum from the largest.
    assert adjusted([0.04, 0.01, 0.03, 0.5]) == pytest.approx([0.16 / 3, 0.04, 0.16 / 3, 0.5])
