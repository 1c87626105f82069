"""Words and character counts, straight from a text column's UTF-8 bytes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.core.lazy import lazy
from assay.kernels.arrow import Offsets, TextColumn, text_buffers
from assay.kernels.hashing import SEED, absorb, mix
from assay.kernels.numbering import kinds_of
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
PLAIN, NUMBER, NAME = range(3)
# A word after one of these, or after a line's end, is in upper case because a sentence begins.
_BEFORE_A_SENTENCE = '.!?:;"\u201c\u2026*#-\n'
# Bits beside a letter's fold.
_PLAIN_WORD, _PLAIN_CAPITAL, _PLAIN_DIGIT, _PLAIN_STARTER, _PLAIN_APOSTROPHE = (
    1 << bit for bit in range(8, 13)
)


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

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1

    @lazy
    def vocabulary(self) -> Vocabulary:
        """The different words: what is known of a word is looked up once and not wherever it stands."""
        return Vocabulary(*kinds_of(self.ids))

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
    tables = roles(), folds(), kinds(), _starters(), _plain()
    parts = [_survey(offsets, data, *tables) for offsets, data in text_buffers(column)]
    if not parts:
        words = Tokens(np.zeros(0, np.uint64), np.zeros(1, np.int64), *np.zeros((2, 0), np.int32))
        return Survey(words, np.zeros(0, np.uint8))
    counts, ids, starts, ends, looks = (
        parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts, strict=True))
    )
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    return Survey(Tokens(ids, offsets, starts, ends), looks)


@functools.cache
def _starters() -> npt.NDArray[np.bool_]:
    """Characters after which a capital begins a sentence, by code point; those above are none."""
    table = np.zeros(0x2100, np.bool_)
    table[[ord(sign) for sign in _BEFORE_A_SENTENCE]] = True
    table.flags.writeable = False
    return table


@functools.cache
def _plain() -> npt.NDArray[np.uint16]:
    """What the kernel asks of each byte, shape (256,); nothing of those beyond ASCII, which most text lacks.

    A letter or digit is its fold, with bits for capitals and digits; of other characters bits tell what parts
    sentences, and the apostrophe.
    """
    table = np.zeros(256, np.uint16)
    for code in range(128):
        sign = chr(code)
        if roles()[code] == WORD:
            bits = _PLAIN_WORD | _PLAIN_CAPITAL * sign.isupper() | _PLAIN_DIGIT * sign.isdecimal()
            table[code] = bits | int(folds()[code])
        else:
            table[code] = _PLAIN_STARTER * (sign in _BEFORE_A_SENTENCE) | _PLAIN_APOSTROPHE * (sign == "'")
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
def _survey(offsets, data, roles, folds, kinds, starters, plain):  # type: ignore[no-untyped-def]
    """Tokens per row, then the id, start, end and look of each token."""
    num_rows = len(offsets) - 1
    # A one-byte token needs a separator after it unless the row ends; all others take two bytes or more.
    most = (offsets[-1] - offsets[0] + 1) // 2 + num_rows
    counts = np.zeros(num_rows, np.int64)
    ids, looks = np.empty(most, np.uint64), np.empty(most, np.uint8)
    starts, ends = np.empty(most, np.int32), np.empty(most, np.int32)
    found = 0
    for row in range(num_rows):
        begin, stop = offsets[row], offsets[row + 1]
        before = found
        opens = True  # no token before, or a sentence's end
        at = begin
        while at < stop:
            start = at
            byte = data[at]
            if byte < 128:
                at += 1
                traits = plain[byte]
                if traits & _PLAIN_WORD == 0:
                    opens = opens or traits & _PLAIN_STARTER != 0
                    continue
                state = absorb(SEED, traits & 0xFF)
                digit, capital = traits & _PLAIN_DIGIT != 0, traits & _PLAIN_CAPITAL != 0
                is_word = True
            else:
                code, at = decode(data, at)
                role = roles[code]
                if role != WORD and role != SINGLE:
                    opens = opens or (code < len(starters) and starters[code])
                    continue
                state = absorb(SEED, folds[code] if code < len(folds) else code)
                digit, capital = (kinds[code] & DIGIT) != 0, (kinds[code] & UPPER) != 0
                is_word = role == WORD
            while at < stop:
                byte = data[at]
                traits = plain[byte]
                while is_word and traits & _PLAIN_WORD != 0:
                    state = absorb(state, traits & 0xFF)
                    at += 1
                    if at == stop:
                        break
                    byte = data[at]
                    traits = plain[byte]
                if at == stop:
                    break
                if byte < 128:
                    if not is_word or traits & _PLAIN_APOSTROPHE == 0 or at + 1 >= stop:
                        break
                    following, _ = decode(data, at + 1)
                    if roles[following] != WORD:
                        break
                    state = absorb(state, byte)
                    at += 1
                    continue
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
            ids[found], starts[found], ends[found] = mix(state), start - begin, at - begin
            looks[found] = NUMBER if digit else NAME if capital and not opens else PLAIN
            found += 1
            opens = False
        counts[row] = found - before
    # What lies behind was never written to, so that it takes no memory to keep it.
    return counts, ids[:found], starts[:found], ends[:found], looks[:found]


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
