"""Where listed words and phrases stand in text: the longest at each place, theme by theme, from left to right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.kernels.arrow import text_buffers
from assay.kernels.hashing import SEED, mix
from assay.kernels.ngrams import ngram_ids
from assay.kernels.scripts import UPPER, kinds
from assay.kernels.text import Tokens, decode, tokens

MOST_WORDS = 8
# What a phrase belongs to when it is only there to keep shorter ones from counting.
NOTHING = -1
Owners = Sequence[tuple[int, int]]
_PAIR_BITS = 16


@dataclass(frozen=True)
class Phrasebook:
    """Phrases in a hash table, with what each belongs to.

    Attributes:
        slots: Open addressing: place of an id in `ids`, or -1; shape (a power of two,).
        ids: Id of each phrase, and of each first word that is none itself.
        reach: Words of the longest phrase that begins with this word, shape of `ids`; 0 for longer ids.
        pairs: Whether some phrase may begin with two words whose id begins with these bits, shape (2^16,): a table
            that stays near, which ends nearly every search at the second word.
        bounds: Phrase i belongs to ``owners[bounds[i]:bounds[i + 1]]``, shape (ids + 1,).
        owners: Theme, group, and 1 if the phrase counts only where its first letter is a capital, else 0; shape
            (owners, 3). The group may be `NOTHING`.
        themes: Number of themes.
    """

    slots: npt.NDArray[np.int64]
    ids: npt.NDArray[np.uint64]
    reach: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.bool_]
    bounds: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]
    themes: int

    @classmethod
    def of(cls, phrases: Mapping[str, Owners]) -> Phrasebook:
        """The table of `phrases`, each with its (theme, group) pairs, at most one group a theme.

        A phrase whose first letter is a capital counts only where it is written with one ("Polish", "Turkey");
        all others count in any case. Phrases of more than eight words, or without any, never match.
        """
        written = sorted(phrases)
        words = tokens(pa.array(written, pa.large_string()))
        lengths = np.diff(words.offsets)
        ids, pairs = np.zeros(len(written), np.uint64), np.zeros(1 << _PAIR_BITS, np.bool_)
        for n in range(1, MOST_WORDS + 1):
            grams, offsets = ngram_ids(words, n)
            exact = np.flatnonzero(lengths == n)
            ids[exact] = grams[offsets[exact]]
            if n == 2:
                pairs[grams[offsets[:-1][lengths >= n]] >> np.uint64(64 - _PAIR_BITS)] = True
        reach: dict[int, int] = {}
        owners: dict[int, list[tuple[int, int]]] = {}
        capital: dict[int, bool] = {}
        for place in np.flatnonzero((lengths > 0) & (lengths <= MOST_WORDS)):
            key, first = int(ids[place]), int(words.ids[words.offsets[place]])
            reach[first] = max(reach.get(first, 0), int(lengths[place]))
            owners.setdefault(first, [])
            owners.setdefault(key, []).extend(phrases[written[place]])
            # Written both ways, it counts in any case.
            capital[key] = capital.get(key, True) and _capital(written[place])
        keys = np.array(sorted(owners), np.uint64)
        listed = [
            [(theme, group, int(capital.get(key, False))) for theme, group in owners[key]]
            for key in keys.tolist()
        ]
        flat = [owner for each in listed for owner in each]
        return cls(
            _slots(keys),
            keys,
            np.array([reach.get(key, 0) for key in keys.tolist()], np.int64),
            pairs,
            np.cumsum([0, *map(len, listed)], dtype=np.int64),
            np.array(flat, np.int64).reshape(len(flat), 3),
            max((theme for theme, _, _ in flat), default=-1) + 1,
        )

    def beside(self, other: Phrasebook, groups: int) -> Phrasebook:
        """The phrases of both; the other's themes are numbered behind these, and its groups from `groups` on."""
        theirs = other.owners + np.array([self.themes, groups, 0])
        theirs[other.owners[:, 1] == NOTHING, 1] = NOTHING
        ids = np.union1d(self.ids, other.ids)
        reach = np.zeros(len(ids), np.int64)
        place = []
        for book in (self, other):
            at = np.searchsorted(ids, book.ids)
            reach[at] = np.maximum(reach[at], book.reach)
            place.append(np.repeat(at, np.diff(book.bounds)))
        of = np.concatenate(place)
        return Phrasebook(
            _slots(ids),
            ids,
            reach,
            self.pairs | other.pairs,
            np.append(0, np.cumsum(np.bincount(of, minlength=len(ids)))),
            np.concatenate([self.owners, theirs])[np.argsort(of, kind="stable")],
            self.themes + other.themes,
        )


@dataclass(frozen=True)
class Found:
    """Where phrases stand; arrays of shape (found,), by row and then by place.

    Attributes:
        row, group: The row, and the group the phrase belongs to.
        first: First token of the phrase, counted within the row.
        words: How many tokens it has.
    """

    row: npt.NDArray[np.int64]
    group: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    words: npt.NDArray[np.int64]


