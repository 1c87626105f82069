"""Slices that follow from the rows themselves: by length, language, script and time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.annotate.parts import REST, implied
from assay.audit.rows import Rows, open_rows
from assay.audit.run import AuditResult, audit
from assay.core.corpus import Corpus, Origin, root_hash, schema
from assay.core.measure import Measure
from assay.core.verdict import decide
from tests.audit.corpora import Row, audited, find, rows, some


def write(
    folder: Path, texts: Sequence[str], name: str, origin: Origin, times: Sequence[datetime | None] = ()
) -> Corpus:
    number = len(texts)
    columns = {
        "text": list(texts),
        "root": [root_hash(f"{name} {row}") for row in range(number)],
        "row": list(range(number)),
        "time": list(times) or [None] * number,
    }
    filled = {field.name: columns.get(field.name, [None] * number) for field in schema()}
    batch = pa.RecordBatch.from_pydict(filled, schema=schema())
    return Corpus.write(folder / name, [batch], name=name, origin=origin, shape="text")


def sides(
    folder: Path,
    ours: Sequence[str],
    theirs: Sequence[str],
    times: Sequence[datetime | None] = (),
    times_real: Sequence[datetime | None] = (),
) -> tuple[Rows, Rows]:
    return (
        open_rows(write(folder, ours, "ours", "synthetic", times)),
        open_rows(write(folder, theirs, "theirs", "real", times_real)),
    )


def slices(result: AuditResult, name: str) -> dict[str, Measure]:
    return {
        each.slice[name]: each
        for each in result.measures
        if each.name == "coverage.slice_ratio" and each.slice and name in each.slice
    }


def test_lengths_are_quarters_of_the_real_rows(tmp_path: Path) -> None:
    theirs = [" ".join("x" * (1 + row % 40)) for row in range(400)]
    ours, real = implied(*sides(tmp_path, ["", "x", " ".join("x" * 11), " ".join("x" * 900)], theirs))
    assert ours["length"].tolist() == ["", "1 to 10 words", "11 to 20 words", "31 words or more"]
    names, counts = np.unique(real["length"], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "1 to 10 words": 100,
        "11 to 20 words": 100,
        "21 to 30 words": 100,
        "31 words or more": 100,
    }


def test_rows_of_one_length_have_one_part_and_few_rows_none(tmp_path: Path) -> None:
    _, alike = implied(*sides(tmp_path / "alike", ["x"], ["x y"] * 400))
    assert set(alike["length"]) == {"any"}
    _, few = implied(*sides(tmp_path / "few", ["x"], ["x y"] * 10))
    assert set(few["length"]) == {""}
    nothing, _ = implied(*sides(tmp_path / "nothing", [], []))
    assert all(len(values) == 0 for values in nothing.values())


def test_rare_scripts_are_the_rest(tmp_path: Path) -> None:
    ours, real = implied(
        *sides(tmp_path, ["да", "好", "yes", "1"], ["yes"] * 100 + ["да"] * 30 + ["ναι"] * 3)
    )
    assert ours["script"].tolist() == ["Cyrillic", REST, "Latin", ""]
    assert set(real["script"]) == {"Latin", "Cyrillic", REST}


def test_time_is_told_by_year_or_decade_or_quarter(tmp_path: Path) -> None:
    def by(name: str, first: int, last: int, month: int = 0) -> set[str]:
        years = np.arange(400) % (last - first + 1) + first
        times = [
            datetime(int(year), month or 1 + row // (last - first + 1) % 12, 1 + row % 28)
            for row, year in enumerate(years)
        ]
        ours, real = implied(*sides(tmp_path / name, ["x"] * 400, ["x"] * 400, times, times))
        assert ours["time"].tolist() == real["time"].tolist()
        return set(real["time"].tolist())

    assert by("years", 2019, 2021) == {"2019", "2020", "2021"}
    assert by("decades", 1960, 1999) == {"1960s", "1970s", "1980s", "1990s"}
    quarters = by("one year", 2020, 2020)
    assert len(quarters) == 4
    assert all(" to " in quarter for quarter in quarters)
    assert by("one day", 2020, 2020, month=1) != set()


def test_times_of_another_age_are_not_compared(tmp_path: Path) -> None:
    then, now = [datetime(2000 + row % 3, 1, 1) for row in range(90)], [datetime(2026, 1, 1)] * 90
    ours, real = implied(*sides(tmp_path / "made later", ["x"] * 90, ["x"] * 90, now, then))
    assert set(ours["time"]) == set(real["time"]) == {""}
    # As soon as some rows are of those years, the others are no less there.
    mixed = [*then[:45], *now[:45]]
    ours, _ = implied(*sides(tmp_path / "some", ["x"] * 90, ["x"] * 90, mixed, then))
    assert ours["time"].tolist()[-1] == "2026"
    no_times, _ = implied(*sides(tmp_path / "none", ["x"] * 90, ["x"] * 90, [None] * 90, then))
    assert set(no_times["time"]) == {""}


def test_a_column_of_the_same_name_goes_first(tmp_path: Path) -> None:
    result = audited(tmp_path, rows(200, seed=1), rows(200, seed=2))
    assert {name for each in result.measures if each.slice for name in each.slice} >= {"label", "length"}


def test_a_missing_length_fires_and_more_with_dose(tmp_path: Path) -> None:
    real, clean = rows(800, seed=1), rows(600, seed=2)

    def shortest(dose: float) -> float:
        made = some(clean, dose, lambda i, text: " ".join((text + " " + text).split()[:38]))
        found = slices(audited(tmp_path / str(dose), real, made), "length")
        assert len(found) == 4
        return next(each.value or 0.0 for name, each in found.items() if name.startswith("1 to "))

    none, half, most = (shortest(dose) for dose in (0.0, 0.4, 0.9))
    assert none > half > most
    result = audited(tmp_path / "harm", real, some(clean, 0.9, lambda i, text: text + " " + text))
    claim = next(each for each in decide(result.measures) if each.id == "representativeness")
    assert claim.verdict == "harm"
    assert "length “" in claim.statement


def test_lengths_and_scripts_of_real_rows_against_real_rows_show_nothing(tmp_path: Path) -> None:
    harmed = 0
    for seed in range(5):
        texts = [
            text if at % 7 else "слово " + "и дело " * (at % 5)
            for at, (text, _) in enumerate(rows(1600, seed))
        ]
        times = [datetime(1990 + at % 30, 1 + at % 12, 1) for at in range(1600)]
        order = np.random.default_rng(seed).permutation(1600)
        parts = [
            ([texts[at] for at in part], [times[at] for at in part]) for part in np.split(order, [700, 900])
        ]
        folder = tmp_path / str(seed)
        result = audit(
            write(folder, parts[0][0], "real", "real", parts[0][1]),
            write(folder, parts[1][0], "reference", "real", parts[1][1]),
            write(folder, parts[2][0], "synthetic", "synthetic", parts[2][1]),
            folder / "out",
        )
        assert set(slices(result, "script")) == {"Latin", "Cyrillic"}
        assert set(slices(result, "time")) == {"1990s", "2000s", "2010s"}
        assert len(slices(result, "length")) == 4
        claim = next(each for each in decide(result.measures) if each.id == "representativeness")
        harmed += claim.verdict == "harm"
    assert harmed == 0


ENGLISH = "the house is on the hill and it was not as old as they had said to us that day"
GERMAN = "das Haus steht auf dem Berg und ist nicht so alt wie sie es uns an dem Tag gesagt haben"
FRENCH = "la maison est sur la colline et elle n'est pas aussi vieille que ce que l'on nous a dit"


def test_languages_are_slices_and_rare_ones_the_rest(tmp_path: Path) -> None:
    theirs = [ENGLISH] * 60 + [GERMAN] * 40 + [FRENCH] * 3
    ours, real = implied(*sides(tmp_path, [ENGLISH, GERMAN, FRENCH, "42", ""], theirs))
    assert ours["language"].tolist() == ["en", "de", REST, "", ""]
    assert set(real["language"]) == {"en", "de", REST}


def test_a_language_left_out_is_found_thin(tmp_path: Path) -> None:
    def texts(german: float, rows: int) -> list[Row]:
        return [
            (f"{GERMAN if row < german * rows else ENGLISH} {row % 13} {row % 7}", "") for row in range(rows)
        ]

    for share, low in ((0.4, 0.8), (0.1, 0.1)):
        result = audited(tmp_path / str(share), texts(0.4, 400), texts(share, 300))
        found = find(result, "coverage.slice_ratio", {"language": "de"})
        assert found.value is not None
        assert low < found.value < low + 0.4
