"""The stages of a run, each a step: its settings and inputs decide its folder, and what stands is not done again."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from assay.core.canary import Canaries
from assay.core.corpus import Corpus
from assay.core.energy import Meter
from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.core.step import Step
from assay.core.trial import Trial
from assay.study.evals import Wanted
from assay.study.job import Job, place
from assay.study.settings import Study

if TYPE_CHECKING:
    from assay.engine.groups.lists import Lists
    from assay.engine.pairs import PairSet

_INDEX = "evals.assay-index"
_SHORT_BYTES = 1_000_000  # of real text in the short form of the forecast
_MEASURES = TypeAdapter(tuple[Measure, ...])
_TRIALS = TypeAdapter(tuple[Trial, ...])
Energy = tuple[float | None, str]  # joules, or why nobody knows
_ENERGY: TypeAdapter[Energy] = TypeAdapter(Energy)


def measures_of(stage: Path) -> tuple[Measure, ...]:
    """What a stage measured."""
    return _MEASURES.validate_json((stage / "measures.json").read_bytes())


def trials_of(stage: Path) -> tuple[Trial, ...]:
    """What the trial trained."""
    return _TRIALS.validate_json((stage / "trials.json").read_bytes())


def energy_of(stage: Path) -> Energy:
    """What the trainings of the trial used."""
    return _ENERGY.validate_json((stage / "energy.json").read_bytes())


def audit(
    job: Job,
    real: Corpus,
    reference: Corpus,
    synthetic: Corpus,
    holdout: Corpus | None,
    evals: tuple[Wanted, ...],
) -> Path:
    """Measure the rows themselves; their examples, flags and pairs are placed in the run's folder."""
    study = job.study
    planted = Canaries.load(Path(study.canaries)) if study.canaries else None
    lists = lists_of(study)

    def work(folder: Path) -> None:
        from assay.audit.evals import save
        from assay.audit.run import audit

        finder = None
        if study.names:
            from assay.models.names import SpacyNames

            finder = SpacyNames.open()
        indexes = [each.index(study.eval_ngram) for each in evals]
        result = audit(
            real,
            reference,
            synthetic,
            folder,
            holdout=holdout,
            planted=planted,
            span=study.span,
            evals=indexes,
            seed=study.seed,
            student=study.student,
            embedder=study.embedder,
            lists=lists,
            finder=finder,
            progress=job.progress,
        )
        (folder / "measures.json").write_bytes(_MEASURES.dump_json(result.measures))
        if indexes:
            save(indexes, folder / _INDEX)

    settings = {
        "seed": study.seed,
        "span": study.span,
        "evals": [each.name for each in evals],
        "ngram": study.eval_ngram,
        "student": study.student,
        "embedder": study.embedder,
        "names": study.names,
    }
    inputs = (
        real.fingerprint,
        reference.fingerprint,
        synthetic.fingerprint,
        holdout.fingerprint if holdout else "",
        planted.to_json() if planted else "",
        lists.fingerprint,
        *(each.fingerprint for each in evals),
    )
    folder = Step("audit", settings, inputs, work).run(job.steps)
    place(folder / "examples.parquet", job.rows / "examples.parquet")
    place(folder / "flags.parquet", job.rows / "synthetic.parquet")
    _place_pairs(job, folder)
    return folder


def _place_pairs(job: Job, stage: Path) -> None:
    """The pairs of evaluation items and rows beside the other rows, and the index where it is wanted."""
    if not job.study.evals:
        (job.rows / "contamination.parquet").unlink(missing_ok=True)
        return
    place(stage / "contamination.parquet", job.rows / "contamination.parquet")
    if job.study.save_index is not None:
        place(stage / _INDEX, Path(job.study.save_index))


def lists_of(study: Study) -> Lists:
    """The packaged lists of groups with those of the user, or none."""
    from assay.engine.groups.lists import NO_LISTS, load

    if "none" in study.groups:
        return NO_LISTS
    return load(Path(each) for each in study.groups if each not in study.group_columns)


