"""How texts end: what a reader looks at to see whether the writer was cut off."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers
from assay.kernels.scripts import SINGLE, categories, roles
from assay.kernels.text import decode

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

# What a character says about the sentence it stands in.
OTHER, BLANK, LETTER, NUMBER, STOP, PAUSE, OPENING, CLOSING = range(8)
_STOPS = ".!?\u2026\u203c\u2047\u2048\u2049\u203d"
# These need no space after them: full-width and Indic stops, Arabic, Ethiopic, Armenian, Myanmar, Khmer.
_FREE_STOPS = (
    "\u3002\uff01\uff1f\uff61\uff0e\u0964\u0965\u06d4\u061f\u1362\u1367\u1368\u0589\u104b\u17d4\u17d5"
)
_PAUSES = ",;:\u060c\u061b\u3001\uff0c\uff1b\uff1a&"
# Letters and marks before a full stop; fewer are mostly an abbreviation or an initial.
_WORD_BEFORE_STOP = 3
_LONG_LINE = 8


@dataclass(frozen=True)
class Endings:
    """Arrays of shape (rows,). A line is what stands between line feeds; blank ones do not count.

    Attributes:
        last: Kind of the last character that is no white space, one of the constants above; a tag such as
            ``#film`` or ``@her`` is of the kind `OTHER`.
        stops: Sentences that end within the last line, before its end.
        words: Words of the last line; in scripts without spaces two characters count as one.
        prose: The last line begins with a letter, so it is no item, heading, table or quotation.
        stopped: There are earlier lines of 8 words or more, and all of them end in something other than a
            letter or number.
        open: A bracket that opens before a letter or number on the last line is not closed.
        fenced: A code fence is not closed.

    Only `last` is told of every row. Of one that ends in anything but a letter, and may hold no fence, the others
    say nothing.
    """

    last: npt.NDArray[np.uint8]
    stops: Counts
    words: Counts
    prose: Bools
    stopped: Bools
    open: Bools
    fenced: Bools


def endings(column: TextColumn, fences: Bools) -> Endings:
    """How each row ends.

    Args:
        column: Text, shape (rows,); a null counts as an empty row.
        fences: Rows that may hold a code fence, shape (rows,).
    """
    parts, start = [], 0
    for offsets, data in text_buffers(column):
        part = fences[start : start + len(offsets) - 1]
        start += len(part)
        parts.append(_walk(offsets, data, _kinds(), roles(), part))
    last, stops, words, prose, stopped, opened, fenced = np.concatenate(
        [np.zeros((7, 0), np.int64), *parts], axis=1
    )
    return Endings(last.astype(np.uint8), stops, words, prose > 0, stopped > 0, opened > 0, fenced > 0)


@functools.cache
def _kinds() -> npt.NDArray[np.uint8]:
    table = np.full(0x110000, LETTER, np.uint8)  # above plane 1: Han characters
    category = categories()
    walked, first_letter = table[: len(category)], category.astype("U1")
    walked[~np.isin(first_letter, ["L", "M"])] = OTHER
    for initial, kind in (("N", NUMBER), ("Z", BLANK), ("C", BLANK)):
        walked[first_letter == initial] = kind
    walked[category == "Ps"], walked[category == "Pe"] = OPENING, CLOSING
    table[[ord(sign) for sign in _STOPS + _FREE_STOPS]] = STOP
    table[[ord(sign) for sign in _PAUSES]] = PAUSE
    table.flags.writeable = False
    return table


@numba.njit(nogil=True, cache=True)
def _last(data, begin, stop, kinds):  # type: ignore[no-untyped-def]
    """The kind of the last character that is no white space; of a tag, `OTHER`."""
    last, at = BLANK, stop
    while at > begin:
        at -= 1
        if data[at] & 0xC0 == 0x80:  # not the first byte of its character
            continue
        code, _ = decode(data, at)
        kind = kinds[code]
        if last == BLANK:
            if kind == BLANK:
                continue
            last = kind
            if kind != LETTER and kind != NUMBER:
                return kind
        elif code != 10 and code != 95 and kind != LETTER and kind != NUMBER:
            # What the word hangs on, over line ends and underscores.
            return OTHER if code == 35 or code == 64 else last
    return OTHER if last == BLANK else last


@numba.njit(nogil=True, cache=True)
def _walk(offsets, data, kinds, roles, fences_too):  # type: ignore[no-untyped-def]
    """The seven arrays of `Endings` in its order, shape (7, rows)."""
    rows = len(offsets) - 1
    out = np.zeros((7, rows), np.int64)
    for row in range(rows):
        at, stop = offsets[row], offsets[row + 1]
        out[0, row] = _last(data, at, stop, kinds)
        if out[0, row] != LETTER and not fences_too[row]:
            continue
        last = OTHER  # kind of the last character that is not blank, in the whole row
        stops = words = halves = run = depth = 0
        long_lines = long_stopped = fences = ticks = 0
        blank_line, prose, in_word, pending = True, False, False, False
        before_blank, tag = True, False
        while at < stop:
            code, at = decode(data, at)
            if code == 10:
                # The line is over; whether it was the last one shows when more text follows.
                ticks = 0
                run = 0
                in_word = False
                pending = False
                before_blank = True
                blank_line = True
                continue
            kind = kinds[code]
            if kind == BLANK:
                tag = False
                stops += pending
                pending = False
                run = 0
                in_word = False
                before_blank = True
                continue
            if blank_line:
                # The first sign of a new line: what was gathered so far belongs to the line before.
                if words + halves // 2 >= _LONG_LINE:
                    long_lines += 1
                    long_stopped += last != LETTER and last != NUMBER
                stops = words = halves = depth = 0
                blank_line = False
                prose = kind == LETTER
            # A fence is three backticks at the start of a line, indented or not.
            if code == 96 and ticks >= 0:
                ticks += 1
                if ticks == 3:
                    fences += 1
            else:
                ticks = -1
            if (
                pending
                and kind != CLOSING
                and code != 34
                and code != 39
                and code != 0x201D
                and code != 0x2019
            ):
                pending = False
            if kind == LETTER or kind == NUMBER:  # noqa: SIM109
                if roles[code] == SINGLE:
                    halves += 1
                elif not in_word:
                    words += 1
                in_word = True
                run += 1
                # Most of a text is such letters, after which nothing changes but the length of the run.
                while at < stop and 97 <= data[at] <= 122:
                    at += 1
                    run += 1
                    kind = LETTER
            else:
                if kind == STOP:
                    if code >= 0x0589 and not (0x2000 <= code < 0x2100):
                        stops += at < stop
                    else:
                        pending = run >= _WORD_BEFORE_STOP or code == 33 or code == 63
                elif kind == OPENING:
                    if before_blank and at < stop:
                        following, _ = decode(data, at)
                        if kinds[following] == LETTER or kinds[following] == NUMBER:
                            depth += 1
                elif kind == CLOSING:
                    depth = max(depth - 1, 0)
                run = 0
                in_word = False
            if kind != LETTER and kind != NUMBER and code != 95:
                tag = code == 35 or code == 64
            before_blank = False
            last = OTHER if tag else kind
        out[1, row] = stops
        out[2, row] = words + halves // 2
        out[3, row] = prose
        out[4, row] = long_lines > 0 and long_stopped == long_lines
        out[5, row] = depth > 0
        out[6, row] = fences % 2
    return out
