"""Sort a row's hashes or numbers, several times faster than a comparison sort does."""

import numba
import numpy as np

SORT_BUCKETS = 256
_SHIFT = np.uint64(56)
# A bucket larger than this holds many equal values, or the values are no hashes.
_LARGE = 64


@numba.njit(nogil=True, cache=True)
def sort_hashes(values, buffer, counts):  # type: ignore[no-untyped-def]
    """Sort `values`, which are spread evenly over 64 bits, in place.

    They are dealt into buckets by their first byte and each bucket is sorted by insertion.

    Args:
        buffer: At least as long as `values`.
        counts: shape (SORT_BUCKETS + 1,); `buffer` and `counts` spare an allocation for each row.
    """
    counts[:] = 0
    for value in values:
        counts[(value >> _SHIFT) + np.uint64(1)] += 1
    for bucket in range(SORT_BUCKETS):
        counts[bucket + 1] += counts[bucket]
    for value in values:
        bucket = value >> _SHIFT
        buffer[counts[bucket]] = value
        counts[bucket] += 1
    begin = 0
    for bucket in range(SORT_BUCKETS):
        end = counts[bucket]
        if end - begin > _LARGE:
            buffer[begin:end].sort()
        else:
            _insert(buffer[begin:end])
        begin = end
    for at in range(len(values)):
        values[at] = buffer[at]


@numba.njit(nogil=True, cache=True)
def sort_numbers(values, digit, buffer, counts):  # type: ignore[no-untyped-def]
    """Sort `values`, which are below 2^(2 * digit) and not negative, in place.

    Few are sorted by insertion; others are dealt out by their lower and then by their upper `digit` bits.

    Args:
        buffer: At least as long as `values`.
        counts: shape (2^digit + 1,); `buffer` and `counts` spare an allocation for each row.
    """
    size = len(values)
    if size <= _LARGE:
        _insert(values)
        return
    mask = (1 << digit) - 1
    for shift in (0, digit):
        dealt, into = (values, buffer) if shift == 0 else (buffer, values)
        counts[:] = 0
        for at in range(size):
            counts[((dealt[at] >> shift) & mask) + 1] += 1
        for bucket in range(mask):
            counts[bucket + 1] += counts[bucket]
        for at in range(size):
            bucket = (dealt[at] >> shift) & mask
            into[counts[bucket]] = dealt[at]
            counts[bucket] += 1


@numba.njit(nogil=True, cache=True)
def _insert(values):  # type: ignore[no-untyped-def]
    for at in range(1, len(values)):
        value = values[at]
        place = at
        while place > 0 and values[place - 1] > value:
            values[place] = values[place - 1]
            place -= 1
        values[place] = value
