"""Which synthetic rows stay: one filter for each flag of the audit that says to leave a row out, and a person's word.

A person's word goes before a flag: a row that somebody chose to keep stays, and one that somebody called right is
not left out as wrong. One filter nobody overrules: a row that copies a test row never enters a training set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.core.labels import Answer

Bools = npt.NDArray[np.bool_]
Kind = Literal["guard", "said", "wrong", "copied", "private", "repeated", "asked"]


@dataclass(frozen=True)
class Filter:
    """One reason to leave a row out.

    Attributes:
        name: The flag in `rows/synthetic.parquet`; the filters of kind `guard` and `said` bring their own.
        kind: What can overrule it: nothing (`guard`), a later answer (`said`), a row kept or called right (`wrong`),
            a row kept (all others). `asked` filters are used on request only.
        why: What is the matter with the row, in a few words.
    """

    name: str
    kind: Kind
    why: str


LEAK, DROPPED, WRONG = "copies_test", "dropped", "labelled_wrong"
FILTERS = (
    Filter(LEAK, "guard", "copies a row of the test set"),
    Filter(DROPPED, "said", "you chose to drop it"),
    Filter(WRONG, "said", "you labelled it wrong"),
    Filter("contaminated", "copied", "holds an item of an evaluation"),
    Filter("copies_real", "copied", "copies a real row, or a passage of one"),
    Filter("rare_words_of_real", "copied", "shares rare runs of words with a real row"),
    Filter("leaks_personal", "private", "gives a personal value of a real row away"),
    Filter("personal", "private", "holds a personal value, such as an address or a number"),
    Filter("holds_canary", "private", "gives a planted secret away"),
    Filter("empty", "wrong", "has no text"),
    Filter("refusal", "wrong", "refuses to answer"),
    Filter("boilerplate", "wrong", "holds words of the assistant, not of the row"),
    Filter("prompt_echo", "wrong", "repeats its prompt"),
    Filter("repetition", "wrong", "says the same over and over"),
    Filter("truncated", "wrong", "breaks off"),
    Filter("placeholder", "wrong", "has a gap that was to be filled in"),
    Filter("language_mismatch", "wrong", "is in another language"),
    Filter("broken_code", "wrong", "holds code that cannot be parsed"),
    Filter("invalid_json", "wrong", "holds JSON that cannot be parsed"),
    Filter("wrong_arithmetic", "wrong", "calculates wrongly"),
    Filter("contradiction", "wrong", "contradicts another row with the same prompt"),
    Filter("label_suspect", "wrong", "its label is probably wrong"),
    Filter("exact_duplicate", "repeated", "repeats another row word for word"),
    Filter("near_duplicate", "repeated", "nearly repeats another row"),
    Filter("template", "asked", "is made after the same template as others"),
    Filter("prompt_duplicate", "asked", "has the prompt of another row"),
    Filter("restricted_terms", "asked", "comes under terms that restrict its use"),
    Filter("incomplete_lineage", "asked", "does not say where it is from"),
)
_BY_NAME = {each.name: each for each in FILTERS}
_FIXED = ("guard", "said")


def chosen(skip: Sequence[str] = (), also: Sequence[str] = ()) -> tuple[Filter, ...]:
    """The filters to use: all but those on request and those of `skip`, and those of `also`.

    Raises: InputError: there is no such filter, or it is one that cannot be skipped.
    """
    for name in (*skip, *also):
        if name not in _BY_NAME:
            raise InputError(f"no filter is called {name!r}", fix=f"Filters are: {', '.join(_BY_NAME)}.")
    for name in skip:
        if _BY_NAME[name].kind in _FIXED:
            raise InputError(
                f"the filter {name!r} cannot be skipped",
                fix="A copy of a test row spoils the test; take an answer back where the row was answered.",
            )
    return tuple(
        each for each in FILTERS if each.name not in skip and (each.kind != "asked" or each.name in also)
    )


@dataclass(frozen=True)
class Judgement:
    """What the filters say of each row.

    Attributes:
        used: The filters that were asked.
        absent: Filters whose flag this run does not have.
        hits: By filter, the rows it leaves out, shape (rows,).
        overruled: By filter, the rows it would have left out, had nobody said otherwise.
    """

    used: tuple[Filter, ...]
    absent: tuple[Filter, ...]
    hits: Mapping[str, Bools]
    overruled: Mapping[str, Bools]

    @property
    def passed(self) -> Bools:
        """Rows that no filter leaves out, shape (rows,)."""
        return np.asarray(~np.any(list(self.hits.values()), axis=0))

    def reasons(self, row: int) -> list[str]:
        """The filters that leave a row out."""
        return [name for name, hits in self.hits.items() if hits[row]]

    def waived(self, row: int) -> list[str]:
        """The filters that a person's word overruled for a row."""
        return [name for name, freed in self.overruled.items() if freed[row]]


def judge(
    flags: Mapping[str, Bools],
    clusters: npt.NDArray[np.int64],
    leaks: Bools,
    filters: Sequence[Filter],
    *,
    choices: Mapping[int, Answer] | None = None,
    labels: Mapping[int, bool] | None = None,
) -> Judgement:
    """Ask every filter about every row.

    Of rows that repeat each other one stays: the first that no other filter leaves out, whichever of them the audit
    met first.

    Args:
        flags: By name, shape (rows,) each.
        clusters: Rows of one number nearly repeat each other, shape (rows,).
        leaks: Rows that copy a test row, shape (rows,).
        choices: Row -> keep or drop.
        labels: Row -> whether it is wrong.
    """
    rows = len(leaks)
    said = {word: _at(rows, choices or {}, word) for word in ("keep", "drop")}
    called = {wrong: _at(rows, labels or {}, wrong) for wrong in (True, False)}
    carried = dict(flags) | {LEAK: leaks, DROPPED: said["drop"], WRONG: called[True] & ~said["keep"]}
    used = tuple(each for each in filters if each.name in carried)
    nobody = np.zeros(rows, bool)
    hits: dict[str, Bools] = {}
    overruled: dict[str, Bools] = {}
    for each in used:
        free = nobody if each.kind in _FIXED else said["keep"]
        free = free | called[False] if each.kind == "wrong" else free
        hits[each.name] = carried[each.name] & ~free
        overruled[each.name] = carried[each.name] & free
    others = [hits[each.name] for each in used if each.kind != "repeated"]
    stands_for = _first_of_each(clusters, ~np.any([nobody, *others], axis=0))
    for each in used:
        if each.kind == "repeated":
            hits[each.name] &= ~stands_for
    return Judgement(used, tuple(each for each in filters if each.name not in carried), hits, overruled)


def _at(rows: int, given: Mapping[int, object], wanted: object) -> Bools:
    found = np.zeros(rows, bool)
    found[[row for row, said in given.items() if said == wanted]] = True
    return found


def _first_of_each(clusters: npt.NDArray[np.int64], able: Bools) -> Bools:
    """The first able row of each cluster, shape (rows,)."""
    first = np.zeros(len(able), bool)
    places = np.flatnonzero(able)
    first[places[np.unique(clusters[places], return_index=True)[1]]] = True
    return first
