"""Which rows hold values that point to a person or open a door: addresses, numbers, keys.

Every detector asks for what makes the value what it is (a check sum, the length its country gives it, ranges
that are never issued), so that long numbers are not called cards. Names of people need a model of language
(`annotate.names`); street addresses are not looked for. Digits and addresses are ASCII ones.
"""

from __future__ import annotations

import hashlib
import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.rows import Bools, Floats, Index
from assay.kernels.arrow import text_buffers
from assay.kernels.hints import AT, COLONS, DASHES, DOTTED, IBAN, LONG, NUMBER, hints


@dataclass(frozen=True)
class Pii:
    """Values found, in the order of the rows; arrays of shape (values,).

    Attributes:
        rows: Number of rows that were searched.
        row: Row that holds the value.
        kind: Place in `KINDS`.
        value: Hash of kind and value, however it was spelt.
        start, end: Byte span in the row's text.
    """

    rows: int
    row: Index
    kind: npt.NDArray[np.int8]
    value: npt.NDArray[np.uint64]
    start: Index
    end: Index

    def holds(self, kind: str) -> Bools:
        """Rows with a value of this kind, shape (rows,)."""
        held = np.zeros(self.rows, bool)
        held[self.row[self.kind == KINDS.index(kind)]] = True
        return held

    def holds_any(self) -> Bools:
        """Rows with any value, shape (rows,)."""
        return np.bincount(self.row, minlength=self.rows) > 0


@dataclass(frozen=True)
class _Detector:
    """One kind of value.

    Attributes:
        hint: Signs of it, any of which the row must hold (`kernels.hints`).
        pattern: What it looks like. Each begins where no sign of its own stands before, and takes without
            giving back where it could take much, so that no text makes it slow.
        value: The value as all its spellings have it, or None if it only looks like one.
    """

    kind: str
    hint: int
    pattern: re.Pattern[bytes]
    value: Callable[[re.Match[bytes]], bytes | None]


def find_pii(text: pa.Array) -> Pii:
    """All values in the rows of `text`, shape (rows,), large_string; where two overlap, the surer kind."""
    row, kind, value, start, end = [], [], [], [], []
    base = 0
    for offsets, data in text_buffers(text):
        hinted = hints(offsets, data)
        for at in np.flatnonzero(hinted).tolist():
            body = data[offsets[at] : offsets[at + 1]].tobytes()
            for which, found, begin, stop in _values(body, int(hinted[at])):
                row.append(base + at)
                kind.append(which)
                value.append(found)
                start.append(begin)
                end.append(stop)
        base += len(offsets) - 1
    return Pii(
        len(text),
        np.array(row, np.int64),
        np.array(kind, np.int8),
        np.array(value, np.uint64),
        np.array(start, np.int64),
        np.array(end, np.int64),
    )


def known_on_either_side(values: Pii, seen: Pii, held: Pii | None) -> tuple[Floats, Floats]:
    """Each row's mean share, over those of its values that real rows hold, of rows on either side that hold them."""
    of_seen = _holding(values, seen)
    of_held = np.zeros(len(values.row)) if held is None else _holding(values, held)
    known = of_seen + of_held > 0
    total = np.maximum(of_seen + of_held, 1)
    return mean_by_row(values, of_seen / total, known), mean_by_row(values, of_held / total, known)


def _holding(values: Pii, theirs: Pii) -> Floats:
    """How many of their rows hold each value, shape (values,)."""
    order = np.lexsort((theirs.row, theirs.value))
    value, row = theirs.value[order], theirs.row[order]
    new = np.ones(len(order), bool)
    new[1:] = (value[1:] != value[:-1]) | (row[1:] != row[:-1])
    known, number = np.unique(value[new], return_counts=True)
    at = np.searchsorted(known, values.value)
    inside = at < len(known)
    counts = np.zeros(len(values.row))
    counts[inside] = np.where(known[at[inside]] == values.value[inside], number[at[inside]], 0)
    return counts


def mean_by_row(values: Pii, credit: Floats, known: Bools) -> Floats:
    """Mean credit of each row's known values; 0 where it has none."""
    total = np.bincount(values.row[known], weights=credit[known], minlength=values.rows)
    number = np.bincount(values.row[known], minlength=values.rows)
    return np.asarray(total / np.maximum(number, 1))


