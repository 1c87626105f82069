"""Run the trial: rows read once, every arm a weight vector, scores on held-out real rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assay.core.catalogue import define
from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.core.trial import Trial
from assay.engine.groups.lists import NO_LISTS, Lists
from assay.engine.pairs import PairSet
from assay.models.learner import Learner, Reading
from assay.models.learners import open_learner
from assay.models.tasks import Side, Task, class_names, read_side, task_of
from assay.stats import bootstrap
from assay.trial import adapt, arms, bias, proxy, sources
from assay.trial.arms import Design
from assay.trial.beside import beside
from assay.trial.budget import plan
from assay.trial.compare import DRAWS, Comparison, Scores, Set, sums_by_root
from assay.trial.disturb import shuffled
from assay.trial.groups import doses
from assay.trial.items import Tests, joined, lay_out, tail
from assay.trial.pricing import prices
from assay.trial.response import response
from assay.trial.training import Results, Trainer

MEASURES = (
    "trial.gap",
    "trial.benefit",
    "trial.learning_curve",
    "trial.dose_response",
    "trial.best_share",
    "trial.flat_range",
    "trial.harmful_above",
    "trial.exchange_rate",
    "trial.break_even_rows",
    "evaluation.mde",
    "trial.reverse_gap",
    "trial.calibration_delta",
    "trial.tail_delta",
    "trial.shifted_delta",
    "trial.forgetting",
    "trial.worst_slice_delta",
    "trial.placebo",
    *bias.MEASURES,
)
_FEWEST_TRAIN, _FEWEST_TEST, _FEWEST_ROOTS = 100, 50, 20
_MOST_PLACEBO = 2000

Note = Callable[[str], None]


@dataclass(frozen=True)
class TrialResult:
    """Every training, and what they say together."""

    trials: tuple[Trial, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class Settings:
    """How a trial is made.

    Attributes:
        task: None finds out from the real rows.
        learner: One by name, or any that follows `models.learner.Learner`; None takes the cheapest for the task.
        base, depth: See `open_learner`.
        seeds: Subsamples of the training rows, at least 5; each trains every arm.
        budget: Seconds that the trainings may take; None sets no limit.
        margin: Difference that does not matter: of accuracy, or as a share of the loss.
        slices: Slice columns of the test rows to compare besides the label; None means all of them.
        groups: Slice columns that tell groups of people apart; none means all of few values.
        fixes: Whether fixes against bias are tried, for the first of these columns or, without one, for the groups that the
            synthetic rows show least as the real rows do.
        source: Slice column that names the source of each synthetic row, to find the best mix of sources.
    """

    task: Task | None = None
    learner: str | Learner | None = None
    base: str | None = None
    depth: int | None = None
    seeds: int = 8
    budget: float | None = None
    margin: float = 0.01
    seed: int = 0
    level: float = 0.95
    slices: tuple[str, ...] | None = None
    groups: tuple[str, ...] = ()
    fixes: bool = False
    source: str | None = None


def run_trial(
    train: Corpus,
    synthetic: Corpus,
    test: Corpus,
    settings: Settings = Settings(),
    *,
    second: Corpus | None = None,
    general: Corpus | None = None,
    lists: Lists = NO_LISTS,
    pairs: Sequence[PairSet] = (),
    keep: Path | None = None,
    note: Note = lambda text: None,
    progress: Progress = silent,
) -> TrialResult:
    """Train on real, synthetic and mixed rows at matched budgets; compare on real test rows.

    Args:
        train: Real rows to train on.
        synthetic: Rows under trial, without copies of test rows.
        test: Real rows no arm has seen.
        second: More real rows to test on, from elsewhere.
        general: Rows of anything else that the model should still be able to do.
        lists: Groups of people to look for in the text, beside those that slice columns name.
        pairs: Benchmarks of stereotypes that models of text are asked.
        keep: Folder for finished trainings; a trial that was killed goes on from there.
        note: Told what the trial will cost, before it starts.
    Returns: One `Trial` per arm and seed, and all measures named in `MEASURES`; each of them missing with what the
        trial needs when rows, labels or classes do not suffice.
    Raises: InputError: the learner does not serve the task, or the budget is too small for any trial.
    """
    task = settings.task or task_of(train)
    classes = class_names(train) if task == "classification" else ()
    wanted = test.slices if settings.slices is None else settings.slices
    named = () if settings.source is None else (settings.source,)
    if named and settings.source not in synthetic.slices:
        raise InputError(
            f"the synthetic rows have no column of few values called {settings.source!r}",
            fix=f"Columns there: {', '.join(synthetic.slices) or 'none'}; name one with --slice as well.",
        )
    real, fake, held = (
        read_side(corpus, task, classes, slices)
        for corpus, slices in (
            (train, tuple(each for each in wanted if each in train.slices)),
            (
                synthetic,
                tuple(dict.fromkeys((*(each for each in wanted if each in synthetic.slices), *named))),
            ),
            (test, wanted),
        )
    )
    left_out = real.left_out | fake.left_out | held.left_out
    lacking = _lacking(task, classes, real, fake, held, settings.seeds)
    if lacking:
        return TrialResult((), tuple(_missing(name, lacking, settings.level, left_out) for name in MEASURES))
    learner = open_learner(settings.learner, task, base=settings.base, depth=settings.depth)
    cheap = open_learner(None, task)
    again, other = (
        None if corpus is None else read_side(corpus, task, classes) for corpus in (second, general)
    )
    rng = np.random.default_rng(settings.seed)
    items = lay_out(held, fake, again, other, rng)
    asked = bias.ask(
        lists, settings.groups, pairs, (real, fake, held), items.main, learner.name, settings.seed
    )
    items = replace(items, more=asked.sets())
    placebo = shuffled(fake.examples, real.examples, min(len(fake), len(real), _MOST_PLACEBO), rng)
    drawn = arms.orders(real.roots, fake.roots, len(placebo), settings.seeds, rng)
    full = arms.design(len(real), len(fake), len(placebo))
    if settings.fixes:
        asked, drawn, full = bias.with_fixes(
            asked, settings.groups, len(placebo), drawn, full, task, settings.seed
        )
    full = replace(full, writes=asked.writing is not None)
    more = () if asked.fixes is None or not drawn.more else (asked.fixes.more,)
    rows = joined([real.examples, fake.examples, placebo, *more])
    reading = learner.read(rows)
    everything = items.examples()
    priced = prices(
        reading, full.arms, arms.weights(full.arms, drawn.first(1)), everything, keep, asked.writing
    )
    planned = plan(full, settings.seeds, priced, settings.budget)
    note(planned.sentence(learner.name))

    rare = tail(real.examples, held.examples)
    slices = ({"label": held.names} if task == "classification" else {}) | held.slices

    def trainer(by: Learner, reading: Reading) -> Trainer:
        orders = drawn.first(planned.seeds)
        return Trainer(by.name, reading, orders, everything, len(items.main), keep, progress)

    def comparison(design: Design, results: Results, by: Learner) -> Comparison:
        text = task != "classification"
        scores = _scores(design, results, items, slices, rare, text=text, learner=by.name)
        return Comparison(
            scores, margin=settings.margin, level=settings.level, seed=settings.seed, left_out=left_out
        )

    dear = trainer(learner, reading)
    if planned.design.writes:
        dear.train(doses(planned.design), asked.writing)
    found = comparison(planned.design, dear.train(planned.design.arms), learner)
    for _ in range(adapt.ROUNDS):
        wider = None if adapt.settled(found) else adapt.next_design(found)
        # The machine may have been slower since it was asked. What was paid is kept with the trainings.
        slower = max(1.0, dear.results.seconds() / priced.total(found.plan, planned.seeds).seconds)
        if wider is None or slower * priced.total(wider, planned.seeds).seconds > (settings.budget or np.inf):
            break
        found = comparison(wider, dear.train(wider.arms), learner)
    trials = _trials(found.plan, learner, dear.results, items)
    measures = [*response(found), *beside(found), *asked.measures(found, settings.seed)]
    if cheap.name != learner.name:
        # The cheap learner takes seconds, and tells whether it would have done.
        stand_in = trainer(cheap, cheap.read(rows))
        quick = comparison(found.plan, stand_in.train(found.plan.arms), cheap)
        measures += proxy.measures(
            quick.score,
            found.score,
            learners=(cheap.name, learner.name),
            items=found.items,
            level=found.level,
        )
        trials += _trials(found.plan, cheap, stand_in.results, items)
    if settings.source is not None:
        measures += _mixed(
            settings, cheap, cheap.read(rows), fake, len(real), len(rows), items, planned.seeds, progress
        )
    return TrialResult(tuple(trials), tuple(measures))


def _mixed(
    settings: Settings,
    cheap: Learner,
    reading: Reading,
    fake: Side,
    before: int,
    rows: int,
    items: Tests,
    seeds: int,
    progress: Progress,
) -> list[Measure]:
    """Which mix of the synthetic sources is best, by the cheap learner on many random mixes.

    Args:
        before: Real rows, which stand in front of the synthetic ones and take no part.
        rows: All rows of the reading.
    """
    assert settings.source is not None
    names, codes = np.unique(fake.slices[settings.source].astype(str), return_inverse=True)
    rng = np.random.default_rng([settings.seed, 5])
    mixes = sources.propose(codes, tuple(names.tolist()), rng)
    of_synthetic = sources.weights(mixes, codes, fake.roots, seeds, rng)
    whole = np.zeros((len(of_synthetic), rows), dtype=np.float32)
    whole[:, before : before + len(fake)] = of_synthetic
    main = items.main
    gain = np.zeros((len(whole), len(main)), dtype=np.float64)
    progress("mixes", 0, len(whole), "trainings")
    for block in reading.fit(whole, np.tile(np.arange(seeds), len(mixes.counts))):
        gain[block.arms] = block.score(main.examples).gain
        progress("mixes", int(np.count_nonzero(gain.any(axis=1))), len(whole), "trainings")
    sums = sums_by_root(gain.reshape(len(mixes.counts), seeds, -1).astype(np.float32), main.roots)
    sizes = np.bincount(main.roots, main.sizes).astype(np.float64)
    drawn = bootstrap.cluster_weights(len(sizes), DRAWS, rng)
    best = 1.0 if main.examples.labels is not None else 0.0
    losses = best - sums.sum(axis=(1, 2)) / seeds / sizes.sum()
    draws = best - bootstrap.item_level(sums, sizes, drawn).mean(axis=2)
    found = sources.measures(
        mixes, losses, draws=draws, items=len(main), level=settings.level, seed=settings.seed
    )
    return list(found)


def _scores(
    design: Design,
    results: Results,
    items: Tests,
    slices: dict[str, npt.NDArray[np.object_]],
    rare: npt.NDArray[np.bool_],
    *,
    text: bool,
    learner: str,
) -> Scores:
    ends = np.cumsum([0, *(len(each) for each in items.all)])
    gain = np.stack([results.gain[arm] for arm in design.arms])
    sets = [
        Set(gain[:, :, first:last], each.sizes, each.roots)
        for each, first, last in zip(items.all, ends, ends[1:], strict=False)
    ]
    shifted = dict(zip(items.shifted, sets[1:], strict=False))
    more = dict(zip(items.more, sets[len(sets) - len(items.more) :], strict=True))
    chosen = np.stack([results.chosen[arm] for arm in design.arms]) if results.chosen else None
    starts = dict(zip(items.more, ends[len(sets) - len(items.more) :], strict=False))
    return Scores(
        design,
        sets[0],
        slices,
        rare,
        shifted,
        synthetic=sets[1 + len(shifted)],
        general=None if items.general is None else sets[2 + len(shifted)],
        over=np.stack([results.over[arm] for arm in design.arms]) if results.over else None,
        decisions=results.decisions,
        preferred=np.stack([results.preferred[arm] for arm in design.arms]) if results.preferred else None,
        text=text,
        swapped={name: each for name, each in more.items() if name != bias.PAIRS},
        chosen=None if chosen is None else chosen[:, :, : len(items.main)],
        chosen_swapped={}
        if chosen is None
        else {
            name: chosen[:, :, starts[name] : starts[name] + len(each)]
            for name, each in items.more.items()
            if name != bias.PAIRS
        },
        pairs=more.get(bias.PAIRS),
        written=results.written or None,
        learner=learner,
    )


def _trials(design: Design, learner: Learner, results: Results, items: Tests) -> list[Trial]:
    main = items.main
    text = main.examples.labels is None
    total = main.sizes.sum()
    found = []
    for arm in design.arms:
        for seed, gain in enumerate(results.gain[arm][:, : len(main)].sum(axis=1, dtype=np.float64)):
            score = {"bits_per_byte": -float(gain / total)} if text else {"accuracy": float(gain / total)}
            if results.preferred:
                score["preference_accuracy"] = float(results.preferred[arm][seed].mean())
            found.append(
                Trial(
                    learner=learner.name,
                    recipe=design.recipe(arm),
                    seed=seed,
                    score=score,
                    cost=results.costs[arm][seed],
                )
            )
    return found


def _lacking(task: Task, classes: tuple[str, ...], real: Side, fake: Side, held: Side, seeds: int) -> str:
    """What the trial still needs, or nothing."""
    needs = []
    if seeds < 4:
        needs.append(f"at least 4 seeds (given: {seeds})")
    if task == "classification" and len(classes) < 2:
        needs.append(f"a label column with two or more classes on the real rows (found: {len(classes)})")
    what = (
        " whose label occurs among the real training rows"
        if task == "classification"
        else " with text to learn"
    )
    for name, side, fewest in (
        ("real training", real, _FEWEST_TRAIN),
        ("synthetic", fake, _FEWEST_TRAIN),
        ("test", held, _FEWEST_TEST),
    ):
        if len(side) < fewest:
            needs.append(f"{fewest} {name} rows{what} (found: {len(side)})")
        elif len(np.unique(side.roots)) < _FEWEST_ROOTS:
            needs.append(f"{_FEWEST_ROOTS} independent roots among the {name} rows")
    if task == "classification" and not needs and len(set(fake.names)) < 2:
        needs.append("synthetic rows of two or more classes")
    return "the trial needs " + "; ".join(needs) if needs else ""


def _missing(name: str, reason: str, level: float, left_out: dict[str, int]) -> Measure:
    definition = define(name)
    return Measure(
        name=name,
        value=None,
        missing=reason,
        level=level,
        unit=definition.unit,
        worse=definition.worse,
        method=definition.formula,
        left_out=left_out,
    )
