"""The columns that additive probes count: dear work done once per row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.content import Content, content
from assay.audit.annotate.copies import Copied, Shared, unshared
from assay.audit.annotate.frames import Frequent, framed, frames, frequent
from assay.audit.annotate.groups import Mentioned, mentioned
from assay.audit.annotate.lineage import Base, lineage
from assay.audit.annotate.nearness import USUAL, Nearness
from assay.audit.annotate.phrases import Phrase, holding
from assay.audit.annotate.pii import KINDS
from assay.audit.annotate.regions import NO_REGIONS, Regions
from assay.audit.annotate.repeats import repeats
from assay.audit.annotate.roles import Answered, Asked, answered, asked, asked_alike
from assay.audit.rows import Bools, Index, Rows
from assay.engine.groups.lists import NO_LISTS, Lists
from assay.engine.local import map_batches


@dataclass(frozen=True)
class Columns:
    """One value per row, every array of shape (rows,).

    Attributes:
        exact_group, near_group: Rows of one group say the same, word for word or nearly.
        exact_repeat, near_repeat: An earlier row is of the same group.
        empty, refusal, repetition: Any answer of the row is.
        asked, answered: The same of the user's and of the assistant's turns.
        copied_tokens, near_copy: What the row shares with the real rows it was held against.
        frames: What is left of the row as words are taken out in several ways, shape (rows, ways).
        template: Other rows are made after the same frame.
        shared: The same by side, with the hold-out beside.
        pii: Which rows hold personal values, by kind.
        parts: Label and slice columns by name; "" where the row has none.
        phrases: Which rows hold each of the phrases in question, by its text.
        content: What is wrong with what the row says.
        named, terms, bases: What the rows say of their origin, see `annotate.lineage.Lineage`.
        clear_terms: Their generator and licence are known to restrict nothing.
        region: Region of the real data that the row lies in, or -1.
        mentioned: Groups of people that the row speaks of.
    """

    root: npt.NDArray[np.uint64]
    tokens: Index
    exact_group: npt.NDArray[np.uint64]
    near_group: Index
    exact_repeat: Bools
    near_repeat: Bools
    empty: Bools
    refusal: Bools
    repetition: Bools
    asked: Asked
    answered: Answered
    copied_tokens: Index
    near_copy: Bools
    frames: npt.NDArray[np.uint64]
    template: Bools
    shared: Shared
    pii: Mapping[str, Bools]
    parts: Mapping[str, npt.NDArray[np.str_]]
    phrases: Mapping[str, Bools]
    content: Content
    named: Mapping[str, Bools]
    terms: Mapping[str, Bools]
    bases: Mapping[Base, Bools]
    clear_terms: Bools
    region: Index
    mentioned: Mentioned

    def __len__(self) -> int:
        return len(self.root)

    def take(self, index: Index) -> Columns:
        """The rows at `index`, what is known about each unchanged."""
        taken: Columns = _each(lambda values: values[index], self)
        return taken

    def alone(self, index: Index) -> Columns:
        """The rows at `index` as if there were no others: only repeats of each other count."""
        return _with_repeats(self.take(index))


def annotate(
    rows: Rows,
    copied: Copied,
    phrases: Iterable[Phrase] = (),
    regions: Regions = NO_REGIONS,
    words: Frequent | None = None,
    spoken: frozenset[int] = frozenset(),
    lists: Lists = NO_LISTS,
    near: Nearness = USUAL,
) -> Columns:
    """The columns of `rows`, made a batch at a time; what takes all rows at once is given or made here.

    Args:
        words: By which frequent and rare words are told apart, for both sides; by default, those of `rows`.
        spoken: The languages of the real rows, where they are known.
        lists: Groups of people to look for.
        near: How alike near-duplicates are.
    """
    near_group = near.groups(rows)
    known = Known(tuple(phrases), regions, words or frequent(rows), spoken, lists)
    parts = list(map_batches(lambda batch: row_columns(batch, known), rows.batches()))
    whole = _joined(*parts) if parts else row_columns(rows, known)
    return _with_repeats(
        replace(
            whole,
            near_group=near_group,
            asked=replace(whole.asked, near_group=asked_alike(rows)),
            copied_tokens=copied.tokens,
            near_copy=copied.near >= 0,
            shared=copied.shared,
            pii={kind: copied.pii.holds(kind) for kind in KINDS},
        )
    )


@dataclass(frozen=True)
class Known:
    """What the columns of a row rest on besides the row: found in both corpora, once, before any row is read."""

    phrases: tuple[Phrase, ...]
    regions: Regions
    words: Frequent
    spoken: frozenset[int] = frozenset()
    lists: Lists = NO_LISTS


def row_columns(rows: Rows, known: Known) -> Columns:
    """The columns of a batch that follow from each of its rows alone; those that do not are left as zeros."""
    nowhere = np.zeros(len(rows), bool)
    origin, found = lineage(rows), answered(rows)
    return Columns(
        root=rows.root,
        tokens=rows.lengths,
        exact_group=rows.hashes,
        near_group=np.zeros(len(rows), np.int64),
        exact_repeat=nowhere,
        near_repeat=nowhere,
        empty=(rows.lengths == 0) | (found.empty > 0),
        refusal=found.refusal > 0,
        repetition=found.repetition > 0,
        asked=asked(rows),
        answered=found,
        copied_tokens=np.zeros(len(rows), np.int64),
        near_copy=nowhere,
        shared=unshared(len(rows)),
        pii=dict.fromkeys(KINDS, nowhere),
        frames=frames(rows, known.words),
        template=nowhere,
        parts={name: _strings(values) for name, values in rows.parts.items()},
        phrases=holding(rows, known.phrases),
        content=content(rows, known.spoken),
        named=origin.named,
        terms=origin.terms,
        bases=origin.bases,
        clear_terms=origin.clear,
        region=known.regions.of(rows),
        mentioned=mentioned(rows, known.lists),
    )


def _each(function: Callable[[Any], Any], values: Any) -> Any:
    """`function` of every array of a dataclass or mapping."""
    if isinstance(values, Mapping):
        return {name: _each(function, each) for name, each in values.items()}
    if is_dataclass(values) and not isinstance(values, type):
        taken = {field.name: _each(function, getattr(values, field.name)) for field in fields(values)}
        return replace(values, **taken)
    return function(values)


def _joined(*parts: Columns) -> Columns:
    """The rows of all parts, one after the other; what a mapping of one lacks is false in its rows."""
    sizes = [len(part) for part in parts]

    def join(*values: Any) -> Any:
        first = values[0]
        if isinstance(first, Mapping):
            absent = [np.zeros(size, bool) for size in sizes]
            names = dict.fromkeys(name for each in values for name in each)
            return {
                name: join(*(each.get(name, none) for each, none in zip(values, absent, strict=True)))
                for name in names
            }
        if is_dataclass(first) and not isinstance(first, type):
            names = dict.fromkeys(field.name for field in fields(first))
            return replace(first, **{name: join(*(getattr(each, name) for each in values)) for name in names})
        return np.concatenate(values)

    whole: Columns = join(*parts)
    return whole


def _with_repeats(columns: Columns) -> Columns:
    filled = columns.tokens > 0
    return replace(
        columns,
        exact_repeat=repeats(columns.exact_group, filled),
        near_repeat=repeats(columns.near_group, filled),
        template=framed(columns.frames, columns.root, columns.exact_group),
        content=columns.content.compared_afresh(),
        asked=columns.asked.with_repeats(),
    )


def _strings(values: object) -> npt.NDArray[np.str_]:
    encoded = values.fill_null("").dictionary_encode()  # type: ignore[attr-defined]
    names = np.array(encoded.dictionary.to_pylist() or [""], dtype=np.str_)
    return names[encoded.indices.to_numpy()] if len(encoded) else np.zeros(0, names.dtype)
