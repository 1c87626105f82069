import numpy as np
import pyarrow as pa

from assay.kernels.numbering import index, kinds, numbered, places
from assay.kernels.signs import signs


def test_each_item_of_a_row_is_numbered_once_in_the_order_met() -> None:
    items = np.array([7, 5, 7, 5, 9, 9], np.uint64)
    found = numbered(items, np.array([0, 3, 3, 6]))
    assert found.items.tolist() == [7, 5, 9]
    assert found.first.tolist() == [0, 1, 4]
    assert list(zip(found.row.tolist(), found.number.tolist(), strict=True)) == [
        (0, 0),
        (0, 1),
        (2, 1),
        (2, 2),
    ]


def test_places_are_those_of_a_search() -> None:
    rng = np.random.default_rng(0)
    known = np.unique(rng.integers(0, 1 << 63, 1000, dtype=np.uint64))
    wanted = np.concatenate([known[::3], rng.integers(0, 1 << 63, 500, dtype=np.uint64)])
    at = np.searchsorted(known, wanted).clip(max=len(known) - 1)
    expected = np.where(known[at] == wanted, at, -1)
    np.testing.assert_array_equal(places(index(known), known, wanted), expected)
    assert places(index(known[:0]), known[:0], wanted).max() == -1


def test_a_sign_is_held_or_not() -> None:
    column = pa.array(["a = b", None, "", "ab", "="], pa.large_string())
    found = signs(column, ("=", "AB"))
    assert found.any_of("=").tolist() == [True, False, False, False, True]


def test_kinds_are_counted_and_point_back_however_many_there_are() -> None:
    rng = np.random.default_rng(0)
    for number, different in ((0, 1), (10, 3), (20_000, 5_000)):
        items = rng.integers(0, different, number).astype(np.uint64) * np.uint64(0x123456789ABCDEF)
        found, counts, kind = kinds(items)
        np.testing.assert_array_equal(found[kind], items)
        known, times = np.unique(items, return_counts=True)
        order = np.argsort(found)
        np.testing.assert_array_equal(found[order], known)
        np.testing.assert_array_equal(counts[order], times)
