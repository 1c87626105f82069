"""Rules: what a user demands of a run, and how a file of them is read. `core.judge` decides them on evidence."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.core.errors import InputError

_OF_MEASURES = ("max", "min", "no-worse-by")
_OF_CLAIMS = ("no-harm", "must-help", "must-be-decided")
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
        if_missing: What the rule is where nothing was measured; default: broken under `must_be_decided`, else
            undecided.
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
    if_missing: Literal["undecided", "skip", "broken"] | None = None
    why: str = ""
    line: int = 1

    @property
    def subject(self) -> str:
        """The name of the measure or claim."""
        return self.measure or self.claim or ""

    @property
    def kind(self) -> str:
        """What the subject is, in a word."""
        return "measure" if self.measure else "claim"

    @property
    def asks(self) -> tuple[str, ...]:
        """The demands it makes, by their keys."""
        values = {key: getattr(self, key.replace("-", "_")) for key in (*_OF_MEASURES, *_OF_CLAIMS)}
        return tuple(key for key, value in values.items() if value is not None and value is not False)


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
    known(found, ("rule", "against"), "key", where)
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


def _rule(table: dict[str, Any], line: int, where: str) -> Rule:
    place = f"{where}:{line}"
    keys = [name.replace("_", "-") for name in Rule.model_fields if name != "line"]
    known(table, keys, "key", place)
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
        raise InputError(f"{stray[0]} cannot be asked of a {rule.kind}", where=place)
    if not rule.asks:
        raise InputError(
            f"asks nothing of {rule.subject}", where=place, fix=f"Give one of {', '.join(fitting)}."
        )
    return rule if rule.name else rule.model_copy(update={"name": _name(rule)})


def _name(rule: Rule) -> str:
    parts = [rule.subject, *([rule.corpus] if rule.corpus else [])]
    if rule.slice is not None:
        parts.append("each slice" if rule.slice == "each" else where_of(rule.slice))
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


def known(names: Iterable[str], among: Iterable[str], kind: str, where: str) -> None:
    """Raises: InputError: a name is unknown; says which it resembles."""
    listed = sorted(among)
    for name in names:
        if name not in listed:
            near = difflib.get_close_matches(name, listed, n=3, cutoff=0.5)
            fix = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(listed)}."
            raise InputError(f"no {kind} is called {name!r}", where=where, fix=fix)


def where_of(slice: Mapping[str, str] | None, corpus: str | None = None) -> str:
    """A slice in words; empty for all of the synthetic data, whose name goes without saying."""
    parts = [f"{key}: {value}" for key, value in sorted((slice or {}).items())]
    return ", ".join(parts if corpus in (None, "synthetic") else [f"corpus: {corpus}", *parts])
