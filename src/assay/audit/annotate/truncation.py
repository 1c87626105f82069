"""Rows whose answer stops before it is done."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.annotate.checked import Checked, Hints, hints
from assay.kernels.endings import LETTER, OPENING, PAUSE, endings
from assay.kernels.text import Tokens, tokens

# Words that hardly any finished text ends with; ambiguous ones ("die", "a", "to") are left out.
_DANGLING = "the an and because than und oder eine einen dem weil les et une dans los las y una della gli il"
_LEAST_WORDS = 8
_SHOWN_CHARACTERS = 40


def truncated(answers: pa.Array, words: Tokens, seen: Hints | None = None) -> Checked:
    """Rows that end in mid-sentence, within an open bracket, or within an open code fence.

    A missing full stop alone proves nothing: titles, queries and list items have none, nor has Thai. It
    counts where the writer ended earlier sentences: within the same line, or on every long line above a
    long last one. A comma, an open bracket or a word such as "the" at the end speaks for itself.

    Args:
        answers: Text the model should have written, shape (rows,).
        words: Its tokens.
        seen: Its hints, where they are known.
    """
    end = endings(answers, (seen or hints(answers)).fences)
    counts = np.diff(words.offsets)
    filled = counts > 0
    unfinished = end.last == LETTER  # a number is a score, a year or a result
    long = counts >= _LEAST_WORDS
    hangs = np.zeros(len(counts), bool)
    hangs[filled] = np.isin(words.ids[words.offsets[1:][filled] - 1], _dangling())
    cut = unfinished & long & ((end.stops > 0) | hangs | end.open)
    cut |= unfinished & end.prose & end.stopped & (end.words >= _LEAST_WORDS)
    cut |= ((end.last == PAUSE) | (end.last == OPENING)) & long
    return Checked(filled, filled & (cut | end.fenced))


def locate(answer: str) -> tuple[int, int]:
    """The last characters of a truncated answer."""
    end = len(answer.rstrip())
    return max(0, end - _SHOWN_CHARACTERS), end


@functools.cache
def _dangling() -> npt.NDArray[np.uint64]:
    return np.asarray(tokens(pa.array([_DANGLING], pa.large_string())).ids)
