"""Per-item logs of other evaluators: lm-evaluation-harness samples and Inspect logs, row by row."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from assay.core.errors import InputError
from assay.engine.files import Source, Stream
from assay.engine.formats.lines import MAX_DOCUMENT_BYTES, chunks_of, whole_of
from assay.engine.formats.record import Broken, Item, spelt
from assay.engine.values import look_up, scalar

EVAL_SUFFIX = ".eval"
_HARNESS_ONLY = ("filtered_resps", "doc_hash", "resps")
_NOT_METRICS = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"}
_NOT_METRICS |= {"doc_hash", "prompt_hash", "target_hash"}
_STAMP = re.compile(r"^samples_(?P<task>.+?)(_\d{4}-\d{2}-\d{2}T[\d.:-]+)?$")
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_SAMPLE = re.compile(r"samples/(?:.*_epoch_\d+\.json|.*_epoch_\d+/sample\.json)", re.DOTALL)
_ZSTANDARD = 93  # the zip format's number of the method; Python before 3.14 does not know it
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip member: lengths of its name and extra field


@dataclass(frozen=True)
class ScoredRow:
    """One item's scores by one run, as a file states them.

    Attributes:
        where: Line or member of the file.
        item: Which item it is; the same in every arm.
        run: Seed of the training behind it; empty if there is one.
        epoch: Which repeat of the same item by the same model.
        check: Fingerprint of the item's content, if the log allows one: equal ids with unequal
            fingerprints are two items.
        values: Metric to its value, not yet known to be a number.
        columns: What was asked for as cluster or slice, as text.
    """

    where: str
    item: str
    run: str
    epoch: str
    check: str | None
    values: Mapping[str, Any]
    columns: Mapping[str, str | None]


Scored = ScoredRow | Broken


def is_harness(values: Mapping[str, Any]) -> bool:
    """Whether a row is one of `lm_eval --log_samples`."""
    return "doc_id" in values and any(name in values for name in _HARNESS_ONLY)


def harness_task(stem: str) -> str:
    """The task in the name of a samples file, without the time of the run."""
    found = _STAMP.match(stem)
    return stem if found is None else found["task"]


def harness_rows(items: Iterable[Item], columns: tuple[str, ...]) -> Iterator[Scored]:
    """Rows of a samples file. A metric is called as the harness calls it, ``metric,filter``."""
    for item in items:
        if isinstance(item, Broken):
            yield item
            continue
        row = item.values
        doc_id = scalar(row.get("doc_id"))
        if doc_id is None:
            yield Broken(item.line, "no doc_id", spelt(row))
            continue
        doc = row["doc"] if isinstance(row.get("doc"), dict) else {}
        listed = row.get("metrics")
        metrics = listed if isinstance(listed, list) else [name for name in row if name not in _NOT_METRICS]
        yield ScoredRow(
            where=f"line {item.line}",
            item=doc_id,
            run="",
            epoch="",
            check=scalar(row.get("doc_hash")),
            values={f"{name},{row.get('filter', 'none')}": row.get(name) for name in metrics},
            columns={name: scalar(look_up(row, name) or look_up(doc, name)) for name in columns},
        )


def inspect_document(source: Source) -> dict[str, Any] | None:
    """The Inspect log in a `.json` file, or None if it is something else.

    Raises: InputError: it is the harness's file of means, which has no items.
    """
    stream = Stream(source)
    data = whole_of(stream, chunks_of(stream))
    if not data.lstrip().startswith(b"{"):
        return None
    try:
        log = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(log, dict) and {"results", "configs"} <= set(log):
        raise InputError(
            "this file holds means over all items, and means cannot be paired",
            where=source.where,
            fix="Run lm_eval with --log_samples and give the samples_*.jsonl file.",
        )
    return log if isinstance(log, dict) and {"eval", "samples"} <= set(log) else None


def document_rows(log: Mapping[str, Any], columns: tuple[str, ...]) -> Iterator[Scored]:
    """Rows of an Inspect log in one JSON document."""
    samples = log["samples"] if isinstance(log["samples"], list) else []
    for number, sample in enumerate(samples, start=1):
        yield _inspect_row(sample, number, f"sample {number}", columns)


def archive_rows(path: Path, columns: tuple[str, ...]) -> Iterator[Scored]:
    """Rows of an Inspect `.eval` archive, a sample in memory at a time.

    Raises: InputError: the file is no zip archive, or holds no samples.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"not an Inspect log: {error}", where=str(path)) from error
    with archive:
        # A sample that was scored again is appended under its old name; the last one counts.
        latest = {member.filename: member for member in archive.infolist()}
        members = [member for name, member in latest.items() if _SAMPLE.fullmatch(name)]
        if not members:
            raise InputError(
                "this log holds no samples",
                where=str(path),
                fix="It may have been written with --no-log-samples, or before the first sample ended.",
            )
        for number, member in enumerate(members, start=1):
            try:
                sample = json.loads(_read(archive, member, path))
            except (ValueError, RecursionError, OSError, zipfile.BadZipFile, pa.ArrowException) as error:
                yield Broken(number, f"{member.filename} cannot be read: {type(error).__name__}", "")
                continue
            yield _inspect_row(sample, number, member.filename, columns)


