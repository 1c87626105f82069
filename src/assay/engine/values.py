"""Single values as a corpus has them: text, class names, whole numbers, times."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

Values = Mapping[str, Any]

_ABSENT = ("", "nan", "NaN")
_MONTH = re.compile(r"\d{4}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}(\.\d*)?", re.ASCII)
# Counted from 1970: what is too small for a year past 1973 in seconds is a year or a date, and what is
# too large for seconds is counted in milli-, micro- or nanoseconds.
_EPOCH_UNITS = ((10**8, 1), (10**11, 10**3), (10**14, 10**6), (10**17, 10**9))


class Unusable(ValueError):
    """A row that lacks what its shape needs; the message is the reason it is set aside for."""


def look_up(values: Values, name: str) -> Any:
    """The value of a column, or of a field within an object: ``meta.source``; None where there is none."""
    if name in values or "." not in name:
        return values.get(name)
    column, _, field = name.partition(".")
    within = values.get(column)
    return look_up(within, field) if isinstance(within, Mapping) else None


def string(value: Any, part: str) -> str:
    """`value` if it is text that UTF-8 can hold. Raises: Unusable: it is not."""
    if not isinstance(value, str):
        raise Unusable(f"{part} is {kind(value)}, not a string")
    if not is_text(value):
        raise Unusable(f"{part} holds a lone surrogate or invalid UTF-8")
    return value


def is_text(value: str) -> bool:
    """Whether UTF-8 can hold it."""
    if value.isascii():
        return True
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def scalar(value: Any) -> str | None:
    """A plain value as text, so that 1, 1.0 and "1" are the same; None for null, NaN and nested values."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return None if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case date() | Decimal():
            return str(value)
        case _:
            return None


def label(value: Any) -> str | None:
    """A class name, or None where there is none (null, NaN, an empty field, a nested value).

    Tables written with missing labels hold "1.0" where others hold 1; both are the class "1".
    """
    text = (scalar(value) or "").strip()
    if text in _ABSENT:
        return None
    if text.endswith(".0") and (whole := text[:-2]).lstrip("-").isdecimal():
        return whole
    return text


def truth(value: Any) -> bool | None:
    """True or false, also spelt out as tables without types have it; None for anything else."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower())
    return value if isinstance(value, bool) else None


def whole_number(value: Any) -> int | None:
    """A number of up to nine digits, or None."""
    text = label(value)
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def moment(value: Any) -> datetime | None:
    """The time a value names, in UTC and to the second, or None where it names none for sure.

    Args:
        value: ISO 8601 text (a date alone will do, and a month), a year, eight digits of a date, or the
            time since 1970 in seconds, milli-, micro- or nanoseconds. Small numbers are years; what lies
            between is not guessed at.
    """
    match value:
        case bool():
            return None
        case datetime():
            return _in_utc(value)
        case date():
            return datetime(value.year, value.month, value.day)
        case int() | float():
            return _counted(float(value)) if abs(value) < 1e20 else None
        case str() | Decimal():
            return _spelt(str(value).strip())
        case _:
            return None


def is_absent(value: Any) -> bool:
    """Whether nothing is said: null, NaN or an empty field."""
    return value is None or value != value or (isinstance(value, str) and value.strip() in _ABSENT)


def kind(value: Any) -> str:
    """What a value is, for people."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "NaN" if value != value else "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return type(value).__name__


def _spelt(text: str) -> datetime | None:
    if _NUMBER.fullmatch(text):
        return _counted(float(text))
    if _MONTH.fullmatch(text):
        text += "-01"
    try:
        return _in_utc(datetime.fromisoformat(text.replace("/", "-").replace(" UTC", "Z")))
    except ValueError:
        return None


def _counted(number: float) -> datetime | None:
    if not math.isfinite(number):
        return None
    if number < _EPOCH_UNITS[0][0]:
        return _calendar(int(number)) if number.is_integer() else None
    unit = max(per for least, per in _EPOCH_UNITS if number >= least)
    try:
        return _in_utc(datetime.fromtimestamp(number / unit, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _calendar(number: int) -> datetime | None:
    """A year, or eight digits that are a date."""
    if 1000 <= number < 3000:
        return datetime(number, 1, 1)
    try:
        return datetime(number // 10_000, number // 100 % 100, number % 100) if number >= 10**7 else None
    except ValueError:
        return None


def _in_utc(time: datetime) -> datetime | None:
    try:
        return (
            time.astimezone(UTC).replace(tzinfo=None, microsecond=0)
            if time.tzinfo
            else time.replace(microsecond=0)
        )
    except OverflowError:
        return None
