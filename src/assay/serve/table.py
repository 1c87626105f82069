"""All synthetic rows of one run with their annotations and answers: what a query finds, a page at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.core.labels import CHOICES, LABELS, Answers
from assay.serve.columns import Bools, Column, columns_of
from assay.serve.query import DRAWN, UNANSWERED, Query
from assay.serve.text import Texts

Index = npt.NDArray[np.int64]
T = TypeVar("T")
_REMEMBERED = 24  # results of searches, sorts and queries; each takes at most 8 bytes a row
FIRST_SORT = "suspicion"


class Remembered:
    """Results kept as long as there are not many newer ones; asked for by several threads."""

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The result of that key, made if it is not known."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                found: T = self._known[key]
                return found
        made = make()
        with self._lock:
            self._known[key] = made
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return made


@dataclass(frozen=True)
class Found:
    """What a query found.

    Attributes:
        rows: The rows in their order.
        flags: How many of them carry each flag.
        stamp: How many answers were known then; where answers decide which rows are found, a later page of the same
            list is asked for with it.
    """

    rows: Index
    flags: dict[str, int]
    stamp: int


class RowTable:
    """The rows of a run, opened once and asked many times.

    Attributes:
        columns: What rows are filtered and sorted by.
        problem: Why there are no annotations, if so.
    """

    def __init__(self, run: Run, draw: Callable[[Path], None]) -> None:
        """`draw` makes the order in which labels are asked for, unless it stands."""
        self.run, self._draw = run, draw
        self.corpus = run.corpus("synthetic")
        self.texts = Texts(self.corpus)
        self.columns, self.problem = columns_of(run.folder, self.corpus)
        self.labels = Answers(run.folder / LABELS, self.texts.column)
        self.choices = Answers(run.folder / CHOICES, self.texts.column)
        self._remembered = Remembered()

    def __len__(self) -> int:
        return self.corpus.rows

    @property
    def first_sort(self) -> str:
        """The order a list begins with: the most suspicious rows first, where suspicion is known."""
        return f"-{FIRST_SORT}" if FIRST_SORT in self.columns else ""

    def refresh(self) -> None:
        """Take in what was answered elsewhere."""
        self.labels.refresh()
        self.choices.refresh()

    def find(self, query: Query, stamp: int | None = None) -> Found:
        """The rows of a query. Raises: InputError: it names a column that there is not."""
        self.refresh()
        now = self.labels.lines + self.choices.lines
        if not query.answers_matter:
            return self._remembered.get(query, lambda: self._found(query, 0))
        wanted = now if stamp is None else stamp
        # A page of an older list that is forgotten is made of today's answers, and says so by its stamp.
        return self._remembered.get((query, wanted), lambda: self._found(query, now))

    def column(self, name: str) -> Column:
        """Raises: InputError: there is no such column."""
        if name not in self.columns:
            raise InputError(f"no column {name!r}", fix=f"There are: {', '.join(self.columns) or 'none'}.")
        return self.columns[name]

    def _found(self, query: Query, stamp: int) -> Found:
        rows = self._ordered(query)
        flags = [each for each in self.columns.values() if each.kind == "flag"]
        if len(rows) == len(self):
            return Found(rows, {each.name: each.counts[0] for each in flags}, stamp)
        return Found(rows, {each.name: int(each.values[rows].sum()) for each in flags}, stamp)

    def _ordered(self, query: Query) -> Index:
        mask = self._mask(query)
        order = self._order(query.sort)
        if order is None:
            return np.flatnonzero(mask)
        return order if mask.all() else order[mask[order]]

    def _mask(self, query: Query) -> Bools:
        mask = np.ones(len(self), bool)
        for name in query.having:
            mask &= self.column(name).values.astype(bool)
        for name in query.lacking:
            mask &= ~self.column(name).values.astype(bool)
        for name, least in query.least:
            mask &= self._numbers(name) >= least
        for name, most in query.most:
            mask &= self._numbers(name) <= most
        for name, value in query.among:
            mask &= self.column(name).equals(value)
        for said, answers in ((query.label, self.labels), (query.choice, self.choices)):
            if said:
                mask &= self._answered(answers, said)
        for term in query.terms:
            if mask.any():
                mask &= self._remembered.get(("text", term.lower()), partial(self.texts.holding, term))
        return mask

    def _numbers(self, name: str) -> npt.NDArray[Any]:
        column = self.column(name)
        if column.kind == "words":
            raise InputError(f"column {name!r} holds words, which have no bounds", fix=f"Use is.{name}.")
        return column.values

    def _answered(self, answers: Answers, said: str) -> Bools:
        if said != UNANSWERED and said not in answers.words:
            raise InputError(
                f"no answer is called {said!r}", fix=f"Use {', '.join(answers.words)} or {UNANSWERED}."
            )
        rows = [row for row, given in answers.given.items() if said in (UNANSWERED, given)]
        mask = np.zeros(len(self), bool)
        mask[rows] = True
        return ~mask if said == UNANSWERED else mask

    def _order(self, sort: str) -> Index | None:
        if not sort:
            return None
        return self._remembered.get(("sort", sort), lambda: self._sorted(sort))

    def _sorted(self, sort: str) -> Index:
        if sort == DRAWN:
            self._draw(self.run.folder)
            table = pq.read_table(self.run.folder / "rows" / "label-order.parquet", columns=["order"])
            return np.asarray(table["order"].to_numpy().astype(np.int64))
        down = sort.startswith("-")
        values = self.column(sort.removeprefix("-")).values.astype(np.float64)
        # Rows without a value come last either way, equal ones in the order of the file.
        return np.argsort(-values if down else values, kind="stable")
