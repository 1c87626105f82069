"""Several synthetic sources: mixes of them to train on, and which mix the scores speak for.

A source is what tells synthetic rows apart: the generator, the prompt, the file. Every mix has the same number of rows, and
within a seed all mixes take the first rows of the same orders, as the arms of the trial do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.core.catalogue import define
from assay.core.errors import InputError
from assay.core.measure import Measure, Reference
from assay.stats import mixtures, ranks
from assay.stats.bootstrap import cluster_weights, interval
from assay.trial.arms import SEED_SHARE, order_by_root

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MIXES = 32
MEASURES = ("trial.source_share", "trial.source_gain", "trial.source_error", "trial.source_rank")
_FEWEST_ROWS = 20
_DRAWS, _TREE_DRAWS = 400, 50
_SIMULATED, _TOP = 4000, 0.01
_LOOSEST, _TIGHTEST = 0.5, 5.0  # concentration of the draws of mixes, per source


@dataclass(frozen=True)
class Mixes:
    """Mixes of the same number of rows.

    Attributes:
        names: Of the sources.
        available: Rows that one seed may take of each source, shape (sources,).
        counts: Rows of each source in each mix, shape (mixes, sources). The first mix has the sources as they are,
            the second has them in equal parts, then comes each source as pure as its rows allow, then random ones.
        rows: Rows of every mix.
    """

    names: tuple[str, ...]
    available: Ints
    counts: Ints
    rows: int

    @property
    def shares(self) -> Floats:
        """Shape (mixes, sources); rows sum to 1."""
        return self.counts / self.rows

    @property
    def most(self) -> Floats:
        """Largest share that each source's rows allow, shape (sources,)."""
        return np.minimum(self.available / self.rows, 1.0)


def propose(
    sources: Ints,
    names: tuple[str, ...],
    rng: np.random.Generator,
    *,
    mixes: int = MIXES,
    rows: int | None = None,
) -> Mixes:
    """Lay out the mixes. No row counts twice, so a small source cannot fill a mix alone.

    Args:
        sources: Source of each synthetic row, 0 to sources - 1, shape (rows,).
        names: Of the sources.
        mixes: How many, at least 4 more than two for each source.
        rows: Rows of every mix; None takes what the middle source has for one seed.
    Raises: InputError: one source only, a source of fewer than 25 rows, too few mixes, or more rows than there are.
    Source: random mixes from Dirichlet laws of many concentrations: Liu et al. 2024, RegMix.
    """
    available = (np.bincount(sources, minlength=len(names)) * SEED_SHARE).astype(np.int64)
    number = len(names)
    if number < 2:
        raise InputError("one source is no mix", fix="Name a column that tells at least two sources apart.")
    for name, count in zip(names, available, strict=True):
        if count < _FEWEST_ROWS:
            raise InputError(
                f"source {name!r} has {int((sources == names.index(name)).sum())} rows; it takes "
                f"{round(_FEWEST_ROWS / SEED_SHARE)}",
                fix="Leave it out or join it with another.",
            )
    least = 2 * number + 4
    if mixes < least:
        raise InputError(f"{mixes} mixes say nothing about {number} sources; it takes {least}")
    rows = int(np.median(available)) if rows is None else rows
    if not 0 < rows <= available.sum():
        raise InputError(f"a mix of {rows} rows is asked for; one seed has {available.sum()}")
    fixed = np.vstack([available / available.sum(), np.full(number, 1 / number), np.eye(number)])
    shares = np.vstack([fixed, _random(mixes - len(fixed), number, rng)])
    most = available / rows
    counts = np.array([_whole(_capped(each, most), rows, available) for each in shares])
    return Mixes(names, available, counts, rows)


