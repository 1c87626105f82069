"""Inspection: it shows what is there, and one bad file does not hide the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.core.errors import InputError
from assay.engine.inspect import Inspection, inspect


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_file_is_described(tmp_path: Path) -> None:
    rows = [{"review": "good film", "label": "pos", "site": "a", "id": n} for n in range(3)]
    rows += [{"review": "плохо", "label": "neg", "site": "b", "id": n} for n in range(2)]
    path = write(tmp_path / "a.jsonl", *rows, {"review": "no label", "id": 9}, {"review": 5}, {"other": 1})
    [file] = inspect(path).files
    assert (file.name, file.format, file.shape) == ("a.jsonl", "jsonl", "text-label")
    assert file.bytes == path.stat().st_size
    assert file.columns == {
        "review": "text",
        "label": "label",
        "site": "slice",
        "id": "extra",
        "other": "extra",
    }
    assert (file.rows, file.rows_unread) == (6, 2)
    assert file.reasons == {"text is a number, not a string": 1, "no column 'review'": 1}
    assert [(row.line, row.reason) for row in file.examples] == [
        (7, "text is a number, not a string"),
        (8, "no column 'review'"),
    ]
    assert file.tokens == 3 * 2 + 2 + 2
    assert file.text_bytes == 3 * 9 + 2 * 10 + 8
    assert (file.labels, file.unlabelled) == ({"pos": 3, "neg": 2}, 1)
    assert file.slices == {"site": {"a": 3, "b": 2}}
    assert file.scripts == {"Latin": round(31 / 41, 4), "Cyrillic": round(10 / 41, 4)}
    assert file.problem is None


def test_scripts_are_named(tmp_path: Path) -> None:
    [file] = inspect(write(tmp_path / "a.jsonl", {"text": "漢字 かな カナ 한글 ไทย عربي Ａ 𝐁 1!?"})).files
    assert set(file.scripts) == {"Han", "Hiragana", "Katakana", "Hangul", "Thai", "Arabic", "Latin"}
    assert sum(file.scripts.values()) == pytest.approx(1, abs=0.001)


def test_a_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", {"text": "a"})
    (tmp_path / "b.parquet").write_bytes(b"no")
    (tmp_path / "c.csv").write_bytes(b"")
    (tmp_path / "d.csv").write_bytes(b"x,y\na,b\n")
    (tmp_path / "e.jsonl").write_bytes(b"broken\n" * 3)
    (tmp_path / "f.md").write_bytes(b"")
    seen = inspect(tmp_path)
    problems = {file.name: file.problem for file in seen.files}
    assert problems["a.jsonl"] is None
    assert "not a readable parquet file" in (problems["b.parquet"] or "")
    assert problems["c.csv"] == "no rows"
    assert "no known row shape among the columns: 'x', 'y'" in (problems["d.csv"] or "")
    assert problems["e.jsonl"] == "no readable row"
    assert seen.files[4].reasons == {"not JSON: Expecting value": 3}
    assert seen.skipped == {"file skipped: unknown suffix": 1}


def test_many_broken_rows_are_counted_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "a"}\n' + b"\xff\n" * 3_000)
    [file] = inspect(tmp_path / "a.jsonl").files
    assert (file.rows, file.reasons, len(file.examples)) == (1, {"invalid UTF-8": 3_000}, 5)
    assert file.examples[0].raw == "\\xff"


def test_an_inspection_goes_to_json_and_back(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a", "\\ud800": "\\ud800"}\n{"text": "\\ud800"}\n')
    seen = inspect(tmp_path)
    assert Inspection.model_validate_json(seen.model_dump_json()) == seen


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        inspect(tmp_path / "nowhere.jsonl")
