"""Rows with equations that do not hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias, TypeVar

import numpy as np
import pyarrow as pa

from assay.audit.annotate.checked import Checked, Hints, hints, matches

_DASHES = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\u00d7": "*", "\u00b7": "*", "\u2219": "*", "\u00f7": "/"}
)
_NUMBER = r"(?:[$\u20ac\u00a3\u00a5] ?)?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?%?|[$\u20ac\u00a3\u00a5]?\.\d+%?"
# Numbers joined by signs, up to one equals sign and one number. Nothing that would make it part of a longer
# formula may touch it: a variable, a power, another sign, another digit. Every repetition has a bound, so that
# a megabyte of "((((" or "1 + 1 + 1" costs no more than its length.
_EQUATION = re.compile(
    rf"(?<![\w.,:^%)\]}}+*/\\=-])(?P<left>(?!0[xX])(?:[(-]{{1,8}} ?)?(?:{_NUMBER})(?:[ )]{{0,8}}(?:[-+*/]|[xX](?=[ (\d$.]))[ (]{{0,8}}(?:{_NUMBER})){{1,40}}[ )]{{0,8}})"
    rf"=(?!=) {{0,8}}(?P<right>-? ?(?:{_NUMBER}))"
    r"(?![\w^\\%]|[.:]\d|,? ?\d{3}|,\d| \d+/| ?[-+*/(\u00b0=]| ?[xX] ?[\d(]| (?:million|billion|trillion|thousand|hundred|dozen|[kKmM])\b)"
)
_CANDIDATE = r"\d[ )%]*[-+*/xX\x{2212}\x{2013}\x{d7}\x{b7}\x{2219}\x{f7}][ (]*[$\x{20ac}\x{a3}\x{a5}]? ?[.\d][\d.,% )]*=[ <\-$\x{20ac}\x{a3}\x{a5}]*[.\d]"
_PART = re.compile(rf"(?P<number>{_NUMBER})|(?P<sign>[-+*/()xX])| +")
# "3, 000" is a thousand, "6 / 1/2" twelve, and cents make dollars: people write so, and mean no mistake by it.
_SPACED_THOUSANDS = re.compile(r"\d,$")
_TIGHT_FRACTION = re.compile(r"/ ?(\d+/\d+)")
_CURRENCY = "$\u20ac\u00a3\u00a5 "
_MOST_CHARACTERS = 300
_LEADING = 12
_NO_DIGITS = dict.fromkeys(map(ord, _CURRENCY + ",%"))
Value = TypeVar("Value", float, Fraction)
Parts: TypeAlias = list[tuple[str | None, str | None]]


@dataclass(frozen=True)
class Equation:
    """An equation of numbers as it stands in a text: whether it holds, and its place in characters."""

    holds: bool
    start: int
    end: int


def wrong_arithmetic(answers: pa.Array, seen: Hints | None = None) -> Checked:
    """Rows with equations of plain numbers, and of them those with one that does not hold.

    Args:
        answers: Text the model should have written, shape (rows,).
        seen: Its hints, where they are known.
    """
    fits, fails = np.zeros(len(answers), bool), np.zeros(len(answers), bool)
    for row in np.flatnonzero(matches(answers, _CANDIDATE, where=(seen or hints(answers)).equals)):
        held = [equation.holds for equation in equations(answers[int(row)].as_py())]
        fits[row], fails[row] = bool(held), not all(held)
    return Checked(fits, fails)


def locate(answer: str) -> tuple[int, int] | None:
    """Where the first equation that does not hold stands, in characters."""
    return next(((each.start, each.end) for each in equations(answer) if not each.holds), None)


def equations(text: str) -> Iterator[Equation]:
    """Every equation of a text such as ``12 * 3 = 36``, ``(1 + 2) / 4 = 75%`` or ``<<48/2=24>>``.

    It holds if any fair reading makes it true: exactly, or rounded or cut off at the last digit shown; with a
    percentage as a hundredth or as its bare number; with a leading dash as a sign or as a list item's mark.
    """
    plain = text.translate(_DASHES)
    for found in _EQUATION.finditer(plain):
        holds = _holds(found["left"], found["right"])
        if holds is not None and not _goes_on(plain, found.start()):
            yield Equation(holds, *found.span())


def _goes_on(text: str, start: int) -> bool:
    """Whether a formula's sign stands before the equation, so that it is the end of a longer one."""
    before = text[max(0, start - _LEADING) : start].rstrip(" ")
    # "2 1/2" is one number, and so is "15, 000"; "2 (3 + 4)" is a product.
    if before[-1:].isdigit() or (_SPACED_THOUSANDS.search(before) and text[start : start + 3].isdigit()):
        return True
    if not before or before[-1] not in "+*/^-xX)%]=":
        return False
    if before[-1] in "xX":
        return len(before) < 2 or not before[-2].isalpha()
    return before[-1] != "=" and not (before[-1] in "-*" and before[:-1].strip(" ") in ("", "\n"))


