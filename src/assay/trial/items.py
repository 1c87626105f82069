"""What trained arms are tested on: the test rows, and beside them rows that ask something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.kernels.text import Tokens, tokens
from assay.models.learner import Examples
from assay.models.tasks import Side
from assay.trial.disturb import shifts

TAIL = 0.1  # share of the test items that counts as its tail
_MOST_BESIDE = 1000


@dataclass(frozen=True)
class Items:
    """Items that belong together.

    Attributes:
        sizes: What a score is divided by, shape (items,).
        roots: Index of each item's root, 0 to clusters - 1, shape (items,).
    """

    examples: Examples
    sizes: npt.NDArray[np.float64]
    roots: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.roots)

    @classmethod
    def of(cls, side: Side, most: int | None, rng: np.random.Generator) -> Items:
        """The rows of a side, or `most` of them."""
        chosen = np.arange(len(side)) if most is None else np.sort(rng.permutation(len(side))[:most])
        _, roots = np.unique(side.roots[chosen], return_inverse=True)
        return cls(side.examples.take(chosen), side.sizes[chosen], roots)


@dataclass(frozen=True)
class Tests:
    """All that arms are tested on.

    Attributes:
        main: The real test rows.
        shifted: The same (a thousand at most), disturbed in one way each, and a second test set of the user's, by name.
        synthetic: Synthetic rows, for models that saw none.
        general: Rows of anything else the model should still do; None where the user gave none.
        more: Further sets, in any number, by name.
    """

    main: Items
    shifted: dict[str, Items]
    synthetic: Items
    general: Items | None
    more: dict[str, Items] = field(default_factory=dict)

    @property
    def all(self) -> tuple[Items, ...]:
        """Every set, in the order in which items are scored."""
        rest = () if self.general is None else (self.general,)
        return (self.main, *self.shifted.values(), self.synthetic, *rest, *self.more.values())

    def examples(self) -> tuple[Examples, ...]:
        """All items, those in one that are scored in one: which answer is preferred is asked of the test rows alone."""
        if self.main.examples.rejected is None:
            return (joined([each.examples for each in self.all]),)
        beside = [replace(each.examples, rejected=None) for each in self.all[1:]]
        return (self.main.examples, joined(beside))


def lay_out(
    test: Side, synthetic: Side, second: Side | None, general: Side | None, rng: np.random.Generator
) -> Tests:
    """All that arms are tested on, drawn once."""
    main = Items.of(test, None, rng)
    few = Items.of(test, _MOST_BESIDE, rng)
    shifted = {name: _like(few, examples) for name, examples in shifts(few.examples, rng).items()}
    if second is not None:
        shifted["second test"] = Items.of(second, None, rng)
    others = None if general is None else Items.of(general, _MOST_BESIDE, rng)
    return Tests(main, shifted, Items.of(synthetic, _MOST_BESIDE, rng), others)


def joined(sides: Sequence[Examples]) -> Examples:
    """Rows one after another; the answers that lost are kept where all rows have one."""
    labels = [side.labels for side in sides if side.labels is not None]
    lost = [side.rejected for side in sides if side.rejected is not None]
    return Examples(
        tuple(row for side in sides for row in side.parts),
        np.concatenate(labels) if labels else None,
        max(side.classes for side in sides),
        tuple(row for rows in lost for row in rows) if len(lost) == len(sides) else None,
    )


def tail(train: Examples, items: Examples) -> npt.NDArray[np.bool_]:
    """Whether an item is among the tenth whose words are rarest in the training rows, shape (items,)."""
    known, counts = np.unique(_tokens(train).ids, return_counts=True)
    found = _tokens(items)
    place = np.minimum(np.searchsorted(known, found.ids), len(known) - 1)
    often = np.where(known[place] == found.ids, counts[place], 0)
    rarity = -np.log((1 + often) / (1 + counts.sum()))
    lengths = np.diff(found.offsets)
    rows = np.repeat(np.arange(len(items)), lengths)
    mean = np.bincount(rows, rarity, minlength=len(items)) / np.maximum(lengths, 1)
    return np.asarray(mean >= np.quantile(mean, 1 - TAIL))


def _like(items: Items, examples: Examples) -> Items:
    sizes = items.sizes if examples.labels is not None else examples.learned_bytes().astype(np.float64)
    return replace(items, examples=examples, sizes=sizes)


def _tokens(examples: Examples) -> Tokens:
    texts = ["\n".join(part.text for part in row if part.learned) for row in examples.parts]
    return tokens(pa.chunked_array([pa.array(texts, pa.large_string())]))
