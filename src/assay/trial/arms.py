"""The design of the trial: which training sets are compared, each as a vector of row weights.

All sizes are rows of one seed. A seed draws an order of the real roots and one of the synthetic roots and
uses the first 80 % of either; within a seed every arm takes the first rows of the same orders, so smaller
arms are nested in larger ones and all comparisons are paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from assay.core.recipe import Recipe

SEED_SHARE = 0.8  # of each source's rows, drawn by root
_LADDER = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1.0)
_SCARCE = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
_DOSES = (0.125, 0.25, 0.5, 1.0, 2.0)
_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
_FEWEST_ROWS = 20


@dataclass(frozen=True)
class Arm:
    """One training set, the same in every seed up to the draw of rows.

    Attributes:
        real: Different real rows in it.
        synthetic: Different synthetic rows in it.
        repeat: How often each real row counts.
        placebo: Different placebo rows in it.
        fix: Name of the weights, of as many rows altogether, that take the place of the first rows of the orders; see
            `Orders.fixed`.
    """

    real: int
    synthetic: int = 0
    repeat: float = 1.0
    placebo: int = 0
    fix: str = ""

    @property
    def rows(self) -> float:
        """Rows it counts, repeats included."""
        return self.real * self.repeat + self.synthetic + self.placebo


@dataclass(frozen=True)
class Design:
    """The arms and what they are for; an arm may serve several purposes and is trained once.

    Attributes:
        real_rows, synthetic_rows, placebo_rows: Usable rows of each source.
        budget: Real rows one seed may use.
        doses: Synthetic rows one seed may use.
        equal: Rows at which real only and synthetic only are compared: the smaller of the two.
        ladder: Real only, growing.
        repeated: All real rows of the budget, each counted more than once.
        addition: All real rows of the budget plus growing synthetic doses.
        replacement: `equal` rows with a growing synthetic share, from real only to synthetic only.
        scarce: Few real rows plus all synthetic ones, growing in real rows.
        exchange: Few real rows plus about as many synthetic ones: where the exchange rate is read.
        pure: Synthetic only, growing: does more of it go on helping?
        control: All real rows of the budget plus placebo rows, which must not help; or nothing.
        fixes: Synthetic rows chosen or weighted against bias, and what they are compared with; or nothing.
        writes: Whether the models of each dose write texts, to see whom these are about.
    """

    real_rows: int
    synthetic_rows: int
    placebo_rows: int
    budget: int
    doses: int
    equal: int
    ladder: tuple[Arm, ...]
    repeated: tuple[Arm, ...]
    addition: tuple[Arm, ...]
    replacement: tuple[Arm, ...]
    scarce: tuple[Arm, ...]
    exchange: tuple[Arm, ...]
    pure: tuple[Arm, ...]
    control: tuple[Arm, ...]
    fixes: tuple[Arm, ...] = ()
    writes: bool = False

    @property
    def arms(self) -> tuple[Arm, ...]:
        """Every arm once, in a fixed order."""
        groups = (
            self.ladder,
            self.repeated,
            self.addition,
            self.replacement,
            self.scarce,
            self.exchange,
            self.pure,
            self.control,
            self.fixes,
        )
        return tuple(dict.fromkeys(arm for group in groups for arm in group))

    def recipe(self, arm: Arm) -> Recipe:
        """The arm as multiples of the budget."""
        return Recipe(
            real=arm.real * arm.repeat / self.budget,
            synthetic=arm.synthetic / self.budget,
            placebo=arm.placebo / self.budget,
            fix=arm.fix,
        )

    def overlap(self) -> npt.NDArray[np.float64]:
        """Share of its source that each arm uses in a seed, the larger of the two sources, shape (arms,)."""
        return np.array(
            [
                max(
                    arm.real / self.real_rows,
                    arm.synthetic / self.synthetic_rows,
                    arm.placebo / max(self.placebo_rows, 1),
                )
                for arm in self.arms
            ]
        )

    def of_rows(self, part: float) -> Design:
        """The same design of the first so many rows of either source; fixes, which are of all rows, are left out."""
        if part == 1:
            return self
        real, synthetic, placebo = self.real_rows, self.synthetic_rows, self.placebo_rows
        fewer = design(int(real * part), int(synthetic * part), int(placebo * part))
        return replace(fewer, writes=self.writes)

    def with_share(self, share: float) -> Design:
        """One more arm on the replacement curve, with about this share of synthetic rows."""
        synthetic = round(share * self.equal)
        arms = {*self.replacement, Arm(self.equal - synthetic, synthetic)}
        return replace(self, replacement=tuple(sorted(arms, key=lambda arm: arm.synthetic)))

    def with_scarce(self, real: int) -> Design:
        """One more rung of few real rows, alone and with all synthetic ones."""
        ladder = sorted({*self.ladder, Arm(real)}, key=lambda arm: arm.real)
        scarce = sorted({*self.scarce, Arm(real, self.doses)}, key=lambda arm: arm.real)
        return replace(self, ladder=tuple(ladder), scarce=tuple(scarce))


def design(real_rows: int, synthetic_rows: int, placebo_rows: int = 0) -> Design:
    """Lay out the arms for this many usable rows."""
    budget, doses = int(real_rows * SEED_SHARE), int(synthetic_rows * SEED_SHARE)
    equal = min(budget, doses)
    steps = {round(share * budget) for share in _LADDER} | {equal}
    added = sorted({min(round(dose * budget), doses) for dose in _DOSES})
    few = [round(share * budget) for share in _SCARCE]
    return Design(
        real_rows,
        synthetic_rows,
        placebo_rows,
        budget,
        doses,
        equal,
        ladder=tuple(Arm(rows) for rows in sorted(steps) if rows >= _FEWEST_ROWS),
        repeated=tuple(Arm(budget, repeat=1 + dose / budget) for dose in added),
        addition=tuple(Arm(budget, dose) for dose in added),
        replacement=(
            Arm(equal),
            *(Arm(equal - round(share * equal), round(share * equal)) for share in _SHARES),
            Arm(0, equal),
        ),
        scarce=tuple(Arm(rows, doses) for rows in few if rows >= _FEWEST_ROWS),
        exchange=tuple(Arm(rows, min(rows, budget // 4, doses)) for rows in few[1:] if rows >= _FEWEST_ROWS),
        pure=tuple(
            Arm(0, rows)
            for rows in sorted({round(share * doses) for share in _LADDER} | {equal})
            if rows >= _FEWEST_ROWS
        ),
        control=(Arm(budget, placebo=int(placebo_rows * SEED_SHARE)),) if placebo_rows else (),
    )


@dataclass(frozen=True)
class Orders:
    """Which rows come first in each seed, for real, synthetic and placebo rows; each of shape (seeds, rows).

    Attributes:
        fixed: Row weights of whole arms by name, shape (seeds, real + synthetic + placebo + more rows).
        more: Rows behind the placebo rows that only such arms use.
    """

    real: npt.NDArray[np.int64]
    synthetic: npt.NDArray[np.int64]
    placebo: npt.NDArray[np.int64]
    fixed: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    more: int = 0

    @property
    def seeds(self) -> int:
        """How many seeds there are."""
        return len(self.real)

    def first(self, seeds: int) -> Orders:
        """The first so many seeds."""
        fixed = {name: each[:seeds] for name, each in self.fixed.items()}
        return Orders(self.real[:seeds], self.synthetic[:seeds], self.placebo[:seeds], fixed, self.more)


def orders(
    real_roots: npt.NDArray[np.uint64],
    synthetic_roots: npt.NDArray[np.uint64],
    placebo_rows: int,
    seeds: int,
    rng: np.random.Generator,
) -> Orders:
    """Draw them."""
    drawn = [
        (order_by_root(real_roots, rng), order_by_root(synthetic_roots, rng), rng.permutation(placebo_rows))
        for _ in range(seeds)
    ]
    real, synthetic, placebo = (np.stack(each) for each in zip(*drawn, strict=True))
    return Orders(real, synthetic, placebo)


def weights(arms: Sequence[Arm], drawn: Orders) -> npt.NDArray[np.float32]:
    """Row weights, shape (arms * seeds, all rows), an arm's seeds side by side."""
    first, second = drawn.real.shape[1], drawn.real.shape[1] + drawn.synthetic.shape[1]
    out = np.zeros((len(arms), drawn.seeds, second + drawn.placebo.shape[1] + drawn.more), dtype=np.float32)
    for seed in range(drawn.seeds):
        for index, arm in enumerate(arms):
            if arm.fix:
                out[index, seed] = drawn.fixed[arm.fix][seed]
                continue
            out[index, seed, drawn.real[seed, : arm.real]] = arm.repeat
            out[index, seed, first + drawn.synthetic[seed, : arm.synthetic]] = 1
            out[index, seed, second + drawn.placebo[seed, : arm.placebo]] = 1
    return out.reshape(-1, out.shape[2])


def order_by_root(roots: npt.NDArray[np.uint64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Rows in an order that is random between roots and keeps a root's rows together, shape (rows,)."""
    _, members = np.unique(roots, return_inverse=True)
    place = rng.permutation(members.max() + 1)[members]
    return np.argsort(place, kind="stable")
