"""The gate: rules judged on a run, as an exit code and in the forms that build servers read."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from assay.core.evidence import Run
from assay.core.judge import Outcome, Word
from assay.core.judge import judge as decide
from assay.core.rules import Rules, load, parse

SHOWN = 5  # checks of one rule that are told in words; the rest is counted
_CODES = {"pass": 0, "broken": 1, "undecided": 3}


@dataclass(frozen=True)
class Judgement:
    """All rules decided on one run.

    Attributes:
        against: The run that was looked back to; None if none was.
    """

    run: Run
    against: Run | None
    rules: Rules
    outcomes: tuple[Outcome, ...]

    @property
    def word(self) -> Word:
        """Broken if a rule is, else undecided if a rule is, else pass; rules of level warning do not count."""
        failing = {outcome.word for outcome in self.outcomes if outcome.fails}
        return "broken" if "broken" in failing else "undecided" if failing else "pass"

    @property
    def exit_code(self) -> int:
        """0 pass, 1 broken, 3 undecided."""
        return _CODES[self.word]

    @property
    def file(self) -> Path:
        """Where a reader finds what was judged: the rules file, or the evidence under the rules of the package."""
        return self.rules.path or self.run.folder / "evidence.json"

    def line(self, outcome: Outcome) -> int:
        """The line of `file` that an outcome speaks of."""
        return outcome.rule.line if self.rules.path is not None else 1


def gate(run: Run, *, rules: Path | None = None, against: Path | None = None) -> Judgement:
    """Judge a run by the rules of a file, or by those that come with the package.

    Args:
        against: Folder of the run that `no-worse-by` looks back to, before the one the rules file names.

    Raises: InputError: the rules or the earlier run cannot be read, or a rule names what does not exist.
    """
    loaded = default_rules() if rules is None else load(rules)
    earlier = _earlier(loaded, against)
    outcomes = decide(loaded, run.evidence, None if earlier is None else earlier.evidence)
    return Judgement(run, earlier, loaded, outcomes)


def default_rules() -> Rules:
    """The rules that come with the package."""
    text = (files("assay.report") / "default_rules.toml").read_text(encoding="utf-8")
    return parse(text)


def record(judgement: Judgement) -> dict[str, Any]:
    """The judgement as plain data for JSON."""
    return {
        "schema": "assay.gate/1",
        "run": str(judgement.run.folder),
        "rules": None if judgement.rules.path is None else str(judgement.rules.path),
        "against": None if judgement.against is None else str(judgement.against.folder),
        "verdict": judgement.word,
        "exit_code": judgement.exit_code,
        "outcomes": [
            {
                "rule": outcome.rule.name,
                "level": outcome.rule.level,
                "outcome": outcome.word,
                "why": outcome.rule.why,
                "line": judgement.line(outcome),
                "checks": [
                    {"of": check.of, "where": check.where, "outcome": check.word, "says": check.says}
                    for check in outcome.checks
                ],
            }
            for outcome in judgement.outcomes
        ],
    }


def told(outcome: Outcome) -> list[str]:
    """What to say of an outcome: the sentences of its gravest checks, and how many more there are."""
    gravest = [check for check in outcome.checks if check.word == outcome.word]
    said = [check.says for check in gravest[:SHOWN]]
    if len(gravest) > SHOWN:
        said.append(f"and {len(gravest) - SHOWN} more like it")
    return said


def _earlier(rules: Rules, against: Path | None) -> Run | None:
    if against is not None:
        return Run(against)
    if rules.against is None:
        return None
    beside = rules.path.parent if rules.path is not None else Path()
    return Run(beside / rules.against)
