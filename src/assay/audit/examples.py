"""Rows to look at beside each finding."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.annotate.canaries import traces
from assay.audit.annotate.columns import Columns
from assay.audit.annotate.copies import RARE_WORDS, Copied
from assay.audit.annotate.frames import FEWEST_ROWS, Frequent, keepings
from assay.audit.annotate.labels import Noise
from assay.audit.annotate.lineage import table
from assay.audit.annotate.phrases import Phrase, locate, span
from assay.audit.annotate.pii import KINDS
from assay.audit.annotate.regions import Regions
from assay.audit.faults import faults
from assay.audit.group_examples import group_examples
from assay.audit.probes import neighbours, tail
from assay.audit.probes.neighbours import MOST_ROWS
from assay.audit.probes.openings import COMMONEST, WORDS, openings
from assay.audit.probes.preferences import differences, preference_probes
from assay.audit.probes.preferences import words as longer
from assay.audit.probes.repeated_runs import WORDS as RUN_WORDS
from assay.audit.probes.repeated_runs import held
from assay.audit.probes.roles import USER
from assay.audit.rows import Index, Rows
from assay.core.canary import Canaries
from assay.core.evidence import EXAMPLES
from assay.engine.groups.lists import Lists
from assay.kernels.ngrams import ngram_ids
from assay.stats.prdc import prdc

EACH = 5
EACH_PHRASE = 2
EACH_REGION = 2
_SLOT = "…"
# More words need not be searched for the commonest runs.
_RUN_TOKENS = 500_000


def examples(
    rows: Rows,
    columns: Columns,
    copied: Copied,
    real: Rows,
    phrases: tuple[Phrase, ...],
    suspicion: npt.NDArray[np.float32] | None,
    words: Frequent,
    noise: Noise | None,
    planted: Canaries | None,
    other: Rows,
    regions: Regions,
    lists: Lists,
    marks: tuple[tuple[int, Phrase], ...],
) -> pa.Table:
    """A few rows for every finding, in the columns of `core.evidence.EXAMPLES`."""
    found = [
        *_repeated("duplicates.exact_share", rows, columns.exact_group, columns.exact_repeat),
        *_repeated(
            "duplicates.near_share", rows, columns.near_group, columns.near_repeat & ~columns.exact_repeat
        ),
        *_templates(rows, columns, words),
        *_repeated(
            "duplicates.exact_share", rows, columns.asked.exact_group, columns.asked.exact_repeat, slice=USER
        ),
        *_preferred(rows),
        *_opening(rows),
        *_repeated_runs(rows),
        *_suspicious(rows, suspicion),
        *_phrases(rows, columns, phrases),
        *(_example("quality.empty_share", rows, row) for row in _first(columns.empty)),
        *(_example("quality.refusal_share", rows, row) for row in _first(columns.refusal)),
        *(_example("quality.repetition_share", rows, row) for row in _first(columns.repetition)),
        *(
            _example(fault.measure, rows, fault.row, beside=fault.beside, span=fault.span, note=fault.note)
            for fault in faults(rows, columns.content, noise, EACH)
        ),
        *_passages(rows, columns, copied, real),
        *_near_copies(rows, copied, real),
        *_terms(rows, columns),
        *_closest(rows, copied, real),
        *_rare_runs(rows, columns, copied, real),
        *_leaks(rows, copied, real),
        *_personal(rows, copied),
        *_canaries(rows, planted),
        *_rare(rows, other),
        *_typical(rows, other, regions),
        *(
            _example(each.measure, rows, each.row, slice=each.slice, span=each.span, note=each.note)
            for each in group_examples(rows, columns, lists, marks)
        ),
    ]
    return pa.Table.from_pylist(found, schema=EXAMPLES)


def contaminated(pairs: pa.Table) -> pa.Table:
    """The closest pairs of `audit.contamination.PAIRS`, one for each item, as examples."""
    found = []
    shown: Counter[tuple[str, str]] = Counter()
    done: set[tuple[str, str, int]] = set()
    order = np.lexsort((pairs["item"].to_numpy(), -pairs["score"].to_numpy()))
    for place in order:
        name, how, item = (pairs[column][int(place)].as_py() for column in ("eval", "how", "item"))
        if shown[name, how] == EACH or (name, how, item) in done:
            continue
        shown[name, how] += 1
        done.add((name, how, item))
        pair = pairs.slice(int(place), 1).to_pylist()[0]
        alike = f"holds {pair['score']:.0%} of" if how == "ngram" else "asks in other words"
        found.append(
            {
                "measure": f"contamination.{how}_share",
                "slice": json.dumps({"eval": name}, ensure_ascii=False),
                "corpus": "synthetic",
                "row": pair["row"],
                "text": pair["text"],
                "beside": pair["item_text"],
                "start": pair["start"],
                "end": pair["end"],
                "note": f"{alike} item {item} of {name}",
            }
        )
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
    apart = [differences(batch, longer) for batch in rows.batches()]
    more = np.nan_to_num(np.concatenate([np.zeros(0), *apart]))
    for row in np.argsort(-more, kind="stable")[:EACH]:
        if more[row] <= 0:
            return
        yield _example(
            "preference.length_delta",
            rows,
            row,
            beside=rows.take(np.array([row])).rejected[0].as_py(),
            note=f"chosen: {more[row]:.0f} words longer than rejected",
        )


def _opening(rows: Rows) -> Iterator[dict[str, Any]]:
    numbers = openings(rows)
    counts = np.bincount(numbers[numbers >= 0]) if (numbers >= 0).any() else np.zeros(0, np.int64)
    for number in np.argsort(-counts, kind="stable")[: min(EACH, COMMONEST)]:
        if counts[number] < 2:
            return
        row = int(np.flatnonzero(numbers == number)[0])
        words = rows.take(np.array([row])).tokens
        span = int(words.starts[0]), int(words.ends[WORDS - 1])
        yield _example(
            "diversity.opening_share", rows, row, span=span, note=f"{counts[number]} rows begin like this"
        )


def _templates(rows: Rows, columns: Columns, words: Frequent) -> Iterator[dict[str, Any]]:
    """Rows of the largest frames, each with its frame and another row of it."""
    groups: list[tuple[Index, int]] = []
    for way, frame in enumerate(columns.frames.T):
        inside = np.flatnonzero(columns.template & (frame != 0))
        _, place, size = np.unique(frame[inside], return_inverse=True, return_counts=True)
        groups += [
            (inside[place == name], way)
            for name in np.argsort(-size, kind="stable")[:EACH]
            if size[name] >= FEWEST_ROWS
        ]
    shown = np.zeros(len(rows), bool)
    number = 0
    for members, way in sorted(groups, key=lambda group: (-len(group[0]), group[1])):
        if number == EACH or shown[members].any():
            continue  # enough, or the same rows by another way
        shown[members] = True
        number += 1
        yield _example(
            "duplicates.template_share",
            rows,
            int(members[0]),
            beside=_text(rows, int(members[-1])),
            note=f"{len(members)} rows are made like this: {_skeleton(rows.take(members[:1]), words, way)}",
        )


def _skeleton(row: Rows, words: Frequent, way: int) -> str:
    """The words of one row that one way of taking words out keeps, and dots for the others."""
    kept = keepings(row, words) & np.uint8(1 << way)
    text = _text(row, 0).encode()
    said: list[str] = []
    for keeps, start, end in zip(kept, row.tokens.starts, row.tokens.ends, strict=True):
        if keeps:
            said.append(text[start:end].decode().lower())
        elif said[-1:] != [_SLOT]:
            said.append(_SLOT)
    return " ".join(said)


def _repeated_runs(rows: Rows) -> Iterator[dict[str, Any]]:
    """The runs of words that most of the first rows hold; no two from one row, for they would overlap."""
    rows = rows.take(np.arange(np.searchsorted(np.cumsum(rows.lengths), _RUN_TOKENS, "right")))
    distinct, place, row = held(rows, RUN_WORDS)
    holders = np.bincount(place, minlength=len(distinct))
    shown: set[int] = set()
    for run in np.argsort(-holders, kind="stable"):
        if holders[run] < 2 or len(shown) == EACH:
            return
        first = int(row[place == run].min())
        if first in shown:
            continue
        shown.add(first)
        ids, offsets = ngram_ids(rows.tokens, RUN_WORDS)
        at = int(np.flatnonzero(ids[offsets[first] : offsets[first + 1]] == distinct[run])[0])
        yield _example(
            "diversity.self_repetition",
            rows,
            first,
            span=span(rows, first, at, RUN_WORDS),
            note=f"{holders[run]} of {len(rows)} rows hold these words",
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
    ends = np.cumsum(rows.lengths)
    for row in np.argsort(-columns.copied_tokens, kind="stable")[:EACH]:
        if columns.copied_tokens[row] == 0:
            return
        words = rows.take(np.array([row])).tokens
        marked = np.flatnonzero(copied.mask[ends[row] - len(words.ids) : ends[row]])
        breaks = np.flatnonzero(np.diff(marked) > 1)
        last = marked[breaks[0]] if len(breaks) else marked[-1]
        span = int(words.starts[marked[0]]), int(words.ends[last])
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


def _terms(rows: Rows, columns: Columns) -> Iterator[dict[str, Any]]:
    for term in table().terms:
        if term.kind == "forbids":
            for row in _first(columns.terms[term.id], 1):
                yield _example(
                    "provenance.licence_flags", rows, row, slice={"terms": term.id}, note=str(term)
                )


def _closest(rows: Rows, copied: Copied, real: Rows) -> Iterator[dict[str, Any]]:
    margin = copied.closest.margin
    for row in np.argsort(-margin, kind="stable")[:EACH]:
        if margin[row] <= 0:
            return
        yield _example(
            "copying.dcr_share",
            rows,
            row,
            beside=_text(real, int(copied.closest.row[row])),
            note=f"closer to this seen row than to any held-out one, by a cosine of {margin[row]:.2f}",
        )


def _rare_runs(rows: Rows, columns: Columns, copied: Copied, real: Rows) -> Iterator[dict[str, Any]]:
    shared = columns.shared.seen.rare
    for row in np.argsort(-shared, kind="stable")[:EACH]:
        if shared[row] == 0:
            return
        yield _example(
            "copying.rare_ngram_excess",
            rows,
            row,
            beside=_text(real, int(copied.rare_row[row])),
            span=span(rows.take(np.array([row])), 0, int(copied.rare[row]), RARE_WORDS),
            note=f"{int(shared[row])} of its runs of {RARE_WORDS} words stand in one real root alone",
        )


def _leaks(rows: Rows, copied: Copied, real: Rows) -> Iterator[dict[str, Any]]:
    pii = copied.pii
    for place in np.flatnonzero(copied.pii_row >= 0)[:EACH]:
        yield _example(
            "copying.pii_excess",
            rows,
            int(pii.row[place]),
            beside=_text(real, int(copied.pii_row[place])),
            span=(int(pii.start[place]), int(pii.end[place])),
            note=f"{KINDS[pii.kind[place]]} of a real row",
        )


def _personal(rows: Rows, copied: Copied) -> Iterator[dict[str, Any]]:
    pii = copied.pii
    for number, kind in enumerate(KINDS):
        for place in np.flatnonzero(pii.kind == number)[:EACH_PHRASE]:
            yield _example(
                "copying.pii_share",
                rows,
                int(pii.row[place]),
                slice={"kind": kind},
                span=(int(pii.start[place]), int(pii.end[place])),
            )


def _canaries(rows: Rows, planted: Canaries | None) -> Iterator[dict[str, Any]]:
    if planted is None or not len(rows):
        return
    found = traces(planted.planted, rows)
    for place in np.argsort(-(found.whole + found.echo), kind="stable")[:EACH]:
        if found.row[place] < 0:
            return
        yield _example(
            "copying.canary_recall",
            rows,
            int(found.row[place]),
            beside=planted.planted[place].text,
            note=f"{found.echo[place]:.0%} of the secret's words stand in runs that rows hold",
        )


def _rare(rows: Rows, real: Rows) -> Iterator[dict[str, Any]]:
    """Rare real rows that no synthetic row is near, the farthest first, beside the nearest one there is."""
    size = min(len(rows), len(real), MOST_ROWS)
    if size < tail.LEAST_ROWS:
        return
    ours, theirs = rows.vectors[:size], real.vectors[:size]
    found = prdc(ours, theirs)
    unreached = neighbours.in_tail(found) & ~found.covered & theirs.any(axis=1)
    likeness = theirs @ ours.T
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
    text: str = rows.take(np.array([row])).text[0].as_py()
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
