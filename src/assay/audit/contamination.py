"""Contamination: the items of evaluations looked for in the synthetic rows, and in as many real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from assay.audit.annotate.rewordings import FALSE_ALARMS, Judge, Near, judge, near, rarity
from assay.audit.annotate.word_runs import HELD, Pairs, WordRuns
from assay.audit.evals import FEWEST_WORDS, Eval
from assay.audit.probe import Found, Probe, count, measure
from assay.audit.probes.contamination import Items, eval_probes
from assay.audit.rows import Bools, Index, Rows, draw_rows
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.kernels.chargrams import STEP
from assay.stats.intervals import binomial

MOST_BYTES = 1 << 20
PAIRS = pa.schema(
    [
        pa.field("eval", pa.string()),
        pa.field("item", pa.int64()),  # position in the evaluation's file, from 0
        pa.field("how", pa.string()),  # "ngram" or "rephrased"
        pa.field("score", pa.float64()),  # share of the item's runs held; or log-odds above the threshold
        pa.field("row", pa.int64()),  # position in the synthetic corpus
        pa.field("start", pa.int64()),  # byte span in `text` from the first shared run to the last, or null
        pa.field("end", pa.int64()),
        pa.field("text", pa.large_string()),  # null for a row of more than `MOST_BYTES`
        pa.field("item_text", pa.large_string()),  # null where the evaluation was given as an index
    ]
)


@dataclass(frozen=True)
class Contamination:
    """What was found of the evaluations.

    Attributes:
        measures: Two for each evaluation.
        pairs: Each item beside each synthetic row that holds it, columns as in `PAIRS`, the closest first
            within an item.
        rows: Synthetic rows that hold an item, shape (rows,).
    """

    measures: tuple[Measure, ...]
    pairs: pa.Table
    rows: Bools


def contamination(
    evals: Sequence[Eval],
    rows: Rows,
    real: Rows,
    *,
    seed: int = 0,
    level: float = 0.95,
    progress: Progress = silent,
) -> Contamination:
    """Look for the items of every evaluation.

    Args:
        real: Real rows, taken to be clean; as many of them as of `rows` are searched if there are more.
        seed: Decides which real rows are searched.
    """
    beside = draw_rows(real, max(len(rows), 1), np.random.default_rng([seed, 3]))
    found = []
    for done, each in enumerate(evals):
        progress("audit: evaluations", done, len(evals), "evaluations")
        found.append(_Searched(each, WordRuns(each, real), rows, beside))
    marked = np.zeros(len(rows), bool)
    for one in found:
        marked[one.verbatim.row] = True
        marked[one.reworded.row] = True
    return Contamination(
        tuple(each for one in found for each in one.measures(level)),
        pa.concat_tables([PAIRS.empty_table(), *(one.table() for one in found)]),
        marked,
    )


class _Searched:
    """One evaluation, looked for in both sides."""

    def __init__(self, each: Eval, runs: WordRuns, rows: Rows, real: Rows) -> None:
        self._eval, self._rows, self._real = each, rows, real
        self.verbatim, in_real = runs.pairs(rows), runs.pairs(real)
        self._long = np.diff(each.offsets) > 0
        self._countable = runs.countable
        self._judge: Judge | str = "no real rows to set its threshold"
        self._nearer = False
        clean = _nowhere()
        self.reworded = _nowhere()
        if len(rows) and len(real):
            weights = rarity(real, each)
            close = near(real, each, weights)
            trusted = self._long.copy()
            trusted[in_real.item] = False
            self._judge = judge(each, close, trusted, weights, times=max(1.0, _pieces(rows) / _pieces(real)))
            if isinstance(self._judge, Judge):
                beside = near(rows, each, weights)
                self.reworded = _passed(self._judge, beside)
                self._nearer = self._judge.nearer(beside)
                clean = _passed(self._judge, close)
        self._ours = self._items(self.verbatim, self.reworded)
        self._theirs = self._items(in_real, clean)
        self._alarms = int(self._theirs.reworded[self._long & ~self._theirs.verbatim].sum())
        self._clean = int((self._long & ~self._theirs.verbatim).sum())

    def measures(self, level: float) -> tuple[Measure, ...]:
        """Share of the items found word for word, and in any words."""
        verbatim, reworded = eval_probes(self._eval.name, self._verbatim_method(), self._reworded_method())
        missing = self._judge if isinstance(self._judge, str) else None
        ours, theirs = (replace(each, countable=self._countable) for each in (self._ours, self._theirs))
        held = replace(self._found(verbatim, ours, level, None), left_out=self._left_out(self._countable))
        told = replace(self._found(reworded, self._ours, level, missing), left_out=self._left_out(self._long))
        in_real = count(verbatim, theirs, theirs, level) if len(self._real) else Found(missing="no real rows")
        return (
            measure(verbatim, held, in_real, level),
            measure(reworded, told, self._expected(reworded, self._theirs, level), level),
        )

    def table(self) -> pa.Table:
        """The pairs, columns as in `PAIRS`."""
        parts = [("ngram", self.verbatim), ("rephrased", self.reworded)]
        item, score, row, start, end = (
            np.concatenate([getattr(pairs, name) for _, pairs in parts])
            for name in ("item", "score", "row", "start", "end")
        )
        how = np.repeat([name for name, _ in parts], [len(pairs.item) for _, pairs in parts])
        order = np.lexsort((row, -score, how, item))
        texts = self._eval.texts
        nothing = pa.nulls(len(item), pa.large_string())
        spans = end[order] < 0
        long = self._rows.characters.bytes[row[order]] > MOST_BYTES
        return pa.table(
            [
                pa.array([self._eval.name] * len(item), pa.string()),
                item[order],
                pa.array(how[order].tolist(), pa.string()),
                score[order],
                self._rows.row[row[order]],
                pa.array(start[order], mask=spans),
                pa.array(end[order], mask=spans),
                self._rows.text.take(pa.array(row[order], mask=long)),
                nothing if texts is None else texts.take(pa.array(item[order])).cast(pa.large_string()),
            ],
            schema=PAIRS,
        )

    def _items(self, verbatim: Pairs, reworded: Pairs) -> Items:
        held, told = (np.zeros(len(self._eval), bool) for _ in range(2))
        held[verbatim.item] = True
        told[reworded.item] = True
        return Items(self._eval.root, held, told | held, self._long)

    def _found(self, probe: Probe[Items], ours: Items, level: float, missing: str | None) -> Found:
        if not len(self._rows):
            return Found(missing="no synthetic rows to look in")
        return Found(missing=missing) if missing else count(probe, ours, ours, level)

    def _expected(self, probe: Probe[Items], theirs: Items, level: float) -> Found:
        """What is found where nothing has leaked.

        Where the synthetic rows are nearer to the evaluation than the real ones, that may be as much as the
        items that would be found in another item of the evaluation.
        """
        found = count(probe, theirs, theirs, level) if len(self._real) else Found(missing="no real rows")
        if not self._nearer or isinstance(self._judge, str) or found.value is None:
            return found
        alike = replace(theirs, reworded=self._judge.alike)
        at_most = count(probe, alike, alike, level)
        if at_most.value is None or at_most.value <= found.value:
            return found
        return replace(at_most, low=min(found.low, at_most.low))

    def _left_out(self, countable: Bools) -> dict[str, int]:
        left_out = {
            f"fewer than {FEWEST_WORDS} words": int((~self._long).sum()),
            "nothing but common runs of words": int((self._long & ~countable).sum()),
        }
        return {why: items for why, items in left_out.items() if items}

    def _verbatim_method(self) -> str:
        return (
            f"items of which one row holds at least {HELD:.0%} of the runs of {self._eval.ngram} words / items; "
            "a shorter item is one run, runs that many items or real rows hold do not count; "
            f"the reference is the same items in {len(self._real):,} real rows"
        )

    def _reworded_method(self) -> str:
        method = (
            "nearest items of each row by TF-IDF of character runs, then a score of three likenesses learnt from "
            "planted rephrasings against real rows and other items; threshold aimed at "
            f"{FALSE_ALARMS:.0%} false alarms among real rows; items found word for word count too; "
        )
        if self._nearer:
            method += (
                "these rows are nearer to the evaluation than the real rows are, so the reference is the "
                "items that would be found in another item, and from there down to those found in "
                f"{len(self._real):,} real rows"
            )
        else:
            method += f"the reference is the same items in {len(self._real):,} real rows"
        if isinstance(self._judge, str):
            return method
        _, low, high = binomial(self._alarms, self._clean)
        _, least, most = binomial(self._judge.found, self._judge.planted)
        return (
            f"{method}; held out, {self._alarms:,} of {self._clean:,} clean items passed "
            f"({low:.1%} to {high:.1%}), and of {self._judge.planted:,} planted rephrasings (words exchanged or "
            f"dropped, numbers changed, clauses moved) {self._judge.found:,} did ({least:.0%} to {most:.0%}); "
            f"{int(self._judge.alike.sum()):,} items are as near to another item"
        )


def _pieces(rows: Rows) -> int:
    """About how many pieces of text the rows are held against items in."""
    return int(np.maximum(rows.characters.chars // STEP, 1).sum())


def _nowhere() -> Pairs:
    none = np.zeros(0, np.int64)
    return Pairs(none, none, np.zeros(0), none, none)


def _passed(judge: Judge, near: Near) -> Pairs:
    """Pairs above the threshold; of several pieces of a row the best counts."""
    score = judge.score(near)
    passed = np.flatnonzero(score > 0)
    order = passed[np.lexsort((-score[passed], near.row[passed], near.item[passed]))]
    first = np.ones(len(order), bool)
    row, item = near.row[order], near.item[order]
    first[1:] = (row[1:] != row[:-1]) | (item[1:] != item[:-1])
    kept: Index = order[first]
    nowhere = np.full(len(kept), -1, np.int64)
    return Pairs(near.item[kept], near.row[kept], score[kept], nowhere, nowhere)
