"""Words and character counts, straight from a text column's UTF-8 bytes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from assay.core.lazy import lazy
from assay.kernels.arrow import Offsets, TextColumn, text_buffers
from assay.kernels.hashing import SEED, absorb, mix
from assay.kernels.loads import (
    WINDOW,
    apostrophe_bits,
    behind_highest,
    beyond_bits,
    eight,
    lowest,
    word_bits,
)
from assay.kernels.numbering import kinds_of, pair_slot, pair_slots
from assay.kernels.scripts import (
    APOSTROPHE,
    DIGIT,
    LETTER,
    MARK,
    MARKUP,
    NEWLINE,
    PUNCTUATION,
    SINGLE,
    SPACE,
    UPPER,
    WORD,
    folds,
    kinds,
    roles,
)

# How a word looks.
LOOKS = 3
PLAIN, NUMBER, NAME = range(LOOKS)
# A word after one of these, or after a line's end, is in upper case because a sentence begins.
_BEFORE_A_SENTENCE = '.!?:;"\u201c\u2026*#-\n'
# Shorter words are known by their bytes.
LONG = 16
# The bytes of the first eight letters of a word of so many, and of the next eight.
_FIRST_BYTES = np.array([(1 << 8 * min(size, 8)) - 1 for size in range(LONG)], np.uint64)
_SECOND_BYTES = np.array([(1 << 8 * max(size - 8, 0)) - 1 for size in range(LONG)], np.uint64)
# Marks the look of a token that was read letter by letter.
_IS_READ = 1 << 7
# A spelling that no sixteen bytes of ASCII tell is told by the word's id and look.
_IS_ID = np.uint64(1 << 63)
_LOOKS = np.uint64(3)
_BYTES_A_SPELLING = 80


@dataclass(frozen=True)
class Tokens:
    """The words of a column's rows, one row after the other.

    Attributes:
        ids: 64-bit hash of each word regardless of case, shape (num_tokens,).
        offsets: Row i holds the tokens ``offsets[i]:offsets[i + 1]``, shape (num_rows + 1,).
        starts, ends: Byte span of each token within its row's UTF-8 text, shape (num_tokens,).
    """

    ids: npt.NDArray[np.uint64]
    offsets: Offsets
    starts: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int32]
    spelt: Vocabulary | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1

    @lazy
    def vocabulary(self) -> Vocabulary:
        """The different words: what is known of a word is looked up once and not wherever it stands."""
        return self.spelt or Vocabulary(*kinds_of(self.ids))

    def take(self, index: npt.NDArray[np.int64]) -> Tokens:
        """The tokens of the rows at `index`, in that order."""
        if len(index) and (np.diff(index) == 1).all():
            begin, end = self.offsets[index[0]], self.offsets[index[-1] + 1]
            offsets = self.offsets[index[0] : index[-1] + 2] - begin
            return Tokens(self.ids[begin:end], offsets, self.starts[begin:end], self.ends[begin:end])
        return Tokens(*_take(self.ids, self.offsets, self.starts, self.ends, index))


@dataclass(frozen=True)
class Vocabulary:
    """The different words of some rows, in the order in which they are first met.

    Attributes:
        ids: Hash of each, shape (different words,).
        at: Place of each token's word in `ids`, shape (num_tokens,).
    """

    ids: npt.NDArray[np.uint64]
    at: npt.NDArray[np.int32]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each stands in the rows, shape (different words,)."""
        return np.bincount(self.at, minlength=len(self.ids))


@dataclass(frozen=True)
class Survey:
    """What one pass over the bytes tells.

    Attributes:
        words: The tokens.
        looks: NUMBER if a token begins with a digit, NAME if with a capital inside a sentence, else PLAIN; shape
            (num_tokens,). Scripts without case have no names.
    """

    words: Tokens
    looks: npt.NDArray[np.uint8]

    def take(self, index: npt.NDArray[np.int64]) -> Survey:
        """What is known of the rows at `index`, in that order."""
        words, offsets = self.words, self.words.offsets
        if len(index) and (np.diff(index) == 1).all():
            return Survey(words.take(index), self.looks[offsets[index[0]] : offsets[index[-1] + 1]])
        lengths = np.diff(offsets)[index]
        before = np.cumsum(lengths) - lengths
        at = np.repeat(offsets[index] - before, lengths) + np.arange(lengths.sum())
        return Survey(words.take(index), self.looks[at])


