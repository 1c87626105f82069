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
from assay.stats.ppi import prediction_powered

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

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
    """

    measure: Measure
    suspects: pa.Table


def error_rate(
    answers: Answers, design: Design, flags: pa.Table, text: pa.ChunkedArray, level: float = 0.95
) -> Rated:
    """The share of wrong rows among all synthetic rows.

    Args:
        flags: The audit's table of every synthetic row; its true-or-false and fractional columns are features.
        text: The rows' text.
    """
    labelled = answers.labelled
    rows = np.array(sorted(labelled), dtype=np.int64)
    wrong = np.array([labelled[row] for row in sorted(labelled)], dtype=np.float64)
    left_out = {
        "skipped": sum(said == "skip" for said in answers.given.values()),
        "label of a row that is another one now": len(answers.stale),
    }
    left_out = {why: number for why, number in left_out.items() if number}
    if len(rows) < LEAST:
        return Rated(unlabelled(len(rows), left_out), _suspects())
    stratum = _joined(design.stratum, rows)
    sizes = np.bincount(stratum)
    scores = expected = None
    suspects = _suspects()
    if len(rows) >= LEAST_TO_LEARN and min(wrong.sum(), (1 - wrong).sum()) >= LEAST_OF_A_KIND:
        scores, expected, chance = _crossed(_features(flags, text), rows, wrong, stratum, sizes)
        suspects = _suspects(rows, chance)
    powered = prediction_powered(
        wrong,
        np.zeros(len(rows)) if scores is None else scores,
        stratum[rows],
        sizes,
        np.zeros(len(sizes)) if expected is None else expected,
        level,
    )
    # Every row that was shown counts as drawn, whatever became of it.
    drawn = design.covers(np.fromiter(answers.given, np.int64))
    method = (
        f"{len(rows):,} labels of {len(design.stratum):,} rows, drawn at random within {len(sizes)} strata of "
        "suspicion and flags"
        if drawn
        else f"{len(rows):,} labels of {len(design.stratum):,} rows, not those that were drawn: taken as if "
        f"chosen at random within {len(sizes)} strata of suspicion and flags"
    )
    method += (
        f"; joined with a logistic regression on the audit's columns, {FOLDS}-fold cross-fitted, "
        f"lambda {powered.tuning:.2f}: worth {powered.worth:,.0f} labels drawn plainly"
        if scores is not None
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
        n=len(rows),
        unit=definition.unit,
        worse=definition.worse,
        method=method,
        left_out=left_out,
    )
    return Rated(measure, suspects)


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


def _crossed(
    features: scipy.sparse.csr_matrix, rows: Index, wrong: Floats, stratum: Index, sizes: Index
) -> tuple[Floats, Floats, Floats]:
    """Scores of the labelled rows, mean scores of the others by stratum, and a score of every row.

    A label's fold is its place within its stratum, so that every model learns from all strata; a stratum's mean
    weighs the models as its labels do, so that both sides are scored alike.
    """
    mine = stratum[rows]
    place = np.empty(len(rows), np.int64)
    for each in range(len(sizes)):
        place[mine == each] = np.arange(int((mine == each).sum()))
    fold = place % FOLDS
    weights = (fold != np.arange(FOLDS)[:, None]).astype(np.float64)
    chances = np.empty((FOLDS, features.shape[0]))
    for block in fit(features[rows], wrong.astype(np.int64), weights, classes=2):
        chances[block.arms] = block.predict_proba(features)[:, :, 1]
    scores = chances[fold, rows]
    without = np.ones(features.shape[0], bool)
    without[rows] = False
    expected = np.zeros(len(sizes))
    for each in range(len(sizes)):
        others = chances[:, without & (stratum == each)]
        if others.shape[1]:
            expected[each] = np.average(
                others.mean(axis=1), weights=np.bincount(fold[mine == each], minlength=FOLDS)
            )
    return scores, expected, chances.mean(axis=0)