def _holds(left: str, right: str) -> bool | None:
    """Whether an equation holds by any fair reading; None where it cannot be read."""
    if len(left) + len(right) > _MOST_CHARACTERS:
        return None
    if _surely(left, right):
        return True
    percent = "%" in left or "%" in right
    # Cents make dollars and dollars cents: a currency's sign may stand on one side only.
    priced = [any(sign in side for sign in _CURRENCY.strip()) for side in (left, right)]
    readable = False
    for bare in (False, True) if percent else (False,):
        goal = Fraction(_plain(right)) * _scale(right, bare=bare)
        step = _last_digit(right) * _scale(right, bare=bare)
        for parts in _readings(left):
            value = _value(parts, Fraction, bare=bare)
            if value is None:
                continue
            readable = True
            others = (value * 100, value / 100) if percent or priced[0] != priced[1] else ()
            if any(_rounds(each, goal, step) for each in (value, *others)):
                return True
    return False if readable else None


def _surely(left: str, right: str) -> bool:
    """Whether the equation holds as it stands, by quick arithmetic; most do."""
    if "%" in left or "%" in right:
        return False
    value = _value(next(_readings(left)), float, bare=False)
    return value is not None and math.isclose(value, float(_plain(right)), rel_tol=1e-12)


def _last_digit(shown: str) -> Fraction:
    """What one in the last digit shown is worth."""
    _, point, decimals = shown.rstrip("%").partition(".")
    return Fraction(1, 10 ** len(decimals)) if point else Fraction(1)


def _rounds(value: Fraction, goal: Fraction, step: Fraction) -> bool:
    """Whether `value` shown in whole steps is `goal`, rounded or cut off."""
    return abs(value - goal) <= step / 2 or abs(goal) == step * math.floor(abs(value) / step)


def _readings(left: str) -> Iterator[Parts]:
    """The ways to read a left side: as it stands, with fractions as units, without a sign that stands before."""
    for text in dict.fromkeys((left, _TIGHT_FRACTION.sub(r"/(\1)", left))):
        parts = [(found["number"], found["sign"]) for found in _PART.finditer(text) if found[0].strip()]
        yield parts
        if parts[0][1] is not None:
            yield parts[1:]


def _value(parts: Parts, kind: type[Value], *, bare: bool) -> Value | None:
    """The value of numbers and signs by the usual precedence; None where they are no formula."""
    try:
        value, rest = _sum(parts, 0, kind, bare)
    except (ZeroDivisionError, OverflowError, IndexError, ValueError):
        return None
    return value if rest == len(parts) else None


def _sum(parts: Parts, at: int, kind: type[Value], bare: bool) -> tuple[Value, int]:
    value, at = _product(parts, at, kind, bare)
    while at < len(parts) and (sign := parts[at][1]) in ("+", "-"):
        term, at = _product(parts, at + 1, kind, bare)
        value = value + term if sign == "+" else value - term
    return value, at


def _product(parts: Parts, at: int, kind: type[Value], bare: bool) -> tuple[Value, int]:
    value, at = _factor(parts, at, kind, bare)
    while at < len(parts) and (sign := parts[at][1]) in ("*", "/", "x", "X"):
        factor, at = _factor(parts, at + 1, kind, bare)
        value = value / factor if sign == "/" else value * factor
    return value, at


def _factor(parts: Parts, at: int, kind: type[Value], bare: bool) -> tuple[Value, int]:
    number, sign = parts[at]
    if number is not None:
        value = kind(_plain(number))
        return (value / 100 if number.endswith("%") and not bare else value), at + 1
    if sign == "-":
        value, at = _factor(parts, at + 1, kind, bare)
        return -value, at
    if sign == "(":
        value, at = _sum(parts, at + 1, kind, bare)
        if parts[at][1] == ")":
            return value, at + 1
    raise ValueError("no formula")


def _plain(number: str) -> str:
    """A number's digits as Python reads them."""
    return number.translate(_NO_DIGITS)


def _scale(number: str, *, bare: bool) -> Fraction:
    return Fraction(1, 100) if number.endswith("%") and not bare else Fraction(1)
