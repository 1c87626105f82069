"""What more and more synthetic rows do: gap, benefit, curves, best share, exchange rate, break-even."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.measure import Measure
from assay.stats import bootstrap, decisions
from assay.stats.bootstrap import Estimate
from assay.stats.ranks import needed
from assay.trial import curves
from assay.trial.arms import Arm
from assay.trial.bend import bends
from assay.trial.compare import METHOD, Comparison, Floats, parts_of
from assay.trial.proxy import snr

FOLDS = 4  # of test roots and of seeds, between which doses are chosen and measured
_BENEFIT = (
    f"best dose against the better of real once and repeated, both chosen on {FOLDS - 1} of {FOLDS} parts of test roots and "
    f"of seeds and measured on the parts left out; upper end: of the dose that looks best on all of them, where higher; {METHOD}"
)
_LEFT_OUT = "left out to keep to the budget, or too few real rows for a ladder of sizes"


def response(c: Comparison) -> list[Measure]:
    """All of them, in the catalogue's order."""
    return [
        gap(c),
        benefit(c),
        *_learning_curve(c),
        *_dose_response(c),
        best_share(c),
        *_flat_range(c),
        _harmful_above(c),
        exchange_rate(c),
        break_even(c),
        _bend(c),
        _detectable(c),
        snr(c.score, c.learner, items=c.items, level=c.level),
    ]


def gap(c: Comparison) -> Measure:
    """Synthetic only against real only at equal rows."""
    value, draws = c.difference(Arm(0, c.plan.equal), Arm(c.plan.equal))
    p = decisions.equivalence(draws, c.margin)
    method = (
        f"{c.plan.equal} rows of either kind; {METHOD}; two one-sided tests for a difference within "
        f"{c.margin:g}: p = {p:.3g}"
    )
    return c.measure("trial.gap", value, draws, method, unit=c.difference_unit)


@dataclass(frozen=True)
class Choice:
    """A dose and a baseline, chosen on what they are not measured on.

    Attributes:
        seeds: Where they are measured, shape (seeds,).
        clusters: And on which test roots, shape (clusters,).
    """

    dose: Arm
    baseline: Arm
    seeds: npt.NDArray[np.int64]
    clusters: npt.NDArray[np.int64]


def choices(c: Comparison) -> Iterator[Choice]:
    """Test roots and seeds, both cut in `FOLDS`: chosen without one part of each, measured on both, in all ways."""
    turns, parts = np.arange(c.seeds) % FOLDS, parts_of(c.clusters, c.noise, FOLDS)
    each = np.eye(FOLDS)

    def elsewhere(arms: tuple[Arm, ...]) -> Floats:
        """Sums over all but one turn and all but one part, shape (arms, turns, parts)."""
        cells = each[turns].T @ c.sums[[c.place[arm] for arm in arms]] @ each[parts]
        seen: Floats = (1 - each) @ cells @ (1 - each)
        return seen

    doses, baselines = c.plan.addition, (Arm(c.plan.budget), *c.plan.repeated)
    best, rival = elsewhere(doses).argmax(axis=0), elsewhere(baselines).argmax(axis=0)
    for turn in range(FOLDS):
        for part in range(FOLDS):
            yield Choice(
                doses[best[turn, part]],
                baselines[rival[turn, part]],
                np.flatnonzero(turns == turn),
                np.flatnonzero(parts == part),
            )


def benefit(c: Comparison) -> Measure:
    """Gain of the dose that does best over the real-only baseline that does best.

    The value is the gain of the doses that `choices` names, on what they were not chosen on, so that no winner's luck is
    in it; a trial that picks a lesser dose promises too little. The lower end is theirs: the best dose gains at least as
    much. The upper end is that of the dose that looks best on everything, where it is higher: the luck in its looks errs to
    the side on which an upper end may err.
    """
    found = gains(c)
    measure = c.measure(
        "trial.benefit", float(found.value[0]), found.draws[:, 0], _BENEFIT, unit=c.difference_unit
    )
    assert measure.high is not None
    best = 1 + int(np.argmax(found.value[1:]))
    return measure.model_copy(
        update={"high": max(measure.high, bootstrap.interval(found.draws[:, best], c.level)[1])}
    )


def gains(c: Comparison) -> Estimate:
    """Gain of the chosen doses, then of each dose, over the chosen baselines, shape (1 + doses,).

    A difference of arms is an arm of its own: luck that both share is no luck in it. The seeds say little about the
    spread of one dose, so half of it is borrowed from all doses, in the ratio of the whole to the luck, and is then known
    as from up to twice as many seeds; the factor is backed by simulation (docs/statistics.md), as doses move together.
    """
    gain, used = _gains(c)
    whole, luck = bootstrap.spreads(gain, c.sizes)
    borrowed = luck * (whole[1:].sum() / max(luck[1:].sum(), np.finfo(np.float64).tiny))
    doses = len(c.plan.addition)
    return c.two_level(
        gain, used, (whole + borrowed) / 2 - luck, luck, freedom=(c.seeds - 1) * min(2.0, (1 + doses) / 2)
    )


