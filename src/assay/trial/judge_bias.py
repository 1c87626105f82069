"""Whom a judge favours: its own texts, and students of its own relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.models.judge import Comparison, Winner
from assay.stats import bootstrap
from assay.trial.judge_facts import grouped_share, measured, missing, root_of, unreadable
from assay.trial.paired import DRAWS, by_cluster, clusters_of

Floats = npt.NDArray[np.float64]

FEWEST_EACH = 10
FEWEST_ITEMS = 30


def self_preference(
    judge: str,
    comparisons: Sequence[Comparison],
    labels: Mapping[str, Winner],
    own: Mapping[str, Winner],
    *,
    level: float = 0.95,
) -> Measure:
    """How much likelier a judge is to see the merit of an answer when it, or its family, wrote it.

    The share of answers it prefers among its own that the labels prefer, minus the same share among the others'. A
    better writer that judges justly scores 0, which a plain win rate of its own answers would not show.

    Args:
        labels: Item to the winner people, or judges of other families, named; ties are left out.
        own: Item to the answer that is the judge's own, or its family's.
    Source: Wataoka et al. 2024, Self-Preference Bias in LLM-as-a-Judge (equal opportunity, after Hardt et al. 2016);
        the phenomenon: Panickssery et al. 2024, LLM Evaluators Recognize and Favor Their Own Generations; the
        interval: Newcombe 1998, Statistics in Medicine 17, 873-890.
    """
    name, where = "evaluation.judge_self_preference", {"judge": judge}
    sides: dict[bool, list[tuple[Comparison, float]]] = {True: [], False: []}
    unread = 0
    for each in comparisons:
        label = labels.get(each.item)
        if label not in ("first", "second") or own.get(each.item) not in ("first", "second"):
            continue
        if each.score is None:
            unread += 1
            continue
        preferred = each.score if label == "first" else 1 - each.score
        sides[label == own[each.item]].append((each, preferred))
    left = unreadable(unread)
    counts = [len({root_of(each) for each, _ in sides[side]}) for side in (True, False)]
    if min(counts) < FEWEST_EACH:
        reason = (
            f"needs {FEWEST_EACH} labelled pairs that the judge's own answer won and as many that it lost "
            f"(found: {counts[0]} and {counts[1]})"
        )
        return missing(name, reason, where, left, level)
    (mine, low, high), (other, lowest, highest) = (
        grouped_share([each for each, _ in sides[side]], [hit for _, hit in sides[side]], level)
        for side in (True, False)
    )
    value = mine - other
    return measured(
        name,
        value,
        value - float(np.hypot(mine - low, highest - other)),
        value + float(np.hypot(high - mine, other - lowest)),
        sum(map(len, sides.values())),
        f"prefers {mine:.3g} of its own answers that the labels prefer and {other:.3g} of the others'; undecided pairs "
        "count half; Newcombe's interval of a difference",
        where,
        left,
        level,
    )


def leakage_score(wins: Floats) -> Floats:
    """Preference leakage score of two students and two judges.

    Args:
        wins: Win rate of each student under each judge, shape (..., 2, 2); student and judge of one number are
            related.
    Returns: Shape (...): by what share of its mean over both judges a related judge raises the win rate of its
        student, on average over the two students. 0: no leakage. NaN where a student wins under neither judge.
    Source: Li et al. 2025, Preference Leakage: A Contamination Problem in LLM-as-a-judge, equations 5 and 6.
    """
    related = np.stack([wins[..., 0, 0], wins[..., 1, 1]], axis=-1)
    across = (wins[..., 0] + wins[..., 1]) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        score: Floats = ((related - across) / across).mean(axis=-1)
    return score


def preference_leakage(
    judges: tuple[str, str],
    students: tuple[str, str],
    comparisons: Mapping[tuple[str, str], Sequence[Comparison]],
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Measure:
    """Whether two judges each favour the student that learned from their own relative's data.

    Args:
        judges, students: The first student learned from data of the first judge's model or family, the second from
            the second's.
        comparisons: For each (student, judge), the student's answers as first against one common baseline or
            against the other student's; items that all four have count.
    Source: Li et al. 2025, see `leakage_score`; interval by a bootstrap over items.
    """
    name, where = "evaluation.preference_leakage", {"judges": " and ".join(judges)}
    cells = [(student, judge) for student in students for judge in judges]
    if lacking := [cell for cell in cells if cell not in comparisons]:
        raise InputError(f"no comparisons of {lacking[0][0]} by {lacking[0][1]}")
    scores = [{each.item: each.score for each in comparisons[cell]} for cell in cells]
    kin = {each.item: root_of(each) for each in comparisons[cells[0]]}
    asked = [item for item in scores[0] if all(item in other for other in scores[1:])]
    items = [item for item in asked if all(other[item] is not None for other in scores)]
    left = unreadable(len(asked) - len(items))
    clusters = clusters_of([kin[item] for item in items])
    if len(items) == 0 or clusters.max() + 1 < FEWEST_ITEMS:
        return missing(
            name, f"needs {FEWEST_ITEMS} independent items that both judges read", where, left, level
        )
    won = by_cluster(
        np.array([[other[item] for other in scores] for item in items], dtype=np.float64), clusters
    )
    sizes = np.bincount(clusters).astype(np.float64)
    weights = bootstrap.cluster_weights(len(sizes), DRAWS, np.random.default_rng(seed))
    rates = (weights @ won.T / (weights @ sizes)[:, None]).reshape(-1, 2, 2)
    plain = (won.sum(axis=1) / sizes.sum()).reshape(2, 2)
    value = float(leakage_score(plain))
    draws = leakage_score(rates)
    if not np.isfinite(value) or np.isnan(draws).mean() > 0.01:
        return missing(name, "a student wins nearly nothing under either judge", where, left, level)
    low, high = bootstrap.interval(draws[np.isfinite(draws)], level)
    shown = "; ".join(f"{s} under {j}: {plain.reshape(-1)[n]:.3g}" for n, (s, j) in enumerate(cells))
    method = f"win rates {shown}; bootstrap of {DRAWS} draws over {len(sizes)} items"
    return measured(name, value, min(low, value), max(high, value), len(items), method, where, left, level)
