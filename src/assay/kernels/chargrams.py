"""Runs of characters that a text holds, whatever its case, punctuation and line breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.arrow import Offsets, TextColumn, text_buffers
from assay.kernels.hashing import SEED, absorb, mix
from assay.kernels.scripts import SEPARATOR, folds, roles
from assay.kernels.text import decode

LENGTH = 5
BITS = 22
WINDOW = 2_000
STEP = 1_500


@dataclass(frozen=True)
class Grams:
    """The different character runs of each piece of text, ascending.

    Attributes:
        ids: Hashed to `BITS` bits; piece i holds ``ids[offsets[i]:offsets[i + 1]]``.
        offsets: shape (num_pieces + 1,).
        row: The row that each piece is from, ascending, shape (num_pieces,).
    """

    ids: npt.NDArray[np.uint32]
    offsets: Offsets
    row: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.row)


def char_grams(column: TextColumn, *, first_only: bool = False) -> Grams:
    """The runs of five characters in each row, long rows in overlapping pieces.

    Letters and digits count regardless of case; whatever stands between words is one space. A row that
    is shorter than a run is one run; a row without a letter or digit has a piece without any. A row of
    more than `WINDOW` characters is cut into pieces of that many, one every `STEP` characters, so that
    what stands in a long document is not lost in it.

    Args:
        column: Text, shape (num_rows,); a null counts as an empty row.
        first_only: Only the first piece of each row.
    """
    parts = [_grams(offsets, data, roles(), folds(), first_only) for offsets, data in text_buffers(column)]
    before = np.cumsum([0, *(rows for _, _, _, rows in parts)])
    return Grams(
        ids=np.concatenate([np.zeros(0, np.uint32), *(part[0] for part in parts)]),
        offsets=np.concatenate([np.zeros(1, np.int64), *(part[1] for part in parts)]).cumsum(),
        row=np.concatenate(
            [np.zeros(0, np.int64), *(part[2] + start for part, start in zip(parts, before, strict=False))]
        ),
    )


@numba.njit(nogil=True, cache=True)
def _grams(offsets, data, roles, folds, first_only):  # type: ignore[no-untyped-def]
    """Ids, number of ids in each piece, row of each piece, number of rows."""
    num_rows = len(offsets) - 1
    most_pieces = num_rows
    longest = 0
    for row in range(num_rows):
        size = offsets[row + 1] - offsets[row]
        longest = max(longest, size)
        if not first_only:
            most_pieces += size // STEP
    room = WINDOW if first_only else longest
    # A run for every character, and for what two pieces share once more; a third more is room for both.
    most = (offsets[-1] - offsets[0]) * 4 // 3 + WINDOW + num_rows
    if first_only:
        most = min(most, num_rows * WINDOW)
    ids = np.empty(most, np.uint32)
    counts = np.empty(most_pieces, np.int64)
    rows = np.empty(most_pieces, np.int64)
    codes = np.empty(min(room, longest) + 1, np.uint32)
    found = pieces = 0
    for row in range(num_rows):
        at, stop = offsets[row], offsets[row + 1]
        length = 0
        parted = False
        while at < stop and length < room:
            code, at = decode(data, at)
            if roles[code] == SEPARATOR:
                parted = length > 0
                continue
            if parted:
                codes[length] = np.uint32(32)
                length += 1
                parted = False
                if length == room:
                    break
            codes[length] = folds[code] if code < len(folds) else code
            length += 1
        begin = 0
        while True:
            end = min(begin + WINDOW, length)
            before = found
            size = min(LENGTH, end - begin)
            if size > 0:
                for start in range(begin, end - size + 1):
                    state = SEED
                    for position in range(start, start + size):
                        state = absorb(state, codes[position])
                    ids[found] = mix(state) >> np.uint64(64 - BITS)
                    found += 1
                piece = ids[before:found]
                piece.sort()
                kept = before + 1
                for index in range(before + 1, found):
                    if ids[index] != ids[kept - 1]:
                        ids[kept] = ids[index]
                        kept += 1
                found = kept
            counts[pieces] = found - before
            rows[pieces] = row
            pieces += 1
            if end == length:
                break
            begin += STEP
    return ids[:found].copy(), counts[:pieces].copy(), rows[:pieces].copy(), num_rows
