"""What the report says, section by section, as plain data: page and Markdown both draw this and no more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from assay.core import words
from assay.core.answer import Answer, answer
from assay.core.claim import CLAIMS
from assay.core.evidence import Evidence, Input, Loss, Run, VerdictWord
from assay.core.measure import Measure
from assay.report import safe, trials
from assay.report.figures import (
    Figure,
    Rows,
    Table,
    figures,
    part,
    table,
    thin_first,
    title_of,
)
from assay.report.findings import SHOWN, STATEMENT, Finding, finding, first_clause, measured
from assay.report.futures import Forecast, forecast
from assay.report.groups import BLIND, Bias, bias

_EXAMPLES = 3  # rows shown of what was set aside
_FURTHER = 12  # slices of a measure that no claim rests on
_SLICES = 4  # slices named where several have no value for one reason
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
class Perspective:
    """One of the founding report's three angles, with its claims in their order."""

    title: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Focus:
    """A focus area: risk beside benefit."""

    title: str
    risks: tuple[Finding, ...]
    benefits: tuple[Finding, ...]


@dataclass(frozen=True)
class View:
    """The whole report."""

    title: str
    facts: tuple[str, ...]
    answer: Answer
    tiles: tuple[tuple[str, VerdictWord, str], ...]
    mixes: tuple[trials.Mix, ...]
    sizes: tuple[tuple[str, str], ...]
    trial: str
    benefit: str
    exchange: str
    perspectives: tuple[Perspective, ...]
    focus: tuple[Focus, ...]
    score: str
    models: tuple[trials.Model, ...]
    differences: tuple[Figure, ...]
    forecast: Forecast
    bias: Bias
    blind: tuple[str, ...]
    phrases: Table
    slices: Table
    regions: Table
    further: tuple[Figure, ...]
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
    rows = Rows(run.examples())
    findings = [finding(result, evidence, rows) for result in evidence.claims]
    decided = [each for each in findings if each.result.verdict != "not measured"]
    first = _cut(answer(evidence))
    commit = f", commit {evidence.tool.commit}" if evidence.tool.commit else ""
    return View(
        title=_title(evidence),
        facts=_facts(run),
        answer=first,
        tiles=tuple(
            (tile.perspective.capitalize(), tile.verdict, first_clause(tile.line)) for tile in first.tiles
        ),
        mixes=trials.mixes(evidence),
        sizes=trials.sizes(evidence),
        trial=trials.trainings(evidence),
        benefit=_stated(findings, "performance"),
        exchange=trials.exchange(evidence),
        perspectives=_perspectives(findings) if decided else (),
        focus=_focus(findings),
        score=trials.score(evidence),
        models=trials.models(evidence),
        differences=figures(trials.compared(evidence), rows),
        forecast=forecast(evidence, rows, run.folder),
        bias=bias(evidence, rows),
        blind=BLIND,
        phrases=_phrases(evidence, rows),
        slices=_shares(evidence, rows, "coverage.slice_ratio"),
        regions=_shares(evidence, rows, "coverage.regions"),
        further=_further(evidence, rows),
        losses=tuple(_shown(loss) for loss in evidence.losses),
        not_measured=_not_measured(evidence, [] if decided else findings),
        costs=_costs(evidence),
        conclusions=_conclusions(findings),
        scope=_scope(evidence),
        references=_references(decided),
        inputs=tuple(each.model_copy(update={"name": safe.visible(each.name)}) for each in evidence.inputs),
        seed=evidence.seed,
        version=f"Assay {evidence.tool.version}{commit}",
        settings=run.settings,
    )


def regions(evidence: Evidence) -> list[Measure]:
    """Regions of the real data by their share against it, thin ones first."""
    measures = [each for each in evidence.sliced("coverage.regions") if each.value is not None]
    return sorted(measures, key=thin_first)


def _cut(said: Answer) -> Answer:
    """The answer with every sentence that may quote the data cut for display."""
    return replace(
        said,
        sentences=tuple(safe.visible(each, STATEMENT) for each in said.sentences),
        tiles=tuple(replace(each, line=safe.visible(each.line, STATEMENT)) for each in said.tiles),
        next_steps=tuple(safe.visible(each, STATEMENT) for each in said.next_steps),
    )


def _names(evidence: Evidence, role: str) -> str:
    return ", ".join(safe.visible(each.name) for each in evidence.inputs if each.role == role)


def _title(evidence: Evidence) -> str:
    real, synthetic = _names(evidence, "real"), _names(evidence, "synthetic")
    return f"Assay of {synthetic or 'no synthetic data'} against {real or 'no real data'}"


def _facts(run: Run) -> tuple[str, ...]:
    evidence = run.evidence
    sides = [
        f"{each.role}: {words.count(each.rows, 'row')}, {words.size(each.bytes)}" for each in evidence.inputs
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


def _phrases(evidence: Evidence, rows: Rows) -> Table:
    """Phrases by how far their share of synthetic rows lies above that of real rows, on one scale."""
    measures = [each for each in evidence.sliced("fidelity.giveaways") if each.value is not None]
    measures.sort(key=_excess, reverse=True)
    return table(measures, rows, also=(0.0,), unit="share of rows")


def _excess(measure: Measure) -> float:
    real = 0.0 if measure.reference is None else measure.reference.value
    return (measure.value or 0.0) - real


def _shares(evidence: Evidence, rows: Rows, name: str) -> Table:
    """Parts of the data by their share against real data, thin ones first."""
    measures = [each for each in evidence.sliced(name) if each.value is not None]
    return table(sorted(measures, key=thin_first), rows, also=(0.0, 2.0))


def _further(evidence: Evidence, rows: Rows) -> tuple[Figure, ...]:
    """Measures that no claim and no section of their own shows."""
    shown = {name for each in evidence.claims for name in each.because}
    shown |= {name for each in CLAIMS for name in each.measures} | set(trials.DIFFERENCES)
    names = dict.fromkeys(each.name for each in evidence.measures)
    return tuple(
        each
        for name in names
        if name not in shown and not name.startswith(SHOWN)
        for each in measured(name, evidence, rows, most=_FURTHER)
    )


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


def _shown(loss: Loss) -> Loss:
    kept = tuple(safe.visible(each, safe.ROW_LIMIT) for each in loss.examples[:_EXAMPLES])
    return loss.model_copy(update={"examples": kept})


def _not_measured(evidence: Evidence, claims: list[Finding]) -> tuple[tuple[str, str], ...]:
    """What has no value and why; slices of one measure with one reason are told together."""
    told = [(each.title, each.result.statement) for each in claims if each.result.verdict == "not measured"]
    together: dict[tuple[str, str], list[str]] = {}
    for measure in evidence.measures:
        if measure.missing is not None:
            why = safe.visible(measure.missing, safe.ROW_LIMIT)
            together.setdefault((title_of(measure.name), why), []).append(part(measure))
    for (title, why), parts in together.items():
        inside = [each for each in parts if each]
        named = ", ".join(inside[:_SLICES]) + (
            f" and {len(inside) - _SLICES} more" if len(inside) > _SLICES else ""
        )
        told.append((f"{title} ({named})" if named else title, why))
    return tuple(told)


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
