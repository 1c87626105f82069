"""Generation: the plan comes from the seed, and a killed run goes on to the same file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assay.core.corpus import Corpus, root_hash, schema
from assay.core.errors import InputError
from assay.generate.fewshot import STYLES, TEMPERATURES, FewShotByLabel, plan
from assay.generate.generate import generate, tidy
from assay.models.endpoint import Completion, Request

RECIPE = FewShotByLabel(about="note", pool=8)


@dataclass(frozen=True)
class Parrot:
    """A model that answers with the request's seed, and dies before the given number of answers."""

    dies_before: int | None = None
    name: str = "parrot"
    sha256: str = "00"
    licence: str | None = None

    def write(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for i, request in enumerate(requests):
            if i == self.dies_before:
                raise KeyboardInterrupt
            yield Completion(f"Note {request.seed}.", cut=False, tokens=3)


def corpus(folder: Path, *, labels: Sequence[str | None] = ("good", "bad"), copies: int = 20) -> Corpus:
    rows: list[dict[str, Any]] = [
        {"text": f"a text of row {i} that is long enough to be shown", "label": labels[i % len(labels)]}
        for i in range(copies * len(labels))
    ]
    for i, row in enumerate(rows):
        row |= {"root": root_hash(str(i)), "file": "real.jsonl", "line": i + 1, "row": i}
    batch = pa.RecordBatch.from_pylist(rows, schema=schema())
    return Corpus.write(folder, [batch], name="real", origin="real", shape="text-label")


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def told(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what it took to write, which no two runs have in common."""
    return {name: value for name, value in row.items() if name != "usage"}


def test_same_seed_same_plan_and_longer_plans_extend_shorter_ones(tmp_path: Path) -> None:
    real = corpus(tmp_path / "real")
    assert plan(real, RECIPE, 40, seed=1)[:25] == plan(real, RECIPE, 25, seed=1)
    assert plan(real, RECIPE, 25, seed=1) != plan(real, RECIPE, 25, seed=2)


def test_plan_balances_labels_styles_and_temperatures(tmp_path: Path) -> None:
    planned = plan(corpus(tmp_path / "real"), RECIPE, 2 * len(STYLES) * len(TEMPERATURES) * 4, seed=0)
    combinations = Counter((row.label, row.style, row.request.temperature) for row in planned)
    assert set(combinations.values()) == {4}


def test_examples_have_the_label_and_come_from_the_pool(tmp_path: Path) -> None:
    real = corpus(tmp_path / "real")
    label_of = {f"real.jsonl:{i + 1}": ("good", "bad")[i % 2] for i in range(real.rows)}
    planned = plan(real, RECIPE, 300, seed=0)
    shown = {row for one in planned for row in one.seed_rows}
    assert len(shown) == 2 * RECIPE.pool
    assert all(label_of[row] == one.label for one in planned for row in one.seed_rows)
    for one in planned:
        chat = " ".join(turn.content for turn in one.request.messages)
        assert all(f"row {int(row.split(':')[1]) - 1} that" in chat for row in one.seed_rows)


@pytest.mark.parametrize("label", ["{example}", "a {0} b", "50 % off"])
def test_labels_and_texts_with_braces_are_only_text(tmp_path: Path, label: str) -> None:
    planned = plan(corpus(tmp_path / "real", labels=(label,)), RECIPE, 5, seed=0)
    assert all(label in one.request.messages[-1].content or one.style == "persona" for one in planned)


def test_every_row_names_its_lineage(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    result = generate(corpus(tmp_path / "real"), recipe=RECIPE, model=Parrot(), rows=10, out=out, seed=3)
    assert (result.rows, result.tokens) == (10, 30)
    for row in rows_of(out):
        assert row["text"] == f"Note {row['seed']}."
        assert row["generator"] == "parrot"
        assert row["generator_sha256"] == "00"
        assert row["usage"]["completion_tokens"] == 3
        assert 0 <= row["usage"]["seconds"] <= result.seconds
        assert row["recipe"] == "few-shot-by-label"
        assert row["root"] == row["seed_rows"][0]
        assert not row["truncated"]


def test_killed_run_goes_on_to_the_same_file(tmp_path: Path) -> None:
    real, whole, killed = corpus(tmp_path / "real"), tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    generate(real, recipe=RECIPE, model=Parrot(), rows=30, out=whole, seed=0)
    with pytest.raises(KeyboardInterrupt):
        generate(real, recipe=RECIPE, model=Parrot(dies_before=11), rows=30, out=killed, seed=0)
    assert len(rows_of(killed)) == 11
    with killed.open("ab") as file:
        file.write('{"text": "a torn línea'.encode()[:-3])
    result = generate(real, recipe=RECIPE, model=Parrot(), rows=30, out=killed, seed=0)
    assert [told(row) for row in rows_of(killed)] == [told(row) for row in rows_of(whole)]
    assert (result.rows, result.tokens) == (30, 19 * 3)


def test_finished_run_writes_nothing(tmp_path: Path) -> None:
    real, out = corpus(tmp_path / "real"), tmp_path / "out.jsonl"
    generate(real, recipe=RECIPE, model=Parrot(), rows=5, out=out)
    before = out.read_bytes()
    assert generate(real, recipe=RECIPE, model=Parrot(dies_before=0), rows=5, out=out).tokens == 0
    assert out.read_bytes() == before


@pytest.mark.parametrize("line", [b'{"text": "x", "label": "good"}\n', b"not JSON\n", b"3\n"])
def test_rows_of_another_plan_are_refused_and_left_alone(tmp_path: Path, line: bytes) -> None:
    out = tmp_path / "out.jsonl"
    out.write_bytes(line)
    with pytest.raises(InputError, match="line 1"):
        generate(corpus(tmp_path / "real"), recipe=RECIPE, model=Parrot(), rows=5, out=out)
    assert out.read_bytes() == line


def test_other_seed_and_fewer_rows_are_refused(tmp_path: Path) -> None:
    real, out = corpus(tmp_path / "real"), tmp_path / "out.jsonl"
    generate(real, recipe=RECIPE, model=Parrot(), rows=5, out=out, seed=0)
    with pytest.raises(InputError, match="other data, settings, model or seed"):
        generate(real, recipe=RECIPE, model=Parrot(), rows=5, out=out, seed=1)
    with pytest.raises(InputError, match="5 rows already"):
        generate(real, recipe=RECIPE, model=Parrot(), rows=4, out=out, seed=0)


def test_corpus_without_labels_or_with_too_few_examples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row has a label"):
        plan(corpus(tmp_path / "bare", labels=(None,)), RECIPE, 5, seed=0)
    with pytest.raises(InputError, match="'bad' has 1 rows"):
        plan(corpus(tmp_path / "few", copies=1), RECIPE, 5, seed=0)


def test_label_of_long_texts_is_named_not_dropped(tmp_path: Path) -> None:
    real = corpus(tmp_path / "real")
    only_long = FewShotByLabel(about="note", characters=(1_000, 2_000))
    with pytest.raises(InputError, match="'bad' has 0 rows of 1000 to 2000 characters"):
        plan(real, only_long, 5, seed=0)


@pytest.mark.parametrize(
    ("written", "cut", "kept"),
    [
        ("  A fine film. ", False, "A fine film."),
        ("good note: a fine film", False, "a fine film"),
        ("Good Note: a fine film", False, "a fine film"),
        ('"A fine film."', False, "A fine film."),
        ('"Fine" is not "good"', False, '"Fine" is not "good"'),
        ("One. Two! And thr", True, "One. Two!"),
        ("One. Two! And thr", False, "One. Two! And thr"),
        ("It cost 3.5 millio", True, "It cost 3.5 millio"),
        ("いい映画。とても", True, "いい映画。"),
        ("I am sorry, I cannot.", False, "I am sorry, I cannot."),
        ("", True, ""),
    ],
)
def test_tidy(written: str, cut: bool, kept: str) -> None:
    assert tidy(written, label="good", about="note", cut=cut) == kept