def weights(
    mixes: Mixes, sources: Ints, roots: npt.NDArray[np.uint64], seeds: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Row weights, shape (mixes * seeds, rows), a mix's seeds side by side."""
    out = np.zeros((len(mixes.counts), seeds, len(sources)), dtype=np.float32)
    members = [np.flatnonzero(sources == source) for source in range(len(mixes.names))]
    for seed in range(seeds):
        for source, rows in enumerate(members):
            ordered = rows[order_by_root(roots[rows], rng)]
            for mix, count in enumerate(mixes.counts[:, source]):
                out[mix, seed, ordered[:count]] = 1
    return out.reshape(-1, len(sources))


def measures(
    mixes: Mixes,
    losses: Floats,
    *,
    draws: Floats | None = None,
    items: int = 0,
    level: float = 0.95,
    seed: int = 0,
) -> list[Measure]:
    """Which mix the losses speak for, by the law that best foretells mixes left out.

    Every draw weighs the mixes anew, and takes one draw of all losses where draws are given; the law is fitted and the
    best mix chosen again.

    Args:
        mixes: From `propose`.
        losses: Mean over seeds, lower is better, above 0: error rate, or bits per byte, shape (mixes,).
        draws: Joint draws of the losses over test items and seeds, shape (draws, mixes).
        items: Test items the losses rest on.
        level: Of the intervals.
    Returns: Measures named in `MEASURES`, `trial.source_share` once for each source. Shares and gain are missing where
        no law foretells mixes left out better than their mean does.
    """
    shares = mixes.shares
    tried = mixtures.choose(shares, losses, seed=seed)
    law = next(found for found in tried if found.kind != "mean")
    mean = next(found for found in tried if found.kind == "mean")
    rng = np.random.default_rng(seed)
    number = _TREE_DRAWS if law.kind == "trees" else _DRAWS
    picks = cluster_weights(len(losses), number, rng)
    how = _how(mixes, law, tried, losses)
    common = {"level": level, "n": items or len(losses)}
    out = [*_foresight(law, mean, losses, picks, how, common)]
    if tried[0].kind == "mean":
        reason = (
            "no law foretells the loss of mixes left out better than their mean: the sources do not differ by more "
            f"than noise here ({how})"
        )
        absent = [_missing("trial.source_share", reason, common, {"source": name}) for name in mixes.names]
        return [*absent, _missing("trial.source_gain", reason, common, None), *out]
    drawn = losses if draws is None else draws[rng.integers(0, len(draws), number)]
    full = mixtures.fit(law.kind, shares, losses, np.ones((1, len(losses))), seed=seed)
    again = mixtures.fit(law.kind, shares, drawn, _counted(number, len(losses), rng), seed=seed)
    simulated = _random(_SIMULATED, len(mixes.names), rng)
    wanted = np.array([_capped(each, mixes.most) for each in simulated])
    top = round(_TOP * _SIMULATED)
    best = mixtures.best_mix(wanted, full(wanted), top)
    chosen = mixtures.best_mix(wanted, again(wanted), top)
    choice = f"mean of the {_TOP:.0%} best of {_SIMULATED} simulated mixes of {mixes.rows} rows; {how}"
    found = [
        _measure(
            "trial.source_share", float(best[0, place]), chosen[:, place], choice, common, {"source": name}
        )
        for place, name in enumerate(mixes.names)
    ]
    asis = shares[:1]
    gain = float(full(asis)[0, 0] - full(best)[0, 0])
    # The best by a law is partly the law's luck: what draws promise themselves beyond what all mixes promise them.
    promised = again(asis)[:, 0] - np.diagonal(again(chosen))
    luck = float(np.mean(promised - (full(asis)[0, 0] - full(chosen)[0])))
    place = 1 + (again(shares) < again(best)).sum(axis=1)
    first, last = interval(place.astype(np.float64), level)
    note = (
        f"the sources as they are against the best mix, by the law; {luck:.3g} of luck of the choice taken out; in "
        f"{level:.0%} of the draws that mix ranks {first:.0f} to {last:.0f} among itself and the {len(losses)} tried; {choice}"
    )
    gains = again(asis)[:, 0] - again(best)[:, 0] - luck
    return [*found, _measure("trial.source_gain", gain - luck, gains, note, common, None), *out]


def _foresight(
    law: mixtures.LeftOut,
    mean: mixtures.LeftOut,
    losses: Floats,
    picks: Floats,
    how: str,
    common: dict[str, float],
) -> list[Measure]:
    """How well mixes left out are foretold: error beside that of the mean, and rank correlation."""
    share = picks / picks.sum(axis=1, keepdims=True)
    drawn, blind = (np.sqrt(share @ (found.predicted - losses) ** 2) for found in (law, mean))
    reference = mixtures.error(mean.predicted, losses)
    low, high = interval(blind, common["level"])
    error = _measure("trial.source_error", mixtures.error(law.predicted, losses), drawn, how, common, None)
    rows = [np.repeat(np.arange(len(losses)), pick.astype(np.int64)) for pick in picks]
    alike = np.array([float(ranks.spearman(law.predicted[row], losses[row])) for row in rows])
    return [
        error.model_copy(
            update={
                "reference": Reference(value=reference, low=min(low, reference), high=max(high, reference))
            }
        ),
        _measure("trial.source_rank", float(ranks.spearman(law.predicted, losses)), alike, how, common, None),
    ]


def _counted(draws: int, mixes: int, rng: np.random.Generator) -> Floats:
    """How much each mix counts in each draw, shape (draws, mixes).

    Whole draws with replacement leave a third of the mixes out, too few to settle a law of many constants; these let every mix
    count a little.

    Source: Rubin 1981, The Bayesian Bootstrap, Annals of Statistics 9, 130-134.
    """
    parts = rng.standard_exponential((draws, mixes))
    counts: Floats = parts / parts.mean(axis=1, keepdims=True)
    return counts


def _random(number: int, sources: int, rng: np.random.Generator) -> Floats:
    """Shares from near one source to near equal parts, shape (number, sources)."""
    strength = np.exp(rng.uniform(np.log(_LOOSEST), np.log(_TIGHTEST), size=(number, 1)))
    parts = np.maximum(rng.standard_gamma(np.repeat(strength, sources, axis=1)), 1e-12)
    shares: Floats = parts / parts.sum(axis=1, keepdims=True)
    return shares


def _capped(shares: Floats, most: Floats) -> Floats:
    """No share above its most; the excess goes to the others by their shares, or by their room where they have none."""
    out = np.minimum(shares, most)
    for _ in range(len(shares)):
        left = 1 - out.sum()
        if left <= 1e-12:
            break
        room = most - out
        wish = np.where(room > 1e-12, shares, 0.0)
        wish = wish if wish.sum() > 1e-12 else np.maximum(room, 0.0)
        out = np.minimum(out + left * wish / wish.sum(), most)
    whole: Floats = out / out.sum()
    return whole


def _whole(shares: Floats, rows: int, available: Ints) -> Ints:
    """Rows of each source, `rows` together: the largest remainders are rounded up."""
    exact = shares * rows
    counts = np.minimum(np.floor(exact + 1e-9).astype(np.int64), available)
    for source in np.argsort(counts - exact, kind="stable"):
        if counts.sum() == rows:
            break
        counts[source] += counts[source] < available[source]
    for source in np.argsort(counts - available, kind="stable"):
        counts[source] += min(rows - counts.sum(), available[source] - counts[source])
    return counts


def _how(mixes: Mixes, law: mixtures.LeftOut, tried: tuple[mixtures.LeftOut, ...], losses: Floats) -> str:
    parts = "one mix" if law.folds == len(losses) else f"a {law.folds}th of the mixes"
    errors = ", ".join(f"{found.kind} {mixtures.error(found.predicted, losses):.3g}" for found in tried)
    return (
        f"{law.kind} law of {len(losses)} mixes of {len(mixes.names)} sources; error with {parts} left out at a time: "
        f"{errors}"
    )


def _measure(
    name: str,
    value: float,
    draws: Floats,
    method: str,
    common: dict[str, float],
    slice: dict[str, str] | None,
) -> Measure:
    low, high = interval(draws, common["level"])
    return Measure.model_validate(
        {
            **_told(name, common, slice),
            "value": value,
            "low": min(low, value),
            "high": max(high, value),
            "method": f"{method}; bootstrap over mixes, {len(draws)} draws",
        }
    )


def _missing(name: str, reason: str, common: dict[str, float], slice: dict[str, str] | None) -> Measure:
    return Measure.model_validate(
        {**_told(name, common, slice), "value": None, "missing": reason, "method": define(name).formula}
    )


def _told(name: str, common: dict[str, float], slice: dict[str, str] | None) -> dict[str, object]:
    definition = define(name)
    return {"name": name, "slice": slice, "unit": definition.unit, "worse": definition.worse, **common}
