import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.kernels.rare import Batch, holders

ROWS = st.lists(st.tuples(st.integers(0, 3), st.lists(st.integers(0, 6), max_size=6)), max_size=8)


def batch(rows: list[tuple[int, list[int]]]) -> Batch:
    return (
        np.array([item for _, items in rows for item in items], np.uint64),
        np.cumsum([0, *(len(items) for _, items in rows)]),
    )


@settings(deadline=None)
@given(ROWS, st.lists(st.integers(0, 8), max_size=10))
def test_roots_are_counted_as_by_hand(rows: list[tuple[int, list[int]]], wanted: list[int]) -> None:
    root = np.array([root for root, _ in rows], np.uint64)
    found = holders(np.array(wanted, np.uint64), root, (batch(rows[:3]), batch(rows[3:])))
    for place, item in enumerate(wanted):
        having = [row for row, (_, items) in enumerate(rows) if item in items]
        assert found.roots[place] == min(len({rows[row][0] for row in having}), 3)
        assert found.row[place] == (having[0] if having else -1)