def archive_task(path: Path) -> str:
    """The task an `.eval` archive names, or the file's stem."""
    try:
        with zipfile.ZipFile(path) as archive:
            head = json.loads(_read(archive, archive.getinfo("_journal/start.json"), path))
            return str(head["eval"]["task"])
    except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile, pa.ArrowException):
        return path.stem


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    if member.file_size > MAX_DOCUMENT_BYTES:
        raise OSError(f"a sample of more than {MAX_DOCUMENT_BYTES >> 30} GiB")
    if member.compress_type != _ZSTANDARD:
        return archive.read(member)
    with path.open("rb") as file:
        file.seek(member.header_offset)
        file.seek(sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))), 1)
        packed = pa.BufferReader(file.read(member.compress_size))
        return bytes(pa.CompressedInputStream(packed, "zstd").read(member.file_size))


def _inspect_row(sample: Any, number: int, where: str, columns: tuple[str, ...]) -> Scored:
    if not isinstance(sample, dict) or (item := scalar(sample.get("id"))) is None:
        return Broken(number, "no sample with an id", spelt(sample))
    scores = sample.get("scores")
    if not isinstance(scores, dict) or not scores:
        failed = sample.get("error") is not None
        return Broken(number, "the sample ended in an error" if failed else "not scored", where)
    values: dict[str, Any] = {}
    for scorer, score in scores.items():
        value = score.get("value") if isinstance(score, dict) else score
        parts = value.items() if isinstance(value, dict) else [(None, value)]
        for part, inner in parts:
            name = scorer if part is None else f"{scorer}/{part}"
            values[name] = _LETTERS.get(inner, inner) if isinstance(inner, str) else inner
    metadata = sample["metadata"] if isinstance(sample.get("metadata"), dict) else {}
    return ScoredRow(
        where=where,
        item=item,
        run="",
        epoch=str(sample.get("epoch", "")),
        check=_content(sample),
        values=values,
        columns={name: scalar(look_up(metadata, name) or look_up(sample, name)) for name in columns},
    )


def _content(sample: Mapping[str, Any]) -> str | None:
    """Fingerprint of question and target; the ids of chat messages differ from run to run.

    None if part of the question lies elsewhere in the log, under a number of that log's own.
    """
    asked = sample.get("input")
    if isinstance(asked, list):
        asked = [[turn.get("role"), turn.get("content")] for turn in asked if isinstance(turn, dict)]
    text = json.dumps([asked, sample.get("target")], ensure_ascii=True, sort_keys=True, default=str)
    if "attachment://" in text:
        return None
    return hashlib.sha256(text.encode()).hexdigest()
