"""The bias chain: how much the synthetic rows, and then the training, multiply what ties groups to labels in real rows.

A tie is how much more often rows about a group carry a label than rows about the others of its theme. All ties are taken
together as a slope: how large those of one step are for each unit of those of the step before. A plain ratio of noisy ties
would be drawn towards chance; here one half of the real rows says which ties count, and which way, and the other half how
large they are, so that the noise of the first is in neither end of the ratio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.core.measure import Measure, Reference
from assay.models.tasks import Side
from assay.stats import bootstrap
from assay.stats.bootstrap import Estimate
from assay.trial.compare import DRAWS, METHOD, Comparison, Floats
from assay.trial.grouping import NOBODY, Bools, Grouping, Ints
from assay.trial.groups import contrast, doses, drawn, share

NAME = "bias.amplification"
_MOST_TIES = 24
_BUNDLES = 300  # of roots, that are drawn together
_FEWEST = 20  # rows about a group, and about the others, on each side
_SLICES = ({"step": "synthetic"}, {"step": "training"})


@dataclass(frozen=True)
class Tie:
    """A group and a label."""

    grouping: Grouping
    group: int
    label: int


def amplification(
    c: Comparison, found: Sequence[Grouping], real: Side, synthetic: Side, seed: int
) -> Iterator[Measure]:
    """`bias.amplification` of the whole chain, of its two steps, and of the training by dose.

    Source: after Zhao et al. 2017, Men Also Like Shopping; Wang & Russakovsky 2021, Directional Bias Amplification;
        instrumental variables against noise in what is divided by: Fuller 1987, Measurement Error Models.
    """
    if c.scores.chosen is None:
        yield c.missing(
            NAME,
            "rows have no labels that groups could be tied to; bias.swap_gap shows the model's side by dose",
        )
        return
    ties = _ties(found, real, synthetic)
    if not ties:
        yield c.missing(
            NAME, f"no group has {_FEWEST} labelled rows about it and about the others on both sides"
        )
        return
    rng = np.random.default_rng([seed, 3])
    half = _half(real.roots, rng)
    halves = [_counts(ties, real, "real", rng, half == side) for side in (0, 1)]
    everything, copied = halves[0] + halves[1], _counts(ties, synthetic, "synthetic", rng)
    first, second = (_tied(each) for each in halves)
    # Which way each tie leans and how much it counts is one half's word, and the other half's in turn.
    size = (first * second).sum(axis=1)
    method = (
        f"{len(ties)} ties of a group to a label, those with most rows; slope on the ties of real rows, each half of the real "
        f"roots weighing the ties of the other; {METHOD}"
    )
    if bootstrap.interval(size[1:], c.level)[0] <= 0:
        reason = (
            "groups and labels are not tied in the real rows beyond noise, so there is nothing to multiply"
        )
        for where in (None, *_SLICES):
            yield c.missing(NAME, reason).model_copy(update={"slice": where, "n": len(real)})
        return
    weigh = (first + second) / 2
    steps = _predicted(c, ties)
    ladder = doses(c)
    slopes = [(weigh * each).sum(axis=1) / size for each in steps]
    alone = _reference(c, slopes[0])
    last = len(ladder) - 1
    yield _said(
        c, slopes[last], None, f"labels that the model gives to test rows, by real rows; {method}", alone
    )
    yield _said(
        c,
        (weigh * _tied(copied)).sum(axis=1) / size,
        _SLICES[0],
        f"synthetic rows by real rows; {method}",
        None,
    )
    for place, arm in enumerate(ladder):
        mixed = everything * arm.real / len(real) + copied * arm.synthetic / len(synthetic)
        learned = (weigh * _tied(mixed)).sum(axis=1)
        what = f"labels that the model gives to test rows, by the {arm.real} real and {arm.synthetic} synthetic rows it learned from"
        slope = (weigh * steps[place]).sum(axis=1) / learned
        if place == last:
            yield _said(c, slope, _SLICES[1], f"{what}; {method}", None)
        yield _said(c, slope, {**_SLICES[1], **share(c, arm)}, f"{what}; {method}", None)
        yield _said(c, slopes[place], {"step": "whole", **share(c, arm)}, method, alone if place else None)


def _ties(found: Sequence[Grouping], real: Side, synthetic: Side) -> tuple[Tie, ...]:
    """Groups and labels that there are rows enough for, those with most rows."""
    classes = real.examples.classes
    candidates: list[tuple[int, Tie]] = []
    for grouping in found:
        for group in grouping.large:
            enough = all(
                min((of == group).sum(), ((of != NOBODY) & (of != group)).sum()) >= _FEWEST
                for of in (grouping.real, grouping.synthetic)
            )
            # With two groups, or two labels, one tie is the other turned round.
            if not enough or (len(grouping.labels) == 2 and group == 1):
                continue
            for label in range(1 if classes == 2 else 0, classes):
                rows = int((_labels(real)[grouping.real == group] == label).sum())
                candidates.append((rows, Tie(grouping, group, label)))
    candidates.sort(key=lambda each: -each[0])
    return tuple(tie for _, tie in candidates[:_MOST_TIES])


def _half(roots: npt.NDArray[np.uint64], rng: np.random.Generator) -> Ints:
    _, place = np.unique(roots, return_inverse=True)
    return np.asarray(rng.permutation(place.max() + 1) % 2)[place].astype(np.int64)


def _counts(
    ties: Sequence[Tie],
    side: Side,
    name: Literal["real", "synthetic"],
    rng: np.random.Generator,
    kept: Bools | None = None,
) -> Floats:
    """Rows about each tie's group and about the others, with its label and at all: first as they are, then under draws of
    roots, shape (1 + draws, ties, 2, 2).
    """
    _, roots = np.unique(side.roots, return_inverse=True)
    # Kin rows stay together and so many bundles tell as much of the spread as all roots would, in bounded memory.
    bundles = (rng.permutation(roots.max() + 1) % _BUNDLES)[roots]
    weights = np.vstack([np.ones(_BUNDLES), bootstrap.cluster_weights(_BUNDLES, DRAWS, rng)])
    rows = np.ones(len(side), dtype=np.bool_) if kept is None else kept
    out = np.empty((len(weights), len(ties), 2, 2))
    for place, tie in enumerate(ties):
        of = tie.grouping.real if name == "real" else tie.grouping.synthetic
        for end, inside in enumerate((of == tie.group, (of != NOBODY) & (of != tie.group))):
            for what, counted in enumerate((inside & rows & (_labels(side) == tie.label), inside & rows)):
                out[:, place, end, what] = weights @ np.bincount(bundles, counted, minlength=_BUNDLES)
    return out


def _tied(counts: Floats) -> Floats:
    """Share with the label in rows about the group, less that in rows about the others, shape (1 + draws, ties)."""
    shares = counts[..., 0] / np.maximum(counts[..., 1], 1e-9)
    return np.asarray(shares[..., 0] - shares[..., 1])


def _predicted(c: Comparison, ties: Sequence[Tie]) -> list[Floats]:
    """Each tie in the labels that models give to test rows, by dose, shapes (1 + draws, ties)."""
    assert c.scores.chosen is not None
    ladder = doses(c)
    arms = [c.place[arm] for arm in ladder]
    found: list[Estimate] = []
    for tie in ties:
        said = (c.scores.chosen[arms] == tie.label).astype(np.float32)
        inside, others = tie.grouping.inside(tie.group), tie.grouping.others(tie.group)
        found.append(drawn(c, contrast(c, said, inside, others), arms))
    return [
        np.vstack(
            [[each.value[place] for each in found], np.column_stack([each.draws[:, place] for each in found])]
        )
        for place in range(len(ladder))
    ]


def _labels(side: Side) -> Ints:
    assert side.examples.labels is not None
    return side.examples.labels


def _reference(c: Comparison, slope: Floats) -> Reference:
    low, high = bootstrap.interval(slope[1:], c.level)
    value = float(slope[0])
    return Reference(value=value, low=min(low, value), high=max(high, value))


def _said(
    c: Comparison, slope: Floats, slice: dict[str, str] | None, method: str, reference: Reference | None
) -> Measure:
    measure = c.measure(NAME, float(slope[0]), slope[1:], method, slice)
    return measure.model_copy(update={"reference": reference})
