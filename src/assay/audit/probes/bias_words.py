"""Which words mark the rows about a group, more than they do in real data?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.groups import mentioned
from assay.audit.annotate.phrases import Phrase, find
from assay.audit.probe import Floats, Probe, Reader, SampleProbe
from assay.audit.probes.bias_groups import Search, any_of, listed, mask
from assay.audit.rows import GROUPS, Bools, Rows, groups
from assay.core.errors import InputError
from assay.engine.groups.lists import Lists
from assay.kernels.holding import held_by_part
from assay.kernels.numbering import Numbered, index, numbered, places
from assay.stats import quantiles
from assay.stats.association import log_odds

Ids = npt.NDArray[np.uint64]

NAME = "bias.marked_words"
LEAST = 50
FEWEST_ROWS = 10
MOST_WORDS = 10
SKIPPED = ("occupation", "dialect", "first name")
_LEVEL = 0.05
# Pseudo-rows, spread over the words as all four texts together use them.
_PRIOR_ROWS = 20.0


@dataclass(frozen=True)
class Marked:
    """Words of rows about one group, and about the others of its theme, on both sides.

    Attributes:
        group: Number of the group.
        ids: Id of each word that is judged, shape (words,).
        counts: Rows that hold it, by kin: about the group and about the others, synthetic, then real; shape
            (4, kin, words).
        rows: Rows by kin, in the same order, shape (4, kin).
    """

    group: int
    ids: Ids
    counts: Floats
    rows: Floats

    def lead(self, kept: Bools) -> Floats:
        """Log-odds of each word in rows about the group against the others, synthetic minus real; shape (words,)."""
        return _compared(self.counts[:, kept].sum(axis=1), self.rows[:, kept].sum(axis=1))[0]

    def found(self, kept: Bools, errors: Floats) -> Bools:
        """Words past the cut that also stand in a larger share of the group's rows than in real ones."""
        held, rows = self.counts[:, kept].sum(axis=1), self.rows[:, kept].sum(axis=1)
        more = held[0] / max(rows[0], 1) > held[2] / max(rows[2], 1)
        return np.asarray((_compared(held, rows)[0] > self.cut * errors) & more)

    def errors(self) -> Floats:
        """Standard error of each lead: that of the counts, or the jackknife's over kin if larger."""
        held, rows = self.counts.sum(axis=1, keepdims=True), self.rows.sum(axis=1, keepdims=True)
        without = _compared(held - self.counts, rows - self.rows)[0]
        scatter = (GROUPS - 1) / GROUPS * ((without - without.mean(axis=0)) ** 2).sum(axis=0)
        return np.asarray(np.sqrt(np.maximum(_compared(held[:, 0], rows[:, 0])[1], scatter)))

    @property
    def cut(self) -> float:
        """The z that one word in any of 20 samples would pass by chance (Bonferroni)."""
        return -quantiles.normal(_LEVEL / max(len(self.ids), 1))


def _compared(held: Floats, rows: Floats) -> tuple[Floats, Floats]:
    """The lead of each word and its variance, shape (..., words), of counts and rows as in `Marked` without their kin."""
    rate = held.sum(axis=0) + 0.5
    all_held, all_rows = held.sum(axis=(0, -1)), rows.sum(axis=0)
    weight = _PRIOR_ROWS * all_held / np.maximum(all_rows, 1)
    prior = rate * (weight / rate.sum(axis=-1))[..., None]
    made, real = (log_odds(held[side], held[side + 1], prior) for side in (0, 2))
    return made.value - real.value, made.variance + real.variance


def marked(rows: Rows, real: Rows, lists: Lists, search: Search = mentioned) -> list[Marked]:
    """The words of every group that enough rows on both sides are about; none of the words that name the theme."""
    sides = [(side, search(side, lists)) for side in (rows, real)]
    chosen = []
    for number, group in enumerate(lists.groups):
        members = mask(lists, lists.members(group.theme))
        masks = []
        for _, found in sides:
            about = found.are_about(number)
            masks += [about, any_of(found.about, members) & ~about]
        if group.theme not in SKIPPED and min(each.sum() for each in masks) >= LEAST:
            chosen.append((number, masks))
    if not chosen:
        return []
    vocabulary, (held, held_real) = _held(rows, real)
    kin, kin_real = groups(rows), groups(real)
    result = []
    for number, masks in chosen:
        parts = [(masks[0], kin, held), (masks[1], kin, held)]
        parts += [(masks[2], kin_real, held_real), (masks[3], kin_real, held_real)]
        counts = np.stack([words.by_kin(mask, which, len(vocabulary)) for mask, which, words in parts])
        sizes = np.stack([np.bincount(which[mask], minlength=GROUPS) for mask, which, _ in parts]).astype(
            float
        )
        names = _names_of(lists, lists.theme_of[number])
        judged = (counts[0].sum(axis=0) >= FEWEST_ROWS) & ~np.isin(vocabulary, names)
        result.append(Marked(number, vocabulary[judged], counts[:, :, judged], sizes))
    return result


