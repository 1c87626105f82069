"""A judgement on a GitHub pull request: annotations in the log, a table in the step's summary.

Source: GitHub, Workflow commands for GitHub Actions (ten annotations of a kind for one step, 1 MiB of summary).
"""

from __future__ import annotations

from pathlib import Path

from assay.core.judge import Outcome, Word
from assay.report.escape import line, markdown, workflow
from assay.report.gate import Judgement, told
from assay.report.sarif import relative

ANNOTATIONS = 10
_TABLE = 500  # rules in the summary
_SIGNS: dict[Word, str] = {"pass": "✅", "broken": "❌", "undecided": "❔", "skipped": "➖"}


def commands(judgement: Judgement, root: Path) -> str:
    """Workflow commands, one for each rule that is not met, the gravest first; at most ten of a kind.

    Args:
        root: The folder that paths are relative to: the checkout.
    """
    found: dict[str, list[str]] = {"error": [], "warning": []}
    for word in ("broken", "undecided"):
        for outcome in judgement.outcomes:
            if outcome.word == word:
                found["error" if outcome.fails else "warning"].append(_command(judgement, outcome, root))
    return "".join(text for kind in found.values() for text in kind[:ANNOTATIONS])


def summary(judgement: Judgement) -> str:
    """Markdown for the step's summary; names and sentences of the data are escaped."""
    rows = [
        f"| {_SIGNS[outcome.word]} {outcome.word} | {markdown(outcome.rule.name)} | "
        f"{'<br>'.join(markdown(each) for each in told(outcome))} |"
        for outcome in judgement.outcomes[:_TABLE]
    ]
    left = len(judgement.outcomes) - len(rows)
    against = judgement.against
    parts = [
        f"## {_SIGNS[judgement.word]} Assay gate: {judgement.word}",
        "",
        f"Run: {markdown(judgement.run.folder.name)}"
        + (f", against {markdown(against.folder.name)}" if against is not None else ""),
        "",
        "| Outcome | Rule | |",
        "|---|---|---|",
        *rows,
        *(["", f"and {left} more rules"] if left else []),
    ]
    return "\n".join(parts) + "\n"


def _command(judgement: Judgement, outcome: Outcome, root: Path) -> str:
    file = workflow(relative(judgement.file, root), value=True)
    title = workflow(line(f"{outcome.rule.name}: {outcome.word}", 200), value=True)
    text = workflow("\n".join(line(each) for each in told(outcome)))
    kind = "error" if outcome.fails else "warning"
    return f"::{kind} file={file},line={judgement.line(outcome)},title={title}::{text}\n"
