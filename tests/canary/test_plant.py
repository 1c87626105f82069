"""Canaries among rows of every shape: a copy with some more rows, and a key that names them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.canary import Canaries
from assay.core.errors import InputError
from assay.study import plant


def texts(number: int) -> list[str]:
    rng = np.random.default_rng(7)
    words = ["".join(chr(97 + letter) for letter in rng.integers(26, size=6)) for _ in range(400)]
    return [" ".join(rng.choice(words, 12)) for _ in range(number)]


SHAPES: dict[str, Any] = {
    "text": lambda text: {"text": text, "label": "a"},
    "pairs": lambda text: {"prompt": "Say it.", "completion": text, "id": 3},
    "chat": lambda text: {
        "messages": [{"role": "user", "content": "Say it."}, {"role": "assistant", "content": text}]
    },
    "alpaca": lambda text: {"instruction": "Say it.", "input": "", "output": text},
}


def planted(out: Path, source: Path, number: int = 10, seed: int = 0, copies: int = 1) -> Canaries:
    plant((str(source),), out, number=number, words=6, copies=copies, seed=seed, columns={})
    return Canaries.load(out.with_name(out.stem + ".canaries.json"))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_copy_with_more_rows_of_the_same_shape(tmp_path: Path, shape: str) -> None:
    rows = [SHAPES[shape](text) for text in texts(200)]
    source = tmp_path / "real.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    key = planted(tmp_path / "out.jsonl", source, copies=2)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    left = list(lines)
    for row in rows:
        left.remove(row)
    assert [row for row in lines if row not in left] == rows
    assert len(left) == 20
    assert all(row.keys() == rows[0].keys() for row in left)
    said = [json.dumps(row) for row in left]
    for canary in key.planted:
        assert sum(json.dumps(canary.text) in row for row in said) == 2
        assert any(text.startswith(canary.prefix) for text in texts(200))
    whole = (tmp_path / "out.jsonl").read_text()
    assert not any(canary.secret in whole for canary in key.controls)


def test_same_seed_same_canaries_and_another_seed_others(tmp_path: Path) -> None:
    source = tmp_path / "real.csv"
    with source.open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], *([text, "a"] for text in texts(100))])
    first = planted(tmp_path / "a.jsonl", source)
    assert planted(tmp_path / "b.jsonl", source) == first
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert planted(tmp_path / "c.jsonl", source, seed=1).planted != first.planted
    assert not {each.secret for each in first.planted} & {each.secret for each in first.controls}
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


def test_too_few_rows_say_so(tmp_path: Path) -> None:
    source = tmp_path / "real.jsonl"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts(30)))
    with pytest.raises(InputError, match="need 40 rows"):
        planted(tmp_path / "out.jsonl", source, number=20)


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key.json").write_text("{}")
    with pytest.raises(InputError, match="not a key of canaries"):
        Canaries.load(tmp_path / "key.json")
    with pytest.raises(InputError, match="no such file"):
        Canaries.load(tmp_path / "none.json")
