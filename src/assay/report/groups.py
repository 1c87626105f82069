"""The bias section as plain data: how groups are shown, the words that mark them, gaps between them."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.evidence import Evidence
from assay.core.measure import Measure
from assay.report import safe
from assay.report.figures import Figure, Rows, Table, clear_first, distance, figures, part, table

_RATIOS = 18  # groups on the plot
_GAPS = 16  # gaps on the plot
_OTHERS = 12  # slices of one further measure
_RATIO, _GAP, _WORDS = "bias.group_share_ratio", "bias.gap", "bias.marked_words"
_DOSE = "synthetic_share"
# The gist of the last part of docs/bias.md, told wherever a number about groups stands.
BLIND = (
    "A word list sees words. A group spoken of in other words, or one that no list names, is not there; nor is one "
    "that both sides leave out.",
    "The pronouns of a cat are a woman's or a man's; “they” is nobody's. In a row with several people, whom it is "
    "about is a guess.",
    "A stereotype told without the listed words is not seen, nor one that the real rows tell as strongly. Irony, and "
    "praise that demeans, pass for praise.",
    "The lists are English first, and official shares are those of one country and year.",
    "The numbers say what differs, by how much and how surely. Whom it harms, and what ought to be the case, they "
    "cannot say; ask those it is about. No number here licenses the word “fair”.",
)


@dataclass(frozen=True)
class Bias:
    """What the run says about groups.

    Attributes:
        plotted: Ratios on the forest plot: themes and groups, the surest differences first; pairs of groups only
            where they differ for sure.
        shares: All ratios, as figures.
        words: Each group with the words that mark it, as figures with rows in which they stand.
        plotted_gaps, gaps: Gaps between a group and the others, on the plot and as figures.
        level: Gaps that are 0 on both sides and not shown.
        others: All further measures of bias.
    """

    plotted: tuple[Measure, ...]
    shares: Table
    words: tuple[tuple[str, tuple[Figure, ...]], ...]
    plotted_gaps: tuple[Measure, ...]
    gaps: Table
    level: int
    others: tuple[Figure, ...]

    @property
    def anything(self) -> bool:
        """Whether there is a number to show."""
        return bool(self.shares.figures or self.words or self.gaps.figures or self.others)


def bias(evidence: Evidence, rows: Rows) -> Bias:
    """All that the run measured about groups."""
    shares = sorted(_valued(evidence, _RATIO), key=clear_first)
    gaps = sorted(_valued(evidence, _GAP), key=lambda each: (-distance(each), -abs(each.value or 0.0)))
    uneven = [each for each in gaps if each.value]
    plotted = [each for each in shares if " & " not in part(each) or distance(each) > 0][:_RATIOS]
    return Bias(
        plotted=tuple(plotted),
        shares=table(shares, rows, also=(0.0, 2.0), most=80),
        words=_marked(evidence, rows),
        plotted_gaps=tuple(uneven[:_GAPS]),
        gaps=table(uneven, rows, also=(0.0,), most=60),
        level=len(gaps) - len(uneven),
        others=_others(evidence, rows),
    )


def _valued(evidence: Evidence, name: str) -> list[Measure]:
    return [each for each in evidence.sliced(name) if each.value is not None]


def _marked(evidence: Evidence, rows: Rows) -> tuple[tuple[str, tuple[Figure, ...]], ...]:
    """Words by the group they mark."""
    by_group: dict[str, list[Measure]] = {}
    for measure in _valued(evidence, _WORDS):
        if "word" in (measure.slice or {}):
            by_group.setdefault((measure.slice or {}).get("group", ""), []).append(measure)
    return tuple((safe.visible(group), figures(found, rows)) for group, found in by_group.items())


def _others(evidence: Evidence, rows: Rows) -> tuple[Figure, ...]:
    """Whole measures first, then the slices of each that differ most surely; of doses the highest."""
    names = dict.fromkeys(each.name for each in evidence.measures if each.name.startswith("bias."))
    found: list[Figure] = []
    for name in names:
        if name in (_RATIO, _GAP):
            continue
        found += figures(
            [each for each in evidence.measures if each.name == name and each.slice is None], rows
        )
        if name != _WORDS:
            # Of the dose alone a whole measure speaks already, being that of the highest.
            parts = [each for each in _valued(evidence, name) if set(each.slice or {}) != {_DOSE}]
            slices = sorted(_highest_dose(parts), key=clear_first)
            found += figures(slices[:_OTHERS], rows)
    return tuple(found)


def _highest_dose(measures: list[Measure]) -> list[Measure]:
    """Of slices that differ in their share of synthetic rows alone, the one with most of them."""
    most: dict[tuple[tuple[str, str], ...], Measure] = {}
    for each in measures:
        rest = tuple((key, value) for key, value in (each.slice or {}).items() if key != _DOSE)
        if rest not in most or _dose(each) > _dose(most[rest]):
            most[rest] = each
    return list(most.values())


def _dose(measure: Measure) -> float:
    return float((measure.slice or {}).get(_DOSE, "0"))
