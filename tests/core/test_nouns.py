"""Corpus, Measure, Step, Evidence and the words for numbers."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from assay.core import words
from assay.core.corpus import Corpus, root_hash, schema
from assay.core.errors import AssayError, InputError, MissingExtra, StepError
from assay.core.evidence import Costs, Evidence, Run, Tool
from assay.core.measure import Measure
from assay.core.step import Step


def corpus(folder: Path, texts: list[str]) -> Corpus:
    rows = [
        {"text": text, "root": root_hash(text), "row": row, "label": None, "slice:source": "here"}
        for row, text in enumerate(texts)
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=schema(("source",)))
    return Corpus.write(folder, [batch], name="real", origin="real", shape="text", slices=("source",))


def test_a_corpus_is_its_rows_and_nothing_else(tmp_path: Path) -> None:
    one, two = corpus(tmp_path / "a", ["x", "yé"]), corpus(tmp_path / "b", ["x", "yé"])
    assert one.fingerprint == two.fingerprint
    assert (one.rows, one.bytes) == (2, 4)
    assert Corpus.open(tmp_path / "a") == one
    assert corpus(tmp_path / "c", ["x", "z"]).fingerprint != one.fingerprint


def test_a_subset_keeps_where_rows_came_from(tmp_path: Path) -> None:
    part = corpus(tmp_path / "a", ["x", "y", "z"]).subset(
        tmp_path / "part", np.array([True, False, True]), name="part"
    )
    assert part.table(["row"]).column("row").to_pylist() == [0, 2]


def test_a_missing_corpus_says_so(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no corpus here"):
        Corpus.open(tmp_path)


def test_a_measure_has_a_value_or_a_reason() -> None:
    with pytest.raises(ValidationError, match="reason why it is missing"):
        Measure(name="x", value=None, unit="", worse="none", method="")
    with pytest.raises(ValidationError, match="without its interval"):
        Measure(name="x", value=1.0, unit="", worse="none", method="")
    with pytest.raises(ValidationError):
        Measure(name="x", value=float("nan"), low=0, high=1, unit="", worse="none", method="")


def test_a_step_is_done_once(tmp_path: Path) -> None:
    calls = []

    def work(folder: Path) -> None:
        calls.append(folder)
        (folder / "out.txt").write_text("done")

    first = Step("s", {"a": 1}, ("in",), work).run(tmp_path)
    assert Step("s", {"a": 1}, ("in",), work).run(tmp_path) == first
    assert len(calls) == 1
    assert Step("s", {"a": 2}, ("in",), work).run(tmp_path) != first
    assert json.loads((first / "record.json").read_text())["settings"] == {"a": 1}


def test_a_killed_step_leaves_nothing_behind(tmp_path: Path) -> None:
    def killed(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Step("s", {}, (), killed).run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_evidence_matches_its_published_schema() -> None:
    import jsonschema

    published = json.loads((Path(__file__).parents[2] / "schema" / "evidence-1.json").read_text())
    assert Evidence.model_json_schema(by_alias=True) == published, "run `make docs`"
    empty = Evidence(
        tool=Tool(version="0", commit=None),
        seed=0,
        inputs=(),
        measures=(),
        trials=(),
        claims=(),
        costs=Costs(),
        losses=(),
    )
    jsonschema.validate(json.loads(empty.to_json()), published)


def test_a_run_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no evidence\.json"):
        Run(tmp_path)
    (tmp_path / "evidence.json").write_text('{"schema": "other/1"}')
    with pytest.raises(InputError, match="not evidence of schema"):
        Run(tmp_path)


@pytest.mark.parametrize(
    ("value", "spread", "unit", "expected"),
    [
        (0.1234, 0.02, "share of rows", "12.3 %"),
        (0.0, 0.004, "share of rows", "0.00 %"),
        (-0.0123, 0.01, "accuracy difference", "-1.2 points"),
        (0.0123, 0.01, "accuracy difference", "+1.2 points"),
        (0.8764, 0.01, "accuracy", "87.6 %"),
        (1234.5, 300, "real rows", "1,234"),
        (2.5678, 0.05, "ratio", "2.568"),
    ],
)
def test_numbers_have_the_digits_their_interval_allows(
    value: float, spread: float, unit: str, expected: str
) -> None:
    assert words.number(value, spread, unit) == expected


def test_the_error_tree() -> None:
    error = InputError("column 'x' is missing", where="a.csv", fix="Use --map.")
    assert str(error) == "a.csv: column 'x' is missing\nUse --map."
    assert isinstance(error, AssayError)
    assert error.exit_code == 2
    assert "pip install 'assay[demo]'" in str(MissingExtra("p", "demo", purpose="This"))


def test_sizes_name_the_unit_that_fits() -> None:
    found = [words.size(number) for number in (0, 999, 1_000, 6_722, 999_900, 5_300_000, 1_234_500_000)]
    assert found == ["0 bytes", "999 bytes", "1.0 kB", "6.7 kB", "999.9 kB", "5.3 MB", "1,234.5 MB"]
