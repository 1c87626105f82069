"""What the score of the whole test hides: slices, the tail, shifted tests, calibration, the placebo."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from assay.core.discoveries import adjusted
from assay.core.measure import Measure
from assay.stats import bootstrap, decisions
from assay.trial.arms import Arm
from assay.trial.compare import DRAWS, METHOD, Comparison, Floats

_FEWEST_SLICE_ITEMS, _FEWEST_SLICE_ROOTS = 30, 10


def beside(c: Comparison) -> list[Measure]:
    """All of them, in the catalogue's order."""
    return [
        _reverse_gap(c),
        _calibration(c),
        _tail(c),
        *_shifted(c),
        *_forgetting(c),
        *_preferences(c),
        *_slices(c),
        _placebo(c),
    ]


def _added(c: Comparison) -> tuple[list[int], str]:
    """All real rows with the largest dose against the same rows alone."""
    mixed = c.plan.addition[-1]
    return (
        [c.place[mixed], c.place[Arm(c.plan.budget)]],
        f"{mixed.synthetic} synthetic rows added to {mixed.real} real rows",
    )


def _reverse_gap(c: Comparison) -> Measure:
    """Real-only models on synthetic rows against the same models on real test rows."""
    name = "trial.reverse_gap"
    if c.scores.synthetic is None:
        return c.missing(name, "there are no synthetic rows to test on")
    arm = c.place[Arm(c.plan.equal)]
    on_synthetic = c.on(c.scores.synthetic, [arm])
    value = float(on_synthetic.value[0] - c.score.value[arm])
    method = (
        f"models of {c.plan.equal} real rows, on {len(c.scores.synthetic.roots)} synthetic rows; {METHOD}"
    )
    draws = on_synthetic.draws[:, 0] - c.score.draws[:, arm]
    return c.measure(name, value, draws, method, unit=c.difference_unit)


def _tail(c: Comparison) -> Measure:
    name = "trial.tail_delta"
    pair, what = _added(c)
    inside = c.scores.tail
    if len(np.unique(c.scores.main.roots[inside])) < _FEWEST_SLICE_ROOTS:
        return c.missing(name, f"the tail has fewer than {_FEWEST_SLICE_ROOTS} roots")
    return c.delta(name, c.within(pair, inside), f"{what}; {METHOD}", int(inside.sum()))


def _shifted(c: Comparison) -> Iterator[Measure]:
    pair, what = _added(c)
    for name, items in c.scores.shifted.items():
        yield c.delta(
            "trial.shifted_delta",
            c.on(items, pair),
            f"{what}; test rows: {name}; {METHOD}",
            len(items.roots),
            {"shift": name},
        )


def _forgetting(c: Comparison) -> Iterator[Measure]:
    if c.scores.general is None:
        yield c.missing("trial.forgetting", "no general test set was given")
        return
    pair, what = _added(c)
    items = c.scores.general
    yield c.delta("trial.forgetting", c.on(items, pair), f"{what}; {METHOD}", len(items.roots))


def _preferences(c: Comparison) -> Iterator[Measure]:
    """How often the preferred answer is the likelier one."""
    if c.scores.preferred is None:
        return
    pair, what = _added(c)
    sums = np.zeros((len(c.plan.arms), c.seeds, c.clusters))
    for root in range(c.clusters):
        sums[:, :, root] = c.scores.preferred[:, :, c.scores.main.roots == root].sum(axis=2)
    sizes = np.bincount(c.scores.main.roots, minlength=c.clusters).astype(np.float64)
    variance = bootstrap.training_variance(sums, sizes, c.rows)[pair]
    found = bootstrap.two_level(sums[pair], sizes, c.overlap[pair], variance, c.weights, c.noise + 1)
    value, draws = float(found.value[0] - found.value[1]), found.draws[:, 0] - found.draws[:, 1]
    yield c.measure("trial.preference_delta", value, draws, f"{what}; {METHOD}")


def _placebo(c: Comparison) -> Measure:
    name = "trial.placebo"
    if not c.plan.control:
        reason = "left out to keep to the budget" if c.plan.placebo_rows else "the sides share no word"
        return c.missing(name, reason)
    arm = c.plan.control[0]
    value, draws = c.difference(arm, Arm(c.plan.budget))
    method = f"{arm.placebo} placebo rows added to {arm.real} real rows; {METHOD}"
    return c.measure(name, value, draws, method, unit=c.difference_unit)


