"""Rows to look at beside each finding."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.copies import Copied
from assay.audit.annotate.phrases import Phrase, locate
from assay.audit.annotate.regions import Regions
from assay.audit.probes import tail
from assay.audit.probes.neighbours import MOST_ROWS
from assay.audit.probes.openings import COMMONEST, openings
from assay.audit.rows import Index, Rows
from assay.core.evidence import EXAMPLES
from assay.stats.prdc import prdc

EACH = 5
EACH_PHRASE = 2
EACH_REGION = 2


def examples(
    rows: Rows,
    columns: Columns,
    copied: Copied,
    real: Rows,
    phrases: tuple[Phrase, ...],
    suspicion: npt.NDArray[np.float32] | None,
    other: Rows,
    regions: Regions,
) -> pa.Table:
    """A few rows for every finding, in the columns of `core.evidence.EXAMPLES`."""
    found = [
        *_repeated("duplicates.exact_share", rows, columns.exact_group, columns.exact_repeat),
        *_repeated(
            "duplicates.near_share", rows, columns.near_group, columns.near_repeat & ~columns.exact_repeat
        ),
        *_opening(rows),
        *_suspicious(rows, suspicion),
        *_phrases(rows, columns, phrases),
        *(_example("quality.empty_share", rows, row) for row in _first(columns.empty)),
        *(_example("quality.refusal_share", rows, row) for row in _first(columns.refusal)),
        *(_example("quality.repetition_share", rows, row) for row in _first(columns.repetition)),
        *_passages(rows, columns, copied, real),
        *_near_copies(rows, copied, real),
        *_rare(rows, other),
        *_typical(rows, other, regions),
    ]
    return pa.Table.from_pylist(found, schema=EXAMPLES)


def _repeated(
    measure: str, rows: Rows, groups: npt.NDArray[np.integer], repeats: npt.NDArray[np.bool_]
) -> Iterator[dict[str, Any]]:
    """The largest groups: a repeat beside the first row of its group."""
    names, first, size = np.unique(groups, return_index=True, return_counts=True)
    repeating = np.isin(names, groups[repeats])
    for group in np.argsort(-size * repeating, kind="stable")[: min(EACH, int(repeating.sum()))]:
        row = int(np.flatnonzero(repeats & (groups == names[group]))[0])
        yield _example(
            measure, rows, row, beside=_text(rows, int(first[group])), note=f"{size[group]} rows alike"
        )


def _opening(rows: Rows) -> Iterator[dict[str, Any]]:
    numbers = openings(rows)
    counts = np.bincount(numbers[numbers >= 0]) if (numbers >= 0).any() else np.zeros(0, np.int64)
    for number in np.argsort(-counts, kind="stable")[: min(EACH, COMMONEST)]:
        if counts[number] < 2:
            return
        row = int(np.flatnonzero(numbers == number)[0])
        token = int(rows.tokens.offsets[row])
        span = int(rows.tokens.starts[token]), int(rows.tokens.ends[token + 2])
        yield _example(
            "diversity.opening_share", rows, row, span=span, note=f"{counts[number]} rows begin like this"
        )


def _suspicious(rows: Rows, suspicion: npt.NDArray[np.float32] | None) -> Iterator[dict[str, Any]]:
    if suspicion is None:
        return
    for row in np.argsort(-suspicion, kind="stable")[:EACH]:
        yield _example("fidelity.two_sample_auc", rows, row, note=f"looks synthetic: {suspicion[row]:.2f}")


def _phrases(rows: Rows, columns: Columns, phrases: tuple[Phrase, ...]) -> Iterator[dict[str, Any]]:
    for phrase in phrases:
        for row in _first(columns.phrases[phrase.text], EACH_PHRASE):
            yield _example(
                "fidelity.giveaways",
                rows,
                row,
                slice={"phrase": phrase.text},
                span=locate(rows, int(row), phrase),
            )


def _passages(rows: Rows, columns: Columns, copied: Copied, real: Rows) -> Iterator[dict[str, Any]]:
    for row in np.argsort(-columns.copied_tokens, kind="stable")[:EACH]:
        if columns.copied_tokens[row] == 0:
            return
        begin, stop = rows.tokens.offsets[row : row + 2]
        marked = np.flatnonzero(copied.mask[begin:stop])
        breaks = np.flatnonzero(np.diff(marked) > 1)
        last = marked[breaks[0]] if len(breaks) else marked[-1]
        span = int(rows.tokens.starts[begin + marked[0]]), int(rows.tokens.ends[begin + last])
        source = int(copied.passage[row])
        yield _example(
            "copying.verbatim_share",
            rows,
            row,
            beside=_text(real, source) if source >= 0 else None,
            span=span,
            note=f"{columns.copied_tokens[row]} of {columns.tokens[row]} words stand in real rows",
        )


def _near_copies(rows: Rows, copied: Copied, real: Rows) -> Iterator[dict[str, Any]]:
    for row in np.argsort(-copied.similarity, kind="stable")[:EACH]:
        if copied.near[row] < 0:
            return
        yield _example(
            "copying.near_share",
            rows,
            row,
            beside=_text(real, int(copied.near[row])),
            note=f"similarity {copied.similarity[row]:.2f}",
        )


def _rare(rows: Rows, real: Rows) -> Iterator[dict[str, Any]]:
    """Rare real rows that no synthetic row is near, the farthest first, beside the nearest one there is."""
    size = min(len(rows), len(real), MOST_ROWS)
    if size < tail.LEAST_ROWS:
        return
    found = prdc(rows.vectors[:size], real.vectors[:size])
    unreached = tail.in_tail(found) & ~found.covered & real.vectors[:size].any(axis=1)
    likeness = real.vectors[:size] @ rows.vectors.T
    for row in sorted(_first(unreached, size), key=lambda each: float(likeness[each].max()))[:EACH]:
        yield _example(
            "coverage.tail",
            real,
            int(row),
            corpus="real",
            beside=_text(rows, int(likeness[row].argmax())),
            note=f"cosine similarity {likeness[row].max():.2f}",
        )


def _typical(rows: Rows, real: Rows, regions: Regions) -> Iterator[dict[str, Any]]:
    """For each region the rows nearest to its middle, a real and a synthetic one in turn."""
    sides = {"real": real, "synthetic": rows}
    where = {corpus: regions.of(side) for corpus, side in sides.items()}
    for region, name in enumerate(regions.names):
        nearest = {}
        for corpus, side in sides.items():
            inside = np.flatnonzero(where[corpus] == region)
            apart = ((side.vectors[inside] - regions.centres[region]) ** 2).sum(axis=1)
            nearest[corpus] = inside[np.argsort(apart, kind="stable")[:EACH_REGION]]
        for turn in range(EACH_REGION):
            for corpus, side in sides.items():
                if turn < len(nearest[corpus]):
                    row = int(nearest[corpus][turn])
                    yield _example("coverage.regions", side, row, corpus=corpus, slice={"region": name})


def _first(flags: npt.NDArray[np.bool_], number: int = EACH) -> Index:
    return np.flatnonzero(flags)[:number]


def _text(rows: Rows, row: int) -> str:
    text: str = rows.text[int(row)].as_py()
    return text


def _example(
    measure: str,
    rows: Rows,
    row: int,
    *,
    slice: Mapping[str, str] | None = None,
    beside: str | None = None,
    span: tuple[int, int] | None = None,
    note: str = "",
    corpus: str = "synthetic",
) -> dict[str, Any]:
    start, end = span or (None, None)
    return {
        "measure": measure,
        "slice": json.dumps(dict(slice), ensure_ascii=False) if slice else None,
        "corpus": corpus,
        "row": int(rows.row[int(row)]),
        "text": _text(rows, row),
        "beside": beside,
        "start": start,
        "end": end,
        "note": note,
    }
