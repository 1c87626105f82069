"""What is watched in the text of each generation, at equal words, so that lengths do not pass for diversity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.forecast.rows import words_of
from assay.kernels.ngrams import distinct_share, hashed_counts, ngram_ids
from assay.kernels.skeletons import skeletons
from assay.kernels.text import Tokens
from assay.models.learner import Examples

Words = npt.NDArray[np.uint64]

MOST_WORDS = 100_000
RARER = 0.5  # share of the different words that counts as the rarer ones
_COMMON = 0.5  # share of all words that a template's fixed ones make up
_FEWEST_FIXED, _FEWEST_ROWS = 5, 3
_CUTS = {5: 0.15, 10: 0.10}  # Rae et al. 2021, table A1: repeated runs of so many words
_COMPARED = 500  # rows whose likeness is taken


@dataclass(frozen=True)
class Watch:
    """What real rows say is normal: which words are rare, which are common.

    Attributes:
        rare: Rarer word types of the reference rows, ascending hashes.
        common: The commonest, likewise.
        words: Words that every sample is cut to.
    """

    rare: Words
    common: Words
    words: int

    @classmethod
    def of(cls, real: Examples) -> Watch:
        """Learn from real rows that no generation sees."""
        found = words_of(real)
        words = min(len(found.ids), MOST_WORDS)
        ids, counts = np.unique(found.ids[:words], return_counts=True)
        order = np.argsort(counts, kind="stable")
        rare = ids[order[: int(len(ids) * RARER)]]
        often = order[::-1]
        reach = int(np.searchsorted(np.cumsum(counts[often]), _COMMON * words)) + 1
        return cls(np.sort(rare), np.sort(ids[often[:reach]]), words)

    def look(self, rows: Examples) -> dict[str, float]:
        """Numbers by the name of their measure, of the first rows that hold the words; NaN where there is no text."""
        cut = _first(words_of(rows), self.words)
        words = len(cut.ids)
        if words < 2:
            return dict.fromkeys(NAMES, float("nan"))
        ids, counts = np.unique(cut.ids, return_counts=True)
        chances = counts / words
        pairs, _ = ngram_ids(cut, 2)
        circles = np.zeros(cut.rows, bool)
        for n, most in _CUTS.items():
            circles |= 1 - distinct_share(cut, n) > most
        return dict(
            zip(
                NAMES,
                (
                    float(np.isin(self.rare, ids, assume_unique=True).mean())
                    if len(self.rare)
                    else float("nan"),
                    len(np.unique(pairs)) / len(pairs) if len(pairs) else float("nan"),
                    float(-(chances * np.log2(chances)).sum()),
                    float(circles.mean()),
                    _likeness(cut),
                    self._templates(cut),
                ),
                strict=True,
            )
        )

    def _templates(self, cut: Tokens) -> float:
        """Share of the rows that are, their rarer words taken out, the same as two others that differ from them."""
        place = np.minimum(np.searchsorted(self.common, cut.ids), len(self.common) - 1)
        # One way keeps the fixed words, the other one all.
        ways = (self.common[place] == cut.ids).astype(np.uint8) | np.uint8(2)
        both = skeletons(cut.ids, cut.offsets, ways, np.array([_FEWEST_FIXED, 1]))
        frames = both[:, 0]
        kinds = np.unique(both, axis=0)[:, 0]  # rows word for word alike count once
        frame, different = np.unique(kinds, return_counts=True)
        shared = frame[(different >= _FEWEST_ROWS) & (frame != 0)]
        return float(np.isin(frames, shared).mean())


NAMES = (
    "forecast.type_coverage",
    "forecast.distinct_2",
    "forecast.entropy",
    "forecast.repetition",
    "forecast.self_similarity",
    "forecast.template_share",
)


def rarity(real: Tokens, items: Tokens) -> npt.NDArray[np.float64]:
    """Mean surprise of the words of each item by how often real rows use them, in nats, shape (items,)."""
    known, counts = np.unique(real.ids, return_counts=True)
    place = np.minimum(np.searchsorted(known, items.ids), len(known) - 1)
    often = np.where(known[place] == items.ids, counts[place], 0)
    surprise = -np.log((1 + often) / (1 + counts.sum()))
    lengths = np.diff(items.offsets)
    rows = np.repeat(np.arange(items.rows), lengths)
    mean: npt.NDArray[np.float64] = np.bincount(rows, surprise, items.rows) / np.maximum(lengths, 1)
    return mean


def _first(found: Tokens, words: int) -> Tokens:
    """The first rows, and the last of them cut, so that there are no more words than asked for."""
    stop = min(words, len(found.ids))
    rows = int(np.searchsorted(found.offsets, stop))
    offsets = np.append(found.offsets[:rows], stop)
    return Tokens(found.ids[:stop], offsets, found.starts[:stop], found.ends[:stop])


def _likeness(cut: Tokens) -> float:
    """Mean cosine of the words and word pairs of two different rows.

    The square of the summed unit rows holds every pair twice and every row with itself, so no pair is visited.
    """
    counts = hashed_counts(cut.take(np.arange(min(cut.rows, _COMPARED))))
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    counts = counts[length > 0]
    rows = counts.shape[0]
    if rows < 2:
        return float("nan")
    total = np.asarray((1 / length[length > 0]) @ counts).ravel()
    return float((total @ total - rows) / (rows * (rows - 1)))
