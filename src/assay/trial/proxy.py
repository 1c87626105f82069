"""Do cheap learners rank the arms as dear ones do, and do the arms differ by more than noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assay.core.catalogue import define
from assay.core.errors import InputError
from assay.core.measure import Measure, Reference
from assay.stats import ranks
from assay.stats.bootstrap import Estimate
from assay.stats.ranks import Interval

MEASURES = ("evaluation.proxy_rank_correlation", "evaluation.decision_accuracy", "evaluation.snr")
Indices = npt.NDArray[np.int64]


def measures(
    cheap: Estimate,
    dear: Estimate,
    *,
    learners: tuple[str, str],
    arms: Indices | None = None,
    items: int,
    level: float = 0.95,
) -> list[Measure]:
    """Rank correlation, decision accuracy and signal to noise of two learners on the same arms.

    Args:
        cheap, dear: Scores of all arms with joint draws, both higher-is-better or both lower-is-better.
        learners: Names of the two.
        arms: Which arms are compared; None is all of them.
        items: Test items the scores rest on.
    Returns: `evaluation.proxy_rank_correlation` (slices ``statistic``: ``spearman``, ``kendall``),
        `evaluation.decision_accuracy` over all pairs and over those the dear learner tells apart (slices ``pairs``), and
        `evaluation.snr` of either learner (slices ``learner``).
    """
    one, other = (_of(each, arms) for each in (cheap, dear))
    slices = {"cheap": learners[0], "dear": learners[1]}
    out = []
    try:
        found = ranks.agreement(one.value, other.value, one.draws, other.draws, level=level)
    except InputError as error:
        out += [
            _missing(name, error.what, slices, items, level)
            for name in ("evaluation.proxy_rank_correlation", "evaluation.decision_accuracy")
        ]
    else:
        how = (
            f"{len(one.value)} arms trained with {learners[0]} and with {learners[1]}; {len(one.draws)} joint draws over test "
            "items and seeds, which blur ranks: the interval reaches lower than it must"
        )
        for statistic, value in (("spearman", found.spearman), ("kendall", found.kendall)):
            of = {**slices, "statistic": statistic}
            out.append(_measure("evaluation.proxy_rank_correlation", value, how, of, items, level))
        name = "evaluation.decision_accuracy"
        out.append(
            _measure(
                name, found.decisions, f"{found.pairs} pairs; {how}", {**slices, "pairs": "all"}, items, level
            )
        )
        clear = {**slices, "pairs": "clear"}
        if found.clear is None:
            reason = f"{learners[1]} tells none of {found.pairs} pairs of arms apart"
            out.append(_missing(name, reason, clear, items, level))
        else:
            note = f"{found.clear_pairs} of {found.pairs} pairs, those that {learners[1]} tells apart; {how}"
            out.append(_measure(name, found.clear, note, clear, items, level))
    return [
        *out,
        *(
            snr(each, name, items=items, level=level)
            for each, name in zip((one, other), learners, strict=True)
        ),
    ]


def snr(scores: Estimate, learner: str, *, items: int, level: float = 0.95) -> Measure:
    """`evaluation.snr` of one learner, beside the ratio that equal arms would show."""
    of = {"learner": learner}
    try:
        found = ranks.separation(scores.value, scores.draws, level=level)
    except InputError as error:
        return _missing("evaluation.snr", error.what, of, items, level)
    how = (
        f"range of {len(scores.value)} arms {found.signal:.3g} / noise of an arm against the others {found.noise:.3g}; the "
        f"reference is what equal arms would show; {len(scores.draws)} joint draws over test items and seeds"
    )
    measure = _measure("evaluation.snr", found.ratio, how, of, items, level)
    chance = Reference(value=found.chance.value, low=found.chance.low, high=found.chance.high)
    return measure.model_copy(update={"reference": chance})


def _of(scores: Estimate, arms: Indices | None) -> Estimate:
    return scores if arms is None else Estimate(scores.value[arms], scores.draws[:, arms])


def _measure(
    name: str, found: Interval, method: str, slice: dict[str, str], items: int, level: float
) -> Measure:
    told = _told(name, slice, items, level)
    return Measure.model_validate(
        {**told, "value": found.value, "low": found.low, "high": found.high, "method": method}
    )


def _missing(name: str, reason: str, slice: dict[str, str], items: int, level: float) -> Measure:
    told = _told(name, slice, items, level)
    return Measure.model_validate({**told, "value": None, "missing": reason, "method": define(name).formula})


def _told(name: str, slice: dict[str, str], items: int, level: float) -> dict[str, object]:
    definition = define(name)
    return {
        "name": name,
        "slice": slice,
        "level": level,
        "n": items,
        "unit": definition.unit,
        "worse": definition.worse,
    }
