"""A judgement as SARIF 2.1.0, within the limits of GitHub's code scanning.

Sources: OASIS, Static Analysis Results Interchange Format 2.1.0; GitHub, SARIF support for code scanning
(5,000 results shown of a run, 20 tags of a rule, 1,024 characters of a text, 255 of an id).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from assay.core.judge import Check, Outcome
from assay.core.rules import Rule
from assay.report.escape import line
from assay.report.gate import Judgement

RESULTS = 5000
_TEXT, _ID = 1000, 250
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(judgement: Judgement, root: Path) -> str:
    """The log as JSON: one run, one result for each check that is broken or could not be decided, gravest first.

    Args:
        root: The folder that paths are relative to: the checkout.
    """
    found = [
        (outcome, check)
        for outcome in judgement.outcomes
        for check in outcome.checks
        if check.word in ("broken", "undecided")
    ]
    found.sort(key=lambda pair: (pair[0].rule.level == "warning", pair[1].word == "undecided"))
    rules = [outcome.rule for outcome in judgement.outcomes]
    place = {rule.name: index for index, rule in enumerate(rules)}
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Assay",
                        "version": judgement.run.evidence.tool.version,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "automationDetails": {"id": "assay/gate/"},
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(judgement, outcome, check, place[outcome.rule.name], root)
                    for outcome, check in found[:RESULTS]
                ],
            }
        ],
    }
    return json.dumps(log, indent=1, ensure_ascii=False) + "\n"


def fingerprint(rule: Rule, check: Check) -> str:
    """Names a finding by rule, measure and slice, so that it stays the same finding when its number moves."""
    facts = json.dumps([rule.name, check.of, check.where])
    return hashlib.sha256(facts.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def _rule(rule: Rule) -> dict[str, Any]:
    says = f"{rule.subject}: {', '.join(rule.asks)}"
    return {
        "id": line(rule.name, _ID),
        "shortDescription": {"text": line(rule.why or says, _TEXT)},
        "fullDescription": {"text": line(f"{says}. {rule.why}".strip(), _TEXT)},
        "help": {"text": "What rules say and how they are decided: docs/gate.md of Assay."},
        "defaultConfiguration": {"level": rule.level},
        "properties": {"tags": ["synthetic-data", rule.subject.partition(".")[0]]},
    }


def _result(judgement: Judgement, outcome: Outcome, check: Check, index: int, root: Path) -> dict[str, Any]:
    # What could not be decided is "open" in SARIF's words, which takes the level from it.
    broken = check.word == "broken"
    known = fingerprint(outcome.rule, check)
    return {
        "ruleId": line(outcome.rule.name, _ID),
        "ruleIndex": index,
        "kind": "fail" if broken else "open",
        "level": outcome.rule.level if broken else "none",
        "message": {"text": line(check.says, _TEXT)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(relative(judgement.file, root))},
                    "region": {"startLine": judgement.line(outcome)},
                }
            }
        ],
        "partialFingerprints": {"assayCheck/v1": known, "primaryLocationLineHash": f"{known[:16]}:1"},
    }


def relative(path: Path, root: Path) -> str:
    """`path` from the checkout's root with forward slashes; its name alone if it lies elsewhere."""
    resolved, base = path.resolve(), root.resolve()
    return resolved.relative_to(base).as_posix() if resolved.is_relative_to(base) else path.name
