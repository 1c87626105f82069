"""How fast synthetic rows age: frozen at a date, tested on real rows that were written later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from assay.core.catalogue import define
from assay.core.corpus import Corpus
from assay.core.measure import Measure, Reference
from assay.forecast.curves import over_seeds
from assay.forecast.measures import missing
from assay.forecast.rows import answered, asked, sizes_of, taken
from assay.forecast.training import Trained, Trainer, labelled
from assay.models.learner import Examples, Sampling
from assay.models.tasks import Side

MEASURE = "drift.time_split"
PERIODS, BEFORE = 6, 3  # periods of equally many rows, and how many of them lie before the date
SEEDS = 5
FEWEST_ROWS = 600
_MOST_TOKENS = 256
_HALF = 0.5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Lots:
    """Rows of one seed: each period halved into rows to train on and rows to test on, roots kept together."""

    train: list[npt.NDArray[np.int64]]
    test: list[npt.NDArray[np.int64]]


def time_split(trainer: Trainer, side: Side, real: Corpus, level: float, seed: int) -> list[Measure]:
    """By how much a model of synthetic rows falls behind as time goes on, beside one of real rows of the same date.

    Rows up to a date train a model, whose own rows train another: synthetic rows that stand still at that date. Both
    are compared in every later period with a model of real rows of that period, so that a period whose text is
    harder for everybody is no ageing.

    Args:
        side: Usable rows of `real`, all or some.
    Returns: The whole, from the date to the last period, and one measure for each later period.
    """
    times = real.table(["time"]).take(side.kept).column("time")
    dated = int(len(times) - times.null_count)
    if dated < FEWEST_ROWS or len(times.drop_null().unique()) < PERIODS:
        why = (
            f"needs {FEWEST_ROWS} real rows with times of {PERIODS} different dates or more (found: {dated})"
        )
        return [missing(MEASURE, why, level)]
    order = pc.sort_indices(times).to_numpy()[:dated].astype(np.int64)
    periods = np.array_split(order, PERIODS)
    names = [
        f"{times[int(part[0])].as_py():%Y-%m-%d} to {times[int(part[-1])].as_py():%Y-%m-%d}"
        for part in periods
    ]
    lots = [_halved(periods, side.roots, np.random.default_rng([seed, each, 8])) for each in range(SEEDS)]
    behind = _behind(trainer, side.examples, lots, seed)
    text = side.examples.labels is None
    found = []
    for period in range(BEFORE, PERIODS):
        where = {"period": names[period]}
        found.append(_measure(behind, period, where, f"the date is {names[BEFORE - 1]}", level, text))
    whole = _measure(behind, PERIODS - 1, None, f"from {names[BEFORE - 1]} to {names[-1]}", level, text)
    return [whole, *found]


def _halved(
    periods: list[npt.NDArray[np.int64]], roots: npt.NDArray[np.uint64], rng: np.random.Generator
) -> _Lots:
    names = np.unique(roots)
    chosen = names[rng.permutation(len(names))[: len(names) // 2]]
    train = [part[np.isin(roots[part], chosen)] for part in periods]
    test = [part[~np.isin(roots[part], chosen)] for part in periods]
    train = [rng.permutation(part) for part in train]
    return _Lots(train, test)


def _behind(trainer: Trainer, rows: Examples, lots: list[_Lots], seed: int) -> Floats:
    """How far synthetic and real rows of the date lie behind rows of the period, shape (2, seeds, periods).

    In logarithms of loss for text, in shares of wrong items for labels.
    """
    sampling = Sampling(most_tokens=min(_MOST_TOKENS, trainer.most_tokens or _MOST_TOKENS))
    prompts = asked(rows)
    role = rows.parts[0][-1].role
    size = min(len(part) for lot in lots for part in lot.train)  # rows that every model is trained on
    tests = [[taken(rows, test) for test in lot.test] for lot in lots]

    def losses(place: int, model: Trained) -> list[float]:
        return [_loss(model, test) for test in tests[place]]

    before = [np.concatenate(lot.train[:BEFORE]) for lot in lots]
    starts = [
        taken(rows, np.random.default_rng([seed, place, 9]).permutation(index)[:size])
        for place, index in enumerate(before)
    ]

    def written(place: int, model: Trained) -> tuple[list[float], Examples]:
        if rows.labels is not None:
            labels, _ = labelled(model, starts[place])
            return losses(place, model), Examples(starts[place].parts, labels, rows.classes)
        # A batch writes for all its arms at once, so what it is asked and its luck must be the same for them.
        early = before[0][trainer.fits[before[0]]]
        asks = None if prompts is None else [prompts[row] for row in np.resize(early, size)]
        texts = model.write(size, sampling, trainer.luck(seed, place), asks)
        return losses(place, model), answered(asks, texts, role)

    seeds = list(range(len(lots)))
    frozen, synthetic = zip(*trainer.each(starts, seeds, written), strict=True)
    aged = trainer.each(list(synthetic), seeds, losses)
    own = np.full((len(lots), PERIODS), np.nan)
    for period in range(BEFORE - 1, PERIODS):
        sets = [taken(rows, lot.train[period][:size]) for lot in lots]

        def at_home(place: int, model: Trained, period: int = period) -> float:
            return _loss(model, tests[place][period])

        own[:, period] = trainer.each(sets, seeds, at_home)
    if rows.labels is not None:
        return np.stack([np.array(aged) - own, np.array(frozen) - own])
    return np.stack([np.log(np.array(aged) / own), np.log(np.array(frozen) / own)])


def _loss(model: Trained, items: Examples) -> float:
    gain = float(model.score(items).gain[0].sum(dtype=np.float64))
    total = float(sizes_of(items).sum())
    return -gain / total if items.labels is None else 1 - gain / total


def _measure(
    behind: Floats, period: int, where: dict[str, str] | None, said: str, level: float, text: bool
) -> Measure:
    definition = define(MEASURE)
    grown = behind[:, :, period] - behind[:, :, BEFORE - 1]
    synthetic, real = (over_seeds(each, _HALF, level) for each in grown)
    if text:
        synthetic, real = (tuple(float(np.expm1(bound)) for bound in each) for each in (synthetic, real))  # type: ignore[assignment]
    return Measure(
        name=MEASURE,
        slice=where,
        value=synthetic[0],
        low=synthetic[1],
        high=synthetic[2],
        level=level,
        n=behind.shape[1],
        unit=definition.unit if text else "error difference",
        worse=definition.worse,
        reference=Reference(value=real[0], low=real[1], high=real[2]),
        method=f"{definition.formula}; {said}; {behind.shape[1]} halvings by root",
    )
