"""How many synthetic rows are wrong, and which most likely: a few labels joined with what is cheap to know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse

from assay.core.catalogue import define
from assay.core.labels import Answers
from assay.core.measure import Measure
from assay.label.design import STRATA, Design
from assay.models.linear import fit
from assay.stats.ppi import Powered, prediction_powered

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NAME = "quality.error_rate"
LEAST = 20  # labels for an interval
LEAST_TO_LEARN = 40  # labels, and ...
LEAST_OF_A_KIND = 6  # ... of each answer, for a model of which rows are wrong
FOLDS = 5


@dataclass(frozen=True)
class Rated:
    """What the labels say of all rows.

    Attributes:
        suspects: Rows without label by falling chance of being wrong: columns ``row`` and ``chance``; empty
            while there are too few labels to learn from.
        known: What was learned, to ask parts of the rows; None while there are too few labels.
    """

    measure: Measure
    suspects: pa.Table
    known: Known | None = None


@dataclass(frozen=True)
class Known:
    """Labels, and what they teach of every row.

    Attributes:
        rows: Which rows have a label, rising, shape (labels,).
        wrong: 1 where it says so, shape (labels,).
        stratum: Of every row, shape (rows,).
        chances: Each row's chance of being wrong, by the models of the folds, shape (folds, rows); None while there are
            too few labels to learn from.
        fold: Of each label, whose model did not see it, shape (labels,).
    """

    rows: Index
    wrong: Floats
    stratum: Index
    chances: Floats | None
    fold: Index

    @classmethod
    def of(
        cls, labelled: Mapping[int, bool], design: Design, flags: pa.Table, text: pa.ChunkedArray
    ) -> Known:
        """All that so many labels teach."""
        rows = np.array(sorted(labelled), dtype=np.int64)
        wrong = np.array([labelled[row] for row in rows.tolist()], dtype=np.float64)
        fold = _folds(_joined(design.stratum, rows)[rows])
        chances = None
        if len(rows) >= LEAST_TO_LEARN and min(wrong.sum(), (1 - wrong).sum()) >= LEAST_OF_A_KIND:
            chances = _chances(_features(flags, text), rows, wrong, fold)
        return cls(rows, wrong, design.stratum, chances, fold)

    def within(self, part: Bools) -> int:
        """How many labels there are of the rows where `part`, shape (rows,)."""
        return int(part[self.rows].sum())

    def share(self, part: Bools, level: float) -> tuple[Powered, int]:
        """The share of wrong rows among the rows where `part`, and how many strata it was taken in.

        What was drawn at random from a stratum is, within any part of it, drawn at random from that part.
        """
        members, mine = np.flatnonzero(part), part[self.rows]
        labels = np.searchsorted(members, self.rows[mine])
        stratum = _joined(self.stratum[members], labels)
        sizes = np.bincount(stratum)
        scores, expected = np.zeros(len(labels)), np.zeros(len(sizes))
        if self.chances is not None:
            scores, expected = _scored(self.chances[:, members], self.fold[mine], labels, stratum, len(sizes))
        return prediction_powered(self.wrong[mine], scores, stratum[labels], sizes, expected, level), len(
            sizes
        )


def error_rate(
    answers: Answers, design: Design, flags: pa.Table, text: pa.ChunkedArray, level: float = 0.95
) -> Rated:
    """The share of wrong rows among all synthetic rows.

    Args:
        flags: The audit's table of every synthetic row; its true-or-false and fractional columns are features.
        text: The rows' text.
    """
    left_out = {
        "skipped": sum(said == "skip" for said in answers.given.values()),
        "label of a row that is another one now": len(answers.stale),
    }
    left_out = {why: number for why, number in left_out.items() if number}
    labels, total = len(answers.labelled), len(design.stratum)
    if labels < LEAST:
        return Rated(unlabelled(labels, left_out), _suspects())
    known = Known.of(answers.labelled, design, flags, text)
    powered, strata = known.share(np.ones(total, np.bool_), level)
    # Every row that was shown counts as drawn, whatever became of it.
    drawn = design.covers(np.fromiter(answers.given, np.int64))
    method = (
        f"{labels:,} labels of {total:,} rows, drawn at random within {strata} strata of suspicion and flags"
        if drawn
        else f"{labels:,} labels of {total:,} rows, not those that were drawn: taken as if chosen at random within "
        f"{strata} strata of suspicion and flags"
    )
    method += (
        f"; joined with a logistic regression on the audit's columns, {FOLDS}-fold cross-fitted, "
        f"lambda {powered.tuning:.2f}: worth {powered.worth:,.0f} labels drawn plainly"
        if known.chances is not None
        else "; too few labels to learn from, so lambda is 0"
    )
    definition = define(NAME)
    measure = Measure(
        name=NAME,
        corpus="synthetic",
        value=powered.value,
        low=powered.low,
        high=powered.high,
        level=level,
        n=labels,
        unit=definition.unit,
        worse=definition.worse,
        method=method,
        left_out=left_out,
    )
    suspects = _suspects() if known.chances is None else _suspects(known.rows, known.chances.mean(axis=0))
    return Rated(measure, suspects, known)


def unlabelled(labels: int = 0, left_out: Mapping[str, int] | None = None) -> Measure:
    """The measure while there are fewer than `LEAST` labels."""
    definition = define(NAME)
    has = f"; it has {labels} of at least {LEAST}" if labels else ""
    return Measure(
        name=NAME,
        corpus="synthetic",
        value=None,
        unit=definition.unit,
        worse=definition.worse,
        method="labels of a sample, joined with cheap scores of all rows",
        left_out=dict(left_out or {}),
        missing=f"needs labels: run `assay label RUN`{has}",
    )


def _suspects(labelled: Index | None = None, chance: Floats | None = None) -> pa.Table:
    if labelled is None or chance is None:
        return pa.table({"row": pa.array([], pa.int64()), "chance": pa.array([], pa.float32())})
    order = np.argsort(-chance, kind="stable")
    order = order[~np.isin(order, labelled)]
    return pa.table({"row": order, "chance": chance[order].astype(np.float32)})


def _joined(stratum: Index, rows: Index) -> Index:
    """Strata numbered from 0, each with at least two labels: one with fewer joins its more suspicious neighbour."""
    labels = np.bincount(stratum[rows], minlength=len(STRATA))
    name = np.zeros(len(STRATA), np.int64)
    number = held = 0
    for each in range(len(STRATA)):
        name[each] = number
        held += labels[each]
        if held >= 2 and labels[each + 1 :].sum() >= 2:
            number, held = number + 1, 0
    return name[stratum]


def _features(flags: pa.Table, text: pa.ChunkedArray) -> scipy.sparse.csr_matrix:
    """What is cheap to know of every row, each column with mean 0 and spread 1; shape (rows, columns)."""
    columns = [np.log1p(pc.utf8_length(text).to_numpy().astype(np.float64))]
    for field in flags.schema:
        if field.name != "row" and (pa.types.is_boolean(field.type) or pa.types.is_floating(field.type)):
            values = flags[field.name].cast(pa.float64())
            columns.append(values.fill_null(pc.mean(values).as_py() or 0.0).to_numpy())
    table = np.column_stack(columns)
    spread = table.std(axis=0)
    table = (table - table.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    return scipy.sparse.csr_matrix(table.astype(np.float32))


def _folds(stratum: Index) -> Index:
    """A label's fold is its place within its stratum, so that every model learns from all strata."""
    fold = np.empty(len(stratum), np.int64)
    for each in np.unique(stratum):
        fold[stratum == each] = np.arange(int((stratum == each).sum())) % FOLDS
    return fold


def _chances(features: scipy.sparse.csr_matrix, rows: Index, wrong: Floats, fold: Index) -> Floats:
    """Each row's chance of being wrong by the model that saw no label of a fold, shape (folds, rows)."""
    weights = (fold != np.arange(FOLDS)[:, None]).astype(np.float64)
    chances = np.empty((FOLDS, features.shape[0]))
    for block in fit(features[rows], wrong.astype(np.int64), weights, classes=2):
        chances[block.arms] = block.predict_proba(features)[:, :, 1]
    return chances


def _scored(
    chances: Floats, fold: Index, labels: Index, stratum: Index, strata: int
) -> tuple[Floats, Floats]:
    """Scores of the labelled rows, and mean scores of the others by stratum.

    A stratum's mean weighs the models as its labels do, so that both sides are scored alike.
    """
    without = np.ones(len(stratum), np.bool_)
    without[labels] = False
    expected = np.zeros(strata)
    for each in range(strata):
        others = chances[:, without & (stratum == each)]
        if others.shape[1]:
            weights = np.bincount(fold[stratum[labels] == each], minlength=FOLDS)
            expected[each] = np.average(others.mean(axis=1), weights=weights)
    return chances[fold, labels], expected
