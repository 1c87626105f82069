"""Spans of text that one corpus shares with another, word for word."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.kernels.hashing import SEED, mix
from assay.kernels.ngrams import power
from assay.kernels.text import Tokens

_PROBES = 4


@dataclass(frozen=True)
class Windows:
    """Runs of some tokens that one side asks for, and where the other side, the target, has them.

    Attributes:
        hashes: Of each run, all different, shape (windows,).
        slots: Hash table over them, see `look_up`.
        first: Token of the target where the run begins first, or -1, shape (windows,).
        second: Where it first begins in a row of another fold than there, or -1.
        fold: Fold of the row where it begins first.
    """

    hashes: npt.NDArray[np.uint64]
    slots: npt.NDArray[np.int32]
    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    fold: npt.NDArray[np.int8]

    @classmethod
    def sought(cls, hashes: npt.NDArray[np.uint64]) -> Windows:
        """Runs of these hashes, not met yet."""
        number = len(hashes)
        slots = _index(hashes, 1 << max(3 * number // 2, 1).bit_length())
        return cls(hashes, slots, np.full(number, -1), np.full(number, -1), np.full(number, -1, np.int8))

    def meet(
        self, met: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], folds: npt.NDArray[np.int64]
    ) -> None:
        """Note where the runs `met` begin in the target, in its order, and the folds of their rows."""
        _meet(met, starts, folds, self.first, self.second, self.fold)


def verbatim(
    query: Tokens, target: Tokens, *, min_tokens: int = 50
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Query tokens that lie in a run of at least `min_tokens` words that some target row holds too.

    Every window of `min_tokens` query tokens is looked for by a rolling hash (Karp and Rabin 1987, IBM Journal
    of Research and Development 31, 249-260) and compared word by word where hashes meet, so time and memory grow
    linearly with both sides. The answer is that of a suffix array, but where a target row was made on purpose to
    have the hash of another passage: then the copy of that other one may be overlooked.

    Returns: Mask over query tokens, shape (num_query_tokens,); and for each query row the target row that
        shares its longest run (followed from where the target holds it first), or -1.
    Raises: InputError: `min_tokens` below 1.
    """
    if min_tokens < 1:
        raise InputError(f"min_tokens is {min_tokens}", fix="Use at least 1; 50 is usual.")
    hashes, _ = windows(query.ids, query.offsets, min_tokens)
    known = Windows.sought(np.unique(hashes))
    met, starts = look_up(target, known, min_tokens)
    known.meet(met, starts, np.zeros(len(met), np.int64))
    return cover(query, target, known, np.full(query.rows, -1), min_tokens)