def trial(
    job: Job,
    train: Corpus,
    synthetic: Corpus,
    test: Corpus,
    beside: Sequence[Corpus | None],
) -> Path:
    """Train on real, synthetic and mixed rows.

    Args:
        beside: A second test set and a general one, or None for either.
    """
    from assay.engine.pairs import read_pairs
    from assay.trial.budget import seconds_of
    from assay.trial.run import Settings, run_trial

    study = job.study
    settings = Settings(
        task=None if study.task == "auto" else study.task,
        learner=None if study.learner == "auto" else study.learner,
        base=study.base,
        depth=study.depth,
        seeds=study.seeds,
        budget=None if study.budget is None else seconds_of(study.budget),
        margin=study.margin,
        source=study.source,
        seed=study.seed,
        groups=study.group_columns,
        fixes=bool(study.groups) and study.groups != ("none",),
    )
    lists, pairs = lists_of(study), read_pairs(map(Path, study.pairs))
    elsewhere = asked_elsewhere(job, pairs)
    inputs = [corpus.fingerprint if corpus else "" for corpus in (train, synthetic, test, *beside)]
    inputs += [lists.fingerprint, _fingerprint(pairs)]

    def work(folder: Path) -> None:
        # Finished trainings outlive a kill of the step; they go when it is whole.
        keep = job.steps / f".{folder.name.split('.')[1]}.trainings"
        goes_on = keep.exists()
        with Meter() as meter:
            result = run_trial(
                train,
                synthetic,
                test,
                settings,
                second=beside[0],
                general=beside[1],
                lists=lists,
                pairs=pairs,
                keep=keep,
                note=job.note,
                progress=job.progress,
            )
            used: Energy = (meter.joules, meter.missing)
        if goes_on:
            used = (None, "the trial was stopped and went on, and its first part was not measured")
        (folder / "energy.json").write_bytes(_ENERGY.dump_json(used))
        (folder / "measures.json").write_bytes(_MEASURES.dump_json((*result.measures, *elsewhere)))
        (folder / "trials.json").write_bytes(_TRIALS.dump_json(result.trials))
        shutil.rmtree(keep, ignore_errors=True)

    asked = dataclasses.asdict(settings) | {"pairs_of": study.pairs_of}
    return Step("trial", asked, tuple(inputs), work).run(job.steps)


def asked_elsewhere(job: Job, pairs: Sequence[PairSet]) -> tuple[Measure, ...]:
    """What the model that the study names says of benchmarks of pairs, asked before anything is trained.

    Raises: InputError: there are no benchmarks to ask it; else as `asked.ask_elsewhere`.
    """
    from assay.trial.asked import ask_elsewhere

    model, seed = job.study.pairs_of, job.study.seed
    if model is None:
        return ()
    if not pairs:
        raise InputError(
            f"there is nothing to ask {model} of",
            fix="Name benchmarks too: --pairs crows_pairs_anonymized.csv.",
        )

    def work(folder: Path) -> None:
        measures = tuple(ask_elsewhere(pairs, model, seed=seed, progress=job.progress))
        (folder / "measures.json").write_bytes(_MEASURES.dump_json(measures))

    return measures_of(
        Step("pairs", {"model": model, "seed": seed}, (_fingerprint(pairs),), work).run(job.steps)
    )


def _fingerprint(pairs: Sequence[PairSet]) -> str:
    return hashlib.sha256(repr(pairs).encode()).hexdigest()


def forecast(job: Job, train: Corpus, test: Corpus, synthetic: Corpus | None) -> Path:
    """Train generations on each other's output; beside other stages in its short form, unless all of it is asked for."""
    from assay.forecast.run import Settings, run_forecast, to_json
    from assay.models.learner import Sampling
    from assay.trial.budget import seconds_of

    study = job.study
    short = (study.audit or study.trial) and not study.full
    settings = Settings(
        task=None if study.task == "auto" else study.task,
        learner=None if short or study.learner == "auto" else study.learner,
        base=None if short else study.base,
        depth=None if short else study.depth,
        rounds=study.rounds,
        seeds=min(study.seeds, 5),
        full=study.full,
        share=study.real_share,
        safe=not short,
        most_bytes=_SHORT_BYTES if short else None,
        sampling=Sampling(study.temperature, study.top_p, study.beams, most_tokens=0),
        budget=None if study.budget is None else seconds_of(study.budget),
        margin=study.margin,
        seed=study.seed,
    )
    lists = lists_of(study)

    def work(folder: Path) -> None:
        # Finished generations outlive a kill of the step; they go when it is whole.
        keep = job.steps / f".{folder.name.split('.')[1]}.generations"
        result = run_forecast(
            train,
            test,
            settings,
            synthetic=synthetic,
            lists=lists,
            keep=keep,
            note=job.note,
            progress=job.progress,
        )
        (folder / "measures.json").write_bytes(_MEASURES.dump_json(result.measures))
        (folder / "forecast.json").write_text(to_json(result.record), encoding="utf-8")
        shutil.rmtree(keep, ignore_errors=True)

    inputs = (
        train.fingerprint,
        test.fingerprint,
        synthetic.fingerprint if synthetic else "",
        lists.fingerprint,
    )
    folder = Step("forecast", dataclasses.asdict(settings), inputs, work).run(job.steps)
    place(folder / "forecast.json", job.rows / "forecast.json")
    return folder
