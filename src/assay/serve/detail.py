"""One row with all that is known of it, as data to show: everything cut, nothing trusted."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assay.core.catalogue import CATALOGUE
from assay.core.unseen import clean
from assay.serve.columns import Column
from assay.serve.near import NEAREST, RealWords, Spans, joined
from assay.serve.segments import SHOWN, around, by_bytes, segments
from assay.serve.table import Found, RowTable

PAGE = 50
_SNIPPET, _NAME, _BESIDE = 240, 200, 1200
_PARTS = ("prompt", "response", "rejected")
_TITLES = {each.name: each.title for each in CATALOGUE}


def page(table: RowTable, found: Found, number: int) -> dict[str, Any]:
    """A page of a list, counted from 0."""
    here = [int(row) for row in found.rows[number * PAGE : (number + 1) * PAGE]]
    texts = table.texts.beginnings(here, _SNIPPET + 1)
    return {
        "rows": [_line(table, row, text) for row, text in zip(here, texts, strict=True)],
        "total": len(found.rows),
        "page": number,
        "pages": max(1, -(-len(found.rows) // PAGE)),
        "stamp": found.stamp,
        "flags": found.flags,
        "answers": answers(table),
    }


def answers(table: RowTable) -> dict[str, int]:
    """How often each answer was given."""
    said = [*table.labels.given.values(), *table.choices.given.values()]
    return {word: said.count(word) for word in (*table.labels.words, *table.choices.words)}


def answer_of(table: RowTable, row: int) -> dict[str, str | None]:
    """What was said of a row."""
    return {"label": table.labels.given.get(row), "choice": table.choices.given.get(row)}


def one(table: RowTable, row: int) -> dict[str, Any]:
    """A row whole, or as much of it as a page can hold, with what the audit found."""
    held = table.texts.rows([row], ["text", *_PARTS, "file", "line", "extras"])[0]
    parts = [(name, held[name]) for name in _PARTS if held[name] is not None]
    if held["prompt"] is None or held["response"] is None:
        parts = [("text", held["text"]), *(part for part in parts if part[0] == "rejected")]
    facts = [_fact(each, row) for each in table.columns.values() if each.kind != "flag"]
    return {
        "row": row,
        "parts": [
            {"name": name, "text": segments(text), "more": max(0, len(text) - SHOWN)} for name, text in parts
        ],
        "flags": _flags(table, row),
        "facts": [fact for fact in facts if fact is not None],
        "findings": [*_findings(table, row), *_pairs(table, row)],
        "where": None if held["file"] is None else clean(f"{held['file']}, line {held['line']}"),
        "extras": _extras(held["extras"]),
        **answer_of(table, row),
    }


def nearest(table: RowTable, real: RealWords, row: int) -> dict[str, Any]:
    """The real rows nearest to a row, with the runs of words that both hold."""
    held = table.texts.rows([row], ["text", "prompt", "response"])[0]
    asked = held["response"] if held["prompt"] is not None and held["response"] is not None else held["text"]
    found = real.nearest(asked, NEAREST)
    own: Spans = joined([each.own for each in found])
    return {
        "row": row,
        "name": "text" if asked is held["text"] else "response",
        "text": segments(asked, own),
        "rows": [
            {
                "row": each.row,
                "shared": each.shared,
                "similarity": each.similarity,
                "text": around(each.text, each.spans, _BESIDE),
            }
            for each in found
        ],
    }


def filters(table: RowTable) -> dict[str, Any]:
    """What rows can be filtered and sorted by."""
    return {
        "flags": [
            {"name": each.name, "title": clean(each.title), "rows": each.counts[0]}
            for each in table.columns.values()
            if each.kind == "flag"
        ],
        "numbers": [
            {"name": each.name, "title": clean(each.title)}
            for each in table.columns.values()
            if each.kind == "number"
        ],
        "words": [_choices(each) for each in table.columns.values() if each.kind == "words"],
        "groups": [
            {"name": each.name, "title": clean(each.title)}
            for each in table.columns.values()
            if each.kind == "group"
        ],
        "first_sort": table.first_sort,
        "problem": table.problem,
        "rows": len(table),
    }


def _choices(column: Column) -> dict[str, Any]:
    offered = list(zip(column.names, column.counts, strict=True))[:100]
    return {
        "name": column.name,
        "title": clean(column.title),
        "values": [{"value": name, "shown": clean(name[:_NAME]), "rows": rows} for name, rows in offered],
        "more": len(column.names) - len(offered),
    }


def _line(table: RowTable, row: int, text: str) -> dict[str, Any]:
    suspicion = table.columns.get("suspicion")
    label = table.columns.get("label")
    cut = clean(text[:_SNIPPET]) + (" …" if len(text) > _SNIPPET else "")
    named = label.at(row) if label is not None else None
    return {
        "row": row,
        "text": " ".join(cut.split()),
        "flags": _flags(table, row),
        "suspicion": None if suspicion is None else suspicion.at(row),
        "given": None if named is None else clean(str(named)[:_NAME]),
        **answer_of(table, row),
    }


def _flags(table: RowTable, row: int) -> list[str]:
    return [clean(each.title) for each in table.columns.values() if each.kind == "flag" and each.values[row]]


def _fact(column: Column, row: int) -> dict[str, Any] | None:
    value = column.at(row)
    if value is None:
        return None
    rows = None
    if column.kind == "group":
        rows = int((column.values == value).sum())
    elif column.kind == "words":
        rows = column.counts[column.names.index(str(value))]
    return {
        "name": column.name,
        "title": clean(column.title),
        "kind": column.kind,
        "value": value,
        "shown": clean(str(value)[:_NAME]),
        "rows": rows,
    }


def _findings(table: RowTable, row: int) -> list[dict[str, Any]]:
    """The examples of the audit that show this row."""
    examples = table.run.examples()
    mine = examples.filter(pc.and_(pc.equal(examples["row"], row), pc.equal(examples["corpus"], "synthetic")))
    return [
        _finding(
            _TITLES.get(each["measure"], each["measure"]),
            each["note"],
            each["text"],
            by_bytes(each["text"], each["start"], each["end"]),
            each["beside"],
        )
        for each in mine.to_pylist()
    ]


def _pairs(table: RowTable, row: int) -> list[dict[str, Any]]:
    """The items of evaluations that this row holds."""
    path = table.run.folder / "rows" / "contamination.parquet"
    if not path.exists():
        return []
    pairs: pa.Table = pq.read_table(path, filters=[("row", "==", row)])
    how = {"ngram": "word for word", "rephrased": "in other words"}
    return [
        _finding(
            f"Evaluation {each['eval']}, item {each['item']:,}",
            f"found {how.get(each['how'], each['how'])}",
            each["text"] or "",
            by_bytes(each["text"] or "", each["start"], each["end"]),
            each["item_text"],
        )
        for each in pairs.to_pylist()
    ]


def _finding(title: str, note: str | None, text: str, spans: Spans, beside: str | None) -> dict[str, Any]:
    """A finding; the row's own text is repeated only where a place in it is meant."""
    return {
        "title": clean(title[:_NAME]),
        "note": clean((note or "")[:_BESIDE]),
        "text": around(text, spans, _BESIDE) if spans else [],
        "beside": segments(beside[:_BESIDE]) if beside else [],
    }


def _extras(extras: str | None) -> list[tuple[str, str]]:
    """The other columns of the row, as name and value."""
    if not extras:
        return []
    try:
        held = json.loads(extras)
    except ValueError:
        return []
    return [
        (clean(str(name)[:_NAME]), clean((value if isinstance(value, str) else json.dumps(value))[:_BESIDE]))
        for name, value in list(held.items())[:40]
        if value is not None
    ]
