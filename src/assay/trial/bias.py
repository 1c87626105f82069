"""All that a trial asks about groups of people: laid out before the training, read off the scores after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from assay.core.measure import Measure
from assay.engine.groups.lists import Lists
from assay.engine.pairs import PairSet
from assay.engine.swap import Swap
from assay.models.tasks import Side, Task
from assay.trial import amplification, groups, mended, swapped
from assay.trial.arms import Design, Orders
from assay.trial.compare import Comparison, halves_of
from assay.trial.fixes import Fixes, chosen_grouping, plan_fixes
from assay.trial.grouping import Grouping, groupings
from assay.trial.items import Items
from assay.trial.pairs import Pairs, pair_measures
from assay.trial.swapped import Swapped, all_swaps, swap_measures
from assay.trial.written import Writing, plan_writing

MEASURES = (*groups.MEASURES, *swapped.MEASURES, amplification.NAME, *mended.MEASURES)
PAIRS = "pairs"  # the set of items that benchmarks ask
_NO_FIXES = "no fix is tried unless groups are asked for; give --groups COLUMN_OR_LIST"


@dataclass(frozen=True)
class Bias:
    """What is asked.

    Attributes:
        groupings: The groups of people among the rows.
        swaps: What can change places in a text.
        swapped: Test rows with the other group, for each swap that changes enough of them.
        pairs: Benchmarks; None where none was given.
        writing: What trained models of text write of groups; None where nothing can be told from it.
        fixes: What is tried against bias; None where nothing is.
        reason: Why nothing is tried.
    """

    real: Side
    synthetic: Side
    groupings: tuple[Grouping, ...]
    swaps: tuple[Swap, ...]
    swapped: tuple[Swapped, ...]
    pairs: Pairs | None
    writing: Writing | None = None
    fixes: Fixes | None = None
    reason: str = _NO_FIXES

    def sets(self) -> dict[str, Items]:
        """Further items to score, by name."""
        found = {each.key: each.items for each in self.swapped}
        if self.pairs is not None and self.real.examples.labels is None:
            found[PAIRS] = self.pairs.items
        return found

    def measures(self, c: Comparison, seed: int) -> list[Measure]:
        """All of them, in the catalogue's order."""
        return [
            *groups.model_gaps(c, self.groupings),
            *swap_measures(c, self.swapped),
            *pair_measures(c, self.pairs),
            *amplification.amplification(c, self.groupings, self.real, self.synthetic, seed, self.writing),
            *mended.mended(c, self.fixes, self.reason),
        ]


def ask(
    lists: Lists,
    columns: Sequence[str],
    benchmarks: Sequence[PairSet],
    sides: tuple[Side, Side, Side],
    main: Items,
    learner: str,
    seed: int,
) -> Bias:
    """What can be asked of these rows.

    Args:
        lists: Groups to look for in the text; none also means that no text is swapped.
        columns: Columns that name groups of people; empty means all columns of few values.
        sides: Real, synthetic and test rows.
        main: The test rows as items.
        learner: Name of what is trained.
    """
    real, synthetic, test = sides
    halves = halves_of(int(main.roots.max()) + 1, seed)[main.roots] > 0
    return Bias(
        real,
        synthetic,
        groupings(lists, real, synthetic, test, halves, columns),
        lists.swaps,
        all_swaps(main, np.random.default_rng([seed, 4]), lists.swaps),
        Pairs.of(benchmarks) if benchmarks else None,
        plan_writing(lists, real, synthetic, main, learner, seed),
    )


def with_fixes(
    asked: Bias, named: Sequence[str], placebo: int, drawn: Orders, plan: Design, task: Task, seed: int
) -> tuple[Bias, Orders, Design]:
    """The fixes that apply, and orders and design with their arms."""
    grouping = chosen_grouping(asked.groupings, asked.real, asked.synthetic, named)
    if grouping is None:
        return replace(asked, reason=groups.NO_GROUP), drawn, plan
    rng = np.random.default_rng([seed, 5])
    # Without a swap of these very groups the first one serves: women and men are spoken of everywhere.
    swap = next(
        (each for each in asked.swaps if each.first in grouping.labels), next(iter(asked.swaps), None)
    )
    fixes = plan_fixes(grouping, asked.real, asked.synthetic, placebo, drawn, plan, task, rng, swap)
    return replace(asked, fixes=fixes), fixes.orders(drawn), fixes.into(plan)
