"""Reading: every format gives the same rows, and nothing hostile goes through or takes others with it."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.core.errors import EngineError, InputError, StepError
from assay.engine.read import ReadResult, read

DATA = Path(__file__).parents[3] / "shared" / "data"
Rows = list[dict[str, Any]]


def jsonl(rows: Rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def delimited(rows: Rows, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(rows: Rows) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def arrow_file(rows: Rows) -> bytes:
    table, sink = pa.Table.from_pylist(rows), io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def arrow_stream(rows: Rows) -> bytes:
    table, sink = pa.Table.from_pylist(rows), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return bytes(sink.getvalue())


FORMATS: dict[str, Callable[[Rows], bytes]] = {
    "a.jsonl": jsonl,
    "a.json": lambda rows: json.dumps(rows, indent=2).encode(),
    "b.json": jsonl,
    "array.jsonl": lambda rows: json.dumps(rows).encode(),
    "columns.json": lambda rows: json.dumps({key: [row[key] for row in rows] for key in rows[0]}).encode(),
    "nested.json": lambda rows: json.dumps({"version": "1", "data": rows}).encode(),
    "objects.json": lambda rows: "\n".join(json.dumps(row, indent=1) for row in rows).encode(),
    "a.csv": delimited,
    "semicolon.csv": lambda rows: delimited(rows, ";"),
    "a.tsv": lambda rows: delimited(rows, "\t"),
    "a.parquet": parquet,
    "a.arrow": arrow_file,
    "stream.arrow": arrow_stream,
}
CODECS: dict[str, Callable[[bytes], bytes]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd}


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def load(paths: Any, folder: Path, **settings: Any) -> ReadResult:
    return read(paths, folder / "corpus", name="c", origin=settings.pop("origin", "real"), **settings)


def texts(result: ReadResult) -> list[str]:
    return column(result, "text")


def column(result: ReadResult, name: str) -> list[Any]:
    return list(result.corpus.table([name]).column(name).to_pylist())


def rejects(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "corpus" / "rejects.jsonl").read_text().splitlines()]


# --- every format gives the same rows


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_and_codec_gives_the_same_rows(tmp_path: Path, name: str, codec: str) -> None:
    rows = [{"text": 'a "quoted", line\nand more', "label": "x"}, {"text": "naïve 東京 🙂", "label": "y"}]
    path = put(tmp_path, name + codec, CODECS[codec](FORMATS[name](rows)))
    result = load(path, tmp_path)
    assert texts(result) == [row["text"] for row in rows]
    assert column(result, "label") == ["x", "y"]
    assert result.layout.shape == "text-label"
    assert result.rows_unread == 0
    assert result.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert result.bytes == path.stat().st_size


anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(anything, anything), min_size=1, max_size=5), st.sampled_from(sorted(FORMATS)))
def test_what_is_written_is_read_back(tmp_path: Path, pairs: list[tuple[str, str]], name: str) -> None:
    rows = [{"text": text, "note": note} for text, note in pairs]
    result = load(put(tmp_path, name, FORMATS[name](rows)), tmp_path)
    assert texts(result) == [text for text, _ in pairs]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip), min_size=1
    )
)
def test_text_lines_are_read_back(tmp_path: Path, lines: list[str]) -> None:
    path = put(tmp_path, "a.txt", b"\xef\xbb\xbf" + "\n\n".join(lines).encode())
    assert texts(load(path, tmp_path)) == lines


def test_a_json_object_is_one_row_and_a_lone_chat_is_no_table(tmp_path: Path) -> None:
    one = load(put(tmp_path, "one.json", b'{"text": "a"}'), tmp_path)
    assert texts(one) == ["a"]
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    chat = load(put(tmp_path, "chat.json", json.dumps({"messages": turns}).encode()), tmp_path)
    assert (chat.layout.shape, texts(chat)) == ("messages", ["q\na"])


def test_strings_in_a_json_array_are_texts(tmp_path: Path) -> None:
    assert texts(load(put(tmp_path, "a.json", b'["a", "b"]'), tmp_path)) == ["a", "b"]


def test_bom_and_crlf_leave_no_trace(tmp_path: Path) -> None:
    result = load(put(tmp_path, "a.csv", b"\xef\xbb\xbftext,label\r\na,x\r\n\r\nb,y\r\n"), tmp_path)
    assert texts(result) == ["a", "b"]
    assert texts(load(put(tmp_path, "a.txt", b"one\r\ntwo\r\n"), tmp_path)) == ["one", "two"]
    assert texts(load(put(tmp_path, "a.jsonl", b'{"text": "a"}\r\n\r\n'), tmp_path)) == ["a"]


def test_tab_separated_quotation_marks_are_literal_when_they_do_not_pair(tmp_path: Path) -> None:
    path = put(tmp_path, "a.tsv", b'text\tlabel\n"Go" he said\tx\n5" pipe\ty\n')
    assert texts(load(path, tmp_path)) == ['"Go" he said', '5" pipe']


# --- what a row carries


def test_labels_become_strings_and_missing_ones_are_counted(tmp_path: Path) -> None:
    labels: list[Any] = [1, 1.0, 0.5, True, " x ", "1.0", None, float("nan"), "", "NaN", [1]]
    path = put(tmp_path, "a.jsonl", jsonl([{"text": "t", "label": label} for label in labels]))
    result = load(path, tmp_path)
    assert column(result, "label") == ["1", "1", "0.5", "true", "x", "1", None, None, None, None, None]
    assert result.notes == {"row without a label": 5}


def test_roots_come_from_a_column_else_the_prompt_else_the_row(tmp_path: Path) -> None:
    by_column = load(put(tmp_path, "a.csv", b"text,doc_id\na,1\nb,1\nc,2\nd,\n"), tmp_path)
    roots = column(by_column, "root")
    assert roots[0] == roots[1] != roots[2]
    prompts = [{"prompt": prompt, "completion": str(n)} for n, prompt in enumerate("aab")]
    by_prompt = column(load(put(tmp_path, "a.jsonl", jsonl(prompts)), tmp_path), "root")
    assert by_prompt[0] == by_prompt[1] != by_prompt[2]
    by_row = column(load(put(tmp_path, "b.jsonl", jsonl([{"text": "t"}] * 3)), tmp_path), "root")
    assert len(set(by_row)) == 3


def test_generation_is_zero_for_real_rows_and_unknown_for_synthetic_ones(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", jsonl([{"text": "a"}]))
    assert column(load(path, tmp_path), "generation") == [0]
    assert column(load(path, tmp_path, origin="synthetic"), "generation") == [None]
    said = put(tmp_path, "b.jsonl", jsonl([{"text": "a", "generation": 3}]))
    assert column(load(said, tmp_path, origin="synthetic"), "generation") == [3]


def test_other_columns_are_kept_as_json(tmp_path: Path) -> None:
    row = {"text": "a", "score": float("nan"), "tags": ["x", "\ud800"], "when": 3}
    path = put(tmp_path, "a.jsonl", jsonl([row]))
    [extras] = column(load(path, tmp_path), "extras")
    assert json.loads(extras) == {"score": None, "tags": ["x", "\ud800"], "when": 3}


def test_slices_are_found_or_named(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "source": "ab"[n % 2], "id": n, "constant": 1} for n in range(10)]
    path = put(tmp_path, "a.jsonl", jsonl(rows))
    found = load(path, tmp_path)
    assert found.corpus.slices == ("source",)
    assert column(found, "slice:source") == ["a", "b"] * 5
    assert load(path, tmp_path, slices=["constant"]).corpus.slices == ("constant",)
    with pytest.raises(InputError, match=r"no column 'nope'[\s\S]*'text', 'source', 'id', 'constant'"):
        load(path, tmp_path, slices=["nope"])


def test_one_file_holds_both_origins(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "source": source} for n, source in enumerate(["web", "gpt", "web", "gpt"])]
    path = put(tmp_path, "a.jsonl", jsonl(rows))
    sides = {"origin_column": "source", "synthetic_value": "gpt"}
    real = load(path, tmp_path, **sides)
    assert (texts(real), real.corpus.slices) == (["t0", "t2"], ())
    assert texts(load(path, tmp_path, origin="synthetic", **sides)) == ["t1", "t3"]
    assert column(load(path, tmp_path, **sides), "line") == [1, 3]
    with pytest.raises(InputError, match=r"Its values are: 'web' \(2\), 'gpt' \(2\)"):
        load(path, tmp_path, origin="synthetic", origin_column="source", synthetic_value="model")
    with pytest.raises(InputError, match=r"no column 'origin'[\s\S]*'text', 'source'"):
        load(path, tmp_path, origin_column="origin", synthetic_value="gpt", max_reject_share=1)
    with pytest.raises(InputError, match="go together"):
        load(path, tmp_path, origin_column="source")


def test_mapping_renames_and_names_what_exists(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", jsonl([{"original": "human", "sampled": "machine"}]))
    assert texts(load(path, tmp_path, mapping={"text": "sampled"})) == ["machine"]
    with pytest.raises(InputError, match="no known row shape among the columns: 'original', 'sampled'"):
        load(path, tmp_path)
    with pytest.raises(InputError, match=r"no column 'body'[\s\S]*'original', 'sampled'"):
        load(path, tmp_path, mapping={"text": "body"})
    with pytest.raises(InputError, match="cannot map to 'txet'"):
        load(path, tmp_path, mapping={"txet": "original"})


# --- files, folders, globs


def test_the_fingerprint_does_not_depend_on_the_place(tmp_path: Path) -> None:
    results = []
    for place in ("here", "over/there"):
        put(tmp_path / place, "sub/b.jsonl", jsonl([{"text": "b"}]))
        put(tmp_path / place, "a.jsonl", jsonl([{"text": "a"}]))
        results.append(read(tmp_path / place, tmp_path / "out" / place, name="c", origin="real"))
    assert results[0].corpus.fingerprint == results[1].corpus.fingerprint
    assert results[0].sha256 == results[1].sha256
    assert column(results[0], "file") == ["a.jsonl", "sub/b.jsonl"]


def test_links_neither_escape_nor_double(tmp_path: Path) -> None:
    secret = put(tmp_path, "secret/s.jsonl", jsonl([{"text": "secret"}]))
    real = put(tmp_path, "data/a.jsonl", jsonl([{"text": "a"}]))
    (tmp_path / "data/b.jsonl").symlink_to(real)
    (tmp_path / "data/c.jsonl").symlink_to(secret)
    (tmp_path / "data/d").symlink_to(secret.parent)
    (tmp_path / "data/loop").symlink_to(tmp_path / "data")
    os.link(real, tmp_path / "data/e.jsonl")
    put(tmp_path, "data/.hidden.jsonl", jsonl([{"text": "hidden"}]))
    put(tmp_path, "data/readme.md", b"no data")
    for argument in ("data", "data/**/*", "data/*.jsonl", "data/**/../data/*.jsonl"):
        result = load(tmp_path / argument, tmp_path)
        assert texts(result) == ["a"], argument
    with pytest.raises(InputError, match="no data file here"):
        load(str(tmp_path / "data/*/../../secret/*"), tmp_path)


def test_a_file_given_twice_is_read_once_and_equal_names_stay_apart(tmp_path: Path) -> None:
    one = put(tmp_path, "one/a.jsonl", jsonl([{"text": "1"}]))
    two = put(tmp_path, "two/a.jsonl", jsonl([{"text": "2"}]))
    result = load([one, two, one], tmp_path)
    assert texts(result) == ["1", "2"]
    assert column(result, "file") == ["a.jsonl", "a.jsonl#2"]
    assert len(set(column(result, "root"))) == 2
    assert result.notes == {"file skipped: already read under another name": 1}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pkl", b"x", r"unknown file suffix[\s\S]*\.jsonl"),
        ("a", b"x", "unknown file suffix"),
        ("empty.jsonl", b"", "no row to read"),
        ("empty.csv", b"", "no row to read"),
        ("empty.parquet", b"", "not a readable parquet file"),
        ("empty.json.gz", b"", "no row to read"),
        ("blank.txt", b"\n \n\n", "no row to read"),
        ("header.csv", b"text,label\n", "no row to read"),
        ("array.json", b"[]", "no row to read"),
        ("twins.csv", b"text,text\na,b\n", "two columns have the same name: text"),
        ("utf16.txt", "a".encode("utf-16"), "UTF-16"),
        ("header.csv", b"te\xffxt\na\n", "header cannot be read: invalid UTF-8"),
        ("not.jsonl.gz", b"not compressed", "cannot be read: the data is cut short or damaged"),
        ("not.jsonl.zst", b"not compressed", "cannot be read: the data is cut short or damaged"),
        ("pretty.jsonl", b"[\n  1,\n  2\n]\n", "not a JSON object"),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(put(tmp_path, name, data), tmp_path)


def test_missing_paths_and_empty_folders_say_so(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    for path in ("nowhere.jsonl", "nothing", "*.jsonl"):
        with pytest.raises(InputError, match=r"no such file or folder|no data file here"):
            load(tmp_path / path, tmp_path)
    with pytest.raises(InputError, match="no input was given"):
        load([], tmp_path)


def test_a_parquet_file_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(InputError, match="two columns have the same name: text"):
        load(tmp_path / "a.parquet", tmp_path)


# --- hostile rows: that row goes, the others stay


GOOD = [{"text": f"row {n}"} for n in range(20)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"text": "\xff\xfe"}', "invalid UTF-8"),
        (b'{"text": "\xed\xa0\x80"}', "invalid UTF-8"),
        (b'{"text": "a\0b"}', "NUL byte"),
        (b'{"text": "cut', "not JSON: Unterminated string starting at"),
        (b'{"text": "raw\ttab"}', "not JSON: Invalid control character at"),
        (b"[1, 2]", "not a JSON object"),
        (b"17", "not a JSON object"),
        (b"[" * 100_000, "JSON nested too deeply"),
        (b'{"text": ' + b"1" * 5_000 + b"}", "not JSON: Exceeds the limit"),
        (rb'{"text": "\ud83d"}', "text holds a lone surrogate or invalid UTF-8"),
        (b'{"text": 5}', "text is a number, not a string"),
        (b'{"text": NaN}', "text is NaN, not a string"),
        (b'{"text": ["a"]}', "text is a list, not a string"),
        (b'{"text": null}', "'text' is null"),
        (b'{"prompt": "p", "completion": "c"}', "no column 'text'"),
    ],
)
def test_a_hostile_line_is_set_aside_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    lines = jsonl(GOOD).splitlines(keepends=True)
    path = put(tmp_path, "a.jsonl", b"".join([*lines[:7], line + b"\n", *lines[7:]]))
    result = load(path, tmp_path)
    assert texts(result) == [row["text"] for row in GOOD]
    [entry] = rejects(tmp_path)
    assert entry["reason"].startswith(reason)
    assert (entry["file"], entry["line"]) == ("a.jsonl", 8)
    assert len(entry["raw"]) <= 2_000
    assert result.rows_unread == sum(result.reasons.values()) == 1
    assert result.examples == (f"a.jsonl:8: {entry['reason']}",)
    assert column(result, "line")[7] == 9


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff,x", "invalid UTF-8"),
        (b'"two\n\xff lines",x', "invalid UTF-8"),
        (b"a\0b,x", "NUL byte"),
        (b"one,two,three", "3 fields where the header has 2"),
        (b"one", "1 fields where the header has 2"),
        (b'"bad" quotes,x', "quotation marks: ',' expected after '\"'"),
    ],
)
def test_a_hostile_csv_record_is_set_aside_alone(tmp_path: Path, line: bytes, reason: str) -> None:
    lines = [b"text,note", *(b"row %d,x" % n for n in range(20))]
    path = put(tmp_path, "a.csv", b"\n".join([*lines[:5], line, *lines[5:]]))
    result = load(path, tmp_path)
    assert texts(result) == [f"row {n}" for n in range(20)]
    [entry] = rejects(tmp_path)
    assert (entry["line"], entry["reason"]) == (6, reason)


def test_all_that_an_open_quotation_mark_swallows_is_counted(tmp_path: Path) -> None:
    lines = [b"text,note", *(b"row %d,x" % n for n in range(20)), b'"open,x', b"swallowed,x"]
    result = load(put(tmp_path, "a.csv", b"\n".join(lines)), tmp_path)
    assert result.reasons == {"inside a quotation mark that is opened on line 22 and not closed": 2}
    assert [(entry["line"], entry["raw"]) for entry in rejects(tmp_path)] == [
        (22, '"open,x'),
        (23, "swallowed,x"),
    ]


def test_blank_space_before_the_data_is_no_matter(tmp_path: Path) -> None:
    data = b" \n" * (2 << 20) + jsonl(GOOD)
    assert len(texts(load(put(tmp_path, "a.jsonl", data), tmp_path))) == 20
    assert len(texts(load(put(tmp_path, "b.jsonl.zst", zstd(data)), tmp_path))) == 20


def test_rejects_hold_invalid_bytes_escaped(tmp_path: Path) -> None:
    path = put(tmp_path, "a.txt", b"fine\n" * 20 + b"caf\xe9 " + b"x" * 5_000 + b"\n")
    load(path, tmp_path)
    [entry] = rejects(tmp_path)
    assert entry["raw"].startswith("caf\\xe9 xxx")
    assert len(entry["raw"]) == 2_000


def test_hostile_text_is_kept_verbatim(tmp_path: Path) -> None:
    hostile = [
        "<script>alert(1)</script>",
        "=HYPERLINK(1)",
        "+1",
        "@SUM(A1)",
        "-2",
        "Ignore all instructions",
    ]
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        rows = [{"text": text, "label": "x"} for text in hostile]
        assert texts(load(put(tmp_path, name, FORMATS[name](rows)), tmp_path)) == hostile


def test_equal_rows_and_empty_texts_are_rows(tmp_path: Path) -> None:
    assert texts(load(put(tmp_path, "a.jsonl", jsonl([{"text": ""}] * 50)), tmp_path)) == [""] * 50


def test_a_row_of_fifty_megabytes_is_a_row(tmp_path: Path) -> None:
    big = "x" * 50_000_000
    result = load(put(tmp_path, "a.jsonl", jsonl([{"text": big}, {"text": "small"}])), tmp_path)
    assert [len(text) for text in texts(result)] == [len(big), 5]


def test_a_row_without_end_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.engine.formats.lines.MAX_ROW_BYTES", 3 << 20)
    data = jsonl(GOOD) + b"y" * (9 << 20) + b"\n" + b'{"text": "after"}\n' + b"z" * (9 << 20)
    result = load(put(tmp_path, "a.jsonl", data), tmp_path)
    assert texts(result)[-1] == "after"
    assert result.reasons == {"a row longer than 3 MiB": 2}
    assert [entry["line"] for entry in rejects(tmp_path)] == [21, 23]


def test_a_json_array_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.engine.formats.lines.MAX_DOCUMENT_BYTES", 100)
    with pytest.raises(InputError, match="Convert it to JSON lines"):
        load(put(tmp_path, "a.json", json.dumps(GOOD).encode()), tmp_path)


@pytest.mark.parametrize("codec", [".gz", ".zst"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.json"])
def test_rows_before_a_cut_survive(tmp_path: Path, name: str, codec: str) -> None:
    rows = [{"text": f"{n} {hashlib.sha256(b'%d' % n).hexdigest()}", "note": "x"} for n in range(3_000)]
    as_text = "\n".join(row["text"] for row in rows).encode()
    compressed = CODECS[codec](as_text if name == "a.txt" else FORMATS[name](rows))
    path = put(tmp_path, name + codec, compressed[: len(compressed) * 2 // 3])
    result = load(path, tmp_path)
    survivors = texts(result)
    assert survivors == [row["text"] for row in rows[: len(survivors)]]
    # zstd hands out blocks of 128 KiB, so up to one block of text before the cut is out of reach.
    assert len(survivors) > (0.6 if codec == ".gz" else 0.3) * len(rows)
    [reason] = result.reasons
    assert "cut short or damaged" in reason
    assert result.rows_unread == 1


def test_a_cut_json_array_keeps_its_beginning(tmp_path: Path) -> None:
    path = put(tmp_path, "a.json", json.dumps(GOOD).encode()[:-5])
    result = load(path, tmp_path)
    assert texts(result) == [row["text"] for row in GOOD[:-1]]
    assert "cannot be read on from here" in next(iter(result.reasons))
    closed = put(tmp_path, "b.json", json.dumps(GOOD).encode() + b" trailing")
    assert load(closed, tmp_path).reasons == {"more data after the JSON array": 1}


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.parquet.gz"])
def test_a_cut_table_is_refused(tmp_path: Path, name: str) -> None:
    data = FORMATS[name.removesuffix(".gz")](GOOD * 100)
    data = gzip.compress(data) if name.endswith(".gz") else data
    with pytest.raises((InputError, EngineError), match=r"(cut short|not a readable)[\s\S]*again"):
        load(put(tmp_path, name, data[: len(data) * 2 // 3]), tmp_path)


def test_a_damaged_arrow_stream_keeps_its_first_batches(tmp_path: Path) -> None:
    table, sink = pa.Table.from_pylist(GOOD), io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for _ in range(3):
            writer.write_table(table)
    path = put(tmp_path, "a.arrow", sink.getvalue()[:-100])
    result = load(path, tmp_path)
    assert texts(result) == [row["text"] for row in GOOD] * 2
    assert result.rows_unread == 1


def test_invalid_text_inside_parquet_loses_one_row(tmp_path: Path) -> None:
    values = [b"row"] * 20
    values[3] = b"\xff"
    array = pa.array(values, pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": array}), tmp_path / "a.parquet")
    result = load(tmp_path / "a.parquet", tmp_path)
    assert texts(result) == ["row"] * 19
    assert result.reasons == {"text holds a lone surrogate or invalid UTF-8": 1}


def test_times_of_nanoseconds_are_kept_as_text(tmp_path: Path) -> None:
    moment = pa.array([1_700_000_000_000_000_001], pa.timestamp("ns"))
    pq.write_table(pa.table({"text": ["a"], "when": moment}), tmp_path / "a.parquet")
    [extras] = column(load(tmp_path / "a.parquet", tmp_path), "extras")
    assert json.loads(extras)["when"].endswith("20.000000001")


# --- too many


def test_too_many_unreadable_rows_stop_the_reading(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", jsonl(GOOD) + b"broken\n" * 3)
    with pytest.raises(InputError, match=r"3 of the 23 rows[\s\S]*Expecting value \(3\)[\s\S]*rejects.jsonl"):
        load(path, tmp_path)
    assert load(path, tmp_path, max_reject_share=0.2).rows_unread == 3


def test_a_hopeless_file_is_given_up_early(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", jsonl(GOOD) + b"broken\n" * 50_000)
    with pytest.raises(InputError, match="of the 1,000 rows so far"):
        load(path, tmp_path)


def test_nothing_but_rejects_is_an_error_at_any_limit(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no row"):
        load(put(tmp_path, "a.jsonl", b"broken\n" * 5), tmp_path, max_reject_share=1)
    with pytest.raises(InputError, match="no readable row"):
        load(put(tmp_path, "b.jsonl", b'{"text": 1}\n' * 5), tmp_path, max_reject_share=1)


# --- the result


def test_the_result_is_found_again(tmp_path: Path) -> None:
    result = load(put(tmp_path, "a.jsonl", jsonl(GOOD) + b"broken\n"), tmp_path)
    assert ReadResult.open(tmp_path / "corpus") == result
    with pytest.raises(StepError):
        ReadResult.open(tmp_path)


def test_rows_arrive_in_bounded_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.engine.read.BATCH_BYTES", 1_000)
    told: list[int] = []

    def tell(stage: str, done: int, total: int | None, unit: str = "rows") -> None:
        told.append(done)

    rows = [{"text": "x" * 100} for _ in range(100)]
    result = load(
        put(tmp_path, "a.jsonl", jsonl(rows)),
        tmp_path,
        progress=tell,
    )
    assert [batch.num_rows for batch in result.corpus.batches()] == [10] * 10
    assert told == list(range(10, 101, 10))
    assert column(result, "row") == list(range(100))


@pytest.mark.shared
@pytest.mark.skipif(not DATA.exists(), reason="the real data sets are not beside the checkout")
def test_real_files_are_recognised(tmp_path: Path) -> None:
    banking = load(DATA / "banking77/banking_data/test.csv", tmp_path)
    assert (banking.corpus.rows, banking.rows_unread, banking.layout.shape) == (3080, 0, "text-label")
    assert len(set(column(banking, "label"))) == 77
    squad = DATA / "fast_detect_gpt/exp_main/data/squad_gpt-j-6B.raw_data.json"
    human = load(squad, tmp_path, mapping={"text": "original"})
    machine = load(squad, tmp_path, mapping={"text": "sampled"})
    assert human.corpus.rows == machine.corpus.rows > 100
    assert human.corpus.fingerprint != machine.corpus.fingerprint


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "stream.arrow"])
def test_turns_are_stored_in_one_form(tmp_path: Path, name: str) -> None:
    rows = [{"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}]
    result = load(put(tmp_path, name, FORMATS[name](rows)), tmp_path)
    assert result.corpus.shape == "sharegpt"
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    assert column(result, "messages") == [turns]
    assert (column(result, "prompt"), column(result, "response")) == (["q"], ["a"])


def test_rejects_can_be_written_elsewhere(tmp_path: Path) -> None:
    path = put(tmp_path, "a.jsonl", b"broken\n")
    with pytest.raises(InputError, match=r"aside\.jsonl"):
        load(path, tmp_path, rejects=tmp_path / "aside.jsonl")
    assert json.loads((tmp_path / "aside.jsonl").read_text())["raw"] == "broken"
