"""What can be seen of a word without knowing its language: a number, a name, or how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import TextColumn, text_buffers
from assay.kernels.hashing import SEED, absorb, mix
from assay.kernels.scripts import DIGIT, UPPER, folds, kinds
from assay.kernels.text import Tokens, decode

PLAIN, NUMBER, NAME = range(3)
# A word after one of these, or after a line's end, is in upper case because a sentence begins.
_BEFORE_A_SENTENCE = '.!?:;"\u201c\u2026*#-\n'


@dataclass(frozen=True)
class Shapes:
    """The look of each token, in the order of `Tokens`.

    Attributes:
        kinds: NUMBER if it begins with a digit, NAME if with a capital inside a sentence, else PLAIN; shape
            (num_tokens,). Scripts without case have no names.
        endings: Hash of its last two code points regardless of case, shape (num_tokens,).
    """

    kinds: npt.NDArray[np.uint8]
    endings: npt.NDArray[np.uint64]


def shapes(column: TextColumn, tokens: Tokens) -> Shapes:
    """The look of each token of `column`, of which `tokens` are the tokens."""
    parts = [(np.zeros(0, np.uint8), np.zeros(0, np.uint64)), *_looks(column, tokens, True)]
    return Shapes(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def word_kinds(column: TextColumn, tokens: Tokens) -> npt.NDArray[np.uint8]:
    """The kinds of `Shapes` alone, shape (num_tokens,)."""
    return np.concatenate([np.zeros(0, np.uint8), *(kinds for kinds, _ in _looks(column, tokens, False))])


def _looks(
    column: TextColumn, tokens: Tokens, ends_too: bool
) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]]:
    starters = np.zeros(0x2100, np.bool_)
    starters[[ord(sign) for sign in _BEFORE_A_SENTENCE]] = True
    row = 0
    for offsets, data in text_buffers(column):
        bounds = tokens.offsets[row : row + len(offsets)]
        row += len(offsets) - 1
        yield _look(offsets, data, bounds, tokens.starts, tokens.ends, kinds(), folds(), starters, ends_too)


@numba.njit(nogil=True, cache=True)
def _look(offsets, data, bounds, starts, ends, kinds, folds, starters, ends_too):  # type: ignore[no-untyped-def]
    first_token = bounds[0]
    found = np.empty(bounds[-1] - first_token, np.uint8)
    endings = np.empty(bounds[-1] - first_token if ends_too else 0, np.uint64)
    for row in range(len(bounds) - 1):
        begin = offsets[row]
        before = begin  # where the last token ended
        for token in range(bounds[row], bounds[row + 1]):
            at, stop = begin + starts[token], begin + ends[token]
            opens = token == bounds[row]
            while before < at:
                code, before = decode(data, before)
                opens = opens or (code < len(starters) and starters[code])
            code, at = decode(data, at)
            kind = kinds[code]
            before = stop
            found[token - first_token] = (
                NUMBER if kind & DIGIT else NAME if kind & UPPER and not opens else PLAIN
            )
            if not ends_too:
                continue
            last = folds[code] if code < len(folds) else code
            previous = np.uint32(0)
            while at < stop:
                code, at = decode(data, at)
                previous = last
                last = folds[code] if code < len(folds) else code
            endings[token - first_token] = mix(absorb(absorb(SEED, previous), last))
    return found, endings
