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
from assay.audit.probes.openings import COMMONEST, openings
from assay.audit.probes.preferences import differences, preference_probes, words
from assay.audit.probes.roles import USER
from assay.audit.rows import Index, Rows
from assay.core.evidence import EXAMPLES

EACH = 5
EACH_PHRASE = 2


def examples(
    rows: Rows,
    columns: Columns,
    copied: Copied,
    real: Rows,
    phrases: tuple[Phrase, ...],
    suspicion: npt.NDArray[np.float32] | None,
) -> pa.Table:
    """A few synthetic rows for every finding, in the columns of `core.evidence.EXAMPLES`."""
    found = [
        *_repeated("duplicates.exact_share", rows, columns.exact_group, columns.exact_repeat),
        *_repeated(
            "duplicates.near_share", rows, columns.near_group, columns.near_repeat & ~columns.exact_repeat
        ),
        *_repeated(
            "duplicates.exact_share", rows, columns.asked.exact_group, columns.asked.exact_repeat, slice=USER
        ),
        *_preferred(rows),
        *_opening(rows),
        *_suspicious(rows, suspicion),
        *_phrases(rows, columns, phrases),
        *(_example("quality.empty_share", rows, row) for row in _first(columns.empty)),
        *(_example("quality.refusal_share", rows, row) for row in _first(columns.refusal)),
        *(_example("quality.repetition_share", rows, row) for row in _first(columns.repetition)),
        *_passages(rows, columns, copied, real),
        *_near_copies(rows, copied, real),
    ]
    return pa.Table.from_pylist(found, schema=EXAMPLES)


def _repeated(
    measure: str,
    rows: Rows,
    groups: npt.NDArray[np.integer],
    repeats: npt.NDArray[np.bool_],
    slice: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """The largest groups: a repeat beside the first row of its group."""
    names, first, size = np.unique(groups, return_index=True, return_counts=True)
    repeating = np.isin(names, groups[repeats])
    for group in np.argsort(-size * repeating, kind="stable")[: min(EACH, int(repeating.sum()))]:
        row = int(np.flatnonzero(repeats & (groups == names[group]))[0])
        yield _example(
            measure,
            rows,
            row,
            slice=slice,
            beside=_text(rows, int(first[group])),
            note=f"{size[group]} rows {'ask alike' if slice else 'alike'}",
        )


def _preferred(rows: Rows) -> Iterator[dict[str, Any]]:
    """The pairs whose chosen answer is longer by most."""
    if not preference_probes(rows):
        return
    longer = np.nan_to_num(differences(rows, words))
    for row in np.argsort(-longer, kind="stable")[:EACH]:
        if longer[row] <= 0:
            return
        yield _example(
            "preference.length_delta",
            rows,
            row,
            beside=rows.rejected[int(row)].as_py(),
            note=f"chosen: {longer[row]:.0f} words longer than rejected",
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
) -> dict[str, Any]:
    start, end = span or (None, None)
    return {
        "measure": measure,
        "slice": json.dumps(dict(slice), ensure_ascii=False) if slice else None,
        "corpus": "synthetic",
        "row": int(rows.row[int(row)]),
        "text": _text(rows, row),
        "beside": beside,
        "start": start,
        "end": end,
        "note": note,
    }
