"""The two 64-bit steps every kernel hashes with."""

import numba
import numpy as np

# 2^64 divided by the golden ratio: its multiples are spread so evenly that two short strings, which differ
# in few low bits at each step, cannot meet by accident of arithmetic.
SEED = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)


@numba.njit(nogil=True, cache=True, inline="always")
def absorb(state, item):  # type: ignore[no-untyped-def]
    """`state` after one more small item (a code point)."""
    return (state ^ np.uint64(item)) * SEED


@numba.njit(nogil=True, cache=True, inline="always")
def mix(state):  # type: ignore[no-untyped-def]
    """Every bit of `state` spread over all 64; a bijection.

    Source: Steele, Lea and Flood 2014, Fast splittable pseudorandom number generators, OOPSLA (splitmix64).
    """
    state = (state ^ (state >> _30)) * _FIRST
    state = (state ^ (state >> _27)) * _SECOND
    return state ^ (state >> _31)


@numba.njit(nogil=True, cache=True)
def mixed(values, seed):  # type: ignore[no-untyped-def]
    """Each of the 64-bit `values` mixed with `seed`: an order that anybody with the seed gets again."""
    key = mix(np.uint64(seed) + SEED)
    out = np.empty(len(values), np.uint64)
    for index in range(len(values)):
        out[index] = mix(values[index] ^ key)
    return out
