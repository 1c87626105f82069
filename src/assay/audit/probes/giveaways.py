"""Which phrases does the text over-use?"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.phrases import Phrase, find
from assay.audit.probe import Floats, Probe, Reader, SampleProbe
from assay.audit.rows import GROUPS, Bools, Index, Rows, groups
from assay.kernels.ngrams import ngram_ids
from assay.kernels.numbering import Numbered, numbered
from assay.stats import quantiles

ORDERS = (1, 2, 3)
FEWEST_ROWS = 10
MOST_PHRASES = 20
_LEVEL = 0.05
# The prior weighs this share of the data, at the rates of both sides together: it draws the odds together.
_PRIOR_WEIGHT = 0.5
_LEAST = 1e-9


@dataclass(frozen=True)
class Counted:
    """Phrases that at least ten of the questioned rows hold.

    Attributes:
        ids: Id of each phrase, shape (phrases,).
        counts, counts_real: Rows that hold it, by group of kin, shape (groups, phrases).
        total, total_real: Sum of such counts over all phrases, rare ones too, by group, shape (groups,).
        rows, rows_real: Rows by group, shape (groups,).
    """

    ids: npt.NDArray[np.uint64]
    counts: Floats
    counts_real: Floats
    total: Floats
    total_real: Floats
    rows: Floats
    rows_real: Floats

    def log_odds(self, kept: Bools) -> Floats:
        """Log-odds of each phrase, ours minus theirs, from the groups `kept`, shape (phrases,).

        Source: Monroe, Colaresi & Quinn 2008, Political Analysis 16, 372-403, with an informative Dirichlet
            prior. A phrase counts once a row, so that one row cannot make a giveaway.
        """
        ours, theirs, total, total_real = self._with_prior(kept)
        return np.asarray(_log_odds(ours, total) - _log_odds(theirs, total_real))

    @functools.cached_property
    def error(self) -> Floats:
        """Standard error of the log-odds, shape (phrases,): theirs, or the jackknife's over kin if larger."""
        everything = np.ones(GROUPS, bool)
        without = np.stack(
            [self.log_odds(everything ^ (np.arange(GROUPS) == group)) for group in range(GROUPS)]
        )
        scatter = (GROUPS - 1) / GROUPS * ((without - without.mean(axis=0)) ** 2).sum(axis=0)
        ours, theirs, _, _ = self._with_prior(everything)
        return np.asarray(
            np.sqrt(np.maximum(1 / np.maximum(ours, _LEAST) + 1 / np.maximum(theirs, _LEAST), scatter))
        )

    def overused(self, kept: Bools) -> Bools:
        """Phrases that pass the cut, judged from the groups `kept` by the errors of all, shape (phrases,).

        They must also stand in a larger share of rows: among the few words of a short row "the" takes more of
        the room, yet a reader meets it in fewer rows.
        """
        share = self.counts[kept].sum(axis=0) / max(self.rows[kept].sum(), 1)
        share_real = self.counts_real[kept].sum(axis=0) / max(self.rows_real[kept].sum(), 1)
        return np.asarray((self.log_odds(kept) > self.cut * self.error) & (share > share_real))

    def _with_prior(self, kept: Bools) -> tuple[Floats, Floats, float, float]:
        ours, theirs = self.counts[kept].sum(axis=0), self.counts_real[kept].sum(axis=0)
        total, total_real = float(self.total[kept].sum()), float(self.total_real[kept].sum())
        rate = (ours + theirs) / max(total + total_real, 1.0)
        weight = 1 + _PRIOR_WEIGHT
        return (
            ours + _PRIOR_WEIGHT * total * rate,
            theirs + _PRIOR_WEIGHT * total_real * rate,
            total * weight,
            total_real * weight,
        )

    @property
    def cut(self) -> float:
        """The z that one phrase in any of 20 samples would pass by chance (Bonferroni)."""
        return -quantiles.normal(_LEVEL / max(len(self.ids), 1))


