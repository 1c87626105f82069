"""Shares of a column as in the real rows, by leaving rows out and never by repeating any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.core.corpus import SLICE_PREFIX, Corpus
from assay.core.errors import InputError
from assay.kernels.hashing import mixed

# How far shares may stay off, as the share of rows that would have to change their value; farther where chance alone would
# bring as many real rows farther off.
NEAR = 0.02
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Balance:
    """A column brought to the real shares.

    Attributes:
        keep: Synthetic rows that stay, shape (rows,).
        order: All synthetic rows, so that the first of any number of those that stay have the same shares.
        real, before, after: Share of the rows by value, of the real rows and of the synthetic ones.
        absent: Values of the real rows that no synthetic row has, with their shares: leaving rows out cannot mend that.
    """

    column: str
    keep: Bools
    order: Ints
    real: Mapping[str, float]
    before: Mapping[str, float]
    after: Mapping[str, float]
    absent: Mapping[str, float]


def shuffled(rows: int, seed: int) -> Ints:
    """All rows in an order drawn from the seed, the same whatever else is asked, shape (rows,)."""
    return np.argsort(mixed(np.arange(rows, dtype=np.uint64), seed), kind="stable")


def balance(column: str, real: Corpus, synthetic: Corpus, passed: Bools, seed: int) -> Balance:
    """As many of the rows that passed as can have the real shares of `column`, within `NEAR` or what chance explains.

    Raises: InputError: a side does not have the column, or no value is common to both.
    """
    values = [_values(column, corpus) for corpus in (real, synthetic)]
    names, codes = np.unique(np.concatenate(values), return_inverse=True)
    ours, theirs = codes[: len(values[0])], codes[len(values[0]) :]
    there = np.bincount(theirs[passed], minlength=len(names))
    wanted = np.bincount(ours, minlength=len(names)) / len(ours)
    reachable = np.where(there > 0, wanted, 0.0)
    if not reachable.any():
        raise InputError(f"no synthetic row that passed has a value of {column!r} that real rows have")
    number = _most(there, reachable / reachable.sum())
    order = shuffled(len(theirs), seed)
    keep = np.zeros(len(theirs), bool)
    place = np.ones(len(theirs))
    for code in range(len(names)):
        members = order[(theirs[order] == code) & passed[order]][: number[code]]
        keep[members] = True
        place[members] = (np.arange(len(members)) + 0.5) / max(len(members), 1)
    return Balance(
        column,
        keep,
        order[np.argsort(place[order], kind="stable")],
        _shares(names, wanted),
        _shares(names, there / max(there.sum(), 1)),
        _shares(names, number / max(number.sum(), 1)),
        _shares(names[(there == 0) & (wanted > 0)], wanted[(there == 0) & (wanted > 0)]),
    )


def _most(there: Ints, shares: npt.NDArray[np.float64]) -> Ints:
    """Rows of each value: the most in all whose shares lie near enough to these."""

    def taken(total: float) -> npt.NDArray[np.float64]:
        return np.minimum(there, shares * total)

    def off(number: npt.NDArray[np.float64]) -> float:
        return float(np.abs(number / number.sum() - shares).sum() / 2)

    def near(total: float) -> float:
        """`NEAR`, or the mean distance of the shares of so many rows drawn at random: the mean of normal deviations."""
        return max(NEAR, float(np.sqrt(2 / np.pi * shares * (1 - shares) / total).sum() / 2))

    # The more rows are taken, the more values run out and the further their shares lie off.
    fits, fails = 0.0, float((there[shares > 0] / shares[shares > 0]).max()) + 1
    while fails - fits > 0.5:
        middle = (fits + fails) / 2
        rows = taken(middle)
        fits, fails = (middle, fails) if off(rows) <= near(float(rows.sum())) else (fits, middle)
    return np.round(taken(fits)).astype(np.int64)


def _values(column: str, corpus: Corpus) -> npt.NDArray[np.str_]:
    name = column if column == "label" else SLICE_PREFIX + column
    known = corpus.table().column_names
    values = corpus.table([name])[name] if name in known else None
    if values is None or values.null_count == len(values):
        offered = [each.removeprefix(SLICE_PREFIX) for each in known if each.startswith(SLICE_PREFIX)]
        raise InputError(
            f"the {corpus.origin} rows have no values in column {column!r} to balance",
            fix=f"Columns of few values there: {', '.join(['label', *offered])}; name another by --slice when you run.",
        )
    return np.asarray(values.cast(pa.string()).fill_null("").to_pylist(), dtype=np.str_)


def _shares(names: npt.NDArray[np.str_], shares: npt.NDArray[np.float64]) -> dict[str, float]:
    return {str(name): round(float(share), 6) for name, share in zip(names, shares, strict=True)}
