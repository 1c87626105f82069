"""Verdicts: the one place where measures decide claims.

A risk is decided against what real data shows of itself. With `excess`, how far a measure lies past its
real-against-real reference in the worse direction, and `tolerance`, how far still counts as the same:

    harm        the test of "excess <= tolerance" is rejected, with Benjamini-Hochberg over all deciding measures
    no harm     the interval of the excess ends within the tolerance (two one-sided tests' equivalence)
    undecided   neither; the interval is too wide
    not measured   no deciding measure has a value

A measure that only opens a question (`Definition.opens`), or one that needs a reference and has none
(`Definition.compared`), is undecided where it would be harm.

A benefit helps when its interval lies above zero by the same test.

Sources: Schuirmann 1987 (two one-sided tests); Benjamini & Hochberg 1995 (false discovery rate).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assay.core import words
from assay.core.catalogue import define
from assay.core.claim import CLAIMS, Claim
from assay.core.discoveries import adjusted
from assay.core.evidence import ClaimResult, VerdictWord
from assay.core.measure import Measure

FALSE_DISCOVERY_RATE = 0.05
# Where each slice is the question, not a part of it.
_BY_SLICE = (
    "coverage.slice_ratio",
    "coverage.regions",
    "bias.group_share_ratio",
    "bias.sentiment_gap",
    "bias.gap",
    "bias.weat",
    "contamination.ngram_share",
    "contamination.rephrased_share",
    "trial.shifted_delta",
)
# Measures of a whole, and the measures of its parts that it answers for where they are too small to tell.
_ANSWERS = {
    "coverage.region_gap": ("coverage.regions",),
    "bias.group_shift": ("bias.group_share_ratio",),
    "bias.sentiment_gap": ("bias.sentiment_gap", "bias.gap"),
    "bias.association": ("bias.weat",),
}
_GRAVEST: tuple[VerdictWord, ...] = ("harm", "undecided", "helps", "no harm", "not measured")


@dataclass(frozen=True)
class Judged:
    """A measure with the verdict on it alone."""

    measure: Measure
    verdict: VerdictWord


def decide(measures: Sequence[Measure], *, margin: float = 0.01) -> tuple[ClaimResult, ...]:
    """Every claim decided, in the founding order.

    Args:
        measures: All measures of the run.
        margin: Largest difference of accuracy that still counts as none.
    """
    deciding = {each.id: _deciding(each, measures) for each in CLAIMS}
    flat = [(each, measure) for each in CLAIMS for measure in deciding[each.id]]
    harmful = _discoveries([_p_harm(measure, margin) for _, measure in flat])
    helpful = _discoveries([_p_help(each, measure) for each, measure in flat])
    judged: dict[str, list[Judged]] = {each.id: [] for each in CLAIMS}
    for (each, measure), harms, helps in zip(flat, harmful, helpful, strict=True):
        judged[each.id].append(Judged(measure, _verdict(measure, margin, harms=harms, helps=helps)))
    return tuple(_result(each, judged[each.id], measures, margin) for each in CLAIMS)


def gravest(verdicts: Iterable[VerdictWord]) -> VerdictWord:
    """The verdict that most needs attention."""
    found = set(verdicts)
    return next((word for word in _GRAVEST if word in found), "not measured")


def _deciding(each: Claim, measures: Sequence[Measure]) -> list[Measure]:
    """The measures that decide a claim: whole-corpus ones, and slices only where the slice is the question."""
    return [
        measure
        for name in each.measures
        for measure in measures
        if measure.name == name and (measure.slice is None or name in _BY_SLICE)
    ]


def _verdict(measure: Measure, margin: float, *, harms: bool, helps: bool) -> VerdictWord:
    if measure.value is None:
        return "not measured"
    if measure.name == "evaluation.mde":
        # No comparison: a trial that cannot see the margin leaves its questions open, it harms nobody.
        return "no harm" if measure.value <= margin else "undecided"
    if harms:
        return "harm"
    if helps:
        return "helps"
    _, _, high = _excess(measure)
    return "no harm" if high <= _tolerance(measure, margin) else "undecided"


def _excess(measure: Measure) -> tuple[float, float, float]:
    """How far past its reference the measure lies, worse being positive, with the interval of that distance.

    Ratios are compared as logarithms in whichever direction they stray; intervals of value and reference
    are joined as independent errors.
    """
    if measure.value is None or measure.low is None or measure.high is None:
        raise ValueError(f"{measure.name} has no value to judge")
    value, low, high = measure.value, measure.low, measure.high
    ref = measure.reference
    ideal = define(measure.name).ideal
    base, base_low, base_high = (ref.value, ref.low, ref.high) if ref is not None else (ideal,) * 3
    if measure.worse == "either":
        value, low, high = (_log(each) for each in (value, low, high))
        base, base_low, base_high = (
            (_log(each) for each in (base, base_low, base_high)) if ref else (0.0,) * 3
        )
    flip = measure.worse == "lower" or (measure.worse == "either" and value < base)
    if flip:
        value, low, high = -value, -high, -low
        base, base_low, base_high = -base, -base_high, -base_low
    excess = value - base
    return (
        excess,
        excess - math.hypot(value - low, base_high - base),
        excess + math.hypot(high - value, base - base_low),
    )


def _tolerance(measure: Measure, margin: float) -> float:
    definition = define(measure.name)
    if measure.unit in ("accuracy difference", "share of loss saved"):
        return margin
    if measure.worse == "either":
        return math.log(1 + definition.tolerance)
    if definition.relative and measure.reference is not None:
        return definition.tolerance * abs(measure.reference.value)
    return definition.tolerance


def _p_harm(measure: Measure, margin: float) -> float:
    """One-sided p-value of "not worse than the tolerance"; 1 where there is nothing to test."""
    definition = define(measure.name)
    open_by_itself = definition.opens or (definition.compared and measure.reference is None)
    if measure.value is None or measure.name == "evaluation.mde" or open_by_itself:
        return 1.0
    excess, low, _ = _excess(measure)
    return _p_above(excess - _tolerance(measure, margin), (excess - low) / 1.96)


def _p_help(each: Claim, measure: Measure) -> float:
    """One-sided p-value of "no better than nothing"; 1 for risks."""
    if measure.value is None or each.kind == "risk":
        return 1.0
    excess, _, high = _excess(measure)
    return _p_above(-excess, (high - excess) / 1.96)


def _p_above(distance: float, error: float) -> float:
    if error <= 0:
        return 0.0 if distance > 0 else 1.0
    return 0.5 * math.erfc(distance / error / math.sqrt(2))


def _discoveries(p_values: Sequence[float]) -> list[bool]:
    """Which hypotheses are rejected at `FALSE_DISCOVERY_RATE`; p-values of 1 are no tests and do not count."""
    sure = iter(adjusted([p for p in p_values if p < 1]))
    return [p < 1 and next(sure) <= FALSE_DISCOVERY_RATE for p in p_values]


def _log(ratio: float) -> float:
    return math.log(max(ratio, 1e-3))


def _result(
    each: Claim, judged: list[Judged], tried: Sequence[Measure] = (), margin: float = 0.01
) -> ClaimResult:
    if not judged:
        return _claim_result(each, "not measured", [], each.needs, "Nothing to do yet.")
    judged = _answered(judged)
    verdict = gravest(one.verdict for one in judged if one.verdict != "not measured")
    if verdict == "not measured":
        reasons = dict.fromkeys(one.measure.missing or "" for one in judged)
        return _claim_result(each, verdict, [], "; ".join(reasons), "Supply what is missing and run again.")
    grounds = [one.measure for one in judged if one.verdict == verdict]
    # The reader wants the strongest ground first, then enough of the others to judge for himself.
    grounds.sort(key=lambda measure: -_strength(measure))
    statement = "; ".join(_says(measure) for measure in grounds[:3])
    if len(grounds) > 3:
        statement += f"; and {len(grounds) - 3} more"
    because = list(dict.fromkeys(measure.name for measure in grounds))
    action = _action(each, verdict)
    if each.id == "bias-amplification" and verdict == "harm":
        action += _advice(tried, margin)
    return _claim_result(each, verdict, because, statement[:1].upper() + statement[1:] + ".", action)


def _answered(judged: list[Judged]) -> list[Judged]:
    """Without the regions and groups too small to tell, where a measure of all of them answers for them."""
    has = {one.measure.name for one in judged if one.measure.slice is None and one.measure.value is not None}
    answered = {part for whole, parts in _ANSWERS.items() if whole in has for part in parts}
    return [
        one
        for one in judged
        if one.verdict != "undecided" or one.measure.slice is None or one.measure.name not in answered
    ]


def _strength(measure: Measure) -> float:
    if measure.name == "evaluation.mde":
        return 0.0
    excess, _, _ = _excess(measure)
    return abs(excess) / (_tolerance(measure, 0.01) or 1.0)


def _says(measure: Measure) -> str:
    text = define(measure.name).says.format(
        value=words.with_interval(measure), reference=words.reference(measure)
    )
    if measure.slice is None:
        return text
    where = ", ".join(f"{key} “{value}”" for key, value in measure.slice.items())
    return f"{where}: {text}"


def _claim_result(
    each: Claim, verdict: VerdictWord, because: list[str], statement: str, action: str
) -> ClaimResult:
    return ClaimResult(
        id=each.id,
        kind=each.kind,
        perspective=each.perspective,
        verdict=verdict,
        because=tuple(because),
        statement=statement,
        action=action,
    )


def _advice(measures: Sequence[Measure], margin: float) -> str:
    """Which of the fixes that were tried shrank the gap here and cost no score beyond the margin, or that none did.

    The rate of false discoveries is held over all fixes, so that of many that do nothing none is named by luck.
    """
    effects = [
        measure for measure in measures if measure.name == "bias.fix_effect" and measure.value is not None
    ]
    if not effects:
        return ""
    shrinks = _discoveries([_p_above(*_above_nothing(measure)) for measure in effects])
    worked = []
    for measure, sure in zip(effects, shrinks, strict=True):
        fix = (measure.slice or {}).get("fix", "")
        costs = [
            cost
            for cost in measures
            if cost.name == "bias.fix_cost"
            and (cost.slice or {}).get("fix") == fix
            and (cost.slice or {}).get("on") in ("score", "other groups")
        ]
        if sure and all(cost.low is not None and cost.low >= -margin for cost in costs):
            worked.append(f"{fix} ({words.with_interval(measure)})")
    if worked:
        return f" Tried here, shrank the score gap and cost no score: {'; '.join(worked)}."
    return (
        " None of the fixes tried here is sure to shrink the score gap without cost, so none is recommended."
    )


def _above_nothing(measure: Measure) -> tuple[float, float]:
    value, low = measure.value or 0.0, measure.low or 0.0
    return value, (value - low) / 1.96


_ACTIONS: dict[str, str] = {
    "fidelity-gap": "Read the giveaway phrases and the example rows; change the prompt that causes them, "
    "normalise format on both sides, and run again.",
    "diversity-loss": "Keep one of each group of rows marked exact_duplicate or near_duplicate (`assay curate` does), and a few "
    "of those marked template; then generate from more varied prompts and seed rows.",
    "redundancy": "Do not make more of it in the same way: each further row says little that is new. Vary prompts, seed "
    "rows or the model first, and count these rows for what they are worth.",
    "wrong-content": "Look at the examples and set aside the rows that are marked for the measures named here (empty, "
    "refusal, truncated, label_suspect, …; `assay curate` does); then mend the prompt "
    "that makes them. Once some rows are labelled (`assay label RUN`), rows/suspects.parquet ranks the others.",
    "copying": "Set aside the rows marked copies_real, rare_words_of_real, leaks_personal or holds_canary "
    "(`assay curate` does) before the data leaves your hands, and look at those marked personal.",
    "representativeness": "Generate more rows for the thin slices and regions (column region in rows/synthetic.parquet; "
    "seed the prompts with real rows of the region), or weight them back to their real shares.",
    "bias-amplification": "Read the marked words and the rows about the groups that are named; write prompts that name groups "
    "in the shares of the real rows, or add each text with the groups swapped, and run again.",
    "contamination": "Set aside the rows marked contaminated (`assay curate` does), and read the pairs in "
    "rows/contamination.parquet; a score on that evaluation says little until then.",
    "fills-gaps": "Do not count on it for thin groups: write rows about those that lose, and try them by --groups.",
    "performance": "Keep it out of the training mix as it is.",
    "substitution": "Keep your real rows in the training mix; do not replace them.",
    "scarce-data": "Leave it out even when real rows are few.",
    "robustness": "Keep it out where inputs are noisy or rare, or add synthetic rows of that kind and try again.",
    "model-collapse": "Keep real rows in every generation, at least the share that forecast.safe_real_share names, or add "
    "to what is there instead of replacing it; mark generated rows as such, so that they can be told apart later.",
    "drift": "Look at what changed between the batches that are named (model, prompt, seed rows), and keep the "
    "batches that resemble the real data most.",
    "evaluation-reliability": "Add test rows or seeds until the smallest visible difference is below the margin; where the "
    "placebo helps, believe only what the synthetic rows gain beyond it.",
    "compute-cost": "A row worth keeping costs more than a real one: have fewer rows thrown away (a better prompt, a better "
    "model), or spend the money on real rows.",
    "lower-cost": "Spend the money on more real rows: they are the cheaper way to the same gain.",
    "provenance": "Read the terms that are named, and leave out the rows marked restricted_terms in "
    "rows/synthetic.parquet unless they allow your use.",
}
# What to do with a benefit. Only the first speaks of the model's score as a whole.
_GAINS: dict[str, str] = {
    "performance": "Use it, in the share the dose-response curve shows.",
    "scarce-data": "Where you have fewer real rows than trial.break_even_rows says, add it; with more, decide by trial.benefit.",
    "robustness": "If your users write like the shifted test rows or the rarest ones, add it; else decide by trial.benefit.",
    "fills-gaps": "Add the rows about the groups that gain; what they do to the whole score, trial.benefit says.",
    "lower-cost": "Where you would pay for this gain at all, pay for synthetic rows: they are the cheaper way to it.",
}
# What to do where an undecided claim does not come from an interval that is too wide.
_OPEN: dict[str, str] = {
    "evaluation-reliability": _ACTIONS["evaluation-reliability"],
    "model-collapse": "Keep real rows in every generation (see forecast.safe_real_share). To forecast a transformer and not a "
    "count model, run `assay forecast --learner gpt`; where it was one, add seeds or test rows.",
    "compute-cost": "Give the price of one more real row (--price real_row=…) to have it compared; without it, whether that is "
    "much is for you to say.",
    "provenance": "Add the lineage columns that rows lack, have somebody read the terms that are not known or carry "
    "conditions, and choose a student of another base if it may share the generator's.",
}


def _action(each: Claim, verdict: VerdictWord) -> str:
    if verdict == "harm":
        return _ACTIONS[each.id]
    if verdict == "undecided":
        return _OPEN.get(each.id) or (
            "Supply more rows or test rows, or train more often with `--seeds 12`: the interval reaches across "
            "the line that decides."
        )
    if verdict == "helps":
        return _GAINS[each.id]
    return "Nothing to do."


def actions(each: Claim) -> dict[VerdictWord, str]:
    """What to do after each verdict that a claim can get."""
    gains: tuple[VerdictWord, ...] = ("helps",) if each.kind == "benefit" else ()
    possible: tuple[VerdictWord, ...] = ("harm", "undecided", *gains, "no harm")
    return {word: _action(each, word) for word in possible if each.measures}
