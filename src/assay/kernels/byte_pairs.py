"""Byte pair encoding of short plain words: what a tokenizer does to most of a text, without asking it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Bytes, Offsets
from assay.kernels.hashing import mix

Nodes = npt.NDArray[np.int32]
Keys = npt.NDArray[np.uint64]

LONGEST = 64  # bytes of a chunk: the time that merging takes grows with the square of it
ELSEWHERE = -1
_LETTER, _DIGIT, _WHITE, _OTHER = range(4)
_SPACE, _APOSTROPHE = 0x20, 0x27
_NONE = np.uint64(0xFFFFFFFFFFFFFFFF)
_ROOM = 4  # slots for each merge, so that most pairs that are none are told by one look


@dataclass(frozen=True)
class Merges:
    """Which two pieces become one, the earlier the sooner.

    Attributes:
        bytes: The piece of each byte, shape (256,).
        keys: A table of pairs of pieces, the first in the upper half; shape (slots,), a power of two.
        ranks: Place of the pair in each slot among all merges, shape (slots,).
        made: What each merge makes, shape (merges,).
        longest: Bytes of the longest chunk that is encoded here.
    """

    bytes: Nodes
    keys: Keys
    ranks: Nodes
    made: Nodes
    longest: int = LONGEST

    @classmethod
    def of(cls, bytes: Sequence[int], pairs: Sequence[tuple[int, int]], made: Sequence[int]) -> Merges:
        """Take in pairs of pieces in the order in which they are merged, and what each becomes."""
        both = np.array(pairs, np.uint64).reshape(-1, 2)
        keys, ranks = _table(both[:, 0] << np.uint64(32) | both[:, 1])
        return cls(np.array(bytes, np.int32), keys, ranks, np.array(made, np.int32))

    def encode(self, data: Bytes, starts: Offsets, stops: Offsets) -> tuple[Nodes, npt.NDArray[np.int64]]:
        """The pieces of each chunk as GPT-2 cuts and merges it, for chunks of ASCII that are not long.

        Args:
            starts, stops: Chunk i is ``data[starts[i]:stops[i]]``; see `word_chunks`.
        Returns: pieces end to end, and how many each chunk has, `ELSEWHERE` for those that are not encoded here.
        Source: Sennrich et al. 2016 (merging); the expression that cuts words is that of Radford et al. 2019.
        """
        ids, lengths = _encode(
            data, starts, stops, self.bytes, self.keys, self.ranks, self.made, _kinds(), self.longest
        )
        return ids, lengths


def _kinds() -> npt.NDArray[np.uint8]:
    kinds = np.full(128, _OTHER, np.uint8)
    for code in range(128):
        if chr(code).isalpha():
            kinds[code] = _LETTER
        elif chr(code).isdigit():
            kinds[code] = _DIGIT
    kinds[[*range(9, 14), _SPACE]] = _WHITE
    return kinds


def _table(keys: Keys) -> tuple[Keys, Nodes]:
    size = 1
    while size < _ROOM * len(keys):
        size *= 2
    table, ranks = np.full(size, _NONE, np.uint64), np.full(size, ELSEWHERE, np.int32)
    _fill(keys, table, ranks)
    return table, ranks


@numba.njit(nogil=True, cache=True)
def _fill(keys, table, ranks):  # type: ignore[no-untyped-def]
    last = np.uint64(len(table) - 1)
    for rank in range(len(keys)):
        slot = mix(keys[rank]) & last
        while table[slot] != _NONE and table[slot] != keys[rank]:
            slot = (slot + np.uint64(1)) & last
        if table[slot] == _NONE:
            table[slot], ranks[slot] = keys[rank], rank


@numba.njit(nogil=True, cache=True, inline="always")
def _rank(table, ranks, left, right, none):  # type: ignore[no-untyped-def]
    """When this pair is merged; `none` for never."""
    key = np.uint64(left) << np.uint64(32) | np.uint64(right)
    last = np.uint64(len(table) - 1)
    slot = mix(key) & last
    while table[slot] != key:
        if table[slot] == _NONE:
            return none
        slot = (slot + np.uint64(1)) & last
    return np.int64(ranks[slot])


@numba.njit(nogil=True, cache=True)
def _word_end(data, at, stop, kinds):  # type: ignore[no-untyped-def]
    """Where the word that begins here ends: a contraction, a run of one kind with the space before it, or spaces."""
    if data[at] == _APOSTROPHE and at + 1 < stop:
        first = data[at + 1]
        if first == ord("s") or first == ord("t") or first == ord("m") or first == ord("d"):
            return at + 2
        if at + 2 < stop:
            second = data[at + 2]
            if (first == ord("r") or first == ord("v")) and second == ord("e"):
                return at + 3
            if first == ord("l") and second == ord("l"):
                return at + 3
    begin = at
    if data[at] == _SPACE and at + 1 < stop and kinds[data[at + 1]] != _WHITE:
        begin = at + 1
    kind = kinds[data[begin]]
    end = begin + 1
    while end < stop and kinds[data[end]] == kind:
        end += 1
    # The last of several spaces belongs to what follows.
    if kind == _WHITE and end < stop and end - at > 1:
        return end - 1
    return end


@numba.njit(nogil=True, cache=True)
def _encode(data, starts, stops, of_byte, table, ranks, made, kinds, longest):  # type: ignore[no-untyped-def]
    chunks = len(starts)
    lengths = np.empty(chunks, np.int64)
    room = 0
    for chunk in range(chunks):
        size = stops[chunk] - starts[chunk]
        lengths[chunk] = 0
        if size > longest:
            lengths[chunk] = ELSEWHERE
            continue
        for at in range(starts[chunk], stops[chunk]):
            if data[at] >= 0x80:
                lengths[chunk] = ELSEWHERE
                break
        if lengths[chunk] == 0:
            room += size
    out = np.empty(room, np.int32)
    pieces, turn = np.empty(longest, np.int32), np.empty(longest, np.int64)
    never = np.int64(len(made))
    written = 0
    for chunk in range(chunks):
        if lengths[chunk] == ELSEWHERE:
            continue
        before = written
        at, stop = starts[chunk], stops[chunk]
        while at < stop:
            end = _word_end(data, at, stop, kinds)
            number = end - at
            for place in range(number):
                pieces[place] = of_byte[data[at + place]]
            for place in range(number - 1):
                turn[place] = _rank(table, ranks, pieces[place], pieces[place + 1], never)
            while number > 1:
                best = 0
                for place in range(1, number - 1):
                    if turn[place] < turn[best]:
                        best = place
                if turn[best] == never:
                    break
                pieces[best] = made[turn[best]]
                number -= 1
                for place in range(best + 1, number):
                    pieces[place] = pieces[place + 1]
                    turn[place - 1] = turn[place]
                if best > 0:
                    turn[best - 1] = _rank(table, ranks, pieces[best - 1], pieces[best], never)
                if best < number - 1:
                    turn[best] = _rank(table, ranks, pieces[best], pieces[best + 1], never)
            for place in range(number):
                out[written] = pieces[place]
                written += 1
            at = end
        lengths[chunk] = written - before
    return out[:written].copy(), lengths