@dataclass(frozen=True)
class Characters:
    """Characters of each row by kind; every array is int64 of shape (num_rows,).

    Attributes:
        bytes: UTF-8 bytes.
        chars: Code points; the kinds below count these.
        letters: Letters of any script; `upper` are those of them in upper or title case.
        digits: Decimal digits of any script.
        punctuation: Punctuation and symbols, emoji among them.
        newlines: Line feeds.
        spaces: White space other than line feeds.
        markup: The signs Markdown, HTML, LaTeX and code are made of: ``# * _ ` ~ | < > [ ] { } \\``.
    """

    bytes: npt.NDArray[np.int64]
    chars: npt.NDArray[np.int64]
    letters: npt.NDArray[np.int64]
    upper: npt.NDArray[np.int64]
    digits: npt.NDArray[np.int64]
    punctuation: npt.NDArray[np.int64]
    newlines: npt.NDArray[np.int64]
    spaces: npt.NDArray[np.int64]
    markup: npt.NDArray[np.int64]


def tokens(column: TextColumn) -> Tokens:
    """The words of each row, as hashes that ignore case.

    A word is a run of letters and digits with the marks that combine with them and apostrophes inside it.
    In scripts without spaces (Han, kana, Thai, Lao, Khmer, Myanmar) each character with its marks is a
    token. Punctuation, symbols and emoji are none. Composed and decomposed accents stay different.

    Args:
        column: Text, shape (num_rows,); a null counts as an empty row.
    """
    return survey(column).words


def survey(column: TextColumn) -> Survey:
    """The words of each row and their looks, in one pass over the bytes.

    Args:
        column: Text, shape (num_rows,); a null counts as an empty row.
    """
    tables = roles(), folds(), kinds(), _starters()
    parts = [_survey(offsets, data, *tables) for offsets, data in text_buffers(column)]
    if not parts:
        words = Tokens(np.zeros(0, np.uint64), np.zeros(1, np.int64), *np.zeros((2, 0), np.int32))
        return Survey(words, np.zeros(0, np.uint8))
    offsets, ids, starts, ends, looks, spelling, known = parts[0] if len(parts) == 1 else _joined(parts)
    return Survey(Tokens(ids, offsets, starts, ends, Vocabulary(known, spelling)), looks)


def _joined(parts: list[tuple[npt.NDArray[Any], ...]]) -> list[npt.NDArray[Any]]:
    """What `_survey` tells of several columns, as of one behind the other."""
    bounds, *of_tokens, spelling, known = zip(*parts, strict=True)
    tokens, spellings = (np.cumsum([0, *map(len, each)])[:-1] for each in (spelling, known))
    bounds = [each[1:] + first for each, first in zip(bounds, tokens, strict=True)]
    spelling = [each + np.int32(first) for each, first in zip(spelling, spellings, strict=True)]
    joined = [np.zeros(1, np.int64), *bounds], *of_tokens, spelling, known
    return [np.concatenate(each) for each in joined]


@functools.cache
def _starters() -> npt.NDArray[np.bool_]:
    """Characters after which a capital begins a sentence, by code point; those above are none."""
    table = np.zeros(0x2100, np.bool_)
    table[[ord(sign) for sign in _BEFORE_A_SENTENCE]] = True
    table.flags.writeable = False
    return table


def characters(column: TextColumn) -> Characters:
    """How many characters of each kind each row holds.

    Args:
        column: Text, shape (num_rows,); a null counts as an empty row.
    """
    parts = [_count_characters(offsets, data, kinds()) for offsets, data in text_buffers(column)]
    return Characters(*np.concatenate([np.zeros((9, 0), np.int64), *parts], axis=1))


@numba.njit(nogil=True, cache=True, inline="always")
def decode(data, at):  # type: ignore[no-untyped-def]
    """The code point at byte `at` of valid UTF-8, and the byte after it."""
    first = np.uint32(data[at])
    if first < 0x80:
        return first, at + 1
    if first < 0xE0:
        return ((first & 0x1F) << 6) | (data[at + 1] & 0x3F), at + 2
    if first < 0xF0:
        high = ((first & 0x0F) << 12) | ((data[at + 1] & 0x3F) << 6)
        return high | (data[at + 2] & 0x3F), at + 3
    high = ((first & 0x07) << 18) | ((data[at + 1] & 0x3F) << 12) | ((data[at + 2] & 0x3F) << 6)
    return high | (data[at + 3] & 0x3F), at + 4


