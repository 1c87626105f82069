"""Rows and columns of texts about people, without the dear columns that no question of groups needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from assay.audit.annotate.columns import Columns, Known, row_columns
from assay.audit.annotate.frames import frequent
from assay.audit.annotate.phrases import Phrase
from assay.audit.annotate.regions import NO_REGIONS
from assay.audit.rows import Rows, open_rows
from assay.engine.groups.lists import Lists
from tests.audit.corpora import write

WORDS = (
    "river",
    "stone",
    "window",
    "morning",
    "letter",
    "garden",
    "table",
    "bread",
    "winter",
    "street",
    "paper",
)


def opened(folder: Path, texts: Sequence[str], name: str = "synthetic") -> Rows:
    return open_rows(write(folder, [(text, "") for text in texts], name, "synthetic"))


def columns(rows: Rows, lists: Lists, phrases: Sequence[Phrase] = ()) -> Columns:
    return row_columns(rows, Known(tuple(phrases), NO_REGIONS, frequent(rows), frozenset(), lists))


def sentences(
    number: int, seed: int, *, women: float = 0.5, blame: tuple[float, float] = (0.4, 0.4), extra: str = ""
) -> list[str]:
    """Rows about one woman or man each, of whom words of praise or blame are said.

    Args:
        women: Share of rows about a woman.
        blame: Share of the polar words that are blame, of men and of women.
        extra: A word said of half the women.
    """
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(number):
        woman = rng.random() < women
        tone = "terrible" if rng.random() < blame[int(woman)] else "wonderful"
        said = [
            *rng.choice(WORDS, 8),
            tone,
            extra if woman and extra and rng.random() < 0.5 else rng.choice(WORDS),
        ]
        made.append(f"The {'woman' if woman else 'man'} saw the {' '.join(said)}.")
    return made
