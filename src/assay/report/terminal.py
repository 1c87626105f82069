"""Judgements, comparisons and histories as lines and tables for a terminal."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from assay.report.compare import Comparison, headline
from assay.report.escape import line
from assay.report.gate import Judgement, told
from assay.report.history import History

Parts = list[str | Table]
_ROWS = 20  # of a table of what moved; the page and the JSON hold all
_RUNS = 4  # of a history, the latest
_SIGNS = {"better": "▲ better", "worse": "▼ worse", "neither": "moved"}


def of_judgement(judgement: Judgement) -> Parts:
    """One line for each rule, gravest sentences under those that are not met, and the verdict last."""
    parts: Parts = []
    for outcome in judgement.outcomes:
        lenient = " (warning)" if outcome.rule.level == "warning" else ""
        said = told(outcome)
        parts.append(f"{outcome.word:<10}{line(outcome.rule.name)}{lenient}: {line(said[0])}")
        parts += [f"{'':<10}{line(each)}" for each in said[1:] if outcome.word != "pass"]
    if judgement.rules.path is None:
        parts.append("These are the rules of the package; give your own with --rules FILE.")
    parts.append(f"{'Gate':<10}{judgement.word}")
    return parts


def of_comparison(found: Comparison) -> Parts:
    """The headline, what moved, which verdicts turned, and what went in differently."""
    parts: Parts = [headline(found)]
    moved = found.beyond_noise()
    if moved:
        table = _table("measure", found.before, found.after, "difference (95 %)", "", "compared")
        for each in moved[:_ROWS]:
            title = f"{each.title} ({each.where})" if each.where else each.title
            sign = _SIGNS[each.change.direction]
            _row(table, title, each.before, each.after, each.difference, sign, each.how)
        parts.append(table)
    if len(moved) > _ROWS:
        parts.append(f"and {len(moved) - _ROWS} more; --html FILE or --json shows all")
    parts += [f"{each.title}: {each.before} → {each.after}. {line(each.statement)}" for each in found.turned]
    parts += [f"Went in differently: {line(each)}" for each in found.inputs]
    if found.apart:
        parts.append(f"{len(found.apart)} numbers are in one run only or cannot be compared.")
    return parts


def of_history(found: History) -> Parts:
    """Each measure over the latest runs, and what the last of them did to it."""
    shown = found.runs[-_RUNS:]
    table = _table("measure", *(name for name, _ in shown), "last step")
    for series in found.series:
        cells = ["–" if told is None else told for told in series.told[-_RUNS:]]
        title = f"{series.title} ({series.where})" if series.where else series.title
        _row(table, title, *cells, _SIGNS.get(series.trend, series.trend))
    left = len(found.runs) - len(shown)
    return [table, *([f"{left} earlier runs are in --html and --json"] if left else [])]


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(escape(line(heading, 40)))
    return table


def _row(table: Table, *cells: str) -> None:
    """A table reads markup in its cells, whatever the console is told."""
    table.add_row(*(escape(line(cell, 160)) for cell in cells))