@numba.njit(nogil=True, cache=True)
def _survey(offsets, data, roles, folds, kinds, starters):  # type: ignore[no-untyped-def]
    """First token of each row and the one after the last; id, start, end, look and spelling of each token; and the id
    of each spelling."""
    # A one-byte token needs a separator after it unless the row ends; all others take two bytes or more.
    most = (offsets[-1] - offsets[0] + 1) // 2 + len(offsets)
    ids, looks = np.empty(most, np.uint64), np.empty(most, np.uint8)
    starts, ends = np.empty(most, np.int32), np.empty(most, np.int32)
    bounds = _cut(offsets, data, roles, folds, kinds, starts, ends, ids, looks)
    # What lies behind was never written to, so that it takes no memory to keep it.
    found = bounds[-1]
    ids, looks, starts, ends = ids[:found], looks[:found], starts[:found], ends[:found]
    spelling = np.empty(found, np.int32)
    room = 256
    while room < (offsets[-1] - offsets[0]) // _BYTES_A_SPELLING:
        room *= 2
    table = np.empty((room, 4), np.uint64)
    done = known = 0
    while done < found:
        if known == len(table):
            table = np.concatenate((table, np.empty_like(table)))
        slots = pair_slots(table, known)
        done, known = _spell(
            offsets, data, folds, kinds, bounds, starts, ends, slots, table, done, known, ids, looks, spelling
        )
    _name(offsets, data, starters, bounds, starts, ends, looks)
    return bounds, ids, starts, ends, looks, spelling, table[:known, 2].copy()


@numba.njit(nogil=True, cache=True)
def _cut(offsets, data, roles, folds, kinds, starts, ends, ids, looks):  # type: ignore[no-untyped-def]
    """Where the tokens begin and end; of those with letters beyond ASCII also what they are. Returns their bounds."""
    bounds = np.zeros(len(offsets), np.int64)
    found = 0
    for row in range(len(offsets) - 1):
        begin, stop = offsets[row], offsets[row + 1]
        at = begin
        while at < stop:
            start = at
            if data[start] < 128 and start + 1 < stop and data[start + 1] < 128:
                firsts, lasts, at = _words_ahead(data, start, stop)
                while firsts != 0:
                    starts[found], ends[found] = start - begin + lowest(firsts), start - begin + lowest(lasts)
                    looks[found] = 0
                    firsts, lasts = firsts & (firsts - np.uint64(1)), lasts & (lasts - np.uint64(1))
                    found += 1
                if at > start:
                    continue
            code, at = decode(data, start)
            role = roles[code]
            if role in (WORD, SINGLE):
                ids[found], at = _read(data, code, role, at, stop, roles, folds)
                looks[found] = _IS_READ | _look(kinds[code])
                starts[found], ends[found] = start - begin, at - begin
                found += 1
        bounds[row + 1] = found
    return bounds


@numba.njit(nogil=True, cache=True)
def _spell(  # type: ignore[no-untyped-def]
    offsets,
    data,
    folds,
    kinds,
    bounds,
    starts,
    ends,
    slots,
    table,
    at,
    known,
    ids,
    looks,
    spelling,
):
    """Look up the tokens from `at` on until they end or the table is full; where that is, and the spellings in it.

    A word of a few letters of ASCII, as most are, is known by its bytes: the rest is found out where it is first met.
    """
    for row in range(len(bounds) - 1):
        for token in range(np.uint64(max(at, bounds[row])), np.uint64(bounds[row + 1])):
            start, size = offsets[row] + starts[token], ends[token] - starts[token]
            if looks[token]:
                first, second = ids[token], _IS_ID | looks[token]
            elif size < LONG:
                first, second = (
                    eight(data, start) & _FIRST_BYTES[size],
                    eight(data, start + 8) & _SECOND_BYTES[size],
                )
            else:
                first, second = _plain_id(data, start, size, folds), _IS_ID | _look(kinds[data[start]])
            here = pair_slot(slots, table, first, second)
            each = slots[here]
            if each < 0:
                if known == len(table):
                    return np.int64(token), known
                each = np.int32(known)
                slots[here] = each
                table[known, 0], table[known, 1] = first, second
                if second & _IS_ID:
                    table[known, 2], table[known, 3] = first, second & _LOOKS
                else:
                    table[known, 2], table[known, 3] = (
                        _plain_id(data, start, size, folds),
                        _look(kinds[data[start]]),
                    )
                known += 1
            spelling[token] = each
            ids[token], looks[token] = table[np.uint32(each), 2], table[np.uint32(each), 3]
    return bounds[-1], known


@numba.njit(nogil=True, cache=True)
def _name(offsets, data, starters, bounds, starts, ends, looks):  # type: ignore[no-untyped-def]
    """A capital at the beginning of a sentence makes no name."""
    for row in range(len(bounds) - 1):
        for token in range(bounds[row], bounds[row + 1]):
            if looks[token] == NAME and (
                token == bounds[row]
                or _starts(data, offsets[row] + ends[token - 1], offsets[row] + starts[token], starters)
            ):
                looks[token] = PLAIN


