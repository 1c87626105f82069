"""Are the sentences built in fewer ways?"""

from __future__ import annotations

import math
import zlib

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.frames import frequent
from assay.audit.probe import Reader, SampleProbe
from assay.audit.rows import Bools, Rows
from assay.kernels.shapes import NAME, NUMBER, shapes

WORDS, ENDINGS = 100, 100
_LEVEL = 6


def word_classes(rows: Rows, real: Rows) -> npt.NDArray[np.uint8]:
    """The class of each token of `rows`, shape (tokens,), in classes that hold for both sides.

    A tagger would have to know the language. The commonest words are the grammar's own in any language and
    are classes by themselves; a number and a name are known by their look, the others by how they end. In
    scripts without spaces the classes are the commonest characters.
    """
    words = frequent(rows, real)
    ranks, ranks_real = (words.ranks(side.tokens.ids) for side in (rows, real))
    ours, theirs = (shapes(side.text, side.tokens) for side in (rows, real))
    endings, counts = np.unique(
        np.concatenate([ours.endings[ranks >= WORDS], theirs.endings[ranks_real >= WORDS]]),
        return_counts=True,
    )
    common = np.sort(endings[np.argsort(-counts, kind="stable")[:ENDINGS]])
    at = np.minimum(np.searchsorted(common, ours.endings), max(len(common) - 1, 0))
    known = common[at] == ours.endings if len(common) else np.zeros(len(at), bool)
    other = 1 + WORDS + ENDINGS
    classes = np.where(known, 1 + WORDS + at, other)
    classes = np.where(ours.kinds == NUMBER, other + 1, np.where(ours.kinds == NAME, other + 2, classes))
    return np.where(ranks < WORDS, 1 + ranks, classes).astype(np.uint8)


def _prepare(rows: Rows, real: Rows, rng: np.random.Generator) -> Reader:
    # A zero after each row, so that no pattern runs across rows.
    closed = np.insert(word_classes(rows, real), rows.tokens.offsets[1:], 0)
    lengths = rows.lengths + 1

    def ratio(kept: Bools, _: Bools) -> float:
        raw = closed[np.repeat(kept, lengths)].tobytes()
        return len(raw) / len(zlib.compress(raw, _LEVEL)) if kept.any() else float("nan")

    return ratio


PROBE = SampleProbe(
    "diversity.syntax_compression",
    _prepare,
    f"word classes / bytes after zlib level {_LEVEL}, one byte a class, of whole rows in random order; the "
    f"classes are the {WORDS} commonest words of both sides, numbers, names, and the {ENDINGS} commonest "
    "two-letter endings of the other words",
    equal="tokens",
    against_real=False,
    most=100_000,
    bounds=(0.0, math.inf),
)
