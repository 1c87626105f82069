"""In the company that words keep, do some groups stand nearer to some attributes than in real data?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.probe import Floats, Reader, SampleProbe
from assay.audit.rows import GROUPS, Bools, Rows, groups
from assay.core.errors import InputError
from assay.engine.groups.lists import Lists
from assay.kernels.neighbours import neighbours
from assay.kernels.text import tokens
from assay.stats.association import Weat, associations, effect_size, ppmi, weat

NAME = "bias.weat"
MOST_CONTEXTS = 2_000
FEWEST_TIMES = 10
# Fewest words of each of the four sets that the text must hold often enough to have a vector.
FEWEST_WORDS = 4


@dataclass(frozen=True)
class Company:
    """What stands near the words of a contrast.

    Attributes:
        counts: Times each word stands near each context word, by kin; shape (kin, words, contexts).
        context: Times each context word stands anywhere, by kin; shape (kin, contexts).
        sets: Places of the words of the two groups and of the two sets of attributes.
    """

    counts: Floats
    context: Floats
    sets: tuple[npt.NDArray[np.int64], ...]

    def vectors(self, kept: Bools) -> list[Floats]:
        """Vectors of the words of each set, from the kin that are kept."""
        found = ppmi(self.counts[kept].sum(axis=0), self.context[kept].sum(axis=0))
        return [found[places] for places in self.sets]

    def effect(self, kept: Bools) -> float:
        """Effect size from the kin that are kept."""
        one, other, first, second = self.vectors(kept)
        return effect_size(associations(one, first, second), associations(other, first, second))


def company(rows: Rows, lists: Lists, contrast: tuple[str, ...]) -> Company:
    """Count the company of a contrast's words in a sample.

    Words that stand in both of two sets, that are phrases, or that the sample holds less than ten times, have none.

    Raises: InputError: a set has too few words left.
    """
    sets = [_ids(lists.words(label)) for label in contrast]
    sets = [np.setdiff1d(each, np.concatenate(sets[:at] + sets[at + 1 :])) for at, each in enumerate(sets)]
    known, times = np.unique(rows.tokens.ids, return_counts=True)
    frequent = known[times >= FEWEST_TIMES]
    sets = [np.intersect1d(each, frequent) for each in sets]
    for label, each in zip(contrast, sets, strict=True):
        if len(each) < FEWEST_WORDS:
            raise InputError(
                f"needs {FEWEST_WORDS} words for {label!r} that the rows hold {FEWEST_TIMES} times; there are {len(each)}"
            )
    wanted = np.unique(np.concatenate(sets))
    contexts = np.sort(known[np.argsort(-times, kind="stable")[:MOST_CONTEXTS]])
    kin = groups(rows)
    near = neighbours(rows.tokens, wanted, contexts, kin, GROUPS)
    place = np.minimum(np.searchsorted(contexts, rows.tokens.ids), len(contexts) - 1)
    held = contexts[place] == rows.tokens.ids
    by = np.repeat(kin, np.diff(rows.tokens.offsets)) * len(contexts) + place
    context = (
        np.bincount(by[held], minlength=GROUPS * len(contexts)).reshape(GROUPS, len(contexts)).astype(float)
    )
    return Company(near, context, tuple(np.searchsorted(wanted, each) for each in sets))


def permuted(rows: Rows, lists: Lists, contrast: tuple[str, ...], seed: int = 0) -> Weat:
    """The whole test in a sample, with its permutation p-value. Raises: InputError: as `company` does."""
    return weat(*company(rows, lists, contrast).vectors(np.ones(GROUPS, bool)), seed=seed)


def weat_probes(lists: Lists, rows: Rows) -> tuple[SampleProbe, ...]:
    """One probe for each contrast whose groups are listed, its method naming the p-value in `rows`, a sample."""
    contrasts = lists.attributes.contrasts if lists.attributes else ()
    return tuple(_probe(lists, contrast, rows) for contrast in contrasts if all(map(lists.words, contrast)))


def _probe(lists: Lists, contrast: tuple[str, ...], rows: Rows) -> SampleProbe:
    def prepare(sample: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        found, kin = company(sample, lists, contrast), groups(sample)

        def effect(kept: Bools, _: Bools) -> float:
            present = np.zeros(GROUPS, bool)
            present[kin[kept]] = True
            value = found.effect(present)
            return 0.0 if math.isnan(value) else value

        return effect

    try:
        found = permuted(rows, lists, contrast)
        said = f"; permutation p {found.p:.2g} over {found.splits:,} splits"
    except InputError:
        said = ""
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
    )


def _ids(phrases: tuple[str, ...]) -> npt.NDArray[np.uint64]:
    """Ids of the phrases of one word."""
    words = tokens(pa.array(sorted(phrases), pa.large_string()))
    return np.unique(words.ids[words.offsets[:-1][np.diff(words.offsets) == 1]])