def counted(rows: Rows, real: Rows) -> Counted:
    """The phrases of one to three words that `rows` holds often enough to be judged."""
    held, held_real = _held(rows), _held(real)
    frequent = np.flatnonzero(np.bincount(held.number, minlength=len(held.items)) >= FEWEST_ROWS)
    frequent = frequent[np.argsort(held.items[frequent])]
    ids = held.items[frequent]
    counts = _by_group(_places(ids, held), groups(rows)[held.row], len(ids))
    counts_real = _by_group(_places(ids, held_real), groups(real)[held_real.row], len(ids))
    return Counted(
        ids,
        counts,
        counts_real,
        np.bincount(groups(rows)[held.row], minlength=GROUPS).astype(float),
        np.bincount(groups(real)[held_real.row], minlength=GROUPS).astype(float),
        np.bincount(groups(rows), minlength=GROUPS).astype(float),
        np.bincount(groups(real), minlength=GROUPS).astype(float),
    )


def _log_odds(part: Floats, whole: float) -> Floats:
    # Where one phrase is all there is, or a side has none, odds have no number; a bound keeps them comparable.
    return np.asarray(np.log(np.maximum(part, _LEAST)) - np.log(np.maximum(whole - part, _LEAST)))


def _held(rows: Rows) -> Numbered:
    """The different phrases, and each phrase of each row once."""
    found = [numbered(*ngram_ids(rows.tokens, n)) for n in ORDERS]
    shifts = np.cumsum([0, *(len(each.items) for each in found)])
    return Numbered(
        np.concatenate([each.items for each in found]),
        np.concatenate([each.first for each in found]),
        np.concatenate([each.number + shift for each, shift in zip(found, shifts, strict=False)]),
        np.concatenate([each.row for each in found]),
    )


def _places(ids: npt.NDArray[np.uint64], held: Numbered) -> Index:
    """Where among `ids`, which ascend, each phrase held stands, shape (phrases held,); -1 for others."""
    at = np.minimum(np.searchsorted(ids, held.items), max(len(ids) - 1, 0))
    known = ids[at] == held.items if len(ids) else np.zeros(len(at), bool)
    return np.asarray(np.where(known, at, -1)[held.number], dtype=np.int64)


def _by_group(phrase: Index, group: Index, number: int) -> Floats:
    """How many rows of each group hold each of `number` phrases, shape (groups, number); -1 counts nowhere."""
    known = phrase >= 0
    flat = np.bincount(group[known] * number + phrase[known], minlength=GROUPS * number)
    return flat.reshape(GROUPS, number).astype(float)


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    found = counted(rows, real)
    group, group_real = groups(rows), groups(real)

    def overused(kept: Bools, kept_real: Bools) -> float:
        present = np.zeros(GROUPS, bool)
        present[group[kept]] = True
        present[group_real[kept_real]] = True
        return float(found.overused(present).sum())

    return overused


PROBE = SampleProbe(
    "fidelity.giveaways",
    _prepare,
    f"phrases of one to three words, in at least {FEWEST_ROWS} rows, whose log-odds of being in a row, with an "
    f"informative Dirichlet prior, exceed those in real rows at the {_LEVEL:.0%} level over all phrases "
    "(Bonferroni), and that stand in a larger share of rows; equally many tokens a side",
    equal="tokens",
    against_real=True,
    most=150_000,
    least=50,
    counts=True,
)


def overused(rows: Rows, real: Rows) -> tuple[Phrase, ...]:
    """The phrases over-used most, none of them part of another."""
    found = counted(rows, real)
    everything = np.ones(GROUPS, bool)
    # By the odds that are certain, not by z: else "the" and "a" would stand before every telling phrase.
    surely = np.where(found.overused(everything), found.log_odds(everything) - 2 * found.error, -np.inf)
    listed: list[Phrase] = []
    for place in np.argsort(-surely, kind="stable"):
        if surely[place] == -np.inf or len(listed) == MOST_PHRASES:
            break
        phrase = find(rows, int(found.ids[place]), ORDERS)
        if not any(_within(phrase.text, other.text) for other in listed):
            listed.append(phrase)
    return tuple(listed)


def _within(one: str, other: str) -> bool:
    return f" {one} " in f" {other} " or f" {other} " in f" {one} "


def phrase_probes(phrases: tuple[Phrase, ...]) -> tuple[Probe, ...]:
    """One probe for each phrase: the share of rows that hold it."""
    return tuple(_probe(phrase) for phrase in phrases)


def _probe(phrase: Phrase) -> Probe:
    def tally(columns: Columns) -> Floats:
        return np.column_stack([columns.phrases[phrase.text], np.ones(len(columns))]).astype(float)

    return Probe(
        "fidelity.giveaways",
        tally,
        "rows that hold the phrase / rows",
        slice={"phrase": phrase.text},
        unit="share of rows",
    )
