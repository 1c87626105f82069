"""From measures to claims and pages: the end of a run, and of all that adds to its evidence later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay.core.corpus import Corpus
from assay.core.evidence import Evidence, Run
from assay.core.labels import LABELS
from assay.core.verdict import decide
from assay.study.job import write
from assay.study.settings import Study
from assay.study.stages import lists_of


def settle(study: Study, out: Path, evidence: Evidence, synthetic: Corpus | None) -> Run:
    """Add what the labels in the folder say of audited rows, then conclude."""
    from assay.label.groups import is_of_labels
    from assay.label.rate import unlabelled
    from assay.label.sheet import open_sheet

    measures = [measure for measure in evidence.measures if not is_of_labels(measure)]
    if study.audit:
        assert synthetic is not None
        if (out / LABELS).exists():
            measures += open_sheet(out, synthetic, study.seed).rates(lists_of(study))
        else:
            measures.append(unlabelled())
    return conclude(out, evidence.model_copy(update={"measures": tuple(measures)}), study.margin)


def conclude(out: Path, evidence: Evidence, margin: float) -> Run:
    """Decide every claim on the measures, write the evidence and draw its pages."""
    settled = evidence.model_copy(update={"claims": decide(evidence.measures, margin=margin)})
    write(out / "evidence.json", settled.to_json())
    result = Run(out)
    report(result)
    return result


def report(run: Run, *, html: bool = True, markdown: bool = True) -> list[Path]:
    """Draw a run's pages from its evidence; returns the files written."""
    from assay.report.markdown import render as to_markdown
    from assay.report.page import render as to_html

    written = []
    wanted: tuple[tuple[bool, str, Callable[[Run], str]], ...] = (
        (html, "report.html", to_html),
        (markdown, "report.md", to_markdown),
    )
    for wants, name, render in wanted:
        if wants:
            write(run.folder / name, render(run))
            written.append(run.folder / name)
    return written
