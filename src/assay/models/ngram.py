"""An n-gram model: interpolated modified Kneser-Ney, trained for many weightings of the same rows.

The n-grams of all rows are found once; a training is then a count of what its rows hold, a fraction of a second
for millions of tokens. It judges style and coverage. It is no transformer and stands in for none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from assay.core.errors import InputError
from assay.core.progress import Progress, silent
from assay.core.trial import Cost
from assay.kernels.gram_beams import search
from assay.kernels.gram_sampling import Drawer
from assay.kernels.gram_trie import Nodes, Trie, build_trie
from assay.kernels.kneser_ney import Tables, fit_tables
from assay.models.bpe import BPE, train_bpe, train_words
from assay.models.learner import Examples, Floats, Part, Sampling, Scored
from assay.models.ngram_rows import Located, TokenRows

Unit = Literal["bpe", "words"]
T = TypeVar("T")

_SIZES: dict[Unit, int] = {"bpe": 4_096, "words": 32_768}
# Pieces hardly change with more text than this, and learning them is the slowest part of a reading.
_CHARACTERS_OF_PIECES = 4_000_000
_REMEMBERED = 4  # sets of items whose n-grams are kept: a trial scores the same items after every block
_BLOCK = 4  # arms, whose tables lie in memory at once


@dataclass(frozen=True)
class NGram:
    """Settings of the learner.

    Attributes:
        order: Longest n-gram, context and token together.
        vocabulary: Most pieces; 4,096 byte pairs or 32,768 words where None.
        unit: `bpe` splits text into frequent byte pairs; `words` keeps frequent words whole and spells all
            others in bytes. Either gives every text a probability, so that bits per byte compare with those
            of any other model.
        encoding: Pieces learned before, instead of learning them from the rows.
        discount: One discount in place of the three of each length that counts of counts give.
    """

    order: int = 4
    vocabulary: int | None = None
    unit: Unit = "bpe"
    encoding: BPE | None = None
    discount: float | None = None
    name: str = field(default="ngram", init=False)

    def __post_init__(self) -> None:
        if self.order < 1:
            raise InputError(f"no n-gram has {self.order} tokens", fix="Set the order to 1 or more.")
        if self.discount is not None and not 0 < self.discount <= 1:
            raise InputError(f"a discount of {self.discount} is not above 0 and at most 1")

    def read(self, rows: Examples) -> Counts:
        """Encode the rows and find their n-grams.

        Raises: MissingExtra: the package that learns pieces is not installed.
        """
        encoding = self.encoding or self._pieces(rows)
        text = TokenRows.of(encoding, rows.parts)
        trie, longest = build_trie(text.tokens, text.offsets, encoding.vocabulary, self.order)
        return Counts(self, encoding, text, trie, longest)

    def _pieces(self, rows: Examples) -> BPE:
        texts = [part.text for row in rows.parts for part in row]
        step = max(1, -(-sum(map(len, texts)) // _CHARACTERS_OF_PIECES))
        train = train_bpe if self.unit == "bpe" else train_words
        return train(texts[::step], self.vocabulary or _SIZES[self.unit])


class Counts:
    """Rows as the learner has read them.

    Attributes:
        settings: Of the learner.
        encoding: Text to tokens and back.
        rows: The rows as tokens.
        trie: All their n-grams.
        longest: The longest n-gram that ends at each token, shape (tokens,).
    """

    def __init__(self, settings: NGram, encoding: BPE, rows: TokenRows, trie: Trie, longest: Nodes) -> None:
        self.settings, self.encoding = settings, encoding
        self.rows, self.trie, self.longest = rows, trie, longest
        self._learned = rows.sums(rows.learned)
        self._located: list[tuple[Examples, Located]] = []

    def expect(self, weights: npt.NDArray[np.float32]) -> tuple[Cost, ...]:
        """What each arm will cost, from training the smallest and the largest.

        Seconds are those of a pass over all n-grams and of the arm's tokens. Tokens count as often as their
        row weighs. In place of floating-point operations stand updates of tables, at most one for each token
        and order.
        """
        if not len(weights):
            return ()
        present = (weights > 0) @ self._learned
        least, most = int(present.argmin()), int(present.argmax())
        self._train(weights[least])  # compiles, where that has not been done
        (_, small), (_, large) = self._train(weights[least]), self._train(weights[most])
        each = max(large.seconds - small.seconds, 0.0) / max(present[most] - present[least], 1.0)
        return tuple(
            Cost(
                seconds=small.seconds + each * float(count - present[least]),
                tokens=round(float(row @ self._learned)),
                flops=float(count * self.settings.order),
            )
            for row, count in zip(weights, present, strict=True)
        )

    def fit(
        self,
        weights: npt.NDArray[np.float32],
        seeds: npt.NDArray[np.int64],
        progress: Progress = silent,
        done: npt.NDArray[np.bool_] | None = None,
    ) -> Iterator[Models]:
        """Train the arms, a few at a time side by side.

        Nothing in it is random: arms of equal weights are equal whatever their seeds.
        """
        for first in range(0, len(weights), _BLOCK):
            arms = np.arange(first, min(first + _BLOCK, len(weights)))
            if done is None or not done[arms].all():
                tables, costs = zip(*_side_by_side(self._train, weights[arms]), strict=True)
                yield Models(self, arms, costs, tables)
            progress("train n-gram models", int(arms[-1]) + 1, len(weights), "arms")

    def locate(self, items: Examples) -> Located:
        """The n-grams of items; kept for items that are scored again."""
        for known, located in self._located:
            if known is items:
                return located
        located = Located.of(self.encoding, self.trie, items)
        self._located = [(items, located), *self._located[: _REMEMBERED - 1]]
        return located

    def _train(self, weights: Floats) -> tuple[Tables, Cost]:
        start = time.perf_counter()
        tables = fit_tables(
            self.trie, self.longest, self.rows.offsets, self.rows.learned, weights, self.settings.discount
        )
        seconds = time.perf_counter() - start
        tokens = round(float(weights @ self._learned))
        return tables, Cost(seconds=seconds, tokens=tokens, flops=float(tables.updates))


@dataclass
class Models:
    """A block of trained arms.

    Attributes:
        counts: What they were trained on.
        arms: Which rows of the weights, shape (arms of the block,).
        costs: Of each of them.
        tables: Of each of them.
    """

    counts: Counts
    arms: npt.NDArray[np.int64]
    costs: tuple[Cost, ...]
    tables: tuple[Tables, ...]

    def score(self, items: Examples) -> Scored:
        """Minus the bits of each item's learned parts, their ends included, by every arm.

        A part of no text has an end too. `over` is None: no one acts on the confidence of an n-gram model.
        """
        located = self.counts.locate(items)
        bits = self._bits(located)
        preferred = None
        if located.rejected is not None:
            lost = located.rejected
            mine, others = np.maximum(located.bytes, 1), np.maximum(lost.bytes, 1)
            preferred = bits / mine < self._bits(lost) / others
        return Scored(gain=(-bits).astype(np.float32), preferred=preferred)

    def sample(
        self, number: int, sampling: Sampling, seed: int, prompts: Sequence[Sequence[Part]] | None = None
    ) -> list[list[str]]:
        """`number` texts by each arm from nothing, or one for each prompt.

        Drawing is exact for every temperature and `top_p`. With beams, texts are the likeliest per token that
        the search meets, whatever the temperature, and from nothing all are the same.

        Returns: texts of each arm; those of an arm depend on the seed, its place among the weights and theirs.
        """
        counts = self.counts
        asked = [()] * number if prompts is None else list(prompts)
        starts = Located.of(counts.encoding, counts.trie, Examples(tuple(map(tuple, asked)))).contexts()

        def write(arm: int, tables: Tables) -> list[str]:
            if sampling.beams > 1:
                found = search(
                    counts.trie,
                    tables,
                    starts,
                    counts.encoding.boundary,
                    sampling.most_tokens,
                    sampling.beams,
                )
            else:
                seeds = np.random.default_rng([seed, arm]).integers(
                    0, np.iinfo(np.uint64).max, len(starts), np.uint64, endpoint=True
                )
                drawer = Drawer(counts.trie, tables, sampling.temperature, sampling.top_p)
                found = drawer.draw(starts, seeds, counts.encoding.boundary, sampling.most_tokens)
            return counts.encoding.decode_rows(*found)

        return _side_by_side(write, self.arms.tolist(), self.tables)

    def _bits(self, located: Located) -> npt.NDArray[np.float64]:
        vocabulary = self.counts.encoding.vocabulary
        return np.stack(_side_by_side(lambda tables: located.bits(tables, vocabulary), self.tables))


def _side_by_side(work: Callable[..., T], *of: Iterable[Any]) -> list[T]:
    """The work on each, in threads: the kernels let go of the interpreter."""
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _BLOCK)) as pool:
        return list(pool.map(work, *of))
