"""Which groups of people does the data show less, or more, than real data does?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.groups import Mentioned, mentioned
from assay.audit.probe import HALVINGS, Floats, Probe, Reader, SampleProbe
from assay.audit.probes.bias_groups import LEAST_ROWS, Part, Search, both, listed, named_parts, together
from assay.audit.rows import Bools, Rows
from assay.core.errors import InputError
from assay.engine.groups.lists import Lists

NAME, SHIFT = "bias.group_share_ratio", "bias.group_shift"
MOST_PAIRS = 30
# Occupations are what groups are shown with, see `bias_association`; varieties of English are no people.
SKIPPED = ("occupation",)
NOT_CROSSED = ("occupation", "dialect", "politics", "first name")
_NONE = f"no group of people is mentioned by {LEAST_ROWS} real rows"


def share_probes(lists: Lists, ours: Columns, theirs: Columns) -> tuple[Probe, ...]:
    """One probe for each theme, each group and each pair of groups that enough real rows mention.

    Values of the user's columns are groups in the pairs; their own shares are `coverage.slice_ratio`.
    """
    every = [listed(lists, number) for number, group in enumerate(lists.groups) if group.theme not in SKIPPED]
    every = [part for part in every if _rows(part.mentions, theirs) >= LEAST_ROWS]
    if not every:
        return (Probe(NAME, lambda columns: np.zeros((len(columns), 2)), _NONE, alone=True, needs=_NONE),)
    themes = {part.theme: part for part in every}
    return (
        *(_probe(f"{name}: any", part.mention_any, _all, "of all rows") for name, part in themes.items()),
        *(
            _probe(part.label, part.mentions, part.mention_any, f"of the rows that have a {part.theme}")
            for part in every
        ),
        *(
            _probe(
                f"{one.label} & {other.label}",
                both(one.mentions, other.mentions),
                both(one.mention_any, other.mention_any),
                f"of the rows that have a {one.theme} and a {other.theme}",
            )
            for one, other in _pairs(lists, ours, theirs)
        ),
    )


def _pairs(lists: Lists, ours: Columns, theirs: Columns) -> list[tuple[Part, Part]]:
    """The groups of different themes or columns that most real rows mention together."""
    values = named_parts(ours, theirs)
    every = (*(listed(lists, number) for number in range(len(lists.groups))), *values)
    rows = [part.mentions(theirs) for part in values]
    counts = np.triu(together(theirs.mentioned.mentions, len(lists.groups), rows), 1)
    themes = np.array([part.theme for part in every])
    crossed = ~np.isin(themes, NOT_CROSSED)
    counts[~(crossed[:, None] & crossed) | (themes[:, None] == themes)] = 0
    order = np.argsort(-counts, axis=None, kind="stable")[:MOST_PAIRS]
    found = [
        np.unravel_index(int(place), counts.shape) for place in order if counts.flat[place] >= LEAST_ROWS
    ]
    return [(every[one], every[other]) for one, other in found]


def _all(columns: Columns) -> Bools:
    return np.ones(len(columns), bool)


def _rows(mask: Callable[[Columns], Bools], columns: Columns) -> int:
    return int(mask(columns).sum())


def _probe(
    label: str, mentions: Callable[[Columns], Bools], among: Callable[[Columns], Bools], said: str
) -> Probe:
    def tally(columns: Columns) -> Floats:
        return np.column_stack([mentions(columns), among(columns)]).astype(float)

    return Probe(
        NAME,
        tally,
        f"share of synthetic rows that mention the group / the same share of real rows, {said}; found by word lists "
        f"or a column of yours; the reference is the mean over {HALVINGS} halvings of the real rows by root",
        ratio=True,
        slice={"group": label},
    )


def shift_probe(lists: Lists, search: Search = mentioned) -> SampleProbe:
    """The question how many mentions would have to be of another group."""
    themes = np.array(lists.theme_of, np.int64)
    kept_themes = [n for n, theme in enumerate(lists.themes) if theme.name not in (*SKIPPED, "dialect")]

    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        ours, theirs = (_counts(search(side, lists), lists) for side in (rows, real))
        spoken = [
            theme
            for theme in kept_themes
            if min(side[:, themes == theme].any(axis=1).sum() for side in (ours, theirs)) >= LEAST_ROWS
        ]
        if not spoken:
            raise InputError(f"no theme is spoken of by {LEAST_ROWS} rows of either sample")

        def shift(kept: Bools, kept_real: Bools) -> float:
            mine, yours = ours[kept].sum(axis=0), theirs[kept_real].sum(axis=0)
            weights, gaps = [], []
            for theme in spoken:
                a, b = mine[themes == theme], yours[themes == theme]
                if not (a.sum() and b.sum()):
                    return float("nan")
                gaps.append(np.abs(a / a.sum() - b / b.sum()).sum() / 2)
                weights.append(1 / (1 / a.sum() + 1 / b.sum()))
            return float(np.average(gaps, weights=weights))

        return shift

    return SampleProbe(
        SHIFT,
        prepare,
        "half the sum of the absolute differences between the groups' shares of the mentions of their theme, mean over "
        "themes by the mentions that both samples hold; equally many rows a side",
        equal="rows",
        against_real=True,
        most=50_000,
        least=50,
    )


def _counts(found: Mentioned, lists: Lists) -> Floats:
    """1 where a row mentions a group, shape (rows, groups)."""
    return np.unpackbits(found.mentions, axis=1, count=len(lists.groups), bitorder="little").astype(
        np.float64
    )
