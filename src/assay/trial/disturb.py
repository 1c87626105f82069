"""Rows made worse on purpose: words in any order for the placebo, and tests off the beaten track."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from assay.models.learner import Examples, Part

Rng = np.random.Generator
_TYPO_SHARE = 0.15  # of the words
_FEWEST_LETTERS = 4


def shuffled(examples: Examples, rows: int, rng: Rng) -> Examples:
    """Placebo rows: as many words as real ones of `examples`, drawn without order from all of them.

    Words change places between rows and classes too, so the rows keep vocabulary and lengths and nothing else. What
    looks useful in them is no merit of the texts. Answers that lost are made of the same words.

    Args:
        rows: How many of the rows to imitate.
    """
    chosen = rng.permutation(len(examples))[:rows]
    taken = [examples.parts[row] for row in chosen]
    lost = [examples.rejected[row] for row in chosen] if examples.rejected is not None else []
    bag = np.array(
        [word for row in (*taken, *lost) for part in row for word in part.text.split()], dtype=object
    )
    order = iter(bag[rng.permutation(len(bag))])

    def mixed(row: tuple[Part, ...]) -> tuple[Part, ...]:
        return tuple(replace(part, text=" ".join(next(order) for _ in part.text.split())) for part in row)

    parts = tuple(map(mixed, taken))
    rejected = None if examples.rejected is None else tuple(map(mixed, lost))
    labels = None if examples.labels is None else examples.labels[chosen]
    return Examples(parts, labels, examples.classes, rejected)


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