@numba.njit(nogil=True, cache=True)
def _plain_id(data, start, size, folds):  # type: ignore[no-untyped-def]
    """The id of a word of ASCII."""
    state = SEED
    for byte in data[start : start + size]:
        state = absorb(state, folds[byte])
    return mix(state)


@numba.njit(nogil=True, cache=True, inline="always")
def _words_ahead(data, at, stop):  # type: ignore[no-untyped-def]
    """First bytes and the bytes behind the last ones of words of ASCII near `at`, as bits; and where to go on.

    Nothing is told of a word that may have letters beyond ASCII or beyond the bytes looked at: it is where to go on.
    """
    none = np.uint64(0)
    if at + WINDOW + LONG > len(data):
        return none, none, at
    one, ends = np.uint64(1), stop - at < WINDOW
    letters, beyond = word_bits(data, at), beyond_bits(data, at)
    if ends:
        inside = (one << np.uint64(stop - at)) - one
        letters, beyond = letters & inside, beyond & inside
    letters |= apostrophe_bits(data, at) & letters << one & letters >> one
    until = lowest(beyond)
    if until < WINDOW:
        letters &= (one << np.uint64(until)) - one
        ends = False
    firsts, lasts = letters & ~(letters << one), ~letters & letters << one
    if ends:
        return firsts, lasts, stop
    if until == 0:
        return none, none, at
    # An apostrophe behind a word may join it to a letter that cannot be seen.
    lasts &= (one << np.uint64(until - 1)) - one
    told = (one << np.uint64(behind_highest(lasts))) - one
    rest = firsts & ~told
    return firsts & told, lasts, at + lowest(rest) if rest != 0 else at + until


@numba.njit(nogil=True, cache=True)
def _starts(data, at, stop, starters):  # type: ignore[no-untyped-def]
    """Whether one of the signs between two words begins a sentence."""
    while at < stop:
        code, at = decode(data, at)
        if code < len(starters) and starters[code]:
            return True
    return False


@numba.njit(nogil=True, cache=True, inline="always")
def _look(kind):  # type: ignore[no-untyped-def]
    return np.uint64(NUMBER if kind & DIGIT else NAME if kind & UPPER else PLAIN)


@numba.njit(nogil=True, cache=True, inline="always")
def _read(data, code, role, at, stop, roles, folds):  # type: ignore[no-untyped-def]
    """The id of the token that begins with the character before `at`, and the byte after it."""
    is_word = role == WORD
    state = absorb(SEED, folds[code] if code < len(folds) else code)
    while at < stop:
        code, after = decode(data, at)
        role = roles[code]
        if role == APOSTROPHE and is_word and after < stop:
            following, _ = decode(data, after)
            if roles[following] != WORD:
                break
        elif role != MARK and not (role == WORD and is_word):
            break
        state = absorb(state, folds[code] if code < len(folds) else code)
        at = after
    return mix(state), at


@numba.njit(nogil=True, cache=True)
def _take(ids, offsets, starts, ends, index):  # type: ignore[no-untyped-def]
    taken = np.zeros(len(index) + 1, np.int64)
    for place in range(len(index)):
        taken[place + 1] = taken[place] + offsets[index[place] + 1] - offsets[index[place]]
    out = np.empty(taken[-1], np.uint64), np.empty(taken[-1], np.int32), np.empty(taken[-1], np.int32)
    for place in range(len(index)):
        here, there, number = taken[place], offsets[index[place]], taken[place + 1] - taken[place]
        out[0][here : here + number] = ids[there : there + number]
        out[1][here : here + number] = starts[there : there + number]
        out[2][here : here + number] = ends[there : there + number]
    return out[0], taken, out[1], out[2]


@numba.njit(nogil=True, cache=True)
def _count_characters(offsets, data, kinds):  # type: ignore[no-untyped-def]
    """The nine counts of `Characters` in its order, shape (9, num_rows)."""
    num_rows = len(offsets) - 1
    counts = np.zeros((9, num_rows), np.int64)
    for row in range(num_rows):
        at, stop = offsets[row], offsets[row + 1]
        counts[0, row] = stop - at
        while at < stop:
            code, at = decode(data, at)
            kind = kinds[code]
            counts[1, row] += 1
            counts[2, row] += (kind & LETTER) != 0
            counts[3, row] += (kind & UPPER) != 0
            counts[4, row] += (kind & DIGIT) != 0
            counts[5, row] += (kind & PUNCTUATION) != 0
            counts[6, row] += (kind & NEWLINE) != 0
            counts[7, row] += (kind & SPACE) != 0
            counts[8, row] += (kind & MARKUP) != 0
    return counts
