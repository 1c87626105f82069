"""How many rows name a person, and how many name one whom a real row names?

Asked only where a finder of names is given: reading names takes a model of language, an extra, and minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.names import MOST_WORDS, asked, find_names
from assay.audit.annotate.pii import Pii, known_on_either_side, mean_by_row
from assay.audit.probe import Floats, Found, Probe, count, difference, measure, scaled
from assay.audit.rows import Bools, Index, Rows
from assay.core.measure import Measure
from assay.models.names import NameFinder

EACH = 5
_MISSING = "names of people were not looked for; `--names` does, with the extra names"


@dataclass(frozen=True)
class _Side:
    """Rows whose names were looked for, and the names.

    Attributes:
        left_out: How many rows were not asked, if any.
    """

    rows: Rows
    names: Pii
    left_out: Mapping[str, int]

    @classmethod
    def of(cls, rows: Rows, finder: NameFinder, seed: int) -> _Side:
        drawn = asked(rows, np.random.default_rng([seed, 10]))
        beyond = len(rows) - len(drawn)
        taken = rows.take(drawn)
        return cls(
            taken, find_names(taken, finder), {f"beyond {MOST_WORDS:,} words": beyond} if beyond else {}
        )

    @property
    def words(self) -> int:
        return int(self.rows.lengths.sum())


@dataclass(frozen=True)
class _Named:
    """What is counted of each row; arrays of shape (rows,).

    Attributes:
        held: It names a person.
        known, by_chance: Mean share, over its names known among real rows, of seen and of held-out rows with them.
    """

    root: npt.NDArray[np.uint64]
    held: Bools
    known: Floats
    by_chance: Floats

    def take(self, index: Index) -> _Named:
        return _Named(self.root[index], self.held[index], self.known[index], self.by_chance[index])


def _held(rows: _Named) -> Floats:
    return np.column_stack([rows.held, np.ones(len(rows.root))]).astype(float)


def _known(rows: _Named) -> Floats:
    return np.column_stack([rows.known, np.ones(len(rows.root))])


def _by_chance(rows: _Named) -> Floats:
    return np.column_stack([rows.by_chance, np.ones(len(rows.root))])


SHARE = Probe("copying.name_share", _held, "rows with a person's name of two words or more / rows")
EXCESS = Probe(
    "copying.name_excess",
    _known,
    "rows that name whom a real row names / rows, less what chance explains",
)


def named(
    finder: NameFinder | None, synthetic: Rows, real: Rows, holdout: Rows | None, seed: int, level: float
) -> tuple[list[Measure], list[dict[str, Any]]]:
    """Both measures and rows to look at, as in `core.evidence.EXAMPLES`; without a finder why there are none."""
    if finder is None:
        missing = Found(missing=_MISSING)
        return [measure(probe, missing, missing, level) for probe in (SHARE, EXCESS)], []
    ours, theirs = _Side.of(synthetic, finder, seed), _Side.of(real, finder, seed)
    beside = None if holdout is None else _Side.of(holdout, finder, seed)
    nothing = np.zeros(len(theirs.rows))
    rows = _Named(
        ours.rows.root,
        ours.names.holds_any(),
        *known_on_either_side(ours.names, theirs.names, beside.names if beside else None),
    )
    among = _Named(theirs.rows.root, theirs.names.holds_any(), _named_elsewhere(theirs), nothing)
    found, usual = count(EXCESS, rows, among, level), count(EXCESS, among, among, level)
    chance, said = usual, "real rows against other real rows, as no hold-out was given"
    if beside is not None:
        factor = theirs.words / max(beside.words, 1)
        chance = scaled(count(replace(EXCESS, tally=_by_chance), rows, among, level), factor)
        said = (
            f"the same rows against {len(beside.rows):,} hold-out rows, times {factor:.2f} for their size; "
            "each name is credited to the sides by their number of rows with it"
        )
    about = f"; found by {finder.about}"
    share = replace(SHARE, method=SHARE.method + about)
    excess = replace(EXCESS, method=f"{EXCESS.method}; chance: {said}{about}")
    none = Found(missing=chance.missing) if chance.value is None else Found(0.0)
    measures = [
        measure(
            share,
            replace(count(SHARE, rows, among, level), left_out=ours.left_out),
            count(SHARE, among, among, level),
            level,
        ),
        measure(excess, replace(difference(found, chance), left_out=ours.left_out), none, level),
    ]
    return measures, [*_shown(ours), *_leaked(ours, theirs)]


def _named_elsewhere(side: _Side) -> Floats:
    """Each row's share of names that a row of another root holds too."""
    pairs = np.unique(np.stack([side.names.value, side.rows.root[side.names.row]]), axis=1)
    value, roots = np.unique(pairs[0], return_counts=True)
    known = roots[np.searchsorted(value, side.names.value)] > 1
    return mean_by_row(side.names, np.ones(len(known)), known)


def _shown(side: _Side) -> Iterator[dict[str, Any]]:
    rows = np.unique(side.names.row, return_index=True)[1][:EACH]
    yield from (_example(SHARE.name, side, place) for place in rows.tolist())


def _leaked(side: _Side, real: _Side) -> Iterator[dict[str, Any]]:
    order = np.argsort(real.names.value, kind="stable")
    at = np.searchsorted(real.names.value, side.names.value, sorter=order)
    inside = np.flatnonzero(at < len(order))
    same = inside[real.names.value[order[at[inside]]] == side.names.value[inside]]
    for place in same[:EACH].tolist():
        row = int(real.names.row[order[at[place]]])
        yield _example(EXCESS.name, side, place, beside=_text(real.rows, row), note="name in a real row")


def _example(
    name: str, side: _Side, place: int, *, beside: str | None = None, note: str = ""
) -> dict[str, Any]:
    row = int(side.names.row[place])
    return {
        "measure": name,
        "slice": None,
        "corpus": "synthetic",
        "row": int(side.rows.row[row]),
        "text": _text(side.rows, row),
        "beside": beside,
        "start": int(side.names.start[place]),
        "end": int(side.names.end[place]),
        "note": note,
    }


def _text(rows: Rows, row: int) -> str:
    text: str = rows.take(np.array([row])).text[0].as_py()
    return text