def find(text: pa.Array, words: Tokens, book: Phrasebook) -> Found:
    """Every phrase of `book` in the rows; of those of one theme that overlap, the leftmost and longest.

    Args:
        text: The rows, large_string.
        words: The same rows tokenised.
    """
    if not len(book.ids) or not words.rows:
        return Found(*np.zeros((4, 0), np.int64))
    found, start = [], 0
    known = words.vocabulary
    places = _look_up_all(book.slots, book.ids, known.ids)
    # A word that is no phrase by itself needs another behind it.
    single = np.append(np.diff(book.bounds) > 0, False)[places]
    for offsets, data in text_buffers(text):
        rows = len(offsets) - 1
        part = words.offsets[start : start + rows + 1]
        marks = _find(
            offsets, data, words.ids, known.at, places, _begins(words.ids, known.at, part[0], part[-1], places >= 0, single, book.pairs), words.starts, part,
            kinds(), book.slots, book.ids, book.reach, book.pairs, book.bounds, book.owners, book.themes,
        )  # fmt: skip
        marks[0] += start
        found.append(marks)
        start += rows
    return Found(*(found[0] if len(found) == 1 else np.concatenate(found, axis=1)))


def _capital(phrase: str) -> bool:
    return next(filter(str.isalnum, phrase), "").isupper()


@numba.njit(nogil=True, cache=True, inline="always")
def _look_up(slots, ids, item):  # type: ignore[no-untyped-def]
    """Place of `item` in `ids`, or -1."""
    mask = np.uint64(len(slots) - 1)
    slot = (item >> np.uint64(17)) & mask
    while slots[slot] >= 0 and ids[slots[slot]] != item:
        slot = (slot + np.uint64(1)) & mask
    return slots[slot]


@numba.njit(nogil=True, cache=True)
def _look_up_all(slots, ids, items):  # type: ignore[no-untyped-def]
    """Place of each of the `items` in `ids`, or -1."""
    found = np.empty(len(items), np.int32)
    for at in range(len(items)):
        found[at] = _look_up(slots, ids, items[at])
    return found


@numba.njit(nogil=True, cache=True)
def _slots(ids):  # type: ignore[no-untyped-def]
    size = 2
    # Three slots of four stay empty: nearly every word of a text is listed nowhere and stops at its first look.
    while size < 4 * len(ids):
        size *= 2
    mask = np.uint64(size - 1)
    slots = np.full(size, -1, np.int64)
    for place in range(len(ids)):
        slot = (ids[place] >> np.uint64(17)) & mask
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = place
    return slots


@numba.njit(nogil=True, cache=True)
def _begins(words, known, first, last, listed, single, pairs):  # type: ignore[no-untyped-def]
    """The tokens from `first` to `last` that may begin a phrase, in order: without branches, which nobody could foresee."""
    held = np.empty(last - first, np.int32)
    found = 0
    for at in range(np.uint64(first), np.uint64(last)):
        held[np.uint64(found)] = at
        found += listed[np.uint32(known[at])]
    kept = 0
    for each in held[:found]:
        token = np.uint32(each)
        state = mix(words[token] * SEED + words[min(token + np.uint32(1), np.uint32(last - 1))])
        held[np.uint64(kept)] = each
        kept += single[np.uint32(known[token])] | pairs[state >> np.uint64(64 - _PAIR_BITS)]
    return held[:kept]


@numba.njit(nogil=True, cache=True)
def _find(  # type: ignore[no-untyped-def]
    offsets,
    data,
    words,
    known,
    first,
    held,
    starts,
    rows,
    kinds,
    slots,
    ids,
    reach,
    pairs,
    bounds,
    owners,
    themes,
):
    """Row, group, first token and number of tokens of each phrase found, shape (4, found)."""
    found = 0
    marks = np.empty((4, len(held)), np.int64)
    until = np.zeros(themes, np.int64)
    places = np.empty(MOST_WORDS, np.int64)
    row, begin, stop = -1, rows[0], rows[0]
    for at in held:
        while at >= stop:
            row += 1
            begin, stop = rows[row], rows[row + 1]
            until[:] = 0
        place = first[known[at]]
        most = min(reach[place], stop - at)
        places[0] = place
        state = words[at]
        if most > 1:
            state = mix(state * SEED + words[at + 1])
            if pairs[state >> np.uint64(64 - _PAIR_BITS)]:
                places[1] = _look_up(slots, ids, state)
            else:
                most = 1
        for n in range(2, most):
            state = mix(state * SEED + words[at + n])
            places[n] = _look_up(slots, ids, state)
        upper = -1
        for n in range(most - 1, -1, -1):
            place = places[n]
            if place < 0:
                continue
            for owner in range(bounds[place], bounds[place + 1]):
                theme, group, capital = owners[owner, 0], owners[owner, 1], owners[owner, 2]
                if capital:
                    if upper < 0:
                        code, _ = decode(data, offsets[row] + starts[at])
                        upper = (kinds[code] & UPPER) != 0
                    if upper == 0:
                        continue
                if at - begin < until[theme]:
                    continue
                until[theme] = at - begin + n + 1
                if group < 0:
                    continue
                if found == marks.shape[1]:
                    grown = np.empty((4, 2 * found), np.int64)
                    grown[:, :found] = marks
                    marks = grown
                marks[0, found], marks[1, found] = row, group
                marks[2, found], marks[3, found] = at - begin, n + 1
                found += 1
    return marks[:, :found]
