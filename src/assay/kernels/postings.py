"""Which of many items a text is most like: an index from each character run to the items that hold it."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from assay.kernels.chargrams import BITS, Grams

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """How much each piece of text is like the items nearest to it; arrays of shape (num_pieces, nearest).

    Attributes:
        item: Items in order of their cosine to the piece, or -1.
        held: Share of the item's weight that the piece holds.
        cosine: Cosine of the two.
        lead: The cosine less that of the best other item.
    """

    item: npt.NDArray[np.int64]
    held: Floats
    cosine: Floats
    lead: Floats


def likeness(
    pieces: Grams,
    items: Grams,
    weights: Weights,
    *,
    own: npt.NDArray[np.int64] | None = None,
    nearest: int = 4,
    most: int = 64,
) -> Likeness:
    """The items nearest to each piece by TF-IDF cosine (a run counts once), and how near they are.

    Args:
        items: One piece each.
        weights: Of each run, shape (2**BITS,); 0 for one that every text holds.
        own: An item that each piece is not held against, for it is of it, shape (num_pieces,); None for none.
        nearest: How many items for each piece.
        most: Runs that more items than this hold find no item; they do count in how near one is.
    """
    starts = np.zeros((1 << BITS) + 1, np.int64)
    np.cumsum(np.bincount(items.ids, minlength=1 << BITS), out=starts[1:])
    holder = np.repeat(np.arange(len(items)), np.diff(items.offsets))
    posted = holder[np.argsort(items.ids, kind="stable")].astype(np.int32)
    mass = _mass(items.ids, items.offsets, weights)
    own = np.full(len(pieces), -1, np.int64) if own is None else own
    item, held, cosine = _nearest(
        pieces.ids,
        pieces.offsets,
        own,
        items.ids,
        items.offsets,
        starts,
        posted,
        mass,
        weights,
        nearest,
        most,
    )
    order = np.argsort(-cosine, axis=1, kind="stable")
    item, held, cosine = (np.take_along_axis(each, order, axis=1) for each in (item, held, cosine))
    other = np.zeros_like(cosine)
    if nearest > 1:
        other[:] = cosine[:, :1]
        other[:, 0] = cosine[:, 1]
    return Likeness(item, held, cosine, cosine - other)


@numba.njit(nogil=True, cache=True)
def _mass(ids, offsets, weights):  # type: ignore[no-untyped-def]
    mass = np.zeros(len(offsets) - 1, np.float64)
    for row in range(len(mass)):
        for at in range(offsets[row], offsets[row + 1]):
            mass[row] += weights[ids[at]]
    return mass


@numba.njit(nogil=True, cache=True)
def _nearest(ids, offsets, own, item_ids, item_offsets, starts, posted, mass, weights, nearest, most):  # type: ignore[no-untyped-def]
    num_pieces = len(offsets) - 1
    best = np.full((num_pieces, nearest), -1, np.int64)
    held = np.zeros((num_pieces, nearest), np.float64)
    cosine = np.zeros((num_pieces, nearest), np.float64)
    shared = np.zeros(len(mass), np.float32)
    touched = np.empty(len(mass), np.int64)
    score = np.empty(nearest, np.float64)
    for piece in range(num_pieces):
        total = 0.0
        reached = 0
        for at in range(offsets[piece], offsets[piece + 1]):
            run = ids[at]
            weight = weights[run]
            total += weight
            if weight <= 0 or starts[run + 1] - starts[run] > most:
                continue
            for place in range(starts[run], starts[run + 1]):
                item = posted[place]
                if shared[item] == 0:
                    touched[reached] = item
                    reached += 1
                shared[item] += weight
        score[:] = 0.0
        for index in range(reached):
            item = touched[index]
            like = shared[item] / np.sqrt(mass[item])
            shared[item] = 0
            if item == own[piece]:
                continue
            # Equals go to the earlier item, in whatever order the runs came upon them.
            slot = nearest
            while slot > 0 and (
                like > score[slot - 1] or (like == score[slot - 1] and best[piece, slot - 1] > item)
            ):
                slot -= 1
            if slot < nearest:
                for lower in range(nearest - 1, slot, -1):
                    score[lower] = score[lower - 1]
                    best[piece, lower] = best[piece, lower - 1]
                score[slot] = like
                best[piece, slot] = item
        for slot in range(nearest):
            item = best[piece, slot]
            if item < 0:
                break
            common = 0.0
            i, j = offsets[piece], item_offsets[item]
            while i < offsets[piece + 1] and j < item_offsets[item + 1]:
                if ids[i] == item_ids[j]:
                    common += weights[ids[i]]
                    i += 1
                    j += 1
                elif ids[i] < item_ids[j]:
                    i += 1
                else:
                    j += 1
            held[piece, slot] = common / mass[item]
            cosine[piece, slot] = common / np.sqrt(mass[item] * total)
    return best, held, cosine
