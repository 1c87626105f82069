"""Keys found in JSON text against a parser that reads all of it."""

import json

import numpy as np
import pyarrow as pa
import pytest

from assay.kernels.json_fields import json_fields

FIELDS = [("generator", "model"), ("licence",)]


@pytest.mark.parametrize(
    ("row", "said", "text"),
    [
        ('{"model": "a"}', True, "a"),
        ('{"model": "a", "generator": "b"}', True, "b"),  # the key listed first counts, wherever it stands
        ('{"generator": "", "model": "a"}', True, "a"),
        ('{"generator" :\n "größe"}', True, "größe"),
        ('{"metadata": {"model": "deep"}}', True, "deep"),
        ('{"a": {"b": {"model": "too deep"}}}', False, None),
        ('{"note": "\\"model\\": \\"faked\\""}', False, None),  # a key within a string is none
        ('{"note": "x\\\\", "model": "a"}', True, "a"),
        ('["model", "a"]', False, None),
        ('{"other": "model", "x": 1}', False, None),
        ('{"model": null}', False, None),
        ('{"model": []}', False, None),
        ('{"model": { }}', False, None),
        ('{"model": ["a"]}', True, None),
        ('{"model": {"name": "a"}}', True, None),
        ('{"model": 0}', True, None),
        ('{"models": "a", "mode": "b"}', False, None),
        ("", False, None),
        (None, False, None),
        ('{"model": "torn', True, "torn"),
        ('{"model"', False, None),
        ('{"model":', False, None),
        ('{"model": "\\', True, "\\"),
        ("}}}{[", False, None),
    ],
)
def test_a_key_is_found_where_it_is_one(row: str | None, said: bool, text: str | None) -> None:
    found = json_fields(pa.array([row, '{"licence": "MIT"}'], pa.large_string()), FIELDS)
    assert (bool(found[0].said[0]), found[0].text[0].as_py()) == (said, text)
    assert (bool(found[1].said[1]), found[1].text[1].as_py()) == (True, "MIT")


def test_rows_of_any_kind_read_as_the_parser_reads_them() -> None:
    rng = np.random.default_rng(0)
    values = [None, "", "x", 'quo"te', "back\\slash", 3, True, [], ["model"], {"model": "in"}, {}, "ü{[:,"]
    rows = []
    for _ in range(500):
        keys = rng.choice(["model", "generator", "licence", "other", "more"], 3, replace=False)
        rows.append({str(key): values[rng.integers(len(values))] for key in keys})
    column = pa.chunked_array(
        [pa.array([json.dumps(row) for row in part], pa.large_string()) for part in (rows[:200], rows[200:])]
    )
    found = json_fields(column, FIELDS)
    for place, row in enumerate(rows):
        inner = [value for value in row.values() if isinstance(value, dict)]
        licence = row.get("licence")
        assert found[1].said[place] == (licence not in (None, "", [], {}))
        told = [row.get("generator"), row.get("model"), *(value.get("model") for value in inner)]
        assert found[0].said[place] == any(value not in (None, "", [], {}) for value in told)
        if isinstance(row.get("generator"), str) and row["generator"]:
            assert json.loads(f'"{found[0].text[place].as_py()}"') == row["generator"]


def test_no_rows() -> None:
    found = json_fields(pa.array([], pa.large_string()), FIELDS)
    assert len(found[0].said) == len(found[0].text) == 0
