"""Rows made worse on purpose: words in any order for the placebo, and tests off the beaten track."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from assay.models.learner import Examples, Part

Rng = np.random.Generator
_TYPO_SHARE = 0.15  # of the words
_FEWEST_LETTERS = 4


def shuffled(examples: Examples, known: Examples, rows: int, rng: Rng) -> Examples:
    """Placebo rows: rows of `examples` whose words give way to known words of all of them, in no order.

    They keep lengths, and how often known words are used. A new word teaches, in whatever order it stands: a model that
    knows few texts gains from any list of words of the right kind. So words that `known` lacks are left out, and what
    then looks useful is no merit of the texts. Words change places between rows and classes; answers that lost are made
    of the same words.

    Args:
        known: The real rows.
        rows: How many of the rows to imitate.
    Returns: None at all where the two share no word.
    """
    dictionary = set(_words(known))
    chosen = rng.permutation(len(examples))[:rows]
    imitated = examples.take(chosen)
    needed = list(_words(imitated))
    bag = np.array([word for word in needed if word in dictionary], dtype=object)
    if not len(bag):
        return examples.take(chosen[:0])
    order = iter(np.concatenate([bag[rng.permutation(len(bag))] for _ in range(0, len(needed), len(bag))]))

    def mixed(row: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(replace(part, text=" ".join(next(order) for _ in part.text.split())) for part in row)

    return replace(
        imitated,
        parts=tuple(map(mixed, imitated.parts)),
        rejected=None if imitated.rejected is None else tuple(map(mixed, imitated.rejected)),
    )


def _words(examples: Examples) -> Iterator[str]:
    """All words of all parts, those of answers that lost last."""
    for row in (*examples.parts, *(examples.rejected or ())):
        for part in row:
            yield from part.text.split()


def shifts(examples: Examples, rng: Rng) -> dict[str, Examples]:
    """The same rows with typing errors, all in lower case, and cut to half their words.

    Where answers are learned it is their prompts that change, and no prompt is cut. Rows stay in order, so each is
    paired with its original.

    Source: Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList.
    """
    asked = any(not part.learned for row in examples.parts for part in row)
    found = {
        "typing errors": _with(examples, lambda text: _mistyped(text, rng), asked),
        "lower case": _with(examples, str.lower, asked),
    }
    return found if asked else found | {"half the length": _with(examples, _halved, asked)}


def _with(examples: Examples, change: Callable[[str], str], asked: bool) -> Examples:
    def part(each: Part) -> Part:
        return each if asked and each.learned else replace(each, text=change(each.text))

    return replace(
        examples, parts=tuple(tuple(part(each) for each in row) for row in examples.parts), rejected=None
    )


def _mistyped(text: str, rng: Rng) -> str:
    """Neighbouring letters swapped, or one left out or doubled, within some of the longer words."""
    pieces = text.split(" ")
    for place in np.flatnonzero(rng.random(len(pieces)) < _TYPO_SHARE):
        word = pieces[place]
        if len(word) < _FEWEST_LETTERS:
            continue
        at = int(rng.integers(1, len(word) - 2))
        pieces[place] = (
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )[int(rng.integers(3))]
    return " ".join(pieces)


def _halved(text: str) -> str:
    pieces = text.split(" ")
    return " ".join(pieces[: max(1, (len(pieces) + 1) // 2)])