def _values(body: bytes, hinted: int) -> Iterator[tuple[int, int, int, int]]:
    """Kind, hash and span of each value in a row, in the order of their places."""
    taken = bytearray(len(body))
    found = []
    for detector in _DETECTORS:
        if not detector.hint & hinted:
            continue
        for match in detector.pattern.finditer(body):
            start, end = match.span("value") if "value" in detector.pattern.groupindex else match.span()
            if taken.find(1, start, end) >= 0:
                continue
            value = detector.value(match)
            if value is None:
                continue
            taken[start:end] = b"\1" * (end - start)
            digest = hashlib.blake2b(detector.kind.encode() + b" " + value, digest_size=8).digest()
            found.append((KINDS.index(detector.kind), int.from_bytes(digest, "little"), start, end))
    yield from sorted(found, key=lambda each: each[2])


def _digits(value: bytes) -> bytes:
    return bytes(sign for sign in value if 48 <= sign <= 57)


def luhn(digits: bytes) -> bool:
    """Whether the last digit is the check digit of the others. Source: ISO/IEC 7812-1."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        digit = (sign - 48) * (1 + place % 2)
        total += digit - 9 * (digit > 9)
    return total % 10 == 0


# First digits and lengths by which the card schemes issue.
_SCHEMES = re.compile(
    rb"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|22[2-9]|2[3-6]|27[0-2])\d{13,14}|3[47]\d{13}|3(?:0[0-5]|[689])\d{11,16}"
    rb"|35\d{14,17}|(?:2131|1800)\d{11}|(?:50|5[6-8]|6\d|0604)\d{8,17}"
)


def _card(match: re.Match[bytes]) -> bytes | None:
    digits = _digits(match[0])
    return digits if 12 <= len(digits) <= 19 and _SCHEMES.fullmatch(digits) and luhn(digits) else None


# Length of a country's account number. Source: SWIFT, IBAN registry (ISO 13616).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL SD FK",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK MN",
        21: "CH CR HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA",
        23: "AE GI IL IQ TL SO OM",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


def _iban(match: re.Match[bytes]) -> bytes | None:
    value = match[0].replace(b" ", b"").upper()
    length = _IBAN_LENGTHS.get(value[:2].decode(), 0)
    # Words may follow a number written in groups.
    if not length or len(value) < length or (b" " not in match[0] and len(value) != length):
        return None
    value = value[:length]
    number = "".join(str(int(sign, 36)) for sign in (value[4:] + value[:4]).decode())
    return value if int(number) % 97 == 1 else None


def _ssn(match: re.Match[bytes]) -> bytes | None:
    digits = _digits(match["value"])
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    never = area in (b"000", b"666") or area[:1] == b"9" or group == b"00" or serial == b"0000"
    return None if never else digits


def _ip(match: re.Match[bytes]) -> bytes | None:
    text = match[0].decode()
    if ":" in text and (not any(sign.isdigit() for sign in text) or sum(map(bool, text.split(":"))) < 3):
        return None  # two words around a double colon are a name in a program
    try:
        return str(ipaddress.ip_address(text)).encode()
    except ValueError:
        return None


def _phone(match: re.Match[bytes]) -> bytes | None:
    digits = _digits(match["value"])
    return digits if 8 <= len(digits) <= 15 and len(set(digits)) > 2 else None


def _key(match: re.Match[bytes]) -> bytes | None:
    return match["value"]


def _random_key(match: re.Match[bytes]) -> bytes | None:
    """A value that is called a key and looks drawn at random: letters, digits, 3.5 bits a sign."""
    value = match["value"]
    counts = Counter(value)
    bits = -sum(times / len(value) * math.log2(times / len(value)) for times in counts.values())
    mixed = re.search(rb"\d", value) and re.search(rb"[A-Za-z]", value)
    return value if mixed and bits >= 3.5 else None


def _lower(match: re.Match[bytes]) -> bytes:
    return match[0].lower()


# The surest kind first: a later one takes no part of what an earlier one has found.
_DETECTORS = (
    _Detector(
        "key",
        LONG,
        re.compile(
            rb"(?<![A-Za-z0-9_])(?P<value>(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{36,255}|"
            rb"github_pat_[A-Za-z0-9_]{22,255}|glpat-[A-Za-z0-9_\-]{20,64}|xox[abeoprs]-[A-Za-z0-9\-]{10,255}|"
            rb"sk-[A-Za-z0-9_\-]{32,255}|[sr]k_live_[A-Za-z0-9]{16,255}|AIza[A-Za-z0-9_\-]{35}|"
            rb"eyJ[A-Za-z0-9_\-]{8,4096}\.eyJ[A-Za-z0-9_\-]{8,8192}\.[A-Za-z0-9_\-]{8,4096})(?![A-Za-z0-9_])"
        ),
        _key,
    ),
    _Detector(
        "key", DASHES, re.compile(rb"(?P<value>-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY-----)"), _key
    ),
    _Detector(
        "key",
        LONG,
        re.compile(
            rb"(?i:api[_\-]?key|secret[_\-]?key|access[_\-]?key|secret|auth[_\-]?token|access[_\-]?token|token|"
            rb"passw(?:or)?d|pwd)[\"']?[ \t]{0,3}(?::|=>?)[ \t]{0,3}[\"']?"
            rb"(?P<value>[A-Za-z0-9+/_\-.=]{16,512})(?![A-Za-z0-9+/_\-.=])"
        ),
        _random_key,
    ),
    _Detector(
        "email",
        AT,
        re.compile(
            rb"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}+@"
            rb"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9\-])"
        ),
        _lower,
    ),
    _Detector(
        "iban",
        IBAN,
        re.compile(rb"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?"),
        _iban,
    ),
    _Detector(
        "card",
        NUMBER,
        re.compile(
            rb"(?<![\w.,+\-])(?:\d{12,19}+|\d{4}(?:[ \-]\d{4,6}){2,3}(?:[ \-]\d{1,5})?)(?![\w]|[.,\-]\d)"
        ),
        _card,
    ),
    _Detector(
        "ssn",
        NUMBER,
        re.compile(rb"(?<![\w.\-])(?P<value>\d{3}([\- ])\d{2}\2\d{4})(?![\w]|[.\-]\d)"),
        _ssn,
    ),
    _Detector(
        "ssn",
        NUMBER,
        re.compile(rb"(?i:ssn|social security)[^\d\n]{0,24}(?<!\d)(?P<value>\d{9})(?!\d)"),
        _ssn,
    ),
    _Detector(
        "ip",
        DOTTED | COLONS,
        re.compile(
            rb"(?<![\w.:\-])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w\-]|\.\d)|"
            rb"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]))"
        ),
        _ip,
    ),
    _Detector(
        "phone",
        NUMBER,
        re.compile(
            rb"(?<![\w.,/\-])(?<!\d )(?P<value>"
            rb"\+\d{1,3}(?:[ .\-/]?\(?\d{1,5}\)?){2,6}"  # as dialled from abroad
            rb"|(?:1[ .\-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .\-])[2-9]\d{2}[ .\-]\d{4}"  # North America
            rb"|00[1-9]\d{0,2}[ .\-]\d{2,4}(?:[ .\-]\d{2,5}){1,4}"
            rb"|\(?0[1-9]\d{0,3}\)?(?:[ .\-/]\d{2,8}){1,4}"  # with a trunk zero
            rb")(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?(?![\w]|[.,\-/]\d)"
        ),
        _phone,
    ),
    _Detector(
        "phone",
        NUMBER,
        re.compile(
            rb"(?i:\b(?:phone|telephone|tel|mobile|cell|fax|dial|call|reach)\b)[^\d\n]{0,30}(?<![\w.,/\-])"
            rb"(?P<value>\(?\+?\d{1,5}\)?(?:[ .\-/]?\d{2,6}){1,5})(?![\w]|[.,\-/]\d)"
        ),
        _phone,
    ),
)
KINDS = tuple(dict.fromkeys(detector.kind for detector in _DETECTORS))
