"""What the rows and the trainings of a run cost, as far as it was counted and the user gave prices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from assay.core.corpus import Corpus
from assay.core.cost import GENERATION, Prices, costs, of_trainings
from assay.core.evidence import Evidence
from assay.core.measure import Measure
from assay.core.trial import Trial
from assay.study.job import Job
from assay.study.settings import Study
from assay.study.stages import Energy


def costs_of(
    job: Job,
    synthetic: Corpus,
    clean: Corpus,
    trials: tuple[Trial, ...],
    energy: Energy,
    measures: Sequence[Measure],
) -> tuple[Measure, ...]:
    """All measures of cost.

    Args:
        clean: The synthetic rows that may enter an arm.
        energy: Joules of the trainings, or None and why nobody knows.
        measures: What was measured so far: what a row is worth decides what a point costs.
    """
    from assay.curate.flags import kept
    from assay.generate.spent import spent

    study = job.study
    passing = kept(job.out, synthetic.rows, among(synthetic, (clean,))) if study.audit else None
    made = [spent(synthetic)]
    if trials:
        made.append(of_trainings(trials, *energy))
    return costs(made, study.prices, kept=passing, measures=measures)


def prices_after(study: Study, evidence: Evidence, rows: int) -> Prices:
    """The prices when only `rows` of the rows are left: what the others cost was paid all the same."""
    paid = evidence.find("cost.usd", slice={"of": GENERATION})
    if paid is None or paid.value is None or not rows:
        return study.prices
    return study.prices.model_copy(update={"row": paid.value / rows})


def among(corpus: Corpus, parts: Sequence[Corpus]) -> npt.NDArray[np.bool_]:
    """Which rows of a corpus are in one of its parts, shape (rows,)."""
    found = np.zeros(corpus.rows, np.bool_)
    for part in parts:
        found[part.table(["row"])["row"].to_numpy()] = True
    return found
