"""A claim ready to read: its verdict, its sentence and the figures behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.core import words
from assay.core.claim import CLAIMS, Claim
from assay.core.evidence import ClaimResult, Evidence
from assay.report import safe
from assay.report.figures import Figure, Rows, clear_first, figures, part

STATEMENT = 1200  # characters of a sentence that may quote the data
# Measures that a section of their own shows in full.
SHOWN = ("bias.", "forecast.", "trial.learning_curve", "trial.dose_response", "fidelity.giveaways")
_SLICES = 4  # slices of one measure shown within a claim
_PARTS = 10  # slices told inside the measure of everything
_CLAIMS = {each.id: each for each in CLAIMS}


@dataclass(frozen=True)
class Finding:
    """A claim with its verdict and the figures behind it."""

    result: ClaimResult
    title: str
    question: str
    lead: str
    figures: tuple[Figure, ...]


def finding(result: ClaimResult, evidence: Evidence, rows: Rows) -> Finding:
    """A decided claim with its figures, the deciding ones first."""
    known = _CLAIMS.get(result.id)
    said = {
        "statement": safe.visible(result.statement, STATEMENT),
        "action": safe.visible(result.action, STATEMENT),
    }
    return Finding(
        result=result.model_copy(update=said),
        title=known.title if known else safe.visible(result.id),
        question=known.question if known else "",
        lead=first_clause(said["statement"]),
        figures=_figures(result, known, evidence, rows),
    )


def first_clause(statement: str) -> str:
    """What a statement says first, as a sentence."""
    head, separator, _ = statement.partition("; ")
    return head + "." if separator else head


def measured(
    name: str, evidence: Evidence, rows: Rows, *, decides: bool = False, most: int = _SLICES
) -> tuple[Figure, ...]:
    """A measure of everything with its slices inside it, or without one the slices that differ most surely."""
    whole = [each for each in evidence.measures if each.name == name and each.slice is None]
    slices = sorted((each for each in evidence.sliced(name) if each.value is not None), key=clear_first)
    if not any(each.value is not None for each in whole):
        return figures(slices[:most], rows, decides=decides)
    inside = [] if name.startswith(SHOWN) else slices
    made = figures(whole, rows, decides=decides)
    return tuple(
        replace(each, parts=tuple((part(one), words.with_interval(one)) for one in inside[:_PARTS]))
        for each in made
    )


def _figures(result: ClaimResult, known: Claim | None, evidence: Evidence, rows: Rows) -> tuple[Figure, ...]:
    """The deciding measures first, then the others of the claim that have a value."""
    names = dict.fromkeys((*result.because, *(known.measures if known else ())))
    return tuple(
        each for name in names for each in measured(name, evidence, rows, decides=name in result.because)
    )
