"""What all cards are filled from: the measured facts about the synthetic side of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath

from assay.core import words
from assay.core.catalogue import CATALOGUE
from assay.core.claim import CLAIMS
from assay.core.errors import InputError
from assay.core.evidence import ClaimResult, Evidence, Input, Run
from assay.core.measure import Measure
from assay.core.rules import where_of
from assay.report import safe

_TITLES = {each.name: each.title for each in CATALOGUE}
_CLAIMS = {each.id: each.title for each in CLAIMS}
_STATEMENT = 1200  # characters of a sentence that may quote the data


@dataclass(frozen=True)
class Figure:
    """A measure in words."""

    name: str
    title: str
    value: str
    reference: str
    n: int

    @property
    def sentence(self) -> str:
        """Title, value with interval, and the reference where there is one."""
        against = f"; real against real: {self.reference}" if self.reference else ""
        return f"{self.title}: {self.value}{against}"


@dataclass(frozen=True)
class Facts:
    """The synthetic data of a run and what was found of it.

    Attributes:
        name: The file's name without its ending, or "synthetic" of several files.
        file: The one file the data came in; None if there were several.
        written: When the evidence was written.
    """

    evidence: Evidence
    name: str
    data: Input
    file: str | None
    written: datetime
    settings: str

    @property
    def tool(self) -> str:
        """Which Assay measured."""
        commit = self.evidence.tool.commit
        return f"Assay {self.evidence.tool.version}" + (f", commit {commit}" if commit else "")

    @property
    def claims(self) -> tuple[tuple[str, ClaimResult], ...]:
        """Claims that were measured, with their titles."""
        return tuple(
            (_CLAIMS.get(each.id, each.id), shown(each))
            for each in self.evidence.claims
            if each.verdict != "not measured"
        )

    @property
    def open_questions(self) -> tuple[tuple[str, str], ...]:
        """Claims that were not measured, and why."""
        return tuple(
            (_CLAIMS.get(each.id, each.id), shown(each).statement)
            for each in self.evidence.claims
            if each.verdict == "not measured"
        )

    def about(self, ids: Iterable[str]) -> tuple[tuple[str, ClaimResult], ...]:
        """The measured ones of these claims."""
        wanted = set(ids)
        return tuple(pair for pair in self.claims if pair[1].id in wanted)

    def figures(self, family: str = "") -> tuple[Figure, ...]:
        """Measures of all of the data that have a value; with `family`, only those of such a name."""
        return tuple(
            figure(each)
            for each in self.evidence.measures
            if each.value is not None and each.slice is None and each.name.startswith(family)
        )


def facts(run: Run) -> Facts:
    """The facts of a run. Raises: InputError: it has no synthetic data to write a card for."""
    evidence = run.evidence
    data = next((each for each in evidence.inputs if each.role == "synthetic"), None)
    if data is None:
        raise InputError("this run has no synthetic data", where=str(run.folder))
    # An input of several files goes by its role, and its digest is that of their list.
    one = data.name != data.role
    written = datetime.fromtimestamp(int((run.folder / "evidence.json").stat().st_mtime), UTC)
    return Facts(
        evidence=evidence,
        name=safe.visible(PurePath(data.name).name.partition(".")[0] or data.name),
        data=data,
        file=data.name if one else None,
        written=written,
        settings=run.settings,
    )


def figure(measure: Measure) -> Figure:
    """A measure in words."""
    title = _TITLES.get(measure.name, measure.name)
    place = where_of(measure.slice, measure.corpus)
    return Figure(
        name=measure.name,
        title=f"{title} ({safe.visible(place)})" if place else title,
        value=words.with_interval(measure),
        reference="" if measure.reference is None else words.reference(measure),
        n=measure.n,
    )


def shown(result: ClaimResult) -> ClaimResult:
    """A claim whose sentence is cut for display."""
    return result.model_copy(update={"statement": safe.visible(result.statement, _STATEMENT)})
