"""How many synthetic rows the evidence supports beside all real rows."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core import words
from assay.core.evidence import Evidence
from assay.core.measure import Measure

DECIDED = 0.5  # the widest interval of a best share that still names one


@dataclass(frozen=True)
class Recommendation:
    """A share of synthetic rows among all, 0 to 1, and what it rests on, as a sentence without a full stop."""

    share: float
    why: str


def recommend(evidence: Evidence) -> Recommendation:
    """The share that the trial supports; none where it found harm, decided nothing or was not made.

    In this order: harm means none. A best share whose interval is at most `DECIDED` wide and leaves none out is taken as
    it is. Where adding helps, though replacing does not, it is the share of the dose that scored best beside all real
    rows. Anything else is no ground to add a row.
    """
    verdict = next((each for each in evidence.claims if each.id == "performance"), None)
    if verdict is None or verdict.verdict == "not measured":
        return Recommendation(0.0, "no row is added, for no trial measured whether adding them helps")
    benefit = evidence.find("trial.benefit")
    effect = "" if benefit is None or benefit.value is None else f": {words.with_interval(benefit)}"
    if verdict.verdict == "harm":
        return Recommendation(0.0, f"no row is added, for the trial found that adding them harms{effect}")
    best = evidence.find("trial.best_share")
    if best is not None and best.value is not None and _names_one(best):
        return Recommendation(
            best.value, f"at a fixed number of rows the trial found {words.with_interval(best)} best"
        )
    if verdict.verdict == "helps":
        dose = _best_dose(evidence)
        if dose is not None:
            share, score = dose
            return Recommendation(
                share,
                "of the doses that the trial added to all real rows this one scored best, "
                f"{words.with_interval(score)}; adding them helps{effect}",
            )
    if verdict.verdict == "no harm":
        return Recommendation(
            0.0, f"no row is added, for the trial found that adding them changes nothing{effect}"
        )
    return Recommendation(
        0.0, f"no row is added, for the trial could not tell whether adding them helps{effect}"
    )


def warning(evidence: Evidence, share: float) -> str:
    """What the trial says against a share that somebody asked for; nothing where it says nothing."""
    above = evidence.find("trial.harmful_above")
    if above is None or above.value is None or share <= above.value:
        return ""
    return f"at a fixed number of rows the trial found more than {words.with_interval(above)} harmful"


def _names_one(best: Measure) -> bool:
    assert best.low is not None and best.high is not None  # noqa: PT018 (a measure with a value has both)
    return best.low > 0 and best.high - best.low <= DECIDED


def _best_dose(evidence: Evidence) -> tuple[float, Measure] | None:
    """Share and score of the dose that did best beside all real rows."""
    doses = [
        each
        for each in evidence.sliced("trial.dose_response")
        if each.value is not None and (each.slice or {}).get("design") == "addition"
    ]
    if not doses:
        return None
    lower_is_better = doses[0].unit == "bits per byte"
    top = max(doses, key=lambda each: -(each.value or 0.0) if lower_is_better else (each.value or 0.0))
    return float((top.slice or {})["synthetic_share"]), top
