"""In the company that words keep, do some groups stand nearer to some attributes than in real data?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.probe import Floats, Reader, SampleProbe
from assay.audit.rows import GROUPS, Bools, Rows, groups
from assay.core.errors import InputError
from assay.core.lazy import lazy
from assay.engine.groups.lists import Lists
from assay.kernels.neighbours import neighbours
from assay.kernels.numbering import kinds
from assay.kernels.text import tokens
from assay.stats.association import Weat, associations, effect_size, ppmi, weat

NAME = "bias.weat"
MOST_CONTEXTS = 2_000
FEWEST_TIMES = 10
# Fewest words of each of the four sets that the text must hold often enough to have a vector.
FEWEST_WORDS = 4

Contrast = tuple[str, ...]
Ids = npt.NDArray[np.uint64]
Prepare = Callable[[Rows, Rows, np.random.Generator], Reader]


@dataclass(frozen=True)
class Company:
    """What stands near the words of the contrasts.

    Attributes:
        counts: Times each word stands near each context word, by kin; shape (kin, words, contexts).
        context: Times each context word stands anywhere, by kin; shape (kin, contexts).
        sets: Of each contrast, the places of the words of its two groups and of its two sets of attributes; or why
            it cannot be judged.
    """

    counts: npt.NDArray[np.float32]
    context: Floats
    sets: tuple[tuple[npt.NDArray[np.int64], ...] | str, ...]

    @lazy
    def total(self) -> Floats:
        """Times each word stands near each context word, shape (words, contexts)."""
        return np.asarray(self.counts.sum(axis=0, dtype=np.float64))

    def vectors(self, kept: Bools) -> Floats:
        """Vectors of all words from the kin that are kept, shape (words, contexts)."""
        # Most kin are kept, and whole numbers are taken off without error.
        return ppmi(self.total - self.counts[~kept].sum(axis=0, dtype=np.float64), kept @ self.context)

    def effect(self, contrast: int, vectors: Floats) -> float:
        """Effect size of a contrast, 0 where its words do not differ. Raises: InputError: it cannot be judged."""
        one, other, first, second = self._of(contrast, vectors)
        value = effect_size(associations(one, first, second), associations(other, first, second))
        return 0.0 if math.isnan(value) else value

    def permuted(self, contrast: int, vectors: Floats, seed: int = 0) -> Weat:
        """The whole test with its permutation p-value. Raises: InputError: it cannot be judged."""
        return weat(*self._of(contrast, vectors), seed=seed)

    def _of(self, contrast: int, vectors: Floats) -> list[Floats]:
        places = self.sets[contrast]
        if isinstance(places, str):
            raise InputError(places)
        return [vectors[each] for each in places]


def company(rows: Rows, lists: Lists, contrasts: tuple[Contrast, ...]) -> Company:
    """Count the company of the contrasts' words in a sample.

    Words that stand in both of two sets of a contrast, that are phrases, or that the sample holds less than ten times,
    have none.
    """
    known, times, kind = kinds(rows.tokens.ids)
    frequent = known[times >= FEWEST_TIMES]
    chosen = [_sets(lists, contrast, frequent) for contrast in contrasts]
    wanted = np.unique(np.concatenate([np.zeros(0, np.uint64), *(ids for sets in chosen for ids in sets)]))
    common = np.lexsort((known, -times))[:MOST_CONTEXTS]
    kin = groups(rows)
    counts = neighbours(rows.tokens, wanted, known[common], kin, GROUPS)
    by = np.repeat(kin, np.diff(rows.tokens.offsets)) * len(known) + kind
    every = np.bincount(by, minlength=GROUPS * len(known)).reshape(GROUPS, len(known))
    return Company(
        counts,
        every[:, common].astype(float),
        tuple(
            _short_of(contrast, sets) or tuple(np.searchsorted(wanted, ids) for ids in sets)
            for contrast, sets in zip(contrasts, chosen, strict=True)
        ),
    )


def weat_probes(lists: Lists, rows: Rows) -> tuple[SampleProbe, ...]:
    """One probe for each contrast whose groups are listed, its method naming the p-value in `rows`, a sample.

    All of them are answered by one reading of one sample.
    """
    listed = lists.attributes.contrasts if lists.attributes else ()
    contrasts = tuple(contrast for contrast in listed if all(map(lists.words, contrast)))

    def prepare(sample: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        # A sample of all rows is not counted again.
        found = of_all if sample is rows else company(sample, lists, contrasts)
        kin = groups(sample)

        def read(kept: Bools, _: Bools) -> tuple[Company, Floats]:
            present = np.zeros(GROUPS, bool)
            present[kin[kept]] = True
            return found, found.vectors(present)

        return read

    if not contrasts:
        return ()
    of_all = company(rows, lists, contrasts)
    vectors = of_all.vectors(np.ones(GROUPS, bool))
    return tuple(
        _probe(number, contrast, prepare, _chance(of_all, number, vectors))
        for number, contrast in enumerate(contrasts)
    )


def _chance(found: Company, contrast: int, vectors: Floats) -> str:
    try:
        test = found.permuted(contrast, vectors)
    except InputError:
        return ""
    return f"; permutation p {test.p:.2g} over {test.splits:,} splits"


def _probe(number: int, contrast: Contrast, prepare: Prepare, said: str) -> SampleProbe:
    def effect(reading: tuple[Company, Floats]) -> float:
        found, vectors = reading
        return found.effect(number, vectors)

    one, other, first, second = contrast
    return SampleProbe(
        NAME,
        prepare,
        f"effect size d of a word-embedding association test: how much nearer {one} stand to {first} than to {second}, "
        f"less the same for {other}; word vectors are the positive pointwise mutual information of these rows' own words "
        f"within five words{said}",
        equal="rows",
        against_real=False,
        most=20_000,
        least=100,
        bounds=(-2.0, 2.0),
        slice={"group": f"{one}, {other}", "attribute": f"{first}, {second}"},
        number=effect,
    )


def _sets(lists: Lists, contrast: Contrast, frequent: Ids) -> list[Ids]:
    """The words of each set that no other set of the contrast has and that are frequent."""
    sets = [_ids(lists.words(label)) for label in contrast]
    sets = [np.setdiff1d(each, np.concatenate(sets[:at] + sets[at + 1 :])) for at, each in enumerate(sets)]
    return [np.intersect1d(each, frequent) for each in sets]


def _short_of(contrast: Contrast, sets: list[Ids]) -> str:
    for label, each in zip(contrast, sets, strict=True):
        if len(each) < FEWEST_WORDS:
            return f"needs {FEWEST_WORDS} words for {label!r} that the rows hold {FEWEST_TIMES} times; there are {len(each)}"
    return ""


def _ids(phrases: tuple[str, ...]) -> Ids:
    """Ids of the phrases of one word."""
    words = tokens(pa.array(sorted(phrases), pa.large_string()))
    return np.unique(words.ids[words.offsets[:-1][np.diff(words.offsets) == 1]])