def _gains(c: Comparison) -> tuple[Floats, Floats]:
    """What `gains` is of, summed within each root, shape (1 + doses, seeds, clusters), and the rows' overlap of seeds."""
    doses = [c.place[arm] for arm in c.plan.addition]
    chosen, rival = np.empty((2, c.seeds, c.clusters))
    used = np.concatenate([[0.0], c.overlap[doses]])
    for each in choices(c):
        best, other = c.place[each.dose], c.place[each.baseline]
        here = np.ix_(each.seeds, each.clusters)
        chosen[here], rival[here] = c.sums[best][here], c.sums[other][here]
        used[0] = max(used[0], c.overlap[best])
        used = np.maximum(used, c.overlap[other])
    return np.concatenate([chosen[None], c.sums[doses]]) - rival, used


def best_share(c: Comparison) -> Measure:
    """The share of synthetic rows to take at a fixed number of rows."""
    shares, value, draws = replacement(c)
    best = float(curves.best_places(shares, value[None])[0])
    low, high = bootstrap.between(curves.best_places(shares, draws), shares[0], shares[-1], c.level)
    measure = c.measure(
        "trial.best_share",
        best,
        np.array([best]),
        f"highest point of the curve through {len(shares)} arms of {c.plan.equal} rows each, averaged with a parabola "
        f"and a line; interval: the same point, draw by draw; {METHOD}",
    )
    return measure.model_copy(update={"low": min(low, best), "high": max(high, best)})


def exchange_rate(c: Comparison) -> Measure:
    """Real rows that one synthetic row is worth."""
    plan = c.plan
    ladder = [c.place[arm] for arm in plan.ladder]
    mixed = [c.place[arm] for arm in plan.exchange]
    rows = np.array([arm.real for arm in plan.ladder], dtype=np.float64)
    real = np.array([arm.real for arm in plan.exchange], dtype=np.float64)
    synthetic = np.array([arm.synthetic for arm in plan.exchange], dtype=np.float64)
    if len(ladder) < 3 or len(mixed) < 2:
        return c.missing("trial.exchange_rate", _LEFT_OUT)
    rise = c.score.draws[:, ladder[-1]] - c.score.draws[:, ladder[0]]
    if bootstrap.interval(rise, c.level)[0] <= 0:
        return c.missing(
            "trial.exchange_rate",
            f"the real curve is flat: from {plan.ladder[0].real} to {plan.budget} real rows the score does not rise "
            "beyond noise, so rows of either kind are worth nothing measurable here",
        )
    score = c.score
    value = curves.exchange_rates(rows, score.value[None, ladder], real, synthetic, score.value[None, mixed])
    draws = curves.exchange_rates(rows, score.draws[:, ladder], real, synthetic, score.draws[:, mixed])
    note = {
        curves.LEAST_RATE: "at most (the curve ends here); ",
        curves.MOST_RATE: "at least (the curve ends here); ",
    }
    return c.measure(
        "trial.exchange_rate",
        float(value[0]),
        np.append(draws, value),
        f"{note.get(float(value[0]), '')}one rate for {len(mixed)} mixed arms, fitted in the score on the measured "
        f"real curve of {len(ladder)} sizes; {METHOD}",
    )


def break_even(c: Comparison) -> Measure:
    """Real rows from which adding all synthetic rows no longer helps."""
    plan = c.plan
    arms = (*plan.scarce, Arm(plan.budget, plan.doses))
    if len(arms) < 2 or arms[-1] not in c.place:
        return c.missing("trial.break_even_rows", _LEFT_OUT)
    rows, value, draws = scarce_gains(c)
    crossed = float(curves.crossing(rows, value[None], 0.0)[0])
    note = {rows[0]: "at most; ", rows[-1]: "at least; "}.get(crossed, "")
    return c.measure(
        "trial.break_even_rows",
        float(np.exp(crossed)),
        np.exp(np.append(curves.crossing(rows, draws, 0.0), crossed)),
        f"{note}real rows at which adding {plan.doses} synthetic rows stops raising the score, interpolated between "
        f"{arms[0].real} and {plan.budget}; {METHOD}",
    )


def scarce_gains(c: Comparison) -> tuple[Floats, Floats, Floats]:
    """Logarithm of real rows, and the gain from adding all synthetic rows to them: value and draws."""
    arms = (*c.plan.scarce, Arm(c.plan.budget, c.plan.doses))
    mixed = [c.place[arm] for arm in arms]
    alone = [c.place[Arm(arm.real)] for arm in arms]
    rows: Floats = np.log([arm.real for arm in arms])
    return (
        rows,
        c.score.value[mixed] - c.score.value[alone],
        c.score.draws[:, mixed] - c.score.draws[:, alone],
    )


def _learning_curve(c: Comparison) -> Iterator[Measure]:
    for arm in c.plan.ladder:
        yield c.level_of("trial.learning_curve", arm, {"real_rows": str(arm.real)})


