"""What the trial found, as plain data: the arms, the models compared, the exchange rate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from assay.core import words
from assay.core.evidence import Evidence
from assay.core.measure import Measure
from assay.report import safe
from assay.report.whisker import Domain, whisker

# Differences between models, in the order in which they are compared.
DIFFERENCES = (
    "trial.gap",
    "trial.benefit",
    "trial.placebo",
    "trial.reverse_gap",
    "trial.tail_delta",
    "trial.shifted_delta",
    "trial.forgetting",
    "trial.preference_delta",
    "trial.worst_slice_delta",
    "trial.slice_delta",
)


@dataclass(frozen=True)
class Mix:
    """One arm of the dose-response, ready to read."""

    design: str
    real: str
    synthetic: str
    share: str
    score: str


@dataclass(frozen=True)
class Model:
    """One of the models compared: what it was trained on, and its score drawn on the scale of all of them."""

    trained_on: str
    rows: str
    score: str
    drawing: Markup


def mixes(evidence: Evidence) -> tuple[Mix, ...]:
    """The dose-response as a table, arm by arm."""
    rows = []
    for measure in evidence.sliced("trial.dose_response"):
        where = measure.slice or {}
        if measure.value is not None:
            rows.append(
                Mix(
                    design=safe.visible(where.get("design", "")),
                    real=_real_rows(where),
                    synthetic=_rows(where.get("synthetic_rows", "–")),
                    share=words.share(float(where["synthetic_share"])),
                    score=words.with_interval(measure),
                )
            )
    return tuple(rows)


def sizes(evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """The learning curve as a table: real rows, score."""
    return tuple(
        (_rows(measure.slice["real_rows"]), words.with_interval(measure))
        for measure in evidence.sliced("trial.learning_curve")
        if measure.value is not None and measure.slice and "real_rows" in measure.slice
    )


def models(evidence: Evidence) -> tuple[Model, ...]:
    """The models that answer the question, side by side: at equal rows, then with all real rows."""
    arms = [each for each in _chosen(evidence) if each[1].low is not None and each[1].high is not None]
    if not arms:
        return ()
    ends = [end for _, arm in arms for end in (arm.low, arm.high) if end is not None]
    across: Domain = (min(ends), max(ends) if max(ends) > min(ends) else min(ends) + 1)
    return tuple(
        Model(
            name, _trained_rows(arm, placebo_share(evidence)), words.with_interval(arm), whisker(arm, across)
        )
        for name, arm in arms
    )


def placebo_share(evidence: Evidence) -> float:
    """Placebo rows per real row of the control, which only its recipe tells; 0 without a control."""
    parts = [(each.recipe.placebo, each.recipe.real) for each in evidence.trials if each.recipe.placebo]
    return parts[0][0] / parts[0][1] if parts and parts[0][1] else 0.0


def score(evidence: Evidence) -> str:
    """The unit of the scores and which way is better; empty without a trial."""
    arms = evidence.sliced("trial.dose_response") or evidence.sliced("trial.learning_curve")
    if not arms:
        return ""
    unit = safe.visible(arms[0].unit)
    return f"{unit}, {'lower' if lower_is_better(arms[0].unit) else 'higher'} is better"


def compared(evidence: Evidence) -> list[Measure]:
    """The measured differences between models; of slices all, those that lose most first."""
    found: list[Measure] = []
    for name in DIFFERENCES:
        whole = evidence.find(name)
        slices = sorted(evidence.sliced(name), key=lambda each: each.value if each.value is not None else 0.0)
        found += [each for each in (*([whole] if whole else ()), *slices) if each.value is not None]
    return found


def trainings(evidence: Evidence) -> str:
    """How many trainings of which learner over how many seeds."""
    if not evidence.trials:
        return ""
    learners = ", ".join(dict.fromkeys(safe.visible(trial.learner) for trial in evidence.trials))
    seeds = len({trial.seed for trial in evidence.trials})
    number = words.count(len(evidence.trials), "training")
    return f"{number} of the {learners} learner over {words.count(seeds, 'seed')}."


def exchange(evidence: Evidence) -> str:
    """The exchange rate in a sentence."""
    rate = evidence.find("trial.exchange_rate")
    if rate is None:
        return ""
    if rate.value is None:
        return f"The exchange rate was not measured: {safe.visible(rate.missing or '', safe.ROW_LIMIT)}"
    return (
        f"The exchange rate: one synthetic row is worth {words.with_interval(rate)} real rows at the margin."
    )


def lower_is_better(unit: str) -> bool:
    """Whether a score in this unit is a loss."""
    return unit in ("bits per byte", "nats", "loss", "perplexity")


def _chosen(evidence: Evidence) -> Iterator[tuple[str, Measure]]:
    replaced, added = _arms(evidence, "replacement"), _arms(evidence, "addition")
    repeated, placebo = _arms(evidence, "repeated"), _arms(evidence, "placebo")
    best = evidence.find("trial.best_share")
    if len(replaced) > 1:
        yield "real rows only", replaced[0]
        inner = [each for each in replaced[1:-1] if best and best.value == _share(each)]
        if inner:
            yield f"best mix, {words.share(_share(inner[0]))} synthetic", inner[0]
        if _share(replaced[-1]) == 1:
            yield "synthetic rows only", replaced[-1]
    if len(added) > 1:
        yield "all real rows", added[0]
        if len(repeated) > 1:
            yield "all real rows, some again", max(repeated, key=_repeats)
        yield "all real rows and synthetic rows", added[-1]
    if placebo:
        yield "all real rows and a placebo", placebo[-1]


def _arms(evidence: Evidence, design: str) -> list[Measure]:
    found = [
        each
        for each in evidence.sliced("trial.dose_response")
        if (each.slice or {}).get("design") == design and each.value is not None
    ]
    return sorted(found, key=_share)


def _share(measure: Measure) -> float:
    return float((measure.slice or {})["synthetic_share"])


def _repeats(measure: Measure) -> float:
    return float((measure.slice or {}).get("repeats", "1"))


def _trained_rows(measure: Measure, placebo: float) -> str:
    where = measure.slice or {}
    real, synthetic = where.get("real_rows", "0"), where.get("synthetic_rows", "0")
    parts = [f"{_real_rows(where)} real"] if real != "0" else []
    parts += [f"{_rows(synthetic)} synthetic"] if synthetic != "0" else []
    if where.get("design") == "placebo" and real.isdecimal() and placebo:
        parts.append(f"{round(int(real) * placebo):,} placebo")
    return " + ".join(parts)


def _real_rows(where: dict[str, str]) -> str:
    again = where.get("repeats", "1")
    return _rows(where.get("real_rows", "–")) + (f" × {safe.visible(again)}" if again != "1" else "")


def _rows(text: str) -> str:
    return f"{int(text):,}" if text.isdecimal() else safe.visible(text)
