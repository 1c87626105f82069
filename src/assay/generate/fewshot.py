"""Recipe `few-shot-by-label`: show the model a few real rows of one label and ask for another.

The seed rows come from a small pool, drawn once, so that only few real rows are ever shown to the model and
every synthetic row can be traced to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.models.endpoint import Message, Request

NAME = "few-shot-by-label"
TOP_P = 0.95


@dataclass(frozen=True)
class Style:
    """One way to ask. Placeholders: label, about, and in `shown` also example.

    Attributes:
        examples: How many real rows it shows.
        shown: One example within the first user message.
        turns: Examples are earlier answers of the chat instead.
    """

    name: str
    examples: int
    before: str
    shown: str
    after: str
    system: str | None = None
    turns: bool = False


STYLES = (
    Style(
        name="turns",
        examples=2,
        before="Write a short {label} {about}.",
        shown="{example}",
        after="Write a short {label} {about}.",
        turns=True,
    ),
    Style(
        name="persona",
        examples=2,
        system="You are a writer with strong opinions. You answer in one sentence.",
        before="Is it {label}? Write your {about}.",
        shown="{example}",
        after="Another one is {label}, too. Write your {about}.",
        turns=True,
    ),
    Style(
        name="list",
        examples=2,
        before="Here are two examples of a {label} {about}.\n\n",
        shown="- {example}\n",
        after="\nWrite a new {label} {about} of one or two sentences. Answer with the {about} only.",
    ),
    Style(
        name="continue",
        examples=2,
        before="Add one more line to this list.\n\n",
        shown="{label} {about}: {example}\n",
        after="{label} {about}:",
    ),
    Style(
        name="rephrase",
        examples=1,
        before="Say this {label} {about} again in quite different words:\n\n",
        shown="{example}",
        after="",
    ),
)
TEMPERATURES = (0.7, 0.9, 1.1)


@dataclass(frozen=True)
class FewShotByLabel:
    """Settings of the recipe.

    Attributes:
        about: What a row is, as the prompts call it, such as ``film review``.
        pool: Real rows per label that may be shown to the model.
        characters: Shortest and longest text that may be shown; short examples keep prompts cheap.
        max_tokens: Longest text to write.
    """

    about: str = "text"
    pool: int = 300
    characters: tuple[int, int] = (40, 130)
    max_tokens: int = 44


@dataclass(frozen=True)
class PlannedRow:
    """One row before it is written; the seed and its number decide everything in it."""

    label: str
    style: str
    seed_rows: tuple[str, ...]
    request: Request


@dataclass(frozen=True)
class _Example:
    id: str
    text: str


def plan(real: Corpus, recipe: FewShotByLabel, rows: int, *, seed: int) -> list[PlannedRow]:
    """What to write: labels, styles and temperatures in balance, examples drawn from the pool.

    Row i depends on the corpus, the recipe, `seed` and i, never on `rows`: a longer plan extends a shorter one.

    Raises: InputError: no labels, or a label with fewer usable examples than a prompt shows.
    """
    pools = _pools(real, recipe, np.random.default_rng([seed, 0]))
    labels = sorted(pools)
    return [_planned(i, labels, pools, recipe, np.random.default_rng([seed, 1, i])) for i in range(rows)]


def messages(style: Style, label: str, about: str, examples: Sequence[str]) -> tuple[Message, ...]:
    """The chat that asks for one row in `style`."""
    before, after = (part.format(label=label, about=about) for part in (style.before, style.after))
    shown = [style.shown.format(label=label, about=about, example=example) for example in examples]
    opening = () if style.system is None else (Message("system", style.system),)
    if not style.turns:
        return (*opening, Message("user", before + "".join(shown) + after))
    turns = [turn for text in shown for turn in (Message("user", before), Message("assistant", text))]
    return (*opening, *turns, Message("user", after))


def _planned(
    i: int,
    labels: list[str],
    pools: dict[str, list[_Example]],
    recipe: FewShotByLabel,
    rng: np.random.Generator,
) -> PlannedRow:
    # Mixed radix over the row's number: every combination comes up once before any comes up twice.
    rest, label_index = divmod(i, len(labels))
    rest, style_index = divmod(rest, len(STYLES))
    label, style = labels[label_index], STYLES[style_index]
    chosen = [pools[label][j] for j in rng.choice(len(pools[label]), style.examples, replace=False)]
    request = Request(
        messages=messages(style, label, recipe.about, [example.text for example in chosen]),
        max_tokens=recipe.max_tokens,
        temperature=TEMPERATURES[rest % len(TEMPERATURES)],
        top_p=TOP_P,
        seed=int(rng.integers(2**31)),
    )
    return PlannedRow(label, style.name, tuple(example.id for example in chosen), request)


def _pools(real: Corpus, recipe: FewShotByLabel, rng: np.random.Generator) -> dict[str, list[_Example]]:
    shortest, longest = recipe.characters
    table = real.table(["text", "label", "file", "line", "row"])
    length = pc.utf8_length(table["text"])
    fits = pc.and_(pc.greater_equal(length, shortest), pc.less_equal(length, longest))
    usable = table.filter(pc.and_(fits, pc.is_valid(table["label"])))
    labels = np.array(usable["label"].to_pylist(), dtype=np.str_)
    needed = max(style.examples for style in STYLES)
    pools = {}
    for label in sorted(pc.unique(table["label"].drop_null()).to_pylist()):
        rows = np.flatnonzero(labels == label)
        if rows.size < needed:
            raise InputError(
                f"label {label!r} has {rows.size} rows of {shortest} to {longest} characters to show to the model; "
                f"{needed} are needed",
                where=real.name,
            )
        chosen = usable.take(rows[rng.permutation(rows.size)[: recipe.pool]])
        pools[label] = [_example(row) for row in chosen.to_pylist()]
    if not pools:
        raise InputError(
            "no row has a label",
            where=real.name,
            fix="Map the label column, for example: --map label=category.",
        )
    return pools


def _example(row: dict[str, Any]) -> _Example:
    name = f"row {row['row']}" if row["file"] is None else f"{row['file']}:{row['line']}"
    return _Example(name, row["text"].strip())
