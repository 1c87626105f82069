"""Are rows about one group worse than rows about the others of its theme, in any way the audit counts?

Bias is any measure split by any group: nothing here knows what a probe counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.groups import Mentioned, mentioned
from assay.audit.probe import Floats, Found, Kinship, Probe, Reader, SampleProbe, counted, difference, measure
from assay.audit.probes.bias_groups import Part, Search, any_of, mask, parts
from assay.audit.rows import Bools, Index, Rows
from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.engine.groups.lists import NOT_ASKED, Lists
from assay.engine.groups.mentions import Bits
from assay.engine.local import map_each

GAP, SENTIMENT = "bias.gap", "bias.sentiment_gap"
# Fewest rows about a group, and about the others of its theme, on each side.
LEAST = 50

Chosen = tuple[Index, Kinship]


def _blamed(columns: Columns) -> Floats:
    found = columns.mentioned
    return np.column_stack([found.polar - found.positive, found.polar]).astype(float)


BLAME = Probe(
    SENTIMENT,
    _blamed,
    "words of blame / words of praise or blame in rows about the group, less the same share in rows about the other "
    "groups of its theme; by the sentiment list, a negator within three words before turns a word round",
    unit="difference of shares",
)


def _short(real: Columns) -> Probe:
    """How many rows are shorter than three of four real rows."""
    filled = real.tokens[real.tokens > 0]
    below = float(np.quantile(filled, 0.25)) if len(filled) else 0.0
    return Probe(
        GAP,
        lambda columns: np.column_stack([columns.tokens < below, np.ones(len(columns))]).astype(float),
        f"rows of fewer than {below:.0f} words, as a quarter of the real rows has / rows",
    )


@dataclass(frozen=True)
class Gap:
    """What one question says of one group.

    Attributes:
        probe: The question, its slice naming the group.
        found, reference: Share in rows about the group less the share in rows about the others, in synthetic and in
            real rows.
        own, own_reference: The shares in rows about the group alone.
    """

    probe: Probe
    found: Found
    reference: Found
    own: Found
    own_reference: Found


def plain(probes: Sequence[Probe | SampleProbe]) -> tuple[Probe, ...]:
    """The probes that count a share of rows or words by itself, so that a part of the rows has one too."""
    return tuple(
        probe
        for probe in probes
        if isinstance(probe, Probe)
        and not (
            probe.ratio
            or probe.alone
            or probe.excess
            or probe.by_chance
            or probe.needs_holdout
            or probe.slice
        )
    )


def gaps(
    probes: Sequence[Probe], lists: Lists, ours: Columns, theirs: Columns, level: float, seed: int = 0
) -> list[Gap]:
    """Every question of every group that enough rows of both sides are about.

    Args:
        probes: Questions as `plain` chooses them.
    """
    asked = (BLAME, _short(theirs), *probes)
    sides = (ours, theirs)
    # More rows hold more repeats: what counts them is asked of equally many.
    rng, fewest = np.random.default_rng([seed, 2]), min(len(ours), len(theirs))
    equal = [
        side if len(side) == fewest else side.alone(np.sort(rng.permutation(len(side))[:fewest]))
        for side in sides
    ]

    # What a row contributes does not depend on the rows beside it, so every group is a part of one tally.
    tallies = [[probe.tally(side) for side in (equal if probe.equal_rows else sides)] for probe in asked]

    kinships = [[Kinship(side.root) for side in pair] for pair in (sides, equal)]

    def ask(part: Part) -> list[Gap]:
        plainly, equally = (
            [_split(side, kin, part) for side, kin in zip(pair, kinship, strict=True)]
            for pair, kinship in zip((sides, equal), kinships, strict=True)
        )
        return [
            _gap(probe, part, tally, equally if probe.equal_rows else plainly, level)
            for probe, tally in zip(asked, tallies, strict=True)
        ]

    chosen = [
        part
        for part in parts(lists, ours, theirs, skip=NOT_ASKED)
        if all(rows.sum() >= LEAST for side in sides for rows in (part.about(side), part.others(side)))
    ]
    found = map_each(ask, chosen, stage="audit: measuring groups", units="groups")
    return [gap for each in found for gap in each]


def _split(columns: Columns, kinship: Kinship, part: Part) -> tuple[Chosen, Chosen]:
    """Rows about the group, and about the others of its theme, with who of them is kin."""
    about, rest = np.flatnonzero(part.about(columns)), np.flatnonzero(part.others(columns))
    return (about, kinship.take(about)), (rest, kinship.take(rest))


def _gap(
    probe: Probe, part: Part, tallies: Sequence[Floats], sides: Sequence[tuple[Chosen, Chosen]], level: float
) -> Gap:
    sliced = part.slice if probe.name == SENTIMENT else part.slice | {"measure": _named(probe)}
    asked = replace(probe, slice=sliced, least=max(probe.least, LEAST), needs=None)
    (own, rest), (own_real, rest_real) = (
        [counted(asked, tally[rows], kinship, level) for rows, kinship in pair]
        for tally, pair in zip(tallies, sides, strict=True)
    )
    return Gap(asked, difference(own, rest), difference(own_real, rest_real), own, own_real)


def _named(probe: Probe) -> str:
    return "short rows" if probe.name == GAP else probe.name


def gap_measures(found: Sequence[Gap], level: float) -> list[Measure]:
    """`bias.gap` and `bias.sentiment_gap` by group, and every question's own measure with the group as its slice.

    A gap that could not be taken, for want of rows with what the question asks for, is left out; the same question
    says so of all rows.
    """
    measures = []
    for gap in found:
        if gap.found.value is None:
            continue
        if gap.probe.name == SENTIMENT:
            measures.append(measure(gap.probe, gap.found, gap.reference, level))
            continue
        said = f"share in rows about the group less that in rows about the others of its theme: {gap.probe.method}"
        measures.append(
            measure(replace(gap.probe, name=GAP, method=said, unit=None), gap.found, gap.reference, level)
        )
        if gap.probe.name != GAP:
            own = replace(gap.probe, slice={"group": (gap.probe.slice or {})["group"]})
            measures.append(measure(own, gap.own, gap.own_reference, level))
    return measures


def sentiment_probe(lists: Lists, search: Search = mentioned) -> SampleProbe:
    """The question how far, over all groups, blame is spread otherwise than in real rows."""
    asked = [
        (group, mask(lists, lists.members(lists.groups[group].theme)))
        for group in range(len(lists.groups))
        if lists.groups[group].theme not in NOT_ASKED
    ]

    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        sides = [search(side, lists) for side in (rows, real)]
        pairs = [[_parted(side, group, members) for side in sides] for group, members in asked]
        pairs = [pair for pair in pairs if min(part.sum() for both in pair for part in both) >= LEAST]
        if not pairs:
            raise InputError(
                f"no group and the others of its theme have {LEAST} rows about them on both sides"
            )

        def spread(kept: Bools, kept_real: Bools) -> float:
            apart, weights = [], []
            for pair in pairs:
                cut = [
                    (keep & about, keep & rest)
                    for keep, (about, rest) in zip((kept, kept_real), pair, strict=True)
                ]
                ours, theirs = (
                    _blame(side, one) - _blame(side, two) for side, (one, two) in zip(sides, cut, strict=True)
                )
                apart.append(abs(ours - theirs))
                weights.append(1 / sum(1 / max(int(part.sum()), 1) for both in cut for part in both))
            return float(np.average(apart, weights=weights))

        return spread

    return SampleProbe(
        SENTIMENT,
        prepare,
        "mean over groups, by the rows about each, of how far the group's gap in blame differs from its gap in real rows; "
        "equally many rows a side",
        equal="rows",
        against_real=True,
        most=50_000,
        least=2 * LEAST,
    )


def _parted(side: Mentioned, group: int, members: Bits) -> tuple[Bools, Bools]:
    """Rows about the group, and about the others of its theme."""
    about = side.are_about(group)
    return about, any_of(side.about, members) & ~about


def _blame(side: Mentioned, kept: Bools) -> float:
    polar = int(side.polar[kept].sum())
    return 1 - int(side.positive[kept].sum()) / polar if polar else float("nan")
