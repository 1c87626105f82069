"""Are groups shown with other attributes than in real data: women with other occupations, say?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.groups import mentioned
from assay.audit.probe import Floats, Probe, Reader, SampleProbe
from assay.audit.probes.bias_groups import LEAST_ROWS, Search, any_of, mask
from assay.audit.rows import Bools, Index, Rows
from assay.core.errors import InputError
from assay.engine.groups.lists import Lists, Theme

NAME, OFFICIAL = "bias.association", "bias.official_gap"
# Fewest rows with an attribute, and fewest such attributes, that say anything of all of them.
LEAST, FEWEST = 10, 3
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Shown:
    """Attributes in rows that are about the group in question or another of its theme.

    Attributes:
        row, attribute: A row that mentions the attribute, shape (mentions,).
        hit: Whether it is about the group.
        one, other: Rows about the group, and about the others, shape (rows,).
    """

    row: Index
    attribute: Index
    hit: Bools
    one: Bools
    other: Bools

    def counts(self, kept: Bools, attributes: int) -> Floats:
        """Rows about the group, and rows in all, by attribute; shape (2, attributes)."""
        here = kept[self.row]
        return np.stack(
            [
                np.bincount(self.attribute[here & self.hit], minlength=attributes),
                np.bincount(self.attribute[here], minlength=attributes),
            ]
        ).astype(float)

    def share(self, kept: Bools) -> float:
        """Share of the group among rows about any of its theme."""
        one, other = int((self.one & kept).sum()), int((self.other & kept).sum())
        return one / (one + other) if one + other else float("nan")


def attributed(lists: Lists) -> tuple[Theme, ...]:
    """The themes whose groups carry official shares of another theme's group: occupations, as packaged."""
    return tuple(theme for theme in lists.themes if lists.holds(theme.official_of))


def association_probes(lists: Lists, ours: Columns, theirs: Columns) -> tuple[Probe, ...]:
    """One probe for each attribute that enough rows of a side show beside the group in question or its others."""
    return tuple(probe for theme in attributed(lists) for probe in _each(lists, theme, ours, theirs))


def _each(lists: Lists, theme: Theme, ours: Columns, theirs: Columns) -> list[Probe]:
    target = lists.number(theme.official_of)
    members = mask(lists, lists.members(lists.groups[target].theme))
    found = []
    for number in lists.members(theme.name):
        group = lists.groups[number]

        def tally(columns: Columns, number: int = number) -> Floats:
            rows = columns.mentioned.mention(number) & any_of(columns.mentioned.about, members)
            return np.column_stack([rows & columns.mentioned.are_about(target), rows]).astype(float)

        if max(tally(side)[:, 1].sum() for side in (ours, theirs)) < LEAST_ROWS:
            continue
        said = (
            ""
            if group.official is None
            else f"; official share {group.official:.0%} ({theme.official_source})"
        )
        found.append(
            Probe(
                NAME,
                tally,
                f"rows that mention the attribute and are about the group / rows that mention it and are about any "
                f"group of the same theme{said}",
                slice={"group": theme.official_of, "attribute": group.label},
                unit="share of rows",
                least=LEAST,
            )
        )
    return found


def shown(rows: Rows, lists: Lists, theme: Theme, search: Search = mentioned) -> Shown:
    """What a sample shows of a theme's attributes."""
    found = search(rows, lists)
    target = lists.number(theme.official_of)
    one = found.are_about(target)
    other = any_of(found.about, mask(lists, lists.members(lists.groups[target].theme))) & ~one
    pairs = [
        (np.flatnonzero(found.mention(number) & (one | other)), place)
        for place, number in enumerate(lists.members(theme.name))
    ]
    row = np.concatenate([np.zeros(0, np.int64), *(rows for rows, _ in pairs)])
    attribute = np.concatenate([np.zeros(0, np.int64), *(np.full(len(rows), place) for rows, place in pairs)])
    return Shown(row, attribute, one[row], one, other)


def amplification(ours: Floats, theirs: Floats, share_real: float) -> float:
    """How much further than in real rows the attributes lean the way they lean there; in shares of rows.

    Args:
        ours, theirs: Rows about the group, and all rows, by attribute; shape (2, attributes).
        share_real: The group's share of the real rows whatever the attribute.
    Source: Wang & Russakovsky 2021, Directional Bias Amplification, arXiv:2102.12594, from attribute to group, with
        attributes weighted by the rows that both sides have.
    """
    seen = (ours[1] > 0) & (theirs[1] > 0)
    if not seen.any():
        return float("nan")
    share, real = (side[0, seen] / side[1, seen] for side in (ours, theirs))
    weight = 1 / (1 / ours[1, seen] + 1 / theirs[1, seen])
    return float(np.average(np.sign(real - share_real) * (share - real), weights=weight))


def distance(counts: Floats, official: Floats) -> float:
    """Root mean square distance of the group's share by attribute from its official share, less sampling noise."""
    hits, rows = counts[:, counts[1] > 1]
    known = official[counts[1] > 1]
    share = hits / rows
    noise = share * (1 - share) / (rows - 1)
    return float(np.sqrt(max(np.average((share - known) ** 2 - noise, weights=rows), 0.0)))


def amplification_probe(lists: Lists, theme: Theme, search: Search = mentioned) -> SampleProbe:
    """The question whether the data says more strongly what the real data says of who does what."""
    number = len(lists.members(theme.name))

    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        ours, theirs = (shown(side, lists, theme, search) for side in (rows, real))
        counts = [side.counts(np.ones(len(side.one), bool), number)[1] for side in (ours, theirs)]
        judged = np.minimum(*counts) >= LEAST
        _need(judged, theme)

        def lean(kept: Bools, kept_real: Bools) -> float:
            return amplification(
                ours.counts(kept, number)[:, judged],
                theirs.counts(kept_real, number)[:, judged],
                theirs.share(kept_real),
            )

        return lean

    return SampleProbe(
        NAME,
        prepare,
        f"mean over {theme.name}s of how much further the share of rows about {theme.official_of} leans the way it leans "
        f"in real rows, weighted by the rows both samples have; of those with {LEAST} such rows on either side; equally "
        "many rows a side",
        equal="rows",
        against_real=True,
        most=MOST_ROWS,
        least=2 * LEAST,
        bounds=(-1.0, 1.0),
    )


def official_probe(lists: Lists, theme: Theme, search: Search = mentioned) -> SampleProbe:
    """The question how far the data is from official statistics."""
    members = lists.members(theme.name)
    known = np.array(
        [np.nan if lists.groups[n].official is None else lists.groups[n].official for n in members]
    )

    def prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
        found = shown(rows, lists, theme, search)
        judged = (found.counts(np.ones(len(rows), bool), len(members))[1] >= LEAST) & np.isfinite(known)
        _need(judged, theme)

        def apart(kept: Bools, _: Bools) -> float:
            return distance(found.counts(kept, len(members))[:, judged], known[judged])

        return apart

    return SampleProbe(
        OFFICIAL,
        prepare,
        f"root mean square over {theme.name}s, weighted by rows, of the share of rows about {theme.official_of} less the "
        f"official share, sampling noise taken off; of those with {LEAST} such rows; {theme.official_source}",
        equal="rows",
        against_real=False,
        most=MOST_ROWS,
        least=2 * LEAST,
    )


def _need(judged: Bools, theme: Theme) -> None:
    if judged.sum() < FEWEST:
        raise InputError(
            f"needs {FEWEST} groups of the list {theme.name} that {LEAST} rows a side show beside one of those that "
            f"{theme.official_of} is held against; there are {int(judged.sum())}"
        )
