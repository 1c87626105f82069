"""Arms compared by a judge: ask, check its word against labels, and only then score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.core.errors import InputError
from assay.core.evidence import Loss
from assay.core.measure import Measure
from assay.engine.answers import TIE, ArmAnswers, Labels
from assay.engine.scores import ArmScores
from assay.models.judge import Answer, Comparison, Judge, Pair, Rating, Usage, Winner
from assay.trial.imported import compare_arms
from assay.trial.judge_bias import self_preference
from assay.trial.judged import FLOOR, Trust, pair_reliability, rating_reliability, win_rate

_EXAMPLES = 5


@dataclass(frozen=True)
class JudgedResult:
    """What a judge said of arms, what its word is worth, and what asking took.

    Attributes:
        comparisons: By arm, each against the first arm's answers; empty if answers were rated.
        ratings: By arm; empty if answers were compared.
    """

    trust: Trust
    measures: tuple[Measure, ...]
    losses: tuple[Loss, ...]
    comparisons: Mapping[str, tuple[Comparison, ...]]
    ratings: Mapping[str, tuple[Rating, ...]]
    usage: Usage


def judge_pairs(
    judge: Judge,
    arms: Sequence[ArmAnswers],
    labels: Labels,
    *,
    own: str | None = None,
    floor: float = FLOOR,
    level: float = 0.95,
    seed: int = 0,
) -> JudgedResult:
    """Compare each arm's answers with the first arm's, in both orders.

    Args:
        labels: Winners by arm and item; a row without an arm is meant for the only arm there is.
        own: The arm that the judge's own model, or a relative of it, wrote; whether it favours that arm is then measured.
        floor: See `judged.pair_reliability`.
    Returns: Reliability over all arms together, and `trial.judge_win_rate` of each arm; a half is as good as the
        first arm. The win rates are missing if the judge is refused.
    Raises: InputError: fewer than two arms, or none called `own`. EngineError: the judge cannot be asked.
    """
    baseline, others = _split(arms)
    if own is not None and own not in (names := [arm.name for arm in arms]):
        raise InputError(f"no arm is called {own!r}", fix=f"The arms: {', '.join(names)}.")
    asked, losses = _pairs(baseline, others)
    answers = judge.compare([pair for pairs in asked.values() for pair in pairs])
    said, start = {}, 0
    for name, pairs in asked.items():
        said[name] = answers[start : start + len(pairs)]
        start += len(pairs)
    wanted = {
        pair.item: winner
        for name, pairs in asked.items()
        for pair in pairs
        if (winner := _winner(labels, baseline.name, name, _item(pair.item), alone=len(others) == 1))
        is not None
    }
    trust = pair_reliability(judge.name, answers, wanted, floor=floor, level=level, seed=seed)
    rates = [win_rate(trust, said[arm.name], {"arm": arm.name}, level=level, seed=seed) for arm in others]
    if own is not None:
        side: Winner = "second" if own == baseline.name else "first"
        mine = [pair.item for name, pairs in asked.items() if own in (name, baseline.name) for pair in pairs]
        rates.append(self_preference(judge.name, answers, wanted, dict.fromkeys(mine, side), level=level))
    losses = (*losses, *labels.losses, *_steered(judge.name, answers), *_silent(judge.name, answers))
    return JudgedResult(trust, (*trust.measures, *rates), losses, said, {}, judge.usage)


def judge_ratings(
    judge: Judge,
    arms: Sequence[ArmAnswers],
    labels: Labels,
    *,
    floor: float = FLOOR,
    margin: float = 0.5,
    level: float = 0.95,
    seed: int = 0,
) -> JudgedResult:
    """Rate every answer by itself and compare the arms' ratings as `imported.compare_arms` compares scores.

    Args:
        labels: Ratings by arm and item on the judge's scale.
        margin: Difference in mean rating that does not matter.
    Raises: as `judge_pairs`.
    """
    baseline, others = _split(arms)
    asked = [
        (arm, [Answer(_key(arm.name, item), each.task, each.text, each.cluster or item) for item, each in arm.answers.items()])
        for arm in arms
    ]  # fmt: skip
    answers = judge.rate([answer for _, each in asked for answer in each])
    said, start = {}, 0
    for arm, each in asked:
        said[arm.name] = answers[start : start + len(each)]
        start += len(each)
    wanted = {_key(arm, item): score for (arm, item), score in labels.scores.items()}
    trust = rating_reliability(judge.name, answers, wanted, floor=floor, level=level, seed=seed)
    losses = (*(loss for arm in arms for loss in arm.losses), *labels.losses)
    losses += (*_steered(judge.name, answers), *_silent(judge.name, answers))
    if trust.refused is not None:
        refused = [
            Measure(
                name="trial.score_delta", slice={"arm": arm.name}, value=None, missing=trust.refused, level=level,
                unit="score difference", worse="lower", method="ratings by a judge that was checked against labels",
            )
            for arm in others
        ]  # fmt: skip
        return JudgedResult(trust, (*trust.measures, *refused), losses, {}, said, judge.usage)
    found = compare_arms(
        [_scores(judge.name, arm, said[arm.name]) for arm in (baseline, *others)],
        margin=margin,
        level=level,
        seed=seed,
        lower_is_better=False,
    )
    return JudgedResult(
        trust, (*trust.measures, *found.measures), (*losses, *found.losses), {}, said, judge.usage
    )


def _split(arms: Sequence[ArmAnswers]) -> tuple[ArmAnswers, Sequence[ArmAnswers]]:
    names = [arm.name for arm in arms]
    if len(arms) < 2 or len(set(names)) < len(names):
        raise InputError(
            f"a judge needs two or more files of answers, of different names (given: {', '.join(names)})",
            fix="Give the baseline's file first.",
        )
    return arms[0], arms[1:]


def _pairs(
    baseline: ArmAnswers, others: Sequence[ArmAnswers]
) -> tuple[dict[str, list[Pair]], tuple[Loss, ...]]:
    asked: dict[str, list[Pair]] = {}
    losses = [loss for arm in (baseline, *others) for loss in arm.losses]
    for arm in others:
        common = [item for item in arm.answers if item in baseline.answers]
        same = [item for item in common if arm.answers[item].task == baseline.answers[item].task]
        asked[arm.name] = [
            Pair(
                _key(arm.name, item),
                baseline.answers[item].task,
                arm.answers[item].text,
                baseline.answers[item].text,
                baseline.answers[item].cluster or item,
            )
            for item in same
        ]
        known = set(same)
        gone = {
            f"answered by one of {baseline.name} and {arm.name} only": sorted(
                arm.answers.keys() ^ baseline.answers.keys()
            ),
            "the same id with different tasks": [item for item in common if item not in known],
        }
        losses += [
            Loss(
                what=f"{arm.name} against {baseline.name}",
                why=why,
                rows=len(items),
                examples=tuple(items[:_EXAMPLES]),
            )
            for why, items in gone.items()
            if items
        ]
    return asked, tuple(losses)


def _winner(labels: Labels, baseline: str, arm: str, item: str, *, alone: bool) -> Winner | None:
    named = labels.winners.get((arm, item)) or (labels.winners.get(("", item)) if alone else None)
    if named is None:
        return None
    known: dict[str, Winner] = {arm: "first", baseline: "second", TIE: "tie"}
    if named not in known:
        raise InputError(
            f"the label of item {item!r} names the winner {named!r}",
            fix=f"It must be {arm!r}, {baseline!r} or {TIE!r}.",
        )
    return known[named]


def _scores(judge: str, arm: ArmAnswers, ratings: Sequence[Rating]) -> ArmScores:
    read = [each for each in ratings if each.score is not None]
    if not read:
        raise InputError(f"{judge} gave no readable rating of {arm.name}")
    return ArmScores(
        name=arm.name,
        form="judge",
        metric=f"rating by {judge}",
        others=(),
        items=tuple(_item(each.item) for each in read),
        runs=("",),
        scores=np.array([[each.score] for each in read], dtype=np.float64),
        repeats=1,
        clusters=tuple(each.cluster for each in read),
        slices={},
        checks=(None,) * len(read),
        losses=(),
    )


def _steered(judge: str, answers: Sequence[Comparison | Rating]) -> tuple[Loss, ...]:
    items = [each.item for each in answers if each.steered]
    why = "task or answer seems to address its judge; it was judged all the same"
    return (Loss(what=judge, why=why, rows=len(items), examples=tuple(items[:_EXAMPLES])),) if items else ()


def _silent(judge: str, answers: Sequence[Comparison | Rating]) -> tuple[Loss, ...]:
    items = [
        each.item
        for each in answers
        if (not each.readable if isinstance(each, Comparison) else each.score is None)
    ]
    why = "the judge's reply was no verdict"
    return (Loss(what=judge, why=why, rows=len(items), examples=tuple(items[:_EXAMPLES])),) if items else ()


def _key(arm: str, item: str) -> str:
    return f"{arm}\t{item}"


def _item(key: str) -> str:
    return key.partition("\t")[2]