def look_up(
    tokens: Tokens, known: Windows, width: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The known windows that stand in some rows, and the token each begins at, in order."""
    return _look_up_all(tokens.ids, tokens.offsets, known.hashes, known.slots, width)  # type: ignore[no-any-return]


def cover(
    query: Tokens, target: Tokens, known: Windows, folds: npt.NDArray[np.int64], width: int
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """`verbatim`, where the windows are known to begin in `target`; only in rows of a fold not the query row's."""
    return _cover(  # type: ignore[no-any-return]
        query.ids,
        query.offsets,
        target.ids,
        target.offsets,
        (known.hashes, known.slots, known.first, known.second, known.fold),
        folds,
        width,
    )


@numba.njit(nogil=True, cache=True)
def windows(ids, offsets, width):  # type: ignore[no-untyped-def]
    """Hash and first token of every window of `width` tokens within a row."""
    most = 0
    for row in range(len(offsets) - 1):
        most += max(offsets[row + 1] - offsets[row] - width + 1, 0)
    hashes = np.empty(most, np.uint64)
    starts = np.empty(most, np.int64)
    oldest = power(width)
    found = 0
    for row in range(len(offsets) - 1):
        state = np.uint64(0)
        for at in range(offsets[row], offsets[row + 1]):
            state = state * SEED + ids[at]
            if at >= offsets[row] + width:
                state -= ids[at - width] * oldest
            if at >= offsets[row] + width - 1:
                hashes[found] = mix(state)
                starts[found] = at - width + 1
                found += 1
    return hashes, starts


@numba.njit(nogil=True, cache=True, inline="always")
def _same(ids, start, other_ids, other, width):  # type: ignore[no-untyped-def]
    """Whether both windows hold the same words: sums modulo 2^64 meet for some texts made to meet."""
    for at in range(width):  # noqa: SIM110 (numba compiles no generator)
        if ids[start + at] != other_ids[other + at]:
            return False
    return True


@numba.njit(nogil=True, cache=True)
def anchors(ids, offsets, width):  # type: ignore[no-untyped-def]
    """The smallest hash of a run of two fifths as many tokens within each window of `width` tokens of a row.

    Equal windows have equal anchors, and neighbours mostly share theirs, so that a sixteenth as many anchors as
    tokens tells whether a window may stand somewhere.

    Source: Schleimer, Wilkerson & Aiken 2003, Winnowing: local algorithms for document fingerprinting, SIGMOD.
    """
    most = longest = 0
    for row in range(len(offsets) - 1):
        most += max(offsets[row + 1] - offsets[row] - width + 1, 0)
        longest = max(longest, offsets[row + 1] - offsets[row])
    size = max(1, 2 * width // 5)
    span = width - size + 1
    out = np.empty(most, np.uint64)
    grams = np.empty(longest, np.uint64)
    oldest = power(size)
    found = 0
    for row in range(len(offsets) - 1):
        begin, stop = offsets[row], offsets[row + 1]
        if stop - begin < width:
            continue
        state = np.uint64(0)
        least = -1
        for at in range(begin, stop):
            state = state * SEED + ids[at]
            if at >= begin + size:
                state -= ids[at - size] * oldest
            place = at - begin - size + 1
            if place < 0:
                continue
            grams[place] = mix(state)
            if least < max(place - span + 1, 0):
                least = max(place - span + 1, 0)
                for other in range(least + 1, place + 1):
                    if grams[other] < grams[least]:
                        least = other
            elif grams[place] < grams[least]:
                least = place
            if place >= span - 1:
                out[found] = grams[least]
                found += 1
    return out


@numba.njit(nogil=True, cache=True)
def sow(table, hashes, bits):  # type: ignore[no-untyped-def]
    """Leave each hash's bits in four places of the table, whose length is a power of two."""
    mask = np.uint64(len(table) - 1)
    for index in range(len(hashes)):
        state = hashes[index]
        for _ in range(_PROBES):
            table[state & mask] |= bits[index]
            state = mix(state + SEED)


@numba.njit(nogil=True, cache=True)
def reaped(table, hashes, bits):  # type: ignore[no-untyped-def]
    """Which hashes were sown with other bits than these; a few more may look so (Bloom 1970, CACM 13, 422)."""
    mask = np.uint64(len(table) - 1)
    out = np.empty(len(hashes), np.bool_)
    for index in range(len(hashes)):
        # Neighbouring windows mostly share their anchor.
        if index > 0 and hashes[index] == hashes[index - 1] and bits[index] == bits[index - 1]:
            out[index] = out[index - 1]
            continue
        state = hashes[index]
        left = np.uint8(255) & ~bits[index]
        for _ in range(_PROBES):
            left &= table[state & mask]
            if left == 0:
                break
            state = mix(state + SEED)
        out[index] = left != 0
    return out


@numba.njit(nogil=True, cache=True)
def _index(hashes, num_slots):  # type: ignore[no-untyped-def]
    """Open addressing: each slot holds the first window with its hash, or -1."""
    slots = np.full(num_slots, -1, np.int32)
    mask = np.uint64(num_slots - 1)
    for window in range(len(hashes)):
        slot = hashes[window] & mask
        while slots[slot] >= 0 and hashes[slots[slot]] != hashes[window]:
            slot = (slot + np.uint64(1)) & mask
        if slots[slot] < 0:
            slots[slot] = window
    return slots


@numba.njit(nogil=True, cache=True, inline="always")
def _look_up(wanted, hashes, slots):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    slot = wanted & mask
    while slots[slot] >= 0 and hashes[slots[slot]] != wanted:
        slot = (slot + np.uint64(1)) & mask
    return slots[slot]


@numba.njit(nogil=True, cache=True)
def _look_up_all(ids, offsets, hashes, slots, width):  # type: ignore[no-untyped-def]
    found, starts = windows(ids, offsets, width)
    met = np.empty(len(found), np.int64)
    kept = 0
    for index in range(len(found)):
        window = _look_up(found[index], hashes, slots)
        if window >= 0:
            met[kept] = window
            starts[kept] = starts[index]
            kept += 1
    return met[:kept].copy(), starts[:kept].copy()


@numba.njit(nogil=True, cache=True)
def _meet(met, starts, folds, first, second, fold):  # type: ignore[no-untyped-def]
    for index in range(len(met)):
        window = met[index]
        if first[window] < 0:
            first[window], fold[window] = starts[index], folds[index]
        elif second[window] < 0 and folds[index] != fold[window]:
            second[window] = starts[index]


@numba.njit(nogil=True, cache=True)
def _cover(ids, offsets, target_ids, target_offsets, known, folds, width):  # type: ignore[no-untyped-def]
    hashes, slots, first, second, fold = known
    mask = np.zeros(len(ids), np.bool_)
    best_rows = np.full(len(offsets) - 1, -1, np.int64)
    oldest = power(width)
    for row in range(len(offsets) - 1):
        stop = offsets[row + 1]
        longest = 0
        state = np.uint64(0)
        # Windows that end before `followed` lie in a run that was already measured to its end.
        followed = covered = offsets[row]
        for at in range(offsets[row], stop):
            state = state * SEED + ids[at]
            if at >= offsets[row] + width:
                state -= ids[at - width] * oldest
            if at < offsets[row] + width - 1:
                continue
            begin = at - width + 1
            if at >= followed:
                window = _look_up(mix(state), hashes, slots)
                if window < 0:
                    continue
                source = first[window] if fold[window] != folds[row] else second[window]
                if source < 0 or not _same(ids, begin, target_ids, source, width):
                    continue
                source_row = np.searchsorted(target_offsets, source, side="right") - 1
                room = min(stop - begin, target_offsets[source_row + 1] - source)
                length = width
                while length < room and ids[begin + length] == target_ids[source + length]:
                    length += 1
                followed = begin + length
                if length > longest:
                    longest = length
                    best_rows[row] = source_row
            for token in range(max(begin, covered), at + 1):
                mask[token] = True
            covered = at + 1
    return mask, best_rows
