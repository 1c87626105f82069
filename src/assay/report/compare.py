"""Two runs compared: what moved beyond noise, which way, which verdicts changed, and what went in.

Measures are compared as independent (`core.change`), so rows that both runs share make the comparison careful,
never bold. Arms of the trial are paired by seed where that can be done (`report.paired`). The false discovery
rate is held at 5 % over all comparisons.

Source: Benjamini & Hochberg 1995.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from assay.core import words
from assay.core.catalogue import CATALOGUE
from assay.core.change import Change, Direction, change, same_amount, same_reference
from assay.core.claim import CLAIMS
from assay.core.discoveries import adjusted
from assay.core.evidence import Evidence, Run, VerdictWord
from assay.core.measure import Measure
from assay.core.rules import where_of
from assay.report.paired import ArmChange, arms

FALSE_DISCOVERY_RATE = 0.05
_TITLES = {each.name: each.title for each in CATALOGUE}
_CLAIMS = {each.id: each.title for each in CLAIMS}
How = Literal["independent", "against references", "other amounts", "paired by seed"]


@dataclass(frozen=True)
class Moved:
    """One number in both runs.

    Attributes:
        name: The measure; for an arm of the trial, learner and score.
        where: The slice or arm in words; empty for all of the data.
        before, after: The two values in words, with their intervals where they have one.
        difference: Later minus earlier in words, with its 95 % interval.
        change: The same as numbers, in the measure's unit, and which way it is.
        q: Adjusted p-value over all comparisons.
        how: Joined as independent; likewise, but each against its own reference; likewise, but resting on other
            amounts of data, so that no way is better; or seed by seed.
    """

    name: str
    title: str
    where: str
    before: str
    after: str
    difference: str
    change: Change
    q: float
    how: How

    @property
    def beyond_noise(self) -> bool:
        """Whether the two values differ by more than noise explains."""
        return self.q <= FALSE_DISCOVERY_RATE and self.change.value != 0


@dataclass(frozen=True)
class Turned:
    """A claim whose verdict is another one."""

    id: str
    title: str
    before: VerdictWord
    after: VerdictWord
    statement: str


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side.

    Attributes:
        moved: Every number that both runs have, surest first.
        turned: Claims with another verdict.
        inputs: What went in differently, in sentences.
        apart: What could not be compared, and why.
    """

    before: str
    after: str
    moved: tuple[Moved, ...]
    turned: tuple[Turned, ...]
    inputs: tuple[str, ...]
    apart: tuple[tuple[str, str], ...]

    def beyond_noise(self, direction: Direction | None = None) -> tuple[Moved, ...]:
        """What moved, surest first; with `direction`, only that way."""
        return tuple(
            each for each in self.moved if each.beyond_noise and direction in (None, each.change.direction)
        )


def compare(before: Run, after: Run) -> Comparison:
    """What changed from one run to another."""
    old, new = before.evidence, after.evidence
    known = {_key(measure): measure for measure in old.measures}
    moved: list[tuple[Moved, float]] = []
    apart: list[tuple[str, str]] = []
    seen = set()
    for measure in new.measures:
        earlier = known.get(_key(measure))
        seen.add(_key(measure))
        why = _incomparable(earlier, measure)
        if earlier is not None and why is None:
            moved.append(_moved(earlier, measure))
        elif why:
            apart.append((_full_title(measure), why))
    apart += [
        (_full_title(measure), f"only in {before.folder.name}")
        for key, measure in known.items()
        if key not in seen and measure.value is not None
    ]
    moved += [_arm(each) for each in arms(old, new)]
    corrected = adjusted([p for _, p in moved])
    ranked = [replace(each, q=q) for (each, _), q in zip(moved, corrected, strict=True)]
    ranked.sort(key=lambda each: (each.q, each.where != "", each.name))
    return Comparison(
        before=before.folder.name or str(before.folder),
        after=after.folder.name or str(after.folder),
        moved=tuple(ranked),
        turned=_turned(old, new),
        inputs=tuple(_inputs(old, new)),
        apart=tuple(apart),
    )


def record(found: Comparison) -> dict[str, Any]:
    """The comparison as plain data for JSON."""
    return {
        "schema": "assay.comparison/1",
        "before": found.before,
        "after": found.after,
        "inputs": list(found.inputs),
        "claims": [vars(each) for each in found.turned],
        "moved": [
            vars(each) | {"change": vars(each.change), "beyond_noise": each.beyond_noise}
            for each in found.moved
        ],
        "apart": [{"what": what, "why": why} for what, why in found.apart],
    }


