"""Files behind addresses: read like local ones, and nothing is fetched that nobody asked for."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.core.errors import EngineError, InputError, MissingExtra
from assay.engine.files import find, fingerprint
from assay.engine.inspect import inspect
from assay.engine.read import ReadResult, read
from assay.engine.remote import fetched


def lines(*texts: str) -> bytes:
    return "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()


@pytest.fixture
def memory(request: pytest.FixtureRequest) -> Iterator[str]:
    """An address of a folder in memory, of this test alone."""
    system, folder = fsspec.filesystem("memory"), f"/{abs(hash(request.node.name))}"
    yield f"memory://{folder}"
    if system.exists(folder):
        system.rm(folder, recursive=True)


def put(address: str, data: bytes) -> str:
    with fsspec.open(address, "wb") as file:
        file.write(data)
    return address


def load(paths: Any, folder: Path) -> ReadResult:
    return read(paths, folder / "corpus", name="c", origin="real")


def texts(result: ReadResult) -> list[str]:
    return list(result.corpus.table(["text"])["text"].to_pylist())


def test_a_remote_file_is_read_like_a_local_one(tmp_path: Path, memory: str) -> None:
    local = tmp_path / "a.jsonl"
    local.write_bytes(lines("one", "two"))
    remote = load(put(f"{memory}/a.jsonl", lines("one", "two")), tmp_path / "remote")
    beside = load(local, tmp_path / "local")
    assert remote.corpus.fingerprint == beside.corpus.fingerprint
    assert (remote.sha256, remote.files, remote.bytes) == (beside.sha256, beside.files, beside.bytes)
    assert fingerprint(f"{memory}/a.jsonl") == beside.sha256
    assert texts(load(f"file://{local}", tmp_path / "file")) == ["one", "two"]


def test_folders_and_patterns_are_listed(tmp_path: Path, memory: str) -> None:
    put(f"{memory}/b.jsonl", lines("b"))
    put(f"{memory}/sub/a.jsonl.gz", gzip.compress(lines("a")))
    put(f"{memory}/readme.md", b"no data")
    put(f"{memory}/.hidden/c.jsonl", lines("hidden"))
    found = find([memory])
    assert [source.name for source in found.sources] == ["b.jsonl", "sub/a.jsonl.gz"]
    assert found.skipped == {"file skipped: unknown suffix": 1}
    assert texts(load(memory, tmp_path)) == ["b", "a"]
    assert [source.name for source in find([f"{memory}/*.jsonl", f"{memory}/**/a*"]).sources] == [
        "b.jsonl",
        "sub/a.jsonl.gz",
    ]
    assert find([f"{memory}/b.jsonl", memory]).skipped["file skipped: already read under another name"] == 1


def test_tables_are_read_from_addresses(tmp_path: Path, memory: str) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"text": ["a", "b"]}), sink)
    assert texts(load(put(f"{memory}/t.parquet", sink.getvalue().to_pybytes()), tmp_path)) == ["a", "b"]


def test_a_file_is_fetched_once(memory: str) -> None:
    address = put(f"{memory}/a.jsonl", lines("one"))
    first = find(address).sources[0].path
    put(address, lines("other"))
    assert find(address).sources[0].path == first
    assert first.read_bytes() == lines("one")


def test_problems_name_the_address(tmp_path: Path, memory: str) -> None:
    with pytest.raises(InputError, match=rf"{memory}/none.jsonl: no such file"):
        find(f"{memory}/none.jsonl")
    put(f"{memory}/a.md", b"x")
    for address in (f"{memory}/a.md", memory, f"{memory}/*.jsonl"):
        with pytest.raises(InputError, match=r"no data file here[\s\S]*\.jsonl"):
            find(address)
    with pytest.raises(InputError, match="cannot be read: Protocol not known: nowhere"):
        find("nowhere://a.jsonl")
    with pytest.raises(InputError, match=rf"{memory}/b.parquet: not a readable parquet file"):
        load(put(f"{memory}/b.parquet", b"no"), tmp_path)
    [file] = inspect(f"{memory}/b.parquet").files
    assert "not a readable parquet file" in (file.problem or "")


def test_a_name_decides_nothing_about_where_the_copy_lies(memory: str) -> None:
    copy = fetched(put(f"{memory}/..%2f..%2fx.jsonl", lines("a")))
    assert copy.parent.name.startswith("assay-remote-")


@pytest.mark.parametrize(
    ("address", "package", "line"),
    [
        ("s3://bucket/a.jsonl", "s3fs", r"pip install 'assay\[remote\]'"),
        ("gs://bucket/a.jsonl", "gcsfs", r"pip install 'assay\[remote\]'"),
        ("https://example.com/a.jsonl", "aiohttp", r"pip install 'assay\[remote\]'"),
        ("hf://datasets/a/b/c.jsonl", "huggingface_hub", r"pip install 'assay\[hub\]'"),
    ],
)
def test_what_is_missing_comes_with_its_install_line(
    monkeypatch: pytest.MonkeyPatch, address: str, package: str, line: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    for module in (
        "s3fs.core",
        "gcsfs.core",
        "fsspec.implementations.http",
        "huggingface_hub.hf_file_system",
    ):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(MissingExtra, match=rf"'{package}'[\s\S]*{line}"):
        find(address)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingExtra, match=rf"'fsspec'[\s\S]*{line}"):
        find(address)


def test_a_failing_service_is_an_engine_error(monkeypatch: pytest.MonkeyPatch, memory: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError("access denied")

    address = put(f"{memory}/a.jsonl", lines("a"))
    monkeypatch.setattr(type(fsspec.filesystem("memory")), "open", fail)
    with pytest.raises(EngineError, match=r"access denied[\s\S]*credentials"):
        find(address)


def test_nothing_remote_is_loaded_for_local_files(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines("a"))
    code = (
        "import sys; from assay.engine.files import find; find(sys.argv[1]);"
        "sys.exit(bool({'fsspec', 's3fs', 'aiohttp', 'huggingface_hub'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
