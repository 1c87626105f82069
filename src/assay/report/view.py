"""What the report says, section by section, as plain data: page and Markdown both draw this and no more."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from markupsafe import Markup

from assay.core import words
from assay.core.answer import Answer, answer
from assay.core.catalogue import CATALOGUE
from assay.core.claim import CLAIMS, Claim
from assay.core.evidence import ClaimResult, Evidence, Input, Loss, Run, VerdictWord
from assay.core.measure import Measure
from assay.report import recursion, safe
from assay.report.whisker import Domain, domain, whisker

_EXAMPLES = 3  # example rows beside one measure
_SLICES = 4  # slices of one measure shown within a claim
_STATEMENT = 1200  # characters of a sentence that may quote the data
_TABLE = 30  # rows of the tables of phrases and of slices
# Whose row stands beside an example, by the family of its measure.
_WHOSE = {"copying": "real row it resembles", "coverage": "nearest synthetic row"}
_DEFINITIONS = {definition.name: definition for definition in CATALOGUE}
_CLAIMS = {each.id: each for each in CLAIMS}
_PERSPECTIVES = (
    ("quality", "Data quality"),
    ("bias", "Bias"),
    ("evaluation", "Evaluation"),
)
# The founding report's focus areas: which claims speak of the risk, which of the benefit.
_FOCUS = (
    ("Data quality", ("fidelity-gap", "diversity-loss", "representativeness"), ("performance",)),
    ("Finding and lessening bias", ("representativeness", "bias-amplification"), ("fills-gaps",)),
    (
        "Models trained on synthetic and on real data, compared",
        ("substitution", "model-collapse"),
        ("scarce-data", "robustness"),
    ),
)
_VERDICTS: tuple[VerdictWord, ...] = ("helps", "harm", "no harm", "undecided", "not measured")


@dataclass(frozen=True)
class Example:
    """A row beside a finding, and the row it resembles."""

    row: str
    text: safe.Marked
    beside: safe.Marked | None
    whose: str
    note: str


@dataclass(frozen=True)
class Figure:
    """One measure, ready to read."""

    title: str
    name: str
    where: str
    part: str
    value: str
    reference: str
    drawing: Markup
    decides: bool
    method: str
    formula: str
    source: str
    n: int
    counted: str
    left_out: str
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Finding:
    """A claim with its verdict and the figures behind it."""

    result: ClaimResult
    title: str
    question: str
    lead: str
    figures: tuple[Figure, ...]

    @property
    def has_examples(self) -> bool:
        """Whether any figure has rows to show."""
        return any(each.examples for each in self.figures)


@dataclass(frozen=True)
class Perspective:
    """One of the founding report's three angles, with its measured claims."""

    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Focus:
    """A focus area: risk beside benefit."""

    title: str
    risks: tuple[Finding, ...]
    benefits: tuple[Finding, ...]


@dataclass(frozen=True)
class Table:
    """Figures that share one scale, and how many more there are."""

    figures: tuple[Figure, ...]
    more: int
    reach: str

    @property
    def has_examples(self) -> bool:
        """Whether any figure has rows to show."""
        return any(each.examples for each in self.figures)


@dataclass(frozen=True)
class Mix:
    """One arm of the dose-response, ready to read."""

    design: str
    real: str
    synthetic: str
    share: str
    score: str


@dataclass(frozen=True)
class View:
    """The whole report."""

    title: str
    facts: tuple[str, ...]
    answer: Answer
    tiles: tuple[tuple[str, VerdictWord, str], ...]
    mixes: tuple[Mix, ...]
    sizes: tuple[tuple[str, str], ...]
    trial: str
    benefit: str
    exchange: str
    recursion: tuple[tuple[str, str, str], ...]
    perspectives: tuple[Perspective, ...]
    focus: tuple[Focus, ...]
    phrases: Table
    slices: Table
    regions: Table
    losses: tuple[Loss, ...]
    not_measured: tuple[tuple[str, str], ...]
    costs: tuple[tuple[str, str], ...]
    conclusions: tuple[tuple[VerdictWord, str], ...]
    scope: str
    references: tuple[tuple[str, str], ...]
    inputs: tuple[Input, ...]
    version: str
    seed: int
    settings: str


