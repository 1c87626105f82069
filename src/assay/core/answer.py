"""The answer: the few sentences a person reads first, the same in the terminal and on the page."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core import words
from assay.core.claim import CLAIMS
from assay.core.evidence import ClaimResult, Evidence, VerdictWord
from assay.core.measure import Measure
from assay.core.verdict import gravest


@dataclass(frozen=True)
class Tile:
    """One perspective: its gravest verdict and the line that goes with it."""

    perspective: str
    verdict: VerdictWord
    line: str


@dataclass(frozen=True)
class Answer:
    """What to know first.

    Attributes:
        sentences: Two to four plain sentences: does it help, how much to mix in, what to watch.
        tiles: Quality, bias, evaluation.
        next_steps: At most three things to do.
    """

    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    next_steps: tuple[str, ...]


def answer(evidence: Evidence) -> Answer:
    """The answer that this evidence gives."""
    claims = {result.id: result for result in evidence.claims}
    return Answer(
        sentences=tuple(_sentences(evidence, claims)),
        tiles=tuple(_tile(name, evidence.claims) for name in ("quality", "bias", "evaluation")),
        next_steps=tuple(_next_steps(evidence)),
    )


def _sentences(evidence: Evidence, claims: dict[str, ClaimResult]) -> list[str]:
    foretold = claims["model-collapse"]
    if evidence.find("trial.benefit") is None and foretold.verdict != "not measured":
        return [foretold.statement]  # a forecast on its own says nothing of whether the rows help
    growth = evidence.find("forecast.loss_growth")
    if growth is not None and growth.missing and _alone(evidence):
        return [f"What the next generations would lose was not measured: {growth.missing}."]
    sentences = [_does_it_help(evidence, claims["performance"])]
    mix = _how_much(evidence)
    if mix:
        sentences.append(mix)
    alone = evidence.find("trial.gap")
    if alone is not None and alone.value is not None:
        sentences.append(f"Used alone, in place of as many real rows, it {_effect(alone)}.")
    copied = [loss for loss in evidence.losses if loss.what == "synthetic rows that copy test rows"]
    if copied:
        rows = sum(loss.rows for loss in copied)
        verb = "copies" if rows == 1 else "copy"
        sentences.append(
            f"{words.count(rows, 'synthetic row')} {verb} your test set and took no part in this trial."
        )
    return sentences


def _alone(evidence: Evidence) -> bool:
    """Whether the forecast is all that was asked for."""
    return all(each.name.startswith(("forecast.", "drift.")) for each in evidence.measures)


def _does_it_help(evidence: Evidence, performance: ClaimResult) -> str:
    benefit = evidence.find("trial.benefit")
    if benefit is None and (elsewhere := _from_elsewhere(evidence)):
        return elsewhere
    if benefit is None or benefit.value is None:
        reason = benefit.missing if benefit is not None else "no trial was run"
        return f"Whether it helps a model was not measured: {reason}"
    effect = _effect(benefit)
    if performance.verdict == "helps":
        return f"Adding this data helps: it {effect} over the best use of your real data alone."
    if performance.verdict == "harm":
        return f"Adding this data harms: it {effect} against the best use of your real data alone."
    if performance.verdict == "no harm":
        return f"Adding this data neither helps nor harms: it {effect}."
    mde = evidence.find("evaluation.mde")
    limit = ""
    if mde is not None and mde.value is not None:
        limit = f"; a difference below {words.with_interval(mde)} cannot be seen here"
    return f"Whether adding this data helps is undecided: it {effect}{limit}."


def _effect(difference: Measure) -> str:
    """What a difference of scores does, as the rest of a sentence."""
    if difference.unit != "share of loss saved":
        return f"changes accuracy by {words.with_interval(difference)}"
    return f"saves {words.with_interval(difference)} of the test loss"


def _from_elsewhere(evidence: Evidence) -> str:
    """What results of training elsewhere say: arms against a baseline, or the law of a table of runs."""
    arms = [
        f"{(each.slice or {})['arm']} {words.with_interval(each)}"
        for name in ("trial.score_delta", "trial.judge_win_rate")
        for each in evidence.sliced(name)
        if each.value is not None
    ]
    if arms:
        how = "Pairs won" if evidence.sliced("trial.judge_win_rate") else "Change of the score"
        return f"{how} against the baseline: {'; '.join(arms)}."
    law = [
        f"{(each.slice or {})['parameter']} = {words.with_interval(each)}"
        for each in evidence.sliced("scaling.fit")
        if each.value is not None
    ]
    return f"The law that fits these runs: {', '.join(law)}." if law else ""


def _how_much(evidence: Evidence) -> str:
    best, above = evidence.find("trial.best_share"), evidence.find("trial.harmful_above")
    parts = []
    if best is not None and best.value is not None:
        parts.append(_best_share(best))
    if above is not None and above.value is not None:
        parts.append(f"more than {words.with_interval(above)} harms")
    rate = evidence.find("trial.exchange_rate")
    if rate is not None and rate.value is not None:
        parts.append(f"one synthetic row is worth {words.with_interval(rate)} real rows")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "." if text else ""


def _best_share(best: Measure) -> str:
    assert best.low is not None and best.high is not None  # noqa: PT018 (a measure with a value has both)
    if best.high - best.low > 0.5:
        return f"at a fixed number of rows no share stands out ({words.with_interval(best)})"
    return f"at a fixed number of rows the best synthetic share is {words.with_interval(best)}"


def _tile(perspective: str, results: tuple[ClaimResult, ...]) -> Tile:
    mine = [result for result in results if result.perspective == perspective]
    verdict = gravest(result.verdict for result in mine)
    first = next((result for result in mine if result.verdict == verdict), None)
    return Tile(perspective, verdict, first.statement if first is not None else "Nothing was measured.")


def _next_steps(evidence: Evidence) -> list[str]:
    """Actions of harmful claims first, then of undecided ones, in the founding order."""
    order = {claim.id: place for place, claim in enumerate(CLAIMS)}
    wanted = [result for result in evidence.claims if result.verdict in ("harm", "undecided", "helps")]
    wanted.sort(key=lambda result: (("harm", "helps", "undecided").index(result.verdict), order[result.id]))
    return list(dict.fromkeys(result.action for result in wanted))[:3]
