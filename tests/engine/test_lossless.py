"""Reading under attack: what goes in comes out as a row or as a reject with its reason, and nothing falls over.

Files are spoilt by a seeded hand. Every value in them is a name of its own, so that after reading one can ask
of each name that the spoilt bytes still hold where it went.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.test_read import FORMATS, put, zstd

from assay.core.errors import AssayError, InputError
from assay.engine.inspect import inspect
from assay.engine.read import ReadResult, read
from assay.engine.shapes import sniff
from assay.engine.values import Unusable

NAME = re.compile(rb"K\d{4}K")
JUNK = (
    *(
        b'"',
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b";",
        b"\t",
        b"\\",
    ),
    *(
        b"null",
        b"NaN",
        b"1e999",
        b"\xef\xbb\xbf",
        b'""',
        b"'",
        b":",
        b"\xe2\x80\xa8",
        b"\\ud800",
        b'"text"',
        b"\x1a",
    ),
    b'"text":"K9999K",',
)
JSON = ("a.jsonl", "a.json", "b.json", "array.jsonl", "columns.json", "nested.json", "objects.json")
FLAT = ("a.csv", "semicolon.csv", "a.tsv", "a.txt")
TABLES = ("a.parquet", "a.arrow", "stream.arrow")
CODECS = {".gz": gzip.compress, ".zst": zstd}


def made(rng: random.Random, *, flat: bool) -> list[dict[str, Any]]:
    """A few rows of one shape in which every text is a name that no other has."""
    numbers = iter(range(1, 9999))

    def name() -> str:
        return f"K{next(numbers):04d}K"

    def said() -> list[dict[str, Any]]:
        answer = {"role": "assistant", "content": name(), "tool_calls": [{"f": name()}]}
        return [{"role": "user", "content": name()}, answer]

    shape = "text" if flat else rng.choice(["text", "pair", "chat", "preference", "kto", "steps"])
    rows: list[dict[str, Any]] = []
    for _ in range(rng.randint(1, 3)):  # short files: a reject holds 2,000 characters
        match shape:
            case "text":
                rows.append({"text": name(), "note": name(), "label": rng.choice("ab")})
            case "pair":
                rows.append({"prompt": name(), "completion": name(), "doc_id": name(), "generation": name()})
            case "chat":
                rows.append({"messages": said(), "meta": {"deep": name()}})
            case "preference":
                rows.append({"chosen": said(), "rejected": said()})
            case "kto":
                judged = {"label": rng.random() < 0.5, "time": name(), "batch": name()}
                rows.append({"prompt": name(), "completion": name(), **judged})
            case _:
                rows.append({"prompt": name(), "completions": [name(), name()], "labels": [True, False]})
    return rows


def spoilt(data: bytes, rng: random.Random) -> bytes:
    """Something put in, taken out, changed or cut off in up to four places."""
    held = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        place, way = rng.randint(0, len(held)), rng.random()
        if way < 0.55:
            held[place:place] = rng.choice(JUNK)
        elif way < 0.75:
            del held[place : place + rng.randint(1, 6)]
        elif way < 0.9 and held:
            held[min(place, len(held) - 1)] = rng.randrange(256)
        else:
            del held[place:]
    return bytes(held)


def read_or_refused(path: Path, folder: Path) -> ReadResult | None:
    """The result, or None where the file is refused in plain words; any other error fails the test."""
    try:
        return read(path, folder, name="c", origin="real", max_reject_share=1)
    except AssayError:
        return None


def everything(result: ReadResult, folder: Path) -> str:
    """All that was kept: the rows, and the rejects."""
    rejects = folder / "rejects.jsonl"
    aside = rejects.read_text() if rejects.exists() else ""
    assert len(aside.splitlines()) == result.rows_unread == sum(result.reasons.values())
    return json.dumps(result.corpus.table().to_pylist(), default=str) + aside


@pytest.mark.parametrize("names", [JSON, FLAT], ids=["json", "flat"])
def test_every_value_ends_in_a_row_or_a_reject(tmp_path: Path, names: tuple[str, ...]) -> None:
    kept = 0
    for seed in range(200):
        rng = random.Random(seed)
        rows, name = made(rng, flat=names is FLAT), rng.choice(names)
        lines = "\n".join(f"{row.get('text')} {row.get('note')}" for row in rows).encode()
        data = spoilt(lines if name == "a.txt" else FORMATS[name](rows), rng)
        folder = tmp_path / str(seed)
        result = read_or_refused(put(folder, name, data), folder / "c")
        if result is not None:
            kept += 1
            found = everything(result, folder / "c")
            assert not [value for value in NAME.findall(data) if value.decode() not in found], (
                seed,
                name,
                data,
            )
    assert kept > 80  # many spoilt files still give rows


@pytest.mark.parametrize("names", [TABLES, (*JSON, *TABLES)], ids=["tables", "compressed"])
def test_damaged_binary_files_are_read_or_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    kept = 0
    for seed in range(150):
        rng = random.Random(seed)
        name = rng.choice(names)
        data, codec = FORMATS[name](made(rng, flat=False)), ""
        if names is not TABLES:
            codec = rng.choice(sorted(CODECS))
            data = CODECS[codec](data)
        folder = tmp_path / str(seed)
        path = put(folder, name + codec, spoilt(data, rng))
        kept += read_or_refused(path, folder / "c") is not None
        if seed % 5 == 0:
            inspect(path)
    assert kept > 15


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.sampled_from([*JSON, *FLAT, *TABLES, "a.jsonl.gz", "a.csv.zst"]))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes, name: str) -> None:
    read_or_refused(put(tmp_path, name, data), tmp_path / "c")
    inspect(tmp_path / name)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
columns = st.sampled_from(
    [
        "text",
        "prompt",
        "completion",
        "messages",
        "chosen",
        "rejected",
        "completions",
        "labels",
        "label",
        "root_id",
        "instruction",
        "input",
        "output",
        "date",
        "batch",
        "meta",
        "generation",
        "x",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.dictionaries(columns, values, min_size=1, max_size=4), min_size=1, max_size=3))
def test_any_values_are_a_row_or_say_why_not(rows: list[dict[str, Any]]) -> None:
    try:
        layout = sniff(rows, mapping={}, slices=None, where="f")
    except InputError:
        return
    for row in rows:
        try:
            found = layout.row(row)
        except Unusable:
            continue
        kept = json.loads(layout.extras(row) or "{}")
        assert isinstance(found.text, str)
        # A column without a part is among the extras, whatever it holds.
        assert set(kept) >= set(row) - set(layout.columns.values()) - set(layout.slices)


def test_a_key_that_stands_twice_loses_neither_value(tmp_path: Path) -> None:
    twin = b'{"text": "one", "text": "two"}'
    path = put(tmp_path, "a.jsonl", b'{"text": "a"}\n' + twin + b'\n{"text": "b", "m": {"k": 1, "k": 2}}\n')
    result = read(path, tmp_path / "c", name="c", origin="real", max_reject_share=1)
    assert result.reasons == {f"the key {key!r} stands twice in one object": 1 for key in ("text", "k")}
    assert '"one' in everything(result, tmp_path / "c").replace("\\", "")
    array = put(tmp_path, "a.json", b'[{"text": "a"}, ' + twin + b', {"text": "b"}]')
    within = read(array, tmp_path / "d", name="c", origin="real", max_reject_share=1)
    assert (within.corpus.rows, within.rows_unread) == (2, 1)


@pytest.mark.parametrize("depth", [300, 900, 2_000, 100_000])
def test_deep_nesting_is_kept_or_set_aside(tmp_path: Path, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    lines = [json.dumps({"text": f"t{n}"}) for n in range(5)]
    lines.append(f'{{"text": "deep", "x": {deep}}}')
    lines.append(f'{{"text": "deep", "x": {deep.replace("[", chr(91) + "NaN,", 1)}}}')
    path = put(tmp_path, "a.jsonl", "\n".join(lines).encode())
    result = read(path, tmp_path / "c", name="c", origin="real", max_reject_share=1)
    assert result.corpus.rows + result.rows_unread == 7
    assert all("nested too deeply" in reason for reason in result.reasons)
    [file] = inspect(path).files
    assert file.rows >= 5


def test_a_name_that_no_file_can_hold_plays_no_part(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", b'{"text": "a", "\\ud800": "x"}\n{"text": "b", "\\ud800": "y"}\n')
    result = read(path, tmp_path / "c", name="c", origin="real")
    assert ReadResult.open(tmp_path / "c") == result
    extras = result.corpus.table(["extras"])["extras"].to_pylist()
    assert [json.loads(each) for each in extras] == [{"\ud800": "x"}, {"\ud800": "y"}]


def test_invalid_text_deep_inside_a_table_loses_one_row(tmp_path: Path) -> None:
    good, bad = ({"role": b"user", "content": text} for text in (b"fine", b"\xff"))
    kind = pa.list_(pa.struct([("role", pa.binary()), ("content", pa.binary())]))
    text = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    column = pa.array([[good], [good, bad], [good]], kind).view(text)
    pq.write_table(pa.table({"messages": column}), tmp_path / "a.parquet")
    result = read(tmp_path / "a.parquet", tmp_path / "c", name="c", origin="real", max_reject_share=1)
    assert result.corpus.rows == 2
    assert result.reasons == {"content holds a lone surrogate or invalid UTF-8": 1}


def test_a_false_length_in_an_arrow_file_costs_its_batch_not_the_program(tmp_path: Path) -> None:
    table, sink = pa.table({"text": ["abc", "def"]}), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for _ in range(2):
            writer.write_table(table)
    data = bytearray(sink.getvalue().to_pybytes())
    offsets = data.find((3).to_bytes(4, "little") + (6).to_bytes(4, "little"))
    data[offsets : offsets + 4] = (2**31 - 1).to_bytes(4, "little")
    path = put(tmp_path, "a.arrow", bytes(data))
    result = read(path, tmp_path / "c", name="c", origin="real", max_reject_share=1)
    assert result.corpus.table(["text"])["text"].to_pylist() == ["abc", "def"]
    assert [reason.partition(":")[0] for reason in result.reasons] == ["rows 1 to 2 are damaged"]


def test_dates_beyond_any_calendar_cost_nothing(tmp_path: Path) -> None:
    days = pa.array([0, 10**9], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"text": ["a", "b"], "date": days}), tmp_path / "a.parquet")
    result = read(tmp_path / "a.parquet", tmp_path / "c", name="c", origin="real")
    assert result.notes == {"row with a time that cannot be read": 1}


def test_large_rows_of_a_table_come_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.engine.formats.tables._PART_BYTES", 1 << 20)
    monkeypatch.setattr("assay.engine.read.BATCH_BYTES", 1 << 20)
    monkeypatch.setattr("assay.engine.read.SNIFF_BYTES", 1 << 20)
    rng = random.Random(0)
    pq.write_table(
        pa.table({"text": [rng.randbytes(1 << 17).hex() for _ in range(120)]}), tmp_path / "a.parquet"
    )
    tracemalloc.start()
    result = read(tmp_path / "a.parquet", tmp_path / "c", name="c", origin="real")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.corpus.rows == 120
    assert peak < 16 << 20  # of 30 MB of text