def view(run: Run) -> View:
    """Everything that the run's report says."""
    evidence = run.evidence
    examples = run.examples()
    findings = [_finding(result, evidence, examples) for result in evidence.claims]
    measured = [each for each in findings if each.result.verdict != "not measured"]
    first = _cut(answer(evidence))
    commit = f", commit {evidence.tool.commit}" if evidence.tool.commit else ""
    return View(
        title=_title(evidence),
        facts=_facts(run),
        answer=first,
        tiles=tuple(
            (tile.perspective.capitalize(), tile.verdict, _first_clause(tile.line)) for tile in first.tiles
        ),
        mixes=_mixes(evidence),
        sizes=_sizes(evidence),
        trial=_trial(evidence),
        benefit=_stated(findings, "performance"),
        exchange=_exchange(evidence),
        recursion=recursion.table(evidence),
        perspectives=_perspectives(measured),
        focus=_focus(findings),
        phrases=_phrases(evidence, examples),
        slices=_slices(evidence, examples),
        regions=_regions(evidence, examples),
        losses=tuple(_shown(loss) for loss in evidence.losses),
        not_measured=_not_measured(evidence, findings),
        costs=_costs(evidence),
        conclusions=_conclusions(findings),
        scope=_scope(evidence),
        references=_references(measured),
        inputs=tuple(each.model_copy(update={"name": safe.visible(each.name)}) for each in evidence.inputs),
        seed=evidence.seed,
        version=f"Assay {evidence.tool.version}{commit}",
        settings=run.settings,
    )


def _cut(said: Answer) -> Answer:
    """The answer with every sentence that may quote the data cut for display."""
    return replace(
        said,
        sentences=tuple(safe.visible(each, _STATEMENT) for each in said.sentences),
        tiles=tuple(replace(each, line=safe.visible(each.line, _STATEMENT)) for each in said.tiles),
        next_steps=tuple(safe.visible(each, _STATEMENT) for each in said.next_steps),
    )


def _names(evidence: Evidence, role: str) -> str:
    return ", ".join(safe.visible(each.name) for each in evidence.inputs if each.role == role)


def _title(evidence: Evidence) -> str:
    real, synthetic = _names(evidence, "real"), _names(evidence, "synthetic")
    return f"Assay of {synthetic or 'no synthetic data'} against {real or 'no real data'}"


