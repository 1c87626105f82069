"""Rules: what a user demands of a run, and whether its evidence meets it.

A rule speaks of a measure or of a claim. It is decided on intervals, never on bare numbers:

    broken      the interval lies wholly past the limit
    pass        the interval lies wholly within it
    undecided   the interval straddles the limit, or what the rule speaks of was not measured
    skipped     it was not measured, and the rule says that this is no matter

A rule on many slices is broken only if one of them lies past the limit with an interval that holds for all of
them at once (Bonferroni); it passes only if every one lies within.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.core import words
from assay.core.catalogue import CATALOGUE
from assay.core.change import bounds, worsening
from assay.core.claim import CLAIMS
from assay.core.errors import InputError
from assay.core.evidence import ClaimResult, Evidence, VerdictWord
from assay.core.measure import Measure

Word = Literal["pass", "broken", "undecided", "skipped"]
_GRAVEST: tuple[Word, ...] = ("broken", "undecided", "pass", "skipped")
_OF_MEASURES = ("max", "min", "no-worse-by")
_OF_CLAIMS = ("no-harm", "must-help", "must-be-decided")
_TITLES = {each.name: each.title for each in CATALOGUE} | {each.id: each.title for each in CLAIMS}
_OPENS_RULE = re.compile(r"^\s*\[\[\s*rule\s*\]\]", re.MULTILINE)


class Rule(BaseModel):
    """One demand, as it stands in a rules file; a dash in a key there is an underscore here.

    Attributes:
        name: What the rule is called in every output; by default made of what it says.
        measure, claim: What it speaks of: one of the two.
        corpus: Only that corpus's measure; default: every one of the name.
        slice: Only the slices that have these values, ``"*"`` standing for any; ``"each"`` for every slice.
        max, min: Limits of a measure, in its unit; shares are fractions of 1.
        no_worse_by: How much worse than in an earlier run a measure may be, in its unit.
        no_harm: The claim must not be harm.
        must_help: The claim must be helps.
        must_be_decided: The claim must be neither undecided nor not measured.
        level: A broken rule of level `warning` is told and fails nothing.
        if_missing: What the rule is where nothing was measured.
        why: The reason for the rule, in the user's words.
        line: Where it begins in its file, counted from 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(default="", max_length=200)
    measure: str | None = None
    claim: str | None = None
    corpus: str | None = None
    slice: dict[str, str] | Literal["each"] | None = None
    max: float | None = None
    min: float | None = None
    no_worse_by: float | None = Field(default=None, ge=0)
    no_harm: bool = False
    must_help: bool = False
    must_be_decided: bool = False
    level: Literal["error", "warning"] = "error"
    if_missing: Literal["undecided", "skip", "broken"] = "undecided"
    why: str = ""
    line: int = 1

    @property
    def subject(self) -> str:
        """The name of the measure or claim."""
        return self.measure or self.claim or ""

    @property
    def asks(self) -> tuple[str, ...]:
        """The demands it makes, by their keys."""
        return tuple(key for key in (*_OF_MEASURES, *_OF_CLAIMS) if self._value(key) not in (None, False))

    def _value(self, key: str) -> object:
        return getattr(self, key.replace("-", "_"))


@dataclass(frozen=True)
class Rules:
    """The rules of one file.

    Attributes:
        against: The run that `no-worse-by` looks back to, as the file gives it.
        path: The file; None for the rules that come with the package.
    """

    rules: tuple[Rule, ...]
    against: str | None
    path: Path | None


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


