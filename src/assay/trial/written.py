"""What trained models write of groups of people: whom their texts are about, among all and beside an occupation.

Rows without labels still tie groups to something: to being spoken of at all, and to what is said beside them. A lean is
the share of a group among the rows about its theme, less what an even spread over the theme's groups would give; among
all rows, or among those that name an occupation or hold words of a set of attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.engine.groups.lists import NOT_ASKED, Lists
from assay.engine.groups.mentions import holds, read
from assay.models.learner import Examples, Fitted, Part, Sampling
from assay.models.tasks import Side
from assay.trial.items import Items

Codes = npt.NDArray[np.uint8]
ELSEWHERE, BESIDE, INSIDE = range(3)
FEWEST = 20  # rows about a group, on each side; texts about its theme by each arm
MOST = 24  # leans
# Texts that each training writes: those of a transformer are dear, and its training is dearer still.
TEXTS: Mapping[str, int] = {"ngram": 400, "gpt": 100}
_FEW = 40
_LONGEST, _LONGEST_PROMPT = 256, 2000  # tokens of a text, characters of a prompt
_BYTES_PER_TOKEN = 4
_BESIDE = ("occupation", "attributes")


@dataclass(frozen=True)
class Lean:
    """A group among the rows about its theme.

    Attributes:
        group: Number of it.
        beside: Numbers of the groups of its theme that real rows are about, itself among them.
        within: Number of the occupation or set of attributes that the rows hold; None for all rows.
    """

    group: int
    beside: tuple[int, ...]
    within: int | None = None

    @property
    def even(self) -> float:
        """The share that an even spread would give it."""
        return 1 / len(self.beside)


@dataclass(frozen=True)
class Writing:
    """What arms write, and how it is read.

    Attributes:
        lists: What texts are read by, attributes being a theme as others are.
        leans: What is counted.
        number: Texts of each training.
        prompts: What is to be answered; None for texts from nothing.
        roots: Index of each text's prompt, of all that a root of the test asks, shape (texts,).
        sampling: How the models write.
        seed: Of their draws.
        real, synthetic: What the rows of either side say of each lean, see `codes`.
    """

    lists: Lists
    leans: tuple[Lean, ...]
    number: int
    prompts: tuple[tuple[Part, ...], ...] | None
    roots: npt.NDArray[np.int64]
    sampling: Sampling
    seed: int
    real: Codes
    synthetic: Codes

    def of(self, block: Fitted) -> Codes:
        """What the arms of a block write, shape (arms of the block, texts, leans)."""
        prompts = None if self.prompts is None else self.prompts[: self.number]
        written = block.sample(self.number, self.sampling, self.seed, prompts)
        return np.stack([codes(texts, self.lists, self.leans) for texts in written])


def plan_writing(
    lists: Lists, real: Side, synthetic: Side, main: Items, learner: str, seed: int
) -> Writing | None:
    """What is to be written; None where rows are classes, or lean to no group that both sides speak of often enough."""
    if real.examples.labels is not None or not lists.themes:
        return None
    themes = lists.themes if lists.attributes is None else (*lists.themes, lists.attributes)
    read = Lists(themes)
    sides = [_Found.of(_answers(side.examples), read) for side in (real, synthetic)]
    leans = tuple(_leans(read, *sides))
    if not leans:
        return None
    rng = np.random.default_rng([seed, 6])
    number = TEXTS.get(learner, _FEW)
    prompts, roots = _prompts(main, number, rng)
    longest = float(np.quantile(real.examples.learned_bytes(), 0.95)) / _BYTES_PER_TOKEN
    sampling = Sampling(most_tokens=int(np.clip(longest, 16, _LONGEST)))
    return Writing(
        read, leans, number, prompts, roots, sampling, int(rng.integers(2**31)), *(side.codes(leans) for side in sides)
    )  # fmt: skip


def codes(texts: Sequence[str], lists: Lists, leans: Sequence[Lean]) -> Codes:
    """Whether each text is about the group of each lean, about another of its theme, or neither; shape (texts, leans)."""
    return _Found.of(texts, lists).codes(leans)


@dataclass(frozen=True)
class _Found:
    """Which groups texts mention, and which they are about, as bits of shape (texts, groups / 8)."""

    mentions: Codes
    about: Codes

    @classmethod
    def of(cls, texts: Sequence[str], lists: Lists) -> _Found:
        return cls(*read(pa.array(texts, pa.large_string()), lists))

    def of_theme(self, lean: Lean) -> npt.NDArray[np.bool_]:
        rows: npt.NDArray[np.bool_] = np.any([holds(self.about, group) for group in lean.beside], axis=0)
        return rows if lean.within is None else rows & holds(self.mentions, lean.within)

    def codes(self, leans: Sequence[Lean]) -> Codes:
        out = np.zeros((len(self.about), len(leans)), dtype=np.uint8)
        for place, lean in enumerate(leans):
            rows = self.of_theme(lean)
            out[rows, place] = np.where(holds(self.about, lean.group)[rows], INSIDE, BESIDE)
        return out


def _leans(lists: Lists, real: _Found, synthetic: _Found) -> Iterator[Lean]:
    """Those that most real rows tell of. Of two groups one is enough: the other is the same turned round."""
    contexts = [number for number, group in enumerate(lists.groups) if group.theme in _BESIDE]
    found: list[tuple[int, Lean]] = []
    for theme in lists.themes:
        if theme.name in (*NOT_ASKED, *_BESIDE):
            continue
        there = tuple(g for g in lists.members(theme.name) if holds(real.about, g).sum() >= FEWEST)
        if len(there) < 2:
            continue
        for within in (None, *contexts):
            rows = [int(side.of_theme(Lean(there[0], there, within)).sum()) for side in (real, synthetic)]
            if min(rows) >= (2 * FEWEST if within is None else FEWEST):
                named = there[:1] if len(there) == 2 else there
                found += [(rows[0], Lean(group, there, within)) for group in named]
    found.sort(key=lambda each: -each[0])
    return (lean for _, lean in found[:MOST])


def _answers(examples: Examples) -> list[str]:
    """What a model is to write of each row."""
    return ["\n".join(part.text for part in row if part.learned) for row in examples.parts]


def _prompts(
    main: Items, number: int, rng: np.random.Generator
) -> tuple[tuple[tuple[Part, ...], ...] | None, npt.NDArray[np.int64]]:
    """What stands before the last answer of test rows, each used as often as it takes; None where nothing does."""
    asked = []
    for row in main.examples.parts:
        last = max((place for place, part in enumerate(row) if part.learned), default=0)
        asked.append(tuple(replace(part, learned=False) for part in row[:last]))
    short = [
        place
        for place, parts in enumerate(asked)
        if parts and sum(len(part.text) for part in parts) <= _LONGEST_PROMPT
    ]
    if not short:
        return None, np.arange(number)
    rows = np.resize(rng.permutation(short), number)
    _, roots = np.unique(main.roots[rows], return_inverse=True)
    return tuple(asked[row] for row in rows), roots.astype(np.int64)
