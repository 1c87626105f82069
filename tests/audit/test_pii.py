"""Personal values: found for what they are, not for how they look, and no text makes the search slow."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.annotate.pii import KINDS, Pii, find_pii, luhn
from assay.kernels.exact import exact_clusters

PRESIDIO = Path(__file__).resolve().parents[3] / "shared/data/presidio_research/data/synth_dataset_v2.json"
needs_presidio = pytest.mark.skipif(not PRESIDIO.exists(), reason=f"{PRESIDIO} is not there")


def found(text: str) -> list[tuple[str, str]]:
    values = find_pii(pa.array([text], pa.large_string()))
    return [
        (KINDS[kind], text.encode()[start:end].decode())
        for kind, start, end in zip(values.kind, values.start, values.end, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to Ann.Lee+x@mail.example.co.uk.", "email", "Ann.Lee+x@mail.example.co.uk"),
        ("写信给a@b.io。", "email", "a@b.io"),
        ("card 4111 1111 1111 1111, please", "card", "4111 1111 1111 1111"),
        ("card 378282246310005", "card", "378282246310005"),
        ("to DE89 3704 0044 0532 0130 00 by Monday", "iban", "DE89 3704 0044 0532 0130 00"),
        ("gb82west12345698765432", "iban", "gb82west12345698765432"),
        ("mt84malt011000012345mtlcast001s", "iban", "mt84malt011000012345mtlcast001s"),
        ("SSN: 078-05-1120", "ssn", "078-05-1120"),
        ("social security number 078051120", "ssn", "078051120"),
        ("from 192.168.1.77.", "ip", "192.168.1.77"),
        ("host 2001:db8::ff00:42:8329 up", "ip", "2001:db8::ff00:42:8329"),
        ("call (415) 555-2671 x12", "phone", "(415) 555-2671"),
        ("call +44 20 7946 0958 now", "phone", "+44 20 7946 0958"),
        ("AKIAIOSFODNN7EXAMPLE", "key", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_" + "a1B2" * 9, "key", "ghp_" + "a1B2" * 9),
        ("xoxb-123456789012-abcdef", "key", "xoxb-123456789012-abcdef"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE", "key", "-----BEGIN RSA PRIVATE KEY-----"),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN",
            "key",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN",
        ),
        ('api_key = "q7Zp0xV3mK9tL2wB8dR5"', "key", "q7Zp0xV3mK9tL2wB8dR5"),
    ],
)
def test_what_each_kind_looks_like(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # the check digit is another one
        "9111111111111111110",  # nobody issues by a nine
        "DE89 3704 0044 0532 0130 01",
        "DE89 3704 0044 0532 0130",  # too short for Germany
        "XX89370400440532013000",
        "000-12-3456 and 666-12-3456 and 912-12-3456 and 123-00-4567 and 123-45-0000",
        "256.1.1.1 and 1.2.3.4.5 and version 1.2.3",
        "std::vector and ab::cd at 12:30:45 on 10:20",
        "in 1984, 2024-11-24, 12/31/1999 and 1,234,567 of 3.14159265358979",
        "order 000000000000 and 1111111111",
        "user@localhost and @someone and a@b",
        "password: aaaaaaaaaaaaaaaaaaaaaaaa and token = thisisonlyalongword",
        "the key = value of the day; keyword: nothing",
        "",
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    assert found(text) == []


def test_the_same_value_in_another_spelling_is_the_same() -> None:
    texts = ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111", "A@x.org", "a@X.ORG"]
    values = find_pii(pa.array(texts, pa.large_string())).value
    assert len(set(values[:3].tolist())) == 1
    assert len(set(values[3:].tolist())) == 1


def test_luhn_catches_every_changed_digit() -> None:
    assert luhn(b"4111111111111111")
    for place in range(16):
        for digit in range(10):
            number = bytearray(b"4111111111111111")
            changed = number[place] != 48 + digit
            number[place] = 48 + digit
            assert luhn(bytes(number)) != changed


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(max_size=40) | st.just("a@b.io") | st.none(), max_size=5))
def test_any_text_will_do_and_rows_are_searched_alone(texts: list[str | None]) -> None:
    values = find_pii(pa.array(texts, pa.large_string()))
    alone = [find_pii(pa.array([text], pa.large_string())) for text in texts]
    assert values.value.tolist() == [value for each in alone for value in each.value.tolist()]
    assert values.rows == len(texts)


def pairs(values: Pii, texts: list[str]) -> dict[str, set[tuple[int, int, int]]]:
    """Places in characters, by kind."""
    by_kind = defaultdict(set)
    for row, kind, start, end in zip(values.row, values.kind, values.start, values.end, strict=True):
        body = texts[row].encode()
        by_kind[KINDS[kind]].add((int(row), len(body[:start].decode()), len(body[:end].decode())))
    return by_kind


@pytest.mark.shared
@needs_presidio
@pytest.mark.parametrize(
    ("kind", "name", "all_of_them", "least"),
    [
        ("email", "EMAIL_ADDRESS", 49, 49),
        ("ssn", "US_SSN", 16, 16),
        ("card", "CREDIT_CARD", 136, 136),
        ("ip", "IP_ADDRESS", 14, 14),
        ("iban", "IBAN_CODE", 21, 20),
        ("phone", "PHONE_NUMBER", 92, 60),  # many are written as no phone book would
    ],
)
def test_the_values_of_a_labelled_set_are_found(kind: str, name: str, all_of_them: int, least: int) -> None:
    rows = json.loads(PRESIDIO.read_text(encoding="utf-8"))
    texts = [row["full_text"] for row in rows]
    places = pairs(find_pii(pa.array(texts, pa.large_string())), texts)[kind]
    marked = {
        (at, span["start_position"], span["end_position"])
        for at, row in enumerate(rows)
        for span in row["spans"]
        if span["entity_type"] == name
    }

    def met(one: tuple[int, int, int], others: set[tuple[int, int, int]]) -> bool:
        return any(one[0] == row and one[1] < end and start < one[2] for row, start, end in others)

    assert len(marked) == all_of_them
    assert sum(met(place, places) for place in marked) >= least
    false = [place for place in places if not met(place, marked)]
    assert len(false) <= (1 if kind == "phone" else 0), false


@pytest.mark.shared
@needs_presidio
def test_the_labelled_set_repeats_108_texts_byte_for_byte() -> None:
    texts = [row["full_text"] for row in json.loads(PRESIDIO.read_text(encoding="utf-8"))]
    first = exact_clusters(pa.array(texts, pa.large_string()))
    assert int((first != np.arange(len(texts))).sum()) == 108


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "a.",
        "1",
        "1 ",
        "a:",
        "123-45-",
        "a@",
        "AB12 ABCD ",
        "+1 22 ",
        "token 1a",
        "1.",
        "call 1",
        "eyJa1.",
        "-",
    ],
)
def test_texts_made_to_be_slow_are_searched_to_their_end(part: str) -> None:
    """A search whose work grew with the square of the text would not come back from 2 MB."""
    text = part * (2_000_000 // len(part)) + " a@b.io"
    values = find_pii(pa.array([text], pa.large_string()))
    assert (values.end[-1], KINDS[values.kind[-1]]) == (len(text), "email")