def _calibration(c: Comparison) -> Measure:
    name = "trial.calibration_delta"
    if c.scores.over is None or c.scores.decisions is None:
        return c.missing(name, "the learner does not say how sure it is of its choices")
    pair = [c.place[Arm(0, c.plan.equal)], c.place[Arm(c.plan.equal)]]
    over, roots = c.scores.over[pair], c.scores.main.roots
    decided = np.bincount(roots, c.scores.decisions, minlength=c.clusters)
    by_seed = np.zeros((2, c.seeds))
    drawn = np.zeros((DRAWS, 2, c.seeds))
    total = c.weights @ decided
    order = np.argsort(roots, kind="stable")
    starts = np.searchsorted(roots[order], np.arange(c.clusters))
    for arm in (0, 1):
        for seed in range(c.seeds):
            summed = np.add.reduceat(over[arm, seed][order], starts, axis=0, dtype=np.float64)
            by_seed[arm, seed] = np.abs(summed.sum(axis=0)).sum() / decided.sum()
            drawn[:, arm, seed] = np.abs(c.weights @ summed).sum(axis=1) / total
    rng = np.random.default_rng(c.noise + 1)
    estimate = bootstrap.seed_level(by_seed, drawn, c.overlap[pair], by_seed.var(axis=1, ddof=1), rng)
    value = float(estimate.value[0] - estimate.value[1])
    draws = estimate.draws[:, 0] - estimate.draws[:, 1]
    # Resampling makes any calibration error larger; the shift is taken out of the draws.
    shift = float(np.mean(drawn[:, 0] - drawn[:, 1])) - value
    return c.measure(
        name,
        value,
        draws - shift,
        f"{over.shape[3]} bins of equal width; {c.plan.equal} rows of either kind; {METHOD}",
    )


def _slices(c: Comparison) -> Iterator[Measure]:
    pair, what = _added(c)
    slices = list(_large_slices(c))
    if not slices:
        reason = f"no label or slice has {_FEWEST_SLICE_ITEMS} test rows from {_FEWEST_SLICE_ROOTS} roots"
        yield c.missing("trial.worst_slice_delta", reason)
        return
    worst, names = _worst(c, pair, slices)
    yield c.delta(
        "trial.worst_slice_delta",
        c.within(pair, worst),
        f"{what}; of {len(slices)} slices, the one that loses most on one half of the test roots, measured on "
        f"the other half, both ways: {names}; {METHOD}",
        int(worst.sum()),
    )
    found = [c.within(pair, inside) for _, inside in slices]
    drawn: Floats = np.column_stack([each.draws[:, 0] - each.draws[:, 1] for each in found])
    sure = adjusted(decisions.two_sided(drawn).tolist())
    for (slice_, inside), estimate, p in zip(slices, found, sure, strict=True):
        method = f"{what}; Benjamini-Hochberg p over {len(slices)} slices = {p:.3g}; {METHOD}"
        yield c.delta("trial.slice_delta", estimate, method, int(inside.sum()), slice_)


def _large_slices(c: Comparison) -> Iterator[tuple[dict[str, str], npt.NDArray[np.bool_]]]:
    """Each label and slice with rows enough: its name, and which items are in it."""
    for name, of_item in c.scores.slices.items():
        for value in sorted({each for each in of_item if each is not None}):
            inside: npt.NDArray[np.bool_] = of_item == value
            roots = len(np.unique(c.scores.main.roots[inside]))
            if inside.sum() >= _FEWEST_SLICE_ITEMS and roots >= _FEWEST_SLICE_ROOTS:
                yield {name: str(value)}, inside


def _worst(
    c: Comparison, pair: list[int], slices: list[tuple[dict[str, str], npt.NDArray[np.bool_]]]
) -> tuple[npt.NDArray[np.bool_], str]:
    """Items of the slice that loses most, chosen for each half of the test roots on the other half.

    The worst of many slices is mostly bad luck; measured on other items than it was chosen on, it is not.
    """
    main = c.scores.main
    half = c.halves[main.roots]
    gain = main.gain[pair[0]].mean(axis=0) - main.gain[pair[1]].mean(axis=0)
    kept = np.zeros(c.items, dtype=np.bool_)
    names = []
    for side in (0, 1):
        means = []
        for _, inside in slices:
            chosen = inside & (half != side)
            means.append(gain[chosen].sum() / main.sizes[chosen].sum() if chosen.any() else np.inf)
        name, inside = slices[int(np.argmin(means))]
        kept |= inside & (half == side)
        names += [f"{key} {value!r}" for key, value in name.items()]
    return kept, " and ".join(dict.fromkeys(names))
