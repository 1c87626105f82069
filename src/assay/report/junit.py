"""A judgement as JUnit XML: one case per rule, its message the number, its interval and the limit."""

from __future__ import annotations

from xml.etree import ElementTree as xml

from assay.core.judge import Outcome
from assay.report.escape import line
from assay.report.escape import xml as legal
from assay.report.gate import Judgement, told


def render(judgement: Judgement) -> str:
    """The XML document. A broken rule is a failure, an undecided one an error, a skipped one is skipped.

    A rule of level warning that is broken or undecided is skipped too, with the reason as its message, so that
    no build server fails over it.
    """
    cases = [_case(outcome) for outcome in judgement.outcomes]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": str(sum(case.find("error") is not None for case in cases)),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    root = xml.Element("testsuites", {"name": "assay gate", **counts})
    suite = xml.SubElement(root, "testsuite", {"name": legal(line(judgement.run.folder.name)), **counts})
    suite.extend(cases)
    xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(root, encoding="unicode") + "\n"


def _case(outcome: Outcome) -> xml.Element:
    case = xml.Element(
        "testcase", {"classname": f"assay.{outcome.rule.subject}", "name": legal(line(outcome.rule.name))}
    )
    said = told(outcome)
    if outcome.word == "pass":
        tag = "system-out"
    elif outcome.word == "skipped" or not outcome.fails:
        tag = "skipped"
    else:
        tag = "failure" if outcome.word == "broken" else "error"
    attributes = {} if tag == "system-out" else {"message": legal(line(f"{outcome.word}: {said[0]}"))}
    if tag in ("failure", "error"):
        attributes["type"] = outcome.word
    body = xml.SubElement(case, tag, attributes)
    body.text = legal("\n".join([*said, *([outcome.rule.why] if outcome.rule.why else [])]))
    return case
