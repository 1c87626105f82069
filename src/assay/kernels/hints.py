"""Which rows may hold an address, a long number or a key: one pass over the bytes, before any pattern is tried."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Bytes, Offsets

AT = 1  # a letter or digit on both sides of an @
NUMBER = 2  # seven digits with at most three signs of " ().-/+" between two
IBAN = 4  # two letters and two digits that begin a word
DOTTED = 8  # three times a digit, a dot and a digit, nothing but digits and dots between
COLONS = 16  # two colons with at most four signs between
LONG = 32  # sixteen letters, digits and signs of "_-/+=." in a row, a letter and a digit among them
DASHES = 64  # five dashes in a row

_LETTER, _DIGIT, _GAP, _JOINT = 1, 2, 4, 8


def _classes() -> npt.NDArray[np.uint8]:
    classes = np.zeros(256, np.uint8)
    for signs, bit in (
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", _LETTER),
        (b"0123456789", _DIGIT),
        (b" ().-/+", _GAP),
        (b"_-/+=.", _JOINT),
    ):
        classes[np.frombuffer(signs, np.uint8)] |= bit
    return classes


def hints(offsets: Offsets, data: Bytes) -> npt.NDArray[np.uint8]:
    """The bits above for each row ``data[offsets[i]:offsets[i + 1]]``, shape (rows,)."""
    found: npt.NDArray[np.uint8] = _hints(offsets, data, _classes())
    return found


@numba.njit(nogil=True, cache=True)
def _hints(offsets, data, classes):  # type: ignore[no-untyped-def]
    found = np.zeros(len(offsets) - 1, np.uint8)
    for row in range(len(found)):
        begin, stop = offsets[row], offsets[row + 1]
        bits = np.uint8(0)
        digits = gap = dots = dashes = run = word = 0
        seen = np.uint8(0)
        colon = begin - 100
        for at in range(begin, stop):
            sign = data[at]
            kind = classes[sign]
            if kind & _DIGIT:
                digits += 1
                gap = 0
                if digits >= 7:
                    bits |= np.uint8(NUMBER)
                if at > begin + 1 and data[at - 1] == 46 and classes[data[at - 2]] & _DIGIT:
                    dots += 1
                    if dots >= 3:
                        bits |= np.uint8(DOTTED)
            else:
                gap += 1
                if not kind & _GAP or gap > 3:
                    digits = 0
                if sign != 46:
                    dots = 0
            if kind & (_LETTER | _DIGIT):
                # Letters and digits at the front of a word, told by their number: 2 and 2 make an IBAN's head.
                if word >= 0:
                    word += 1
                    if (kind & _LETTER and word > 2) or (kind & _DIGIT and word <= 2):
                        word = -1
                    elif word == 4:
                        bits |= np.uint8(IBAN)
                        word = -1
            else:
                word = 0
                if sign == 64 and at > begin and at + 1 < stop:
                    if classes[data[at + 1]] & (_LETTER | _DIGIT) and data[at - 1] != 32:
                        bits |= np.uint8(AT)
                elif sign == 58:
                    if at - colon <= 5:
                        bits |= np.uint8(COLONS)
                    colon = at
            dashes = dashes + 1 if sign == 45 else 0
            if dashes == 5:
                bits |= np.uint8(DASHES)
            if kind & (_LETTER | _DIGIT | _JOINT):
                run += 1
                seen |= kind
                if run >= 16 and seen & _LETTER and seen & _DIGIT:
                    bits |= np.uint8(LONG)
            else:
                run, seen = 0, np.uint8(0)
        found[row] = bits
    return found