def headline(found: Comparison) -> str:
    """One sentence: how much moved, and which way."""
    better, worse = len(found.beyond_noise("better")), len(found.beyond_noise("worse"))
    total, other = len(found.moved), len(found.beyond_noise("neither"))
    if not (better or worse or other):
        return f"Nothing moved beyond noise, of {words.count(total, 'number')} that both runs have."
    parts = [f"{better:,} got better", f"{worse:,} got worse"]
    if other:
        parts.append(f"{other:,} moved, but neither way can be called better")
    return f"Of {words.count(total, 'number')} that both runs have, {', '.join(parts)}; the rest is within noise."


Key = tuple[str, str | None, frozenset[tuple[str, str]]]


def _key(measure: Measure) -> Key:
    return (measure.name, measure.corpus, frozenset((measure.slice or {}).items()))


def _incomparable(before: Measure | None, after: Measure) -> str | None:
    """Why there is nothing to compare; empty where neither run has a value, None where there is."""
    if after.value is None:
        return "" if before is None or before.value is None else f"no longer measured: {after.missing}"
    if before is None or before.value is None:
        return "not measured before"
    if before.unit != after.unit or before.worse != after.worse:
        return f"measured in {before.unit} before, in {after.unit} now"
    return None


def _moved(before: Measure, after: Measure) -> tuple[Moved, float]:
    found = change(before, after)
    moved = Moved(
        name=after.name,
        title=_TITLES.get(after.name, after.name),
        where=where_of(after.slice, after.corpus),
        before=words.with_interval(before),
        after=words.with_interval(after),
        difference=_difference(found, after.unit),
        change=found,
        q=1.0,
        how=_how(before, after),
    )
    return moved, found.p


def _how(before: Measure, after: Measure) -> How:
    if not same_amount(before, after):
        return "other amounts"
    return "independent" if same_reference(before, after) else "against references"


def _difference(found: Change, unit: str) -> str:
    """A difference in words, with signs; that of two shares is in points."""
    read = f"{unit} difference" if words.in_percent(unit) else unit
    signed = []
    for each in (found.value, found.low, found.high):
        text = words.number(each, found.high - found.low, read)
        signed.append(f"+{text}" if each > 0 and text[0] not in "+-" else text)
    low, high = (text.removesuffix(" points") for text in signed[1:])
    return f"{signed[0]} ({low} to {high})"


def _full_title(measure: Measure) -> str:
    place = where_of(measure.slice, measure.corpus)
    return _TITLES.get(measure.name, measure.name) + (f" ({place})" if place else "")


def _arm(found: ArmChange) -> tuple[Moved, float]:
    arm, between = found.arm, found.change
    spread = max(between.high - between.low, 1e-3)
    moved = Moved(
        name=f"trial.{arm.score}",
        title=f"{arm.score.capitalize()} of the {arm.learner} learner on these test rows",
        where=f"real rows × {arm.real:.3g}, synthetic rows × {arm.synthetic:.3g}, {found.seeds} seeds",
        before=words.number(found.before, spread, arm.score),
        after=words.number(found.after, spread, arm.score),
        difference=_difference(between, arm.score),
        change=between,
        q=1.0,
        how="paired by seed",
    )
    return moved, between.p


def _turned(before: Evidence, after: Evidence) -> tuple[Turned, ...]:
    old = {each.id: each.verdict for each in before.claims}
    return tuple(
        Turned(each.id, _CLAIMS.get(each.id, each.id), old[each.id], each.verdict, each.statement)
        for each in after.claims
        if each.id in old and old[each.id] != each.verdict
    )


def _inputs(before: Evidence, after: Evidence) -> Iterable[str]:
    """What went in differently."""
    for role in dict.fromkeys(each.role for each in (*before.inputs, *after.inputs)):
        old = [each for each in before.inputs if each.role == role]
        new = [each for each in after.inputs if each.role == role]
        if [each.sha256 for each in old] != [each.sha256 for each in new]:
            sides = [
                ", ".join(f"{each.name} ({words.count(each.rows, 'row')})" for each in side) or "nothing"
                for side in (old, new)
            ]
            yield f"{role}: {sides[0]} before, {sides[1]} now" + (
                " of other content" if sides[0] == sides[1] else ""
            )
    if before.seed != after.seed:
        yield f"seed: {before.seed} before, {after.seed} now"
    versions = [f"{each.tool.version} ({(each.tool.commit or 'no commit')[:10]})" for each in (before, after)]
    if versions[0] != versions[1]:
        yield f"Assay: {versions[0]} before, {versions[1]} now"
