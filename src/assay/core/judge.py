"""Judging: rules decided on evidence, on intervals and never on bare numbers.

    broken      the interval lies wholly past the limit
    pass        the interval lies wholly within it
    undecided   the interval straddles the limit, or what the rule speaks of was not measured
    skipped     it was not measured, and the rule says that this is no matter

A rule on many slices is broken only if one of them lies past the limit with an interval that holds for all of
them at once (Bonferroni); it passes only if every one lies within.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from assay.core import words
from assay.core.catalogue import CATALOGUE
from assay.core.change import bounds, same_amount, worsening
from assay.core.claim import CLAIMS
from assay.core.errors import InputError
from assay.core.evidence import ClaimResult, Evidence, VerdictWord
from assay.core.measure import Measure
from assay.core.rules import Rule, Rules, known, where_of

Word = Literal["pass", "broken", "undecided", "skipped"]
_GRAVEST: tuple[Word, ...] = ("broken", "undecided", "pass", "skipped")
_TITLES = {each.name: each.title for each in CATALOGUE} | {each.id: each.title for each in CLAIMS}


@dataclass(frozen=True)
class Check:
    """One demand on one measure or claim.

    Attributes:
        of: The measure or claim.
        where: The slice in words; empty for all of the data.
        says: One sentence with number, interval and limit.
    """

    of: str
    where: str
    word: Word
    says: str


@dataclass(frozen=True)
class Outcome:
    """A rule decided: the gravest of its checks, and all of them, gravest first."""

    rule: Rule
    word: Word
    checks: tuple[Check, ...]

    @property
    def fails(self) -> bool:
        """Whether the run may not go on because of this rule."""
        return self.rule.level == "error" and self.word in ("broken", "undecided")


def judge(rules: Rules, evidence: Evidence, earlier: Evidence | None = None) -> tuple[Outcome, ...]:
    """Every rule decided on the evidence, in the file's order.

    Args:
        earlier: The evidence that `no-worse-by` looks back to.

    Raises: InputError: a rule names a measure or claim that does not exist.
    """
    where = str(rules.path) if rules.path is not None else "rules"
    measures = {each.name for each in CATALOGUE} | {each.name for each in evidence.measures}
    claims = {each.id for each in CLAIMS} | {each.id for each in evidence.claims}
    outcomes = []
    for rule in rules.rules:
        known([rule.subject], measures if rule.measure else claims, rule.kind, f"{where}:{rule.line}")
        checks = _of_measure(rule, evidence, earlier, where) if rule.measure else _of_claim(rule, evidence)
        checks.sort(key=lambda check: _GRAVEST.index(check.word))
        outcomes.append(Outcome(rule, checks[0].word, tuple(checks)))
    return tuple(outcomes)


def _of_claim(rule: Rule, evidence: Evidence) -> list[Check]:
    result = next((each for each in evidence.claims if each.id == rule.claim), None)
    if result is None:
        return [_missing(rule, rule.subject, "", "this run did not decide it", strict=rule.must_be_decided)]
    return [_claim_check(rule, key, result) for key in rule.asks]


def _claim_check(rule: Rule, key: str, result: ClaimResult) -> Check:
    if result.verdict == "not measured":
        return _missing(rule, result.id, "", result.statement, strict=key == "must-be-decided")
    word = _claim_word(key, result.verdict)
    return Check(result.id, "", word, f"{_title(result.id)}, {result.verdict}: {result.statement}")


def _claim_word(key: str, verdict: VerdictWord) -> Word:
    if key == "must-be-decided":
        return "broken" if verdict == "undecided" else "pass"
    if verdict == "undecided":
        return "undecided"
    wanted = verdict == "helps" if key == "must-help" else verdict != "harm"
    return "pass" if wanted else "broken"


def _of_measure(rule: Rule, evidence: Evidence, earlier: Evidence | None, where: str) -> list[Check]:
    named = [
        each for each in evidence.measures if each.name == rule.measure and rule.corpus in (None, each.corpus)
    ]
    meant = [each for each in named if _meant(rule.slice, each.slice)]
    if not meant:
        by_slice = sorted({where_of(each.slice) for each in named if each.slice})
        if by_slice and rule.slice is None:
            raise InputError(
                f"{rule.measure} is measured by slice only",
                where=f"{where}:{rule.line}",
                fix=f'Add slice = "each", or one slice such as {by_slice[0]}.',
            )
        wanted = "" if rule.slice in (None, "each") else where_of(rule.slice)  # type: ignore[arg-type]
        near = difflib.get_close_matches(wanted, by_slice, n=1)
        why = f"no such slice{f'; there is {near[0]}' if near else ''}" if wanted else "not part of this run"
        return [_missing(rule, rule.subject, wanted, why)]
    comparisons = max(1, sum(each.value is not None for each in meant))
    return [
        _measure_check(rule, key, each, earlier, comparisons, where) for each in meant for key in rule.asks
    ]


def _meant(wanted: dict[str, str] | Literal["each"] | None, slice: Mapping[str, str] | None) -> bool:
    if wanted is None or slice is None:
        return wanted is None and slice is None
    return wanted == "each" or all(
        key in slice and value in ("*", slice[key]) for key, value in wanted.items()
    )


def _measure_check(
    rule: Rule, key: str, measure: Measure, earlier: Evidence | None, comparisons: int, file: str
) -> Check:
    where = where_of(measure.slice, measure.corpus)
    if measure.value is None:
        return _missing(rule, measure.name, where, measure.missing or "")
    if key == "no-worse-by":
        return _ratchet(rule, measure, earlier, comparisons, file)
    limit = rule.max if key == "max" else rule.min
    assert limit is not None
    sign = 1.0 if key == "max" else -1.0
    word = _word(sign, bounds(measure), bounds(measure, comparisons=comparisons), limit)
    allowed = words.number(limit, abs(limit), measure.unit)
    says = (
        f"{_title(measure.name)}{f' ({where})' if where else ''}: {words.with_interval(measure)}; "
        f"{'may be at most' if key == 'max' else 'must be at least'} {allowed}"
    )
    return Check(measure.name, where, word, says)


def _word(
    sign: float, single: tuple[float, float, float], joint: tuple[float, float, float], limit: float
) -> Word:
    """Past the limit with the joint interval: broken. Within it with the single one: pass."""
    near, far = (joint[1], single[2]) if sign > 0 else (joint[2], single[1])
    if sign * near > sign * limit:
        return "broken"
    return "pass" if sign * far <= sign * limit else "undecided"


def _ratchet(rule: Rule, measure: Measure, earlier: Evidence | None, comparisons: int, file: str) -> Check:
    where = where_of(measure.slice, measure.corpus)
    if measure.worse == "none":
        raise InputError(
            f"{measure.name} has no worse direction, so no-worse-by says nothing of it",
            where=f"{file}:{rule.line}",
            fix="Give max or min.",
        )
    if earlier is None:
        return _missing(rule, measure.name, where, "there is no earlier run; give --against RUN")
    before = earlier.find(measure.name, measure.corpus, measure.slice)
    if before is None or before.value is None:
        return _missing(rule, measure.name, where, "the earlier run did not measure it")
    if before.unit != measure.unit:
        return _missing(rule, measure.name, where, f"the earlier run measured it in {before.unit}")
    if not same_amount(before, measure):
        why = f"it moves with the amount of data, {before.n:,} before and {measure.n:,} now"
        return _missing(rule, measure.name, where, why)
    assert rule.no_worse_by is not None
    wide = measure.model_copy(update=_widened(measure, comparisons))
    wide_before = before.model_copy(update=_widened(before, comparisons))
    word = _word(1.0, worsening(before, measure), worsening(wide_before, wide), rule.no_worse_by)
    allowed = f"{100 * rule.no_worse_by:.3g} %" if measure.worse == "either" else _distance(rule, measure)
    says = (
        f"{_title(measure.name)}{f' ({where})' if where else ''}: {words.with_interval(measure)}, before "
        f"{words.with_interval(before)}; may be worse by at most {allowed}"
    )
    return Check(measure.name, where, word, says)


def _distance(rule: Rule, measure: Measure) -> str:
    assert rule.no_worse_by is not None
    unit = f"{measure.unit} difference" if words.in_percent(measure.unit) else measure.unit
    return words.number(rule.no_worse_by, rule.no_worse_by, unit).removeprefix("+")


def _widened(measure: Measure, comparisons: int) -> dict[str, float]:
    _, low, high = bounds(measure, comparisons=comparisons)
    return {"low": low, "high": high, "level": 0.95}


def _missing(rule: Rule, of: str, where: str, why: str, *, strict: bool = False) -> Check:
    wanted = rule.if_missing or ("broken" if strict else "undecided")
    word: Word = "skipped" if wanted == "skip" else wanted
    place = f" ({where})" if where else ""
    return Check(of, where, word, f"{_title(of)}{place} cannot be judged: {why}")


def _title(name: str) -> str:
    return _TITLES.get(name, name)
