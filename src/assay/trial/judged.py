"""What a judge's word is worth, and what it says of the arms if it is worth something.

Never trusted silently: without a sample of labels, or where judge and labels agree too little, the judge's scores are
missing with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.measure import Measure
from assay.models.judge import Comparison, Rating, Winner
from assay.stats import bootstrap
from assay.trial.judge_facts import mean_of, measured, missing, root_of, share_of, unreadable
from assay.trial.paired import DRAWS, by_cluster, clusters_of

Floats = npt.NDArray[np.float64]

FLOOR = 0.4
FEWEST_LABELS = 30


@dataclass(frozen=True)
class Trust:
    """How reliable a judge is; `refused` says why its scores may not be used, or is None."""

    judge: str
    refused: str | None
    measures: tuple[Measure, ...]


def pair_reliability(
    judge: str,
    comparisons: Sequence[Comparison],
    labels: Mapping[str, Winner],
    *,
    floor: float = FLOOR,
    level: float = 0.95,
    seed: int = 0,
) -> Trust:
    """Whether a judge of pairs keeps to its word when the order is swapped, and agrees with people.

    Args:
        comparisons: Both orders of each pair.
        labels: Item to the winner a person named; items without a label are passed over.
        floor: Kappa that the lower end of its interval must reach.
    Returns: `evaluation.judge_swap_consistency`, `.judge_position_bias`, `.judge_agreement` and `.judge_kappa`. A
        judge with fewer than `FEWEST_LABELS` labels or a kappa that may lie below the floor is refused.
    Source: Zheng et al. 2023, Judging LLM-as-a-Judge (swapping); Cohen 1960, Educational and Psychological
        Measurement 20, 37-46.
    """
    said = [each for each in comparisons if each.readable]
    where, left = {"judge": judge}, unreadable(len(comparisons) - len(said))
    measures = [
        share_of(
            "evaluation.judge_swap_consistency",
            said,
            [each.winner is not None for each in said],
            where,
            left,
            level,
        ),
        _position_bias(said, where, left, level, seed),
    ]
    labelled = [each for each in said if each.item in labels]
    agreed = share_of(
        "evaluation.judge_agreement",
        labelled,
        [each.winner == labels[each.item] for each in labelled],
        where,
        left,
        level,
    )
    chance = _chance([each.winner for each in labelled], [labels[each.item] for each in labelled])
    kappa = _kappa(agreed, chance, where)
    refused = _refusal(judge, len(labelled), kappa, floor)
    return Trust(judge, refused, (*measures, agreed, kappa))


def rating_reliability(
    judge: str,
    ratings: Sequence[Rating],
    labels: Mapping[str, float],
    *,
    floor: float = FLOOR,
    level: float = 0.95,
    seed: int = 0,
) -> Trust:
    """Whether a judge of single answers agrees with people's ratings on the same scale.

    Returns: `evaluation.judge_agreement`, the share of ratings no more than one point apart, and
        `evaluation.judge_kappa`, weighted by the squared distance.
    Source: Cohen 1968, Psychological Bulletin 70, 213-220.
    """
    read = [each for each in ratings if each.score is not None]
    where, left = {"judge": judge}, unreadable(len(ratings) - len(read))
    both = [each for each in read if each.item in labels]
    agreed = share_of(
        "evaluation.judge_agreement",
        both,
        [abs((each.score or 0) - labels[each.item]) <= 1 for each in both],
        where,
        left,
        level,
    )
    kappa = _weighted_kappa(both, labels, where, left, level, seed)
    return Trust(judge, _refusal(judge, len(both), kappa, floor), (agreed, kappa))


def win_rate(
    trust: Trust,
    comparisons: Sequence[Comparison],
    where: Mapping[str, str],
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Measure:
    """Share of pairs that the first answer wins, an undecided pair counting half; missing if the judge is refused."""
    said = [each for each in comparisons if each.readable]
    place = {**where, "judge": trust.judge}
    left = unreadable(len(comparisons) - len(said))
    if trust.refused is not None or len(said) < 2:
        return missing(
            "trial.judge_win_rate", trust.refused or "fewer than two readable pairs", place, left, level
        )
    scores = np.array([[each.score] for each in said], dtype=np.float64)
    method = "both orders of each pair; orders that disagree, and ties, count half"
    return mean_of("trial.judge_win_rate", scores, said, (0.0, 1.0), method, place, left, level, seed)


def _position_bias(
    said: Sequence[Comparison], where: dict[str, str], left: dict[str, int], level: float, seed: int
) -> Measure:
    name = "evaluation.judge_position_bias"
    if len(said) < 2:
        return missing(name, "fewer than two readable pairs", where, left, level)
    lean = {"A": 1.0, "B": -1.0, "TIE": 0.0}
    scores = np.array([[(lean[each.shown or "TIE"] + lean[each.swapped or "TIE"]) / 2] for each in said])
    method = "replies for the answer shown first minus replies for the one shown second, over both orders"
    return mean_of(name, scores, said, (-1.0, 1.0), method, where, left, level, seed)


def _kappa(agreed: Measure, chance: float, where: dict[str, str]) -> Measure:
    """Kappa of the agreement; its interval takes the chance agreement as known."""
    name = "evaluation.judge_kappa"
    if agreed.value is None or agreed.low is None or agreed.high is None:
        return missing(name, agreed.missing or "", where, agreed.left_out, agreed.level)
    if chance >= 1:
        return missing(
            name,
            "all labels and verdicts name one side; label pairs that the other side wins, too",
            where,
            agreed.left_out,
            agreed.level,
        )
    value, low, high = ((each - chance) / (1 - chance) for each in (agreed.value, agreed.low, agreed.high))
    method = f"agreement beyond the {chance:.3g} that chance gives, over what chance leaves; {agreed.method}"
    return measured(name, value, low, high, agreed.n, method, where, agreed.left_out, agreed.level)


def _weighted_kappa(
    both: Sequence[Rating],
    labels: Mapping[str, float],
    where: dict[str, str],
    left: dict[str, int],
    level: float,
    seed: int,
) -> Measure:
    name = "evaluation.judge_kappa"
    given = np.array([each.score for each in both], dtype=np.float64)
    wanted = np.array([labels[each.item] for each in both], dtype=np.float64)
    if len(both) < 2 or (np.ptp(given) == 0 and np.ptp(wanted) == 0):
        return missing(name, "fewer than two different ratings", where, left, level)
    kin = clusters_of([root_of(each) for each in both])
    parts = np.column_stack([np.ones(len(both)), given, wanted, given**2, wanted**2, given * wanted])
    sums = by_cluster(parts, kin)
    weights = bootstrap.cluster_weights(sums.shape[1], DRAWS, np.random.default_rng(seed))
    draws = _agreement_of(weights @ sums.T)
    value = float(_agreement_of(sums.sum(axis=1)[None])[0])
    low, high = bootstrap.interval(draws[np.isfinite(draws)], level)
    method = f"kappa weighted by squared distance; bootstrap of {DRAWS} draws over {sums.shape[1]} items"
    return measured(name, value, min(low, value), max(high, value), len(both), method, where, left, level)


def _agreement_of(sums: Floats) -> Floats:
    """Kappa with squared weights from (n, sum x, sum y, sum xx, sum yy, sum xy), shape (..., 6): in closed form."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    apart = xx + yy - 2 * xy
    by_chance = xx + yy - 2 * x * y / n
    with np.errstate(invalid="ignore", divide="ignore"):
        kappa: Floats = 1 - apart / by_chance
    return kappa


def _chance(said: Sequence[Winner | None], wanted: Sequence[Winner]) -> float:
    """Agreement that the two margins give by chance."""
    if not said:
        return 0.0
    return sum(said.count(each) * wanted.count(each) for each in ("first", "second", "tie")) / len(said) ** 2


def _refusal(judge: str, labels: int, kappa: Measure, floor: float) -> str | None:
    if labels < FEWEST_LABELS:
        return (
            f"{judge} was checked against {labels} labels; {FEWEST_LABELS} are needed before its word counts"
        )
    if kappa.low is None:
        return f"{judge} could not be checked: {kappa.missing}"
    if kappa.low < floor:
        return (
            f"{judge} agrees with the labels by a kappa of {kappa.value:.2f} ({kappa.low:.2f} to {kappa.high:.2f}); "
            f"the lower end must reach {floor:g}"
        )
    return None