def _facts(run: Run) -> tuple[str, ...]:
    evidence = run.evidence
    sides = [
        f"{each.role}: {words.count(each.rows, 'row')}, {each.bytes / 1e6:,.1f} MB"
        for each in evidence.inputs
    ]
    written = datetime.fromtimestamp((run.folder / "evidence.json").stat().st_mtime, UTC)
    return (
        *sides,
        f"record of {written:%Y-%m-%d}",
        f"version {evidence.tool.version}",
        f"seed {evidence.seed}",
        f"took {_duration(evidence.costs.seconds)}",
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _first_clause(statement: str) -> str:
    head, separator, _ = statement.partition("; ")
    return head + "." if separator else head


def _finding(result: ClaimResult, evidence: Evidence, examples: pa.Table) -> Finding:
    known = _CLAIMS.get(result.id)
    said = {
        "statement": safe.visible(result.statement, _STATEMENT),
        "action": safe.visible(result.action, _STATEMENT),
    }
    return Finding(
        result=result.model_copy(update=said),
        title=known.title if known else result.id,
        question=known.question if known else "",
        lead=_first_clause(said["statement"]),
        figures=_figures(result, known, evidence, examples),
    )


def _figures(
    result: ClaimResult, known: Claim | None, evidence: Evidence, examples: pa.Table
) -> tuple[Figure, ...]:
    """The deciding measures first, then the others of the claim that have a value."""
    names = dict.fromkeys((*result.because, *(known.measures if known else ())))
    figures = []
    for name in names:
        whole = [measure for measure in evidence.measures if measure.name == name and measure.slice is None]
        shown = whole or sorted(evidence.sliced(name), key=_worst_first)[:_SLICES]
        across = _shared([measure for measure in shown if measure.value is not None])
        figures += [
            _figure(measure, examples, across, decides=name in result.because)
            for measure in shown
            if measure.value is not None
        ]
    return tuple(figures)


def _worst_first(measure: Measure) -> float:
    """Sorts slices: the thinnest, or where more is worse the fullest."""
    if measure.value is None:
        return float("inf")
    return -measure.value if measure.worse == "higher" else measure.value


def _shared(measures: list[Measure]) -> Domain | None:
    return domain(measures) if len(measures) > 1 else None


def _figure(
    measure: Measure,
    examples: pa.Table,
    across: Domain | None,
    *,
    decides: bool = False,
    unit: str | None = None,
) -> Figure:
    shown = measure if unit is None else measure.model_copy(update={"unit": unit})
    known = _DEFINITIONS.get(measure.name)
    left_out = ", ".join(
        f"{words.count(rows, 'row')} ({safe.visible(why)})" for why, rows in measure.left_out.items()
    )
    return Figure(
        title=known.title if known else measure.name,
        name=measure.name,
        where=_where(measure),
        part=", ".join(safe.visible(part) for part in (measure.slice or {}).values()),
        value=words.with_interval(shown),
        reference="" if measure.reference is None else words.reference(shown),
        drawing=whisker(shown, across),
        decides=decides,
        method=measure.method,
        formula=known.formula if known else "",
        source=known.source if known else "",
        n=measure.n,
        counted=f"n = {measure.n:,}; {100 * measure.level:.0f} % interval; unit: {shown.unit}",
        left_out=left_out or "nothing",
        examples=_examples(examples, measure),
    )


def _where(measure: Measure) -> str:
    return ", ".join(
        f"{safe.visible(key)}: {safe.visible(value)}" for key, value in (measure.slice or {}).items()
    )


def _examples(examples: pa.Table, measure: Measure) -> tuple[Example, ...]:
    mine = examples.filter(pc.equal(examples["measure"], measure.name))
    # The slice is JSON text; compare it as data, since writers may order and space it differently.
    rows = [
        row
        for row in mine.to_pylist()
        if measure.slice is None or (row["slice"] is not None and json.loads(row["slice"]) == measure.slice)
    ]
    return tuple(_example(row) for row in rows[:_EXAMPLES])


def _example(row: dict[str, Any]) -> Example:
    text = row["text"] or ""
    span = safe.marked(text, row["start"], row["end"])
    wanted = (
        "" if row["start"] is None else text.encode()[row["start"] : row["end"]].decode("utf-8", "replace")
    )
    return Example(
        row=f"{safe.visible(row['corpus'] or 'row')} row {row['row']:,}",
        text=span,
        whose=_WHOSE.get(row["measure"].partition(".")[0], "row it resembles"),
        beside=None if row["beside"] is None else safe.marked_like(row["beside"], wanted),
        note=safe.visible(row["note"] or "", safe.ROW_LIMIT),
    )


def _perspectives(findings: list[Finding]) -> tuple[Perspective, ...]:
    grouped = (
        Perspective(title, tuple(each for each in findings if each.result.perspective == name))
        for name, title in _PERSPECTIVES
    )
    return tuple(each for each in grouped if each.findings)


def _focus(findings: list[Finding]) -> tuple[Focus, ...]:
    by_id = {each.result.id: each for each in findings}
    return tuple(
        Focus(
            title,
            tuple(by_id[name] for name in risks if name in by_id),
            tuple(by_id[name] for name in benefits if name in by_id),
        )
        for title, risks, benefits in _FOCUS
    )


def _phrases(evidence: Evidence, examples: pa.Table) -> Table:
    """Phrases by how far their share of synthetic rows lies above that of real rows, on one scale."""
    measures = [each for each in evidence.sliced("fidelity.giveaways") if each.value is not None]
    measures.sort(key=_excess, reverse=True)
    return _table(measures, examples, also=(0.0,), unit="share of rows")


def _excess(measure: Measure) -> float:
    real = 0.0 if measure.reference is None else measure.reference.value
    return (measure.value or 0.0) - real


def _slices(evidence: Evidence, examples: pa.Table) -> Table:
    """Slices by their share against real data, thin ones first."""
    measures = [each for each in evidence.sliced("coverage.slice_ratio") if each.value is not None]
    return _table(sorted(measures, key=_worst_first), examples, also=(0.0, 2.0))


def _regions(evidence: Evidence, examples: pa.Table) -> Table:
    """Regions of the real data by their share against it, thin ones first."""
    measures = [each for each in evidence.sliced("coverage.regions") if each.value is not None]
    return _table(sorted(measures, key=_worst_first), examples, also=(0.0, 2.0))


def _table(
    measures: list[Measure], examples: pa.Table, *, also: tuple[float, ...], unit: str | None = None
) -> Table:
    shown = measures[:_TABLE]
    across = domain(shown, also=also) if shown else None
    figures = tuple(_figure(each, examples, across, unit=unit) for each in shown)
    reach = f"{across[1]:.2g}" if across else ""
    return Table(figures, len(measures) - len(shown), reach)


def _mixes(evidence: Evidence) -> tuple[Mix, ...]:
    """The dose-response as a table, arm by arm."""
    rows = []
    for measure in evidence.sliced("trial.dose_response"):
        where = measure.slice or {}
        if measure.value is not None:
            again = where.get("repeats", "1")
            rows.append(
                Mix(
                    design=safe.visible(where.get("design", "")),
                    real=_rows(where.get("real_rows", "–")) + (f" × {again}" if again != "1" else ""),
                    synthetic=_rows(where.get("synthetic_rows", "–")),
                    share=words.share(float(where["synthetic_share"])),
                    score=words.with_interval(measure),
                )
            )
    return tuple(rows)


def _rows(text: str) -> str:
    return f"{int(text):,}" if text.isdecimal() else safe.visible(text)


def _sizes(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """The learning curve as a table: real rows, score."""
    return tuple(
        (_rows(measure.slice["real_rows"]), words.with_interval(measure))
        for measure in evidence.sliced("trial.learning_curve")
        if measure.value is not None and measure.slice and "real_rows" in measure.slice
    )


def _trial(evidence: Evidence) -> str:
    if not evidence.trials:
        return ""
    learners = ", ".join(dict.fromkeys(safe.visible(trial.learner) for trial in evidence.trials))
    seeds = len({trial.seed for trial in evidence.trials})
    return f"{words.count(len(evidence.trials), 'training')} of the {learners} learner over {words.count(seeds, 'seed')}."


def _stated(findings: list[Finding], name: str) -> str:
    """The statement of a claim that was measured."""
    return next(
        (
            each.result.statement
            for each in findings
            if each.result.id == name and each.result.verdict != "not measured"
        ),
        "",
    )


def _exchange(evidence: Evidence) -> str:
    rate = evidence.find("trial.exchange_rate")
    if rate is None:
        return ""
    if rate.value is None:
        return f"The exchange rate was not measured: {safe.visible(rate.missing or '', safe.ROW_LIMIT)}"
    return (
        f"The exchange rate: one synthetic row is worth {words.with_interval(rate)} real rows at the margin."
    )


def _shown(loss: Loss) -> Loss:
    kept = tuple(safe.visible(each, safe.ROW_LIMIT) for each in loss.examples[:_EXAMPLES])
    return loss.model_copy(update={"examples": kept})


def _not_measured(evidence: Evidence, findings: list[Finding]) -> tuple[tuple[str, str], ...]:
    claims = [
        (each.title, each.result.statement) for each in findings if each.result.verdict == "not measured"
    ]
    measures = []
    for measure in evidence.measures:
        if measure.missing is not None:
            known = _DEFINITIONS.get(measure.name)
            where = _where(measure)
            title = f"{known.title if known else measure.name}{f' ({where})' if where else ''}"
            measures.append((title, safe.visible(measure.missing, safe.ROW_LIMIT)))
    return (*claims, *dict.fromkeys(measures))


def _costs(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    rows = [
        ("time of this run", _duration(evidence.costs.seconds)),
        ("money", f"{evidence.costs.usd:,.2f} USD"),
    ]
    if evidence.trials:
        seconds = sum(trial.cost.seconds for trial in evidence.trials)
        rows.append(("trainings", f"{len(evidence.trials):,}, {_duration(seconds)} in all"))
        tokens = sum(trial.cost.tokens for trial in evidence.trials)
        if tokens:
            rows.append(("training tokens", f"{tokens:,}"))
    return tuple(rows)


def _conclusions(findings: list[Finding]) -> tuple[tuple[VerdictWord, str], ...]:
    """Every claim under its verdict, so that what is not known stands beside what is."""
    titles = {word: [each.title for each in findings if each.result.verdict == word] for word in _VERDICTS}
    return tuple((word, ", ".join(titles[word])) for word in _VERDICTS if titles[word])


def _scope(evidence: Evidence) -> str:
    learners = dict.fromkeys(trial.learner for trial in evidence.trials)
    if not learners:
        return "This holds for the data named here; no model was trained."
    names = ", ".join(safe.visible(name) for name in learners)
    return (
        f"This holds for the data named here and for the {names} learner. Another model, task or amount of "
        "data may answer differently: no share of synthetic data is right everywhere."
    )


def _references(findings: list[Finding]) -> tuple[tuple[str, str], ...]:
    works = (
        work for each in findings if each.result.id in _CLAIMS for work in _CLAIMS[each.result.id].literature
    )
    return tuple(dict.fromkeys(works))