def _dose_response(c: Comparison) -> Iterator[Measure]:
    plan = c.plan
    full = Arm(plan.budget)
    designs = {
        "replacement": plan.replacement,
        "addition": (full, *plan.addition),
        "repeated": (full, *plan.repeated),
        "scarce": tuple(Arm(arm.real) for arm in plan.scarce),
        "scarce+synthetic": plan.scarce,
        "placebo": plan.control,
    }
    for name, arms in designs.items():
        for arm in arms:
            share = plan.recipe(arm).synthetic_share
            slice_ = {
                "design": name,
                "synthetic_share": f"{share:.4g}",
                "real_rows": str(arm.real),
                "synthetic_rows": str(arm.synthetic),
                "repeats": f"{arm.repeat:.4g}",
            }
            yield c.level_of("trial.dose_response", arm, slice_)


def _flat_range(c: Comparison) -> Iterator[Measure]:
    """The lowest and the highest share that are within the margin of the best, draw by draw."""
    shares, value, draws = replacement(c)
    near = np.append(draws, value[None], axis=0)
    near = near >= near.max(axis=1, keepdims=True) - c.margin
    ends = {
        "lowest": shares[near.argmax(axis=1)],
        "highest": shares[len(shares) - 1 - near[:, ::-1].argmax(axis=1)],
    }
    for end, found in ends.items():
        yield c.measure(
            "trial.flat_range",
            float(found[-1]),
            found,
            f"{end} share whose score is within {c.margin:g} of the best of {len(shares)} arms; {METHOD}",
            {"end": end},
        )


def _harmful_above(c: Comparison) -> Measure:
    shares, value, draws = replacement(c)
    above = float(curves.crossing(shares, (value - value[0])[None], -c.margin)[0])
    if above >= 1.0:
        return c.missing(
            "trial.harmful_above",
            f"at no share up to 100 % does the score fall by more than {c.margin:g} ({c.plan.equal} rows)",
        )
    return c.measure(
        "trial.harmful_above",
        above,
        np.append(curves.crossing(shares, draws - draws[:, [0]], -c.margin), above),
        f"where the score falls {c.margin:g} below real only, interpolated between arms of "
        f"{c.plan.equal} rows; an upper end of 1 means that no harm up to 100 % is possible; {METHOD}",
    )


def _bend(c: Comparison) -> Measure:
    """Whether synthetic rows stop helping sooner than their beginning promised, beside the same of real rows."""
    real = _losses(c, c.plan.ladder)
    return bends(*_losses(c, c.plan.pure), corpus="synthetic", items=c.items, reference=real, level=c.level)


def _losses(c: Comparison, arms: tuple[Arm, ...]) -> tuple[Floats, Floats, Floats]:
    """Rows of the arms, their losses, and draws of these: error rates, or shares of the loss of real rows alone."""
    places = [c.place[arm] for arm in arms]
    best = 0.0 if c.scores.text else 1.0
    rows: Floats = np.array([arm.rows for arm in arms], dtype=np.float64)
    return rows, best - c.score.value[places], best - c.score.draws[:, places]


def _detectable(c: Comparison) -> Measure:
    deviation = decisions.error_of(gains(c).draws[:, 0])
    low, high = decisions.error_bounds(deviation, c.seeds - 1, c.level)
    value = decisions.detectable_effect(deviation)
    unit = "share of loss" if c.scores.text else "difference of accuracy"
    return Measure(
        **(c.common("evaluation.mde") | {"unit": unit}),
        value=value,
        low=decisions.detectable_effect(low),
        high=decisions.detectable_effect(high),
        method=f"80 % power, 5 % level, from the standard error of trial.benefit over {c.seeds} seeds and "
        f"{c.clusters} test roots; {_settling(c)}",
    )


def _settling(c: Comparison) -> str:
    """How many more test roots or seeds would let the trial see a difference as large as the margin."""
    gain, used = _gains(c)
    whole, luck = bootstrap.spreads(gain, c.sizes)
    of_training = max(float(whole[0] - luck[0]), 0.0)
    of_root = gain[0].mean(axis=0) / c.sizes.mean()
    found = needed(
        c.margin,
        c.clusters,
        c.seeds,
        item_deviation=float(of_root.std(ddof=1)),
        seed_deviation=of_training**0.5,
        fixed_error=float(of_training * used[0] ** 2 / (1 - used[0] ** 2)) ** 0.5,
    )
    if found.detectable <= c.margin:
        return f"enough to see {c.margin:g}"
    ways = [
        f"{number:,} {what}"
        for number, what in ((found.items, "test roots"), (found.seeds, "seeds"))
        if number is not None
    ]
    if ways:
        return f"to see {c.margin:g} it takes about {' or '.join(ways)}"
    if found.both is not None:
        return f"to see {c.margin:g} it takes about {found.both[0]:,} test roots and {found.both[1]:,} seeds"
    return f"to see {c.margin:g} it takes more real rows: test rows and seeds alone cannot settle it"


def replacement(c: Comparison) -> tuple[Floats, Floats, Floats]:
    """Synthetic shares of the arms of one size, and their scores: value and draws."""
    places = [c.place[arm] for arm in c.plan.replacement]
    shares = np.array([c.plan.recipe(arm).synthetic_share for arm in c.plan.replacement])
    return shares, c.score.value[places], c.score.draws[:, places]
