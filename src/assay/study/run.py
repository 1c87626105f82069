"""The order of the stages and nothing else: files in, a folder with evidence, rows and report out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from assay import __version__
from assay.core.evidence import Costs, Evidence, Run, Tool
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.core.step import seconds_spent
from assay.core.trial import Trial
from assay.study.conclude import settle
from assay.study.costs import costs_of
from assay.study.evals import wanted
from assay.study.job import Job, commit, write
from assay.study.settings import Study
from assay.study.sides import input_of, read_sides, split, unread, without_copies
from assay.study.stages import Energy, audit, energy_of, forecast, measures_of, trial, trials_of


def run(
    study: Study, out: Path, *, progress: Progress = silent, note: Callable[[str], None] = lambda text: None
) -> Run:
    """Read, guard, audit, try, forecast, decide and report; what was done before is not done again.

    Args:
        study: Its stages are those that it asks for; a forecast alone needs no synthetic rows.
        out: The run's folder: `evidence.json`, `report.html`, `rows/`, `steps/`, `study.toml`.
        note: Told what the trial and the forecast will cost, before they start.

    Raises: InputError: a file, column or setting cannot be used as given.
    """
    job = Job(study, out, progress, note)
    sides = read_sides(job)
    corpora = {role: side.corpus for role, side in sides.items()}
    train, reference, test, losses, parts = split(job, corpora["real"], corpora.get("test"))
    made = [*(corpus.folder for corpus in corpora.values()), parts]
    synthetic = corpora.get("synthetic")
    clean = synthetic
    if synthetic is not None:
        clean, leaks, guarded = without_copies(job, synthetic, test)
        losses += leaks
        made.append(guarded)
    evals = wanted(job) if study.audit else ()

    measures: list[Measure] = []
    trials: tuple[Trial, ...] = ()
    energy: Energy = (None, "no trial was run")
    done: list[Path] = []
    if study.audit:
        assert synthetic is not None
        done.append(audit(job, train, reference, synthetic, corpora.get("holdout"), evals))
    if study.trial:
        assert clean is not None
        beside = (corpora.get("shifted"), corpora.get("general"))
        done.append(trial(job, train, clean, test, beside))
        trials, energy = trials_of(done[-1]), energy_of(done[-1])
    if study.forecast:
        done.append(forecast(job, train, test, synthetic))
    for stage in done:
        measures += measures_of(stage)
    if synthetic is not None and clean is not None:
        measures += costs_of(job, synthetic, clean, trials, energy, measures)

    read = {str(role): side for role, side in sides.items()}
    read |= {f"eval {each.name}": each.read for each in evals if each.read is not None}
    evidence = Evidence(
        tool=Tool(version=__version__, commit=commit()),
        seed=study.seed,
        inputs=(*(input_of(role, side) for role, side in sides.items()), *(each.input for each in evals)),
        measures=tuple(measures),
        trials=trials,
        claims=(),
        costs=Costs(seconds=round(sum(seconds_spent(folder) for folder in (*made, *done)), 1)),
        losses=(*unread(read), *losses),
    )
    write(out / "study.toml", study.to_toml())
    return settle(study, out, evidence, synthetic)
