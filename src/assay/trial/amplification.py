"""The bias chain: how much the synthetic rows, and then the training, multiply what ties groups to something in real rows.

A tie is a difference of shares. Where rows have labels: how much more often rows about a group carry a label than rows
about the others of its theme, and for the model the labels that it gives to test rows. Where rows are text: how far the
share of a group lies from an even spread (`written.Lean`), and for the model the texts that it writes. All ties are taken
together as a slope: how large those of one step are for each unit of those of the step before. A plain ratio of noisy ties
would be drawn towards chance; here one half of the real rows says which ties count, and which way, and the other half how
large they are, so that the noise of the first is in neither end of the ratio.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.measure import Measure, Reference
from assay.models.tasks import Side
from assay.stats import bootstrap
from assay.stats.bootstrap import Estimate
from assay.trial.arms import Arm
from assay.trial.compare import DRAWS, METHOD, Comparison, Floats, sums_by_root
from assay.trial.grouping import NOBODY, Bools, Grouping, Ints
from assay.trial.groups import contrast, doses, drawn, share
from assay.trial.written import BESIDE, FEWEST, INSIDE, Codes, Writing

NAME = "bias.amplification"
_MOST_TIES = 24
_BUNDLES = 300  # of roots, that are drawn together
_FEWEST = 20  # rows about a group, and about the others, on each side
_SLICES = ({"step": "synthetic"}, {"step": "training"})
_NO_TIE = "in the real rows nothing leans to a group beyond noise, so there is nothing to multiply"
_NO_LEAN = (
    f"no two groups of a theme have {FEWEST} real rows about each and {2 * FEWEST} about their theme on both sides; name a "
    "list with --groups"
)


@dataclass(frozen=True)
class Tie:
    """A group and a label."""

    grouping: Grouping
    group: int
    label: int


@dataclass(frozen=True)
class _Rows:
    """What one side says of the ties.

    Attributes:
        marks: Whether a row counts towards a share, and whether it is among those that the share is of; first of the
            group, then of what it is compared with, shape (ties, 1 or 2, 2, rows).
        roots: Of the rows.
        even: What each group is compared with where no other rows are, shape (ties,).
    """

    marks: Bools
    roots: npt.NDArray[np.uint64]
    even: Floats


def amplification(
    c: Comparison,
    found: Sequence[Grouping],
    real: Side,
    synthetic: Side,
    seed: int,
    writing: Writing | None = None,
) -> Iterator[Measure]:
    """`bias.amplification` of the whole chain, of its two steps, and of the training by dose.

    Source: after Zhao et al. 2017, Men Also Like Shopping (share of a group beside an activity, against an even spread);
        Wang & Russakovsky 2021, Directional Bias Amplification; for what models write, Seshadri, Singh & Elazar 2024, The
        Bias Amplification Paradox, and Taori & Hashimoto 2023, Data Feedback Loops: a statistic of samples against the
        same of the training rows; instrumental variables against noise in what is divided by: Fuller 1987, Measurement
        Error Models.
    """
    if c.scores.chosen is not None:
        yield from _of_labels(c, found, real, synthetic, seed)
    elif writing is None:
        yield c.missing(NAME, _NO_LEAN if c.scores.text else "the model chooses no labels")
    elif c.scores.written is None:
        yield c.missing(NAME, "the budget leaves no time for models to write; give a larger --budget")
    else:
        yield from _of_text(c, writing, real, synthetic, seed)


def _of_labels(
    c: Comparison, found: Sequence[Grouping], real: Side, synthetic: Side, seed: int
) -> Iterator[Measure]:
    ties = _ties(found, real, synthetic)
    if not ties:
        reason = f"no group has {_FEWEST} labelled rows about it and about the others on both sides"
        yield c.missing(NAME, reason)
        return
    sides = (
        _Rows(_labelled(ties, real, [tie.grouping.real for tie in ties]), real.roots, np.zeros(0)),
        _Rows(
            _labelled(ties, synthetic, [tie.grouping.synthetic for tie in ties]), synthetic.roots, np.zeros(0)
        ),
    )
    said = f"{len(ties)} ties of a group to a label, those with most rows"
    yield from _chain(
        c,
        sides,
        doses(c.plan),
        _predicted(c, ties),
        said,
        "labels that the model gives to test rows",
        c.items,
        seed,
    )


def _of_text(c: Comparison, writing: Writing, real: Side, synthetic: Side, seed: int) -> Iterator[Measure]:
    assert c.scores.written is not None
    written = c.scores.written
    ladder = [arm for arm in doses(c.plan) if arm in written]
    spoken = np.min([(written[arm] > 0).sum(axis=(0, 1)) for arm in ladder], axis=0) >= FEWEST
    if not spoken.any():
        reason = f"fewer than {FEWEST} texts of some model are about people that its real rows speak of"
        yield c.missing(NAME, reason)
        return
    even = np.array([lean.even for lean in writing.leans])[spoken]
    sides = (
        _Rows(_leaning(writing.real[:, spoken]), real.roots, even),
        _Rows(_leaning(writing.synthetic[:, spoken]), synthetic.roots, even),
    )
    steps = _wrote(c, writing, [written[arm][:, :, spoken] for arm in ladder], ladder, even)
    within = sum(lean.within is not None for lean, kept in zip(writing.leans, spoken, strict=True) if kept)
    said = (
        f"{int(spoken.sum())} leans, shares of a group of the rows about its theme less an even spread, {within} of them "
        "among the rows with an occupation or a set of attributes"
    )
    what = (
        f"{writing.number} texts from each training, written "
        f"{'from nothing' if writing.prompts is None else 'in answer to test rows'} at temperature "
        f"{writing.sampling.temperature:g}"
    )
    silent = len(spoken) - int(spoken.sum())
    reason = (
        f"{_NO_TIE}; {silent} leans that some model writes fewer than {FEWEST} texts about do not count"
        if silent
        else _NO_TIE
    )
    yield from _chain(c, sides, ladder, steps, said, what, writing.number * c.seeds, seed, reason)


def _chain(
    c: Comparison,
    sides: tuple[_Rows, _Rows],
    ladder: Sequence[Arm],
    steps: Sequence[Floats],
    said: str,
    what: str,
    n: int,
    seed: int,
    reason: str = _NO_TIE,
) -> Iterator[Measure]:
    """The measures, from the ties of both sides and of the models.

    Args:
        sides: Real and synthetic rows.
        ladder: Doses.
        steps: Each tie in what the models of a dose say, shapes (1 + draws, ties).
        said: What the ties are.
        what: What the models are judged by.
        n: How many of these there are.
        reason: Why nothing is measured where real rows have no ties.
    """
    real, synthetic = sides
    rng = np.random.default_rng([seed, 3])
    half = _half(real.roots, rng)
    halves = [_counts(real, rng, half == side) for side in (0, 1)]
    everything, copied = halves[0] + halves[1], _counts(synthetic, rng)
    first, second = (_tied(each, real.even) for each in halves)
    # Which way each tie leans and how much it counts is one half's word, and the other half's in turn.
    size = (first * second).sum(axis=1)
    method = f"{said}; slope on the ties of real rows, each half of the real roots weighing the ties of the other; {METHOD}"
    if bootstrap.interval(size[1:], c.level)[0] <= 0:
        for where in (None, *_SLICES):
            yield c.missing(NAME, reason).model_copy(update={"slice": where, "n": len(real.roots)})
        return
    weigh = (first + second) / 2
    slopes = [(weigh * each).sum(axis=1) / size for each in steps]
    alone = _reference(c, slopes[0])
    last = len(ladder) - 1
    yield _said(c, slopes[last], None, f"{what}, by real rows; {method}", n, alone)
    apart = (weigh * _tied(copied, real.even)).sum(axis=1) / size
    yield _said(c, apart, _SLICES[0], f"synthetic rows by real rows; {method}", len(synthetic.roots), None)
    for place, arm in enumerate(ladder):
        mixed = everything * arm.real / len(real.roots) + copied * arm.synthetic / len(synthetic.roots)
        learned = (weigh * _tied(mixed, real.even)).sum(axis=1)
        of = f"{what}, by the {arm.real} real and {arm.synthetic} synthetic rows it learned from"
        slope = (weigh * steps[place]).sum(axis=1) / learned
        if place == last:
            yield _said(c, slope, _SLICES[1], f"{of}; {method}", n, None)
        yield _said(c, slope, {**_SLICES[1], **share(c, arm)}, f"{of}; {method}", n, None)
        yield _said(c, slopes[place], {"step": "whole", **share(c, arm)}, method, n, alone if place else None)


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


def _labelled(ties: Sequence[Tie], side: Side, of: Sequence[Ints]) -> Bools:
    """`_Rows.marks` of ties to labels.

    Args:
        of: Group of each row, by the tie's grouping.
    """
    out = np.empty((len(ties), 2, 2, len(side)), dtype=np.bool_)
    for place, (tie, group) in enumerate(zip(ties, of, strict=True)):
        for end, inside in enumerate((group == tie.group, (group != NOBODY) & (group != tie.group))):
            out[place, end] = inside & (_labels(side) == tie.label), inside
    return out


def _leaning(codes: Codes) -> Bools:
    """`_Rows.marks` of leans, from codes of shape (rows, leans)."""
    return np.stack([codes == INSIDE, codes >= BESIDE], axis=0).transpose(2, 0, 1)[:, None]


def _counts(rows: _Rows, rng: np.random.Generator, kept: Bools | None = None) -> Floats:
    """How many rows each mark holds for: first as they are, then under draws of roots, shape (1 + draws, ties, ends, 2)."""
    _, roots = np.unique(rows.roots, return_inverse=True)
    # Kin rows stay together and so many bundles tell as much of the spread as all roots would, in bounded memory.
    bundles = (rng.permutation(roots.max() + 1) % _BUNDLES)[roots]
    weights = np.vstack([np.ones(_BUNDLES), bootstrap.cluster_weights(_BUNDLES, DRAWS, rng)])
    of = np.ones(len(roots), dtype=np.bool_) if kept is None else kept
    held = rows.marks.reshape(-1, len(roots))
    by_bundle = np.array([np.bincount(bundles, mark & of, minlength=_BUNDLES) for mark in held])
    return np.asarray(weights @ by_bundle.T).reshape(len(weights), *rows.marks.shape[:-1])


def _tied(counts: Floats, even: Floats) -> Floats:
    """Share of the group less what it is compared with, shape (1 + draws, ties)."""
    shares = counts[..., 0] / np.maximum(counts[..., 1], 1e-9)
    return np.asarray(shares[..., 0] - (shares[..., 1] if shares.shape[-1] > 1 else even))


def _wrote(
    c: Comparison, writing: Writing, found: Sequence[Codes], ladder: Sequence[Arm], even: Floats
) -> list[Floats]:
    """Each lean in what models write, by dose, shapes (1 + draws, leans).

    As in `groups.contrast`, a share of some texts is seen from where it lies as a mean over all of them.

    Args:
        found: By arm, shape (seeds, texts, leans).
    """
    every = np.stack(found)
    places = [c.place[arm] for arm in ladder]
    clusters = int(writing.roots.max()) + 1
    sizes = np.bincount(writing.roots, minlength=clusters).astype(np.float64)
    weights = bootstrap.cluster_weights(clusters, DRAWS, np.random.default_rng(c.noise + 3))
    values, draws = [], []
    for place in range(len(even)):
        inside, about = every[..., place] == INSIDE, every[..., place] >= BESIDE
        share_of = inside.sum(axis=(1, 2)) / about.sum(axis=(1, 2))
        often = about.mean(axis=(1, 2))
        at = share_of[:, None, None]
        seen = (inside - at * about) / often[:, None, None] + at - even[place]
        sums = sums_by_root(seen.astype(np.float32), writing.roots)
        variance = bootstrap.training_variance(sums, sizes, c.rows[places])
        estimate = bootstrap.two_level(sums, sizes, c.overlap[places], variance, weights, c.noise + 4 + place)
        values.append(estimate.value)
        draws.append(estimate.draws)
    return [
        np.vstack([[value[at] for value in values], np.column_stack([each[:, at] for each in draws])])
        for at in range(len(ladder))
    ]


def _predicted(c: Comparison, ties: Sequence[Tie]) -> list[Floats]:
    """Each tie in the labels that models give to test rows, by dose, shapes (1 + draws, ties)."""
    assert c.scores.chosen is not None
    ladder = doses(c.plan)
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
    c: Comparison,
    slope: Floats,
    slice: dict[str, str] | None,
    method: str,
    n: int,
    reference: Reference | None,
) -> Measure:
    measure = c.measure(NAME, float(slope[0]), slope[1:], method, slice)
    return measure.model_copy(update={"n": n, "reference": reference})