@dataclass(frozen=True)
class _Held:
    """The words of a vocabulary that each row holds: row i those at ``words[offsets[i]:offsets[i + 1]]``."""

    words: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]

    def by_kin(self, chosen: Bools, kin: npt.NDArray[np.int64], words: int) -> Floats:
        """Chosen rows that hold each word, by kin, shape (kin, words)."""
        return held_by_part(self.words, self.offsets, chosen, kin, GROUPS, words)


def _held(rows: Rows, real: Rows) -> tuple[Ids, tuple[_Held, _Held]]:
    """The words that enough rows hold, and which rows hold them."""
    held, held_real = (numbered(side.tokens.ids, side.tokens.offsets) for side in (rows, real))
    frequent = np.bincount(held.number, minlength=len(held.items)) >= FEWEST_ROWS
    vocabulary = np.sort(held.items[frequent])
    return vocabulary, (_of(held, vocabulary, len(rows)), _of(held_real, vocabulary, len(real)))


def _of(held: Numbered, vocabulary: Ids, rows: int) -> _Held:
    word = places(index(vocabulary), vocabulary, held.items)[held.number]
    known = word >= 0
    ends = np.cumsum(np.bincount(held.row[known], minlength=rows))
    return _Held(word[known], np.concatenate([np.zeros(1, np.int64), ends]))


def _names_of(lists: Lists, theme: int) -> Ids:
    """Ids of all phrases of a theme."""
    book = lists.book
    owner = np.repeat(np.arange(len(book.ids)), np.diff(book.bounds))
    return np.asarray(book.ids[np.unique(owner[book.owners[:, 0] == theme])])


def words_probe(lists: Lists, search: Search = mentioned) -> SampleProbe:
    """The question how many words mark a group more than in real rows."""

    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        found = marked(rows, real, lists, search)
        if not found:
            raise InputError(
                f"no group and the others of its theme have {LEAST} rows about them on both sides"
            )
        errors = [each.errors() for each in found]
        kin, kin_real = groups(rows), groups(real)

        def number(kept: Bools, kept_real: Bools) -> float:
            present = np.zeros(GROUPS, bool)
            present[kin[kept]] = True
            present[kin_real[kept_real]] = True
            return float(
                sum(each.found(present, error).sum() for each, error in zip(found, errors, strict=True))
            )

        return number

    return SampleProbe(
        NAME,
        prepare,
        f"words in at least {FEWEST_ROWS} rows about a group whose log-odds against rows about the other groups of its "
        f"theme, with an informative Dirichlet prior, exceed the same log-odds of real rows at the {_LEVEL:.0%} level over "
        "all words (Bonferroni); summed over groups, words that name a group left out; equally many rows a side",
        equal="rows",
        against_real=True,
        most=20_000,
        least=2 * LEAST,
        counts=True,
    )


def marking(rows: Rows, real: Rows, lists: Lists) -> tuple[tuple[int, Phrase], ...]:
    """The words that mark each group most, with the number of the group; `rows` and `real` are samples."""
    everything = np.ones(GROUPS, bool)
    listed_words: list[tuple[int, Phrase]] = []
    for each in marked(rows, real, lists):
        errors = each.errors()
        surely = np.where(each.found(everything, errors), each.lead(everything) - 2 * errors, -np.inf)
        first = np.argsort(-surely, kind="stable")[:MOST_WORDS]
        chosen = each.ids[first[surely[first] > -np.inf]]
        listed_words += [(each.group, find(rows, int(word), (1,))) for word in chosen]
    return tuple(listed_words)


def word_probes(lists: Lists, found: tuple[tuple[int, Phrase], ...]) -> tuple[Probe, ...]:
    """One probe for each marked word: the share of rows about the group that hold it. Columns must know the phrases."""
    return tuple(_probe(lists, group, phrase) for group, phrase in found)


def _probe(lists: Lists, group: int, phrase: Phrase) -> Probe:
    part = listed(lists, group)

    def tally(columns: Columns) -> Floats:
        about = part.about(columns)
        return np.column_stack([about & columns.phrases[phrase.text], about]).astype(float)

    return Probe(
        NAME,
        tally,
        "rows about the group that hold the word / rows about the group",
        slice=part.slice | {"word": phrase.text},
        unit="share of rows",
    )


def contexts(
    lists: Lists, columns: Columns, found: tuple[tuple[int, Phrase], ...], each: int = 2
) -> Iterator[tuple[dict[str, str], int, Phrase]]:
    """Rows to look at: the slice of a marked word, the place of a row about the group that holds it, the word."""
    for group, phrase in found:
        part = listed(lists, group)
        for row in np.flatnonzero(part.about(columns) & columns.phrases[phrase.text])[:each]:
            yield part.slice | {"word": phrase.text}, int(row), phrase
