"""What each Unicode code point is to a tokenizer, as tables that kernels index.

The tables come from Python's own `unicodedata`, so no script is guessed at. Only planes 0 and 1 are walked
character by character; above them lie Han characters, variation selectors and nothing else that matters.
"""

from __future__ import annotations

import functools
import unicodedata

import numpy as np
import numpy.typing as npt

# Scripts that letters are told apart by, as Unicode names them; all others count as one.
SCRIPTS = (
    *("Latin", "Greek", "Cyrillic", "Armenian", "Georgian", "Hebrew", "Arabic", "Ethiopic", "Devanagari"),
    *("Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala"),
    *("Thai", "Lao", "Tibetan", "Myanmar", "Khmer", "Mongolian", "Hangul", "Han", "Kana", "other scripts"),
)
# Names that differ from the script's own.
_NAMED = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "BOPOMOFO": "Han"}
# Width and use come before the script: FULLWIDTH LATIN, HALFWIDTH KATAKANA, MODIFIER LETTER.
_WIDTHS = ("FULLWIDTH", "HALFWIDTH")

# Roles in a token.
SEPARATOR, WORD, MARK, SINGLE, APOSTROPHE = range(5)
# Kinds of character, as bits.
LETTER, UPPER, DIGIT, PUNCTUATION, NEWLINE, SPACE, MARKUP = (1 << bit for bit in range(7))

_WALKED = 0x20000
_BLOCK = 0x80
_CODE_POINTS = 0x110000
_HAN_PLANES = (0x20000, 0x40000)
_VARIATION_SELECTORS = (0xE0100, 0xE01F0)
# Letters of scripts that put no spaces between words.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # Han iteration mark, closing mark and zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3031, 0x312F),  # kana, bopomofo
    (0x31A0, 0x31FF),  # bopomofo and kana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar extension B
    (0xAA60, 0xAA7F),  # Myanmar extension A
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFF66, 0xFF9F),  # halfwidth kana
    (0x16FE1, 0x16FE1),  # Nushu iteration mark
    (0x1AFF0, 0x1B2FF),  # kana supplements, Nushu
)
_HAN_COMPATIBILITY = (0x2F800, 0x2FA20)
# The letters that Korean syllables are composed of.
_JAMO = (0x1100, 0x1200)
_APOSTROPHES = "'\u2019"
# Persian and the scripts of India write these inside words.
_JOINERS = "\u200c\u200d"
_MARKUP = "#*_`~|<>[]{}\\"


@functools.cache
def categories() -> npt.NDArray[np.str_]:
    """The general category of every code point of planes 0 and 1, such as `Lu`, shape (0x20000,)."""
    table = np.array([unicodedata.category(chr(code)) for code in range(_WALKED)])
    table.flags.writeable = False
    return table


@functools.cache
def roles() -> npt.NDArray[np.uint8]:
    """The role of every code point in a token, shape (0x110000,)."""
    table = np.full(_CODE_POINTS, SEPARATOR, np.uint8)
    category = categories()
    walked, first_letter = table[:_WALKED], category.astype("U1")
    for initial, role in (("L", WORD), ("N", WORD), ("M", MARK)):
        walked[first_letter == initial] = role
    for first, last in _UNSPACED:
        block = walked[first : last + 1]
        block[(block == WORD) & (category[first : last + 1] != "Nd")] = SINGLE
    table[slice(*_HAN_PLANES)] = SINGLE
    table[slice(*_VARIATION_SELECTORS)] = MARK
    table[[ord(sign) for sign in _APOSTROPHES]] = APOSTROPHE
    table[[ord(sign) for sign in _JOINERS]] = MARK
    table.flags.writeable = False
    return table


@functools.cache
def folds() -> npt.NDArray[np.uint32]:
    """The code point that stands for each one regardless of case, shape (0x20000,); above it, itself."""
    table = np.arange(_WALKED, dtype=np.uint32)
    for code in range(_WALKED):
        sign = chr(code)
        folded = sign.casefold()
        # A fold to several characters (ß to ss) would not fit; lower case always has a first one.
        table[code] = ord(folded if len(folded) == 1 else sign.lower()[0])
    table[[ord(sign) for sign in _APOSTROPHES]] = ord("'")
    table.flags.writeable = False
    return table


@functools.cache
def kinds() -> npt.NDArray[np.uint8]:
    """The kinds of every code point as a sum of bits, shape (0x110000,)."""
    table = np.zeros(_CODE_POINTS, np.uint8)
    category = categories()
    walked, first_letter = table[:_WALKED], category.astype("U1")
    for initial, kind in (("L", LETTER), ("P", PUNCTUATION), ("S", PUNCTUATION), ("Z", SPACE)):
        walked[first_letter == initial] = kind
    walked[(category == "Lu") | (category == "Lt")] |= UPPER
    walked[category == "Nd"] = DIGIT
    table[slice(*_HAN_PLANES)] = LETTER
    table[[ord(sign) for sign in "\t\r\v\f"]] = SPACE
    table[ord("\n")] = NEWLINE
    table[[ord(sign) for sign in _MARKUP]] |= MARKUP
    table.flags.writeable = False
    return table


@functools.cache
def alphabets() -> npt.NDArray[np.uint8]:
    """The script of every letter as its place in `SCRIPTS` plus one; 0 for what is no letter; (0x110000,)."""
    places = {name.upper(): place for place, name in enumerate(SCRIPTS, start=1)}
    places |= {first: places[name.upper()] for first, name in _NAMED.items()}
    table = np.zeros(_CODE_POINTS, np.uint8)
    # Modifier letters belong to no script: they stand in many.
    for code in np.flatnonzero(np.isin(categories(), ["Lu", "Ll", "Lt", "Lo"])).tolist():
        first, _, rest = unicodedata.name(chr(code), "").partition(" ")
        table[code] = places.get(rest.split(" ")[0] if first in _WIDTHS else first, len(SCRIPTS))
    table[slice(*_HAN_PLANES)] = places["HAN"]
    table.flags.writeable = False
    return table


@functools.cache
def composed() -> npt.NDArray[np.bool_]:
    """Characters that composed text (NFC) leaves as they are whatever stands beside them, shape (0x110000,)."""
    table = np.ones(_CODE_POINTS, np.bool_)
    table[0x300:_WALKED] = categories()[0x300:].astype("U1") != "M"
    for first in range(0x300, _WALKED, _BLOCK):
        signs = [chr(code) for code in range(first, first + _BLOCK)]
        # What is part of composed text is composed.
        if not unicodedata.is_normalized("NFC", "".join(signs)):
            table[first : first + _BLOCK] &= [unicodedata.is_normalized("NFC", sign) for sign in signs]
    table[slice(*_HAN_COMPATIBILITY)] = False
    table[slice(*_JAMO)] = False
    table.flags.writeable = False
    return table
