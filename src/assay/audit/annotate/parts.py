"""Parts of the population to which rows belong without saying so: by length, language, script and time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.languages import names as language_names
from assay.audit.annotate.languages import of_answers
from assay.audit.rows import Index, Rows
from assay.engine.local import map_batches
from assay.kernels.scripts import SCRIPTS
from assay.kernels.writing import scripts

Strings = npt.NDArray[np.str_]
Times = npt.NDArray[np.datetime64]

# Quarters of the real rows: fewer would hide where it is thin, more would be too small to judge.
_BINS = 4
_MOST_PERIODS = 12
# A part that fewer real rows make up is no part of the population worth a question of its own.
LEAST_ROWS = 20
# Rows of no such part: they count among all, but nothing is asked about them.
REST = "(the rest)"


def with_parts(ours: tuple[Columns, Rows], theirs: tuple[Columns, Rows]) -> tuple[Columns, Columns]:
    """Both sides' columns with the parts that follow from the rows; a column of the user's goes first."""
    (columns, rows), (columns_real, real) = ours, theirs
    parts, parts_real = implied(rows, real)
    return (
        replace(columns, parts={**parts, **columns.parts}),
        replace(columns_real, parts={**parts_real, **columns_real.parts}),
    )


def implied(rows: Rows, real: Rows) -> tuple[Mapping[str, Strings], Mapping[str, Strings]]:
    """Length, language, script and time of both sides' rows, in classes that the real rows decide."""
    pairs = {
        "length": _lengths(rows.lengths, real.lengths),
        "language": _classes(rows, real, lambda batch: of_answers(batch) + 1, ("", *language_names())),
        "script": _classes(rows, real, lambda batch: scripts(batch.text), ("", *SCRIPTS)),
        "time": _periods(_times(rows), _times(real)),
    }
    return ({name: pair[0] for name, pair in pairs.items()}, {name: pair[1] for name, pair in pairs.items()})


def _lengths(lengths: Index, real: Index) -> tuple[Strings, Strings]:
    """The quarter of the real rows, shortest to longest, that each row is as long as."""
    filled = np.sort(real[real > 0])
    if len(filled) < _BINS * LEAST_ROWS:
        return _nowhere(lengths), _nowhere(real)
    ends = np.unique(filled[(np.arange(1, _BINS) * len(filled)) // _BINS - 1])
    ends = ends[ends < filled[-1]]
    names = [_span(int(low), int(high)) for low, high in zip(np.append(1, ends + 1)[:-1], ends, strict=True)]
    names.append(f"{ends[-1] + 1} words or more" if len(ends) else "any")
    return _named(names, ends, lengths, lengths > 0), _named(names, ends, real, real > 0)


def _span(low: int, high: int) -> str:
    return f"{low} to {high} words" if low < high else f"{low} word{'s' * (low > 1)}"


def _classes(
    rows: Rows, real: Rows, told: Callable[[Rows], npt.NDArray[np.integer]], names: tuple[str, ...]
) -> tuple[Strings, Strings]:
    """The class that each row is told to be of; those that few real rows are of count as one.

    Args:
        told: Place in `names` of each row of a batch; 0 where it cannot be told.
    """
    ours, theirs = (
        np.concatenate([np.zeros(0, np.int64), *map_batches(told, side.batches())]) for side in (rows, real)
    )
    shown = np.array(names, dtype=object)
    rare = np.bincount(theirs, minlength=len(shown)) < LEAST_ROWS
    shown[rare & (shown != "")] = REST
    return shown[ours].astype(np.str_), shown[theirs].astype(np.str_)


def _periods(times: Times, real: Times) -> tuple[Strings, Strings]:
    """The year or decade each row is of; where these are too many, too few or too thin, quarters of the real rows.

    Rows made by a model often carry the time of their making. If none falls into the span of the real rows, the two
    times do not speak of the same, and nothing is compared.
    """
    known = np.sort(real[~np.isnat(real)])
    if len(known) < _BINS * LEAST_ROWS or not ((times >= known[0]) & (times <= known[-1])).any():
        return _nowhere(times), _nowhere(real)
    for step, suffix in ((1, ""), (10, "s")):
        ours, theirs = (_years(each, step, suffix) for each in (times, real))
        sizes = np.unique(theirs[theirs != ""], return_counts=True)[1]
        if 2 <= len(sizes) <= _MOST_PERIODS and sizes.min() >= LEAST_ROWS:
            return ours, theirs
    ends = np.unique(known[(np.arange(1, _BINS + 1) * len(known)) // _BINS - 1])
    days = np.datetime_as_string(ends, "D")
    begins = np.append(known[0], known[np.searchsorted(known, ends[:-1], "right")])
    first = np.datetime_as_string(begins, "D")
    names = [f"{low} to {high}" if low < high else low for low, high in zip(first, days, strict=True)]

    def within(each: Times) -> Strings:
        inside = _named([*names, REST], ends, each, ~np.isnat(each))
        return np.where(each < known[0], REST, inside)

    return within(times), within(real)


def _years(times: Times, step: int, suffix: str) -> Strings:
    years = times.astype("datetime64[Y]").astype(np.int64) + 1970
    names, place = np.unique(np.where(np.isnat(times), 0, years // step * step), return_inverse=True)
    return np.array([f"{name}{suffix}" if name else "" for name in names], dtype=np.str_)[place]


def _times(rows: Rows) -> Times:
    times: Times = rows.time.to_numpy(zero_copy_only=False).astype("datetime64[s]")
    return times


def _named(
    names: list[str],
    ends: npt.NDArray[np.generic],
    values: npt.NDArray[np.generic],
    known: npt.NDArray[np.bool_],
) -> Strings:
    """The name of the first class whose end each value does not pass; "" for what is not known."""
    place = np.searchsorted(ends, values)
    return np.where(known, np.array(names)[np.minimum(place, len(names) - 1)], "")


def _nowhere(values: npt.NDArray[np.generic]) -> Strings:
    return np.full(len(values), "", dtype=np.str_)