def load(path: Path) -> Rules:
    """The rules in a file. Raises: InputError: it is missing, no TOML, or a rule says what no rule can say."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("no such file", where=str(path)) from None
    except (UnicodeDecodeError, OSError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path)) from error
    return parse(text, path)


def parse(text: str, path: Path | None = None) -> Rules:
    """The rules in the text of a file. Raises: InputError: as in `load`."""
    where = str(path) if path is not None else "rules"
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML: {error}", where=where) from error
    _known(found, ("rule", "against"), "key", where)
    tables = found.get("rule", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(each, dict) for each in tables):
        raise InputError("no rules", where=where, fix="Write at least one [[rule]]; see docs/gate.md.")
    against = found.get("against")
    if against is not None and not isinstance(against, str):
        raise InputError("against must be the folder of a run, in quotes", where=where)
    lines = _lines(text, len(tables))
    rules = tuple(_rule(table, line, where) for table, line in zip(tables, lines, strict=True))
    _distinct(rules, where)
    return Rules(rules, against, path)


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
        _known([rule.subject], measures if rule.measure else claims, _kind(rule), f"{where}:{rule.line}")
        checks = _of_measure(rule, evidence, earlier, where) if rule.measure else _of_claim(rule, evidence)
        checks.sort(key=lambda check: _GRAVEST.index(check.word))
        outcomes.append(Outcome(rule, checks[0].word, tuple(checks)))
    return tuple(outcomes)


def _rule(table: dict[str, Any], line: int, where: str) -> Rule:
    place = f"{where}:{line}"
    keys = [name.replace("_", "-") for name in Rule.model_fields if name != "line"]
    _known(table, keys, "key", place)
    try:
        rule = Rule.model_validate(
            {key.replace("-", "_"): each for key, each in table.items()} | {"line": line}
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part).replace("_", "-") for part in first["loc"][:1])
        raise InputError(
            f"{key}: {first['msg']}", where=place, fix="See docs/gate.md for the keys."
        ) from error
    if (rule.measure is None) == (rule.claim is None):
        raise InputError("a rule speaks of one measure or of one claim", where=place)
    fitting = _OF_MEASURES if rule.measure else _OF_CLAIMS
    stray = [key for key in rule.asks if key not in fitting]
    stray += [key for key in ("slice", "corpus") if rule.claim and table.get(key) is not None]
    if stray:
        raise InputError(f"{stray[0]} cannot be asked of a {_kind(rule)}", where=place)
    if not rule.asks:
        raise InputError(
            f"asks nothing of {rule.subject}", where=place, fix=f"Give one of {', '.join(fitting)}."
        )
    return rule if rule.name else rule.model_copy(update={"name": _name(rule)})


def _kind(rule: Rule) -> str:
    return "measure" if rule.measure else "claim"


def _name(rule: Rule) -> str:
    parts = [rule.subject, *([rule.corpus] if rule.corpus else [])]
    if rule.slice is not None:
        parts.append("each slice" if rule.slice == "each" else _where(rule.slice))
    return f"{' '.join(parts)}: {' and '.join(rule.asks)}"


def _distinct(rules: tuple[Rule, ...], where: str) -> None:
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.name in seen:
            raise InputError(
                f"two rules are called {rule.name!r}",
                where=f"{where}:{rule.line}",
                fix=f"Give one of them another name; the first begins on line {seen[rule.name].line}.",
            )
        seen[rule.name] = rule


def _lines(text: str, rules: int) -> list[int]:
    """The line on which each rule begins; TOML keeps none, so the headings are counted."""
    lines = [text.count("\n", 0, match.end()) + 1 for match in _OPENS_RULE.finditer(text)]
    return lines if len(lines) == rules else [1] * rules


def _known(names: Iterable[str], known: Iterable[str], kind: str, where: str) -> None:
    """Raises: InputError: a name is unknown; says which it resembles."""
    among = sorted(known)
    for name in names:
        if name not in among:
            near = difflib.get_close_matches(name, among, n=3, cutoff=0.5)
            fix = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(among)}."
            raise InputError(f"no {kind} is called {name!r}", where=where, fix=fix)


def _of_claim(rule: Rule, evidence: Evidence) -> list[Check]:
    result = next((each for each in evidence.claims if each.id == rule.claim), None)
    if result is None:
        return [_missing(rule, rule.subject, "", "this run did not decide it")]
    return [_claim_check(rule, key, result) for key in rule.asks]


def _claim_check(rule: Rule, key: str, result: ClaimResult) -> Check:
    if result.verdict == "not measured":
        return _missing(rule, result.id, "", result.statement)
    word = _claim_word(key, result.verdict)
    return Check(result.id, "", word, f"{_title(result.id)} is {result.verdict}: {result.statement}")


def _claim_word(key: str, verdict: VerdictWord) -> Word:
    if verdict == "undecided":
        return "undecided"
    if key == "must-help":
        return "pass" if verdict == "helps" else "broken"
    if key == "no-harm":
        return "broken" if verdict == "harm" else "pass"
    return "pass"


def _of_measure(rule: Rule, evidence: Evidence, earlier: Evidence | None, where: str) -> list[Check]:
    named = [
        each for each in evidence.measures if each.name == rule.measure and rule.corpus in (None, each.corpus)
    ]
    meant = [each for each in named if _meant(rule.slice, each.slice)]
    if not meant:
        by_slice = sorted({_where(each.slice) for each in named if each.slice})
        if by_slice and rule.slice is None:
            raise InputError(
                f"{rule.measure} is measured by slice only",
                where=f"{where}:{rule.line}",
                fix=f'Add slice = "each", or one slice such as {by_slice[0]}.',
            )
        wanted = "" if rule.slice in (None, "each") else _where(rule.slice)  # type: ignore[arg-type]
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
    where = _where(measure.slice)
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
        f"{'at most' if key == 'max' else 'at least'} {allowed} allowed"
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
    where = _where(measure.slice)
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
    assert rule.no_worse_by is not None
    wide = measure.model_copy(update=_widened(measure, comparisons))
    wide_before = before.model_copy(update=_widened(before, comparisons))
    word = _word(1.0, worsening(before, measure), worsening(wide_before, wide), rule.no_worse_by)
    allowed = f"{100 * rule.no_worse_by:.3g} %" if measure.worse == "either" else _distance(rule, measure)
    says = (
        f"{_title(measure.name)}{f' ({where})' if where else ''}: {words.with_interval(measure)}, before "
        f"{words.with_interval(before)}; worse by at most {allowed} allowed"
    )
    return Check(measure.name, where, word, says)


def _distance(rule: Rule, measure: Measure) -> str:
    assert rule.no_worse_by is not None
    unit = f"{measure.unit} difference" if words.in_percent(measure.unit) else measure.unit
    return words.number(rule.no_worse_by, rule.no_worse_by, unit).removeprefix("+")


def _widened(measure: Measure, comparisons: int) -> dict[str, float]:
    _, low, high = bounds(measure, comparisons=comparisons)
    return {"low": low, "high": high, "level": 0.95}


def _missing(rule: Rule, of: str, where: str, why: str) -> Check:
    found: dict[str, Word] = {"undecided": "undecided", "skip": "skipped", "broken": "broken"}
    place = f" ({where})" if where else ""
    return Check(of, where, found[rule.if_missing], f"{_title(of)}{place} was not measured: {why}")


def _title(name: str) -> str:
    return _TITLES.get(name, name)


def _where(slice: Mapping[str, str] | None) -> str:
    return ", ".join(f"{key}: {value}" for key, value in sorted((slice or {}).items()))
