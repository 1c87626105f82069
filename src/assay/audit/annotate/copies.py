"""What each row has copied from the real rows, and what it shares with real rows that nobody can have copied.

Rows resemble real rows by chance too. A hold-out, real rows that the generator did not see, shows how much: each
match is credited to one real row, drawn among equals at random from both sides together. A generator that
remembers nothing credits seen and hold-out rows in proportion to their number, whatever is common in the
language; what seen rows get beyond that was copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.closest import Closest, closest, nowhere
from assay.audit.annotate.passages import Folded, passages
from assay.audit.annotate.pii import Pii, find_pii, known_on_either_side, mean_by_row
from assay.audit.annotate.prompted import prompted
from assay.audit.rows import Bools, Floats, Index, Rows, divide, join, mixed
from assay.engine.local import map_batches
from assay.kernels.minhash import matches
from assay.kernels.ngrams import ngram_ids
from assay.kernels.rare import Batch, Holders, holders

SPAN_TOKENS = 50
THRESHOLD = 0.7
RARE_WORDS = 8
FALSE_ALARMS = 0.01
# Rare runs are asked of rows with so many words together, drawn at random where there are more: each word costs up to
# 38 bytes.
MOST_WORDS = 1_000_000
_FOLDS = 5


@dataclass(frozen=True)
class Hits:
    """What rows share with real rows of one side, arrays of shape (rows,).

    Attributes:
        tokens: Tokens in passages that stand in one of them.
        near: Whether the nearest near-duplicate is one of them.
        rare: Runs of eight words that stand in one root's rows alone, and it is one of them.
        pii: Share of the row's personal values known among real rows that stand in these; 0 where none is.
    """

    tokens: Floats
    near: Floats
    rare: Floats
    pii: Floats


@dataclass(frozen=True)
class Shared:
    """What rows share with seen rows and with the hold-out; without one nothing is held.

    Attributes:
        ngrams: Runs of eight words in the row, shape (rows,); 0 where they were not asked.
        closest: 1 where the closest real row is a seen one, 0 where it is held out, a half where both are
            equally close; NaN where it was not asked.
        prompted: 1 where the near-duplicate stood in the row's own prompt, 0 where not; NaN where nobody says.
    """

    seen: Hits
    held: Hits
    ngrams: Index
    closest: Floats
    prompted: Floats


@dataclass(frozen=True)
class Copied:
    """What rows have copied; arrays of shape (rows,) where nothing else is said.

    Attributes:
        near: Best near-duplicate among the real rows, or -1.
        similarity: Jaccard similarity to it over 3-word shingles.
        tokens: Tokens of the row that lie in a copied passage.
        passage: A real row with the longest passage, or -1.
        mask: Tokens within copied passages, shape (tokens,).
        rare: The first rare run of the row that a real row holds, counted in tokens from the row's start, or -1.
        rare_row: That real row, or -1.
        pii: The row's personal values.
        pii_row: A real row that holds the value, or -1, shape (values,).
        closest: The closest real row and by how much it is closer than the hold-out.
        shared: The same by side, as the measures count it.
    """

    near: Index
    similarity: npt.NDArray[np.float32]
    tokens: Index
    passage: Index
    mask: Bools
    rare: Index
    rare_row: Index
    pii: Pii
    pii_row: Index
    closest: Closest
    shared: Shared


def copied(
    rows: Rows, real: Rows, *, span: int = SPAN_TOKENS, holdout: Rows | None = None, seed: int = 0
) -> Copied:
    """What `rows` has copied from `real`: whole rows nearly, passages of `span` words exactly, rare runs, values."""
    found = _passages(rows, real, span)
    asked = _asked(rows, seed)
    rare, seen_rare, held_rare = _rare(rows, asked, real, holdout)
    values, theirs = _personal(rows), _personal(real)
    seen_pii, held_pii = known_on_either_side(values, theirs, _personal(holdout) if holdout else None)
    if holdout is None:
        nearest = nowhere(len(rows))
        none = np.zeros(len(rows))
        by_side = [(found.tokens.astype(float), (found.near >= 0).astype(float)), (none, none)]
    else:
        rng = np.random.default_rng([seed, 5])
        # Shuffled, so that which of equal matches comes first says nothing about its side.
        order = rng.permutation(len(real) + len(holdout))
        both = _passages(rows, join(real, holdout).take(order), span)
        nearest = closest(rows, real, holdout, rng)
        by_side = [
            (both.tokens * _of(side, both.passage), _of(side, both.near).astype(float))
            for side in (order < len(real), order >= len(real))
        ]
    shared = Shared(
        Hits(*by_side[0], seen_rare, seen_pii),
        Hits(*by_side[1], held_rare, held_pii),
        _runs(rows, asked),
        nearest.share,
        prompted(rows, real, found.near),
    )
    pii_row = _holding_values(values, theirs, np.arange(len(real), dtype=np.uint64)).row
    return _copied(found, rare, values, pii_row, nearest, shared)


def copied_among(real: Rows, *, salt: int, span: int = SPAN_TOKENS, holdout: Rows | None = None) -> Copied:
    """What real rows share with other real rows: the reference for `copied`, how alike rows are that nobody copied.

    Passages and near-duplicates of each fifth, by root id, are searched in the other four; runs and values in
    all rows of other roots. Which of seen and held-out rows is closest is asked for one half against the other.
    """
    folds = (mixed(real.root, salt) % np.uint64(_FOLDS)).astype(np.int64)
    near, similarity = matches(real.sketches, real.sketches, folds, folds, threshold=THRESHOLD)
    shared = passages(Folded(real, folds), Folded(real, folds), span)
    whole = _Passages(near, similarity, shared.tokens, shared.source, shared.mask)
    asked = _asked(real, salt)
    ids, offsets = _run_ids(real.take(asked))
    # Its own root holds the run, so a second one is the only other.
    rare_hits = np.zeros(len(real))
    rare_hits[asked] = _sums(holders(ids, real.root, _run_batches(real)).roots == 2, offsets)
    values = _personal(real)
    elsewhere = _holding_values(values, values, real.root).roots > 1
    known = mean_by_row(values, np.ones(len(values.row)), elsewhere)
    nearest = nowhere(len(real))
    if holdout is not None:
        half, other = divide(real, 0.5, salt=salt + 1)
        apart = closest(real.take(other), real.take(half), holdout, np.random.default_rng([salt, 6]))
        nearest.share[other] = apart.share
    seen = Hits(whole.tokens.astype(float), (whole.near >= 0).astype(float), rare_hits, known)
    shared_by = Shared(
        seen, Hits(*np.zeros((4, len(real)))), _runs(real, asked), nearest.share, np.full(len(real), np.nan)
    )
    none = np.full(len(real), -1, np.int64)
    return _copied(whole, (none, none), values, np.full(len(values.row), -1, np.int64), nearest, shared_by)


def unshared(rows: int) -> Shared:
    """Nothing is shared, or nobody looked yet."""
    none, unasked = Hits(*np.zeros((4, rows))), np.full(rows, np.nan)
    return Shared(none, none, np.zeros(rows, np.int64), unasked, unasked)


def fewest_runs(among_real: Shared) -> int:
    """How many rare runs mark a row as a copy: so many that at most one real row in a hundred is marked.

    Args:
        among_real: What real rows share with other real rows; long rows share more by chance than short ones.
    """
    rare = among_real.seen.rare
    return 1 if not len(rare) else int(np.quantile(rare, 1 - FALSE_ALARMS, method="higher")) + 1


@dataclass(frozen=True)
class _Passages:
    """The first five of `Copied`."""

    near: Index
    similarity: npt.NDArray[np.float32]
    tokens: Index
    passage: Index
    mask: Bools


def _copied(
    found: _Passages,
    rare: tuple[Index, Index],
    pii: Pii,
    pii_row: Index,
    nearest: Closest,
    shared: Shared,
) -> Copied:
    return Copied(
        found.near,
        found.similarity,
        found.tokens,
        found.passage,
        found.mask,
        *rare,
        pii,
        pii_row,
        nearest,
        shared,
    )


def _of(side: Bools, row: Index) -> Bools:
    """Whether the real row is of this side; -1 is of none."""
    if not len(side):
        return np.zeros(len(row), bool)
    return side[row] & (row >= 0)


def _passages(rows: Rows, real: Rows, span: int) -> _Passages:
    near, similarity = matches(rows.sketches, real.sketches, threshold=THRESHOLD)
    shared = passages(Folded(rows, np.full(len(rows), -1)), Folded(real, np.zeros(len(real), np.int64)), span)
    return _Passages(near, similarity, shared.tokens, shared.source, shared.mask)


def _asked(rows: Rows, seed: int) -> Index:
    """The rows whose rare runs are looked for, in their order."""
    if rows.lengths.sum() <= MOST_WORDS:
        return np.arange(len(rows))
    order = np.random.default_rng([seed, 7]).permutation(len(rows))
    return np.sort(order[: int(np.searchsorted(np.cumsum(rows.lengths[order]), MOST_WORDS))])


def _runs(rows: Rows, asked: Index) -> Index:
    number = np.zeros(len(rows), np.int64)
    number[asked] = np.maximum(rows.lengths[asked] - (RARE_WORDS - 1), 0)
    return number


def _run_ids(rows: Rows) -> tuple[npt.NDArray[np.uint64], Index]:
    """The runs of all rows, and the offsets of each row's; the words themselves are read a batch at a time."""
    parts = [ids for ids, _ in _run_batches(rows)]
    counts = np.maximum(rows.lengths - (RARE_WORDS - 1), 0)
    return np.concatenate([np.zeros(0, np.uint64), *parts]), np.concatenate(
        [np.zeros(1, np.int64), np.cumsum(counts)]
    )


def _run_batches(rows: Rows) -> Iterator[Batch]:
    return map_batches(lambda batch: ngram_ids(batch.tokens, RARE_WORDS), rows.batches())


def _rare(
    rows: Rows, asked: Index, real: Rows, holdout: Rows | None
) -> tuple[tuple[Index, Index], Floats, Floats]:
    """Runs of eight words that one root alone holds, of all real rows on both sides.

    Returns: The first such run of each row that a seen row holds, with that row; how many of the row's runs seen
        rows hold; how many the hold-out.
    """
    ids, offsets = _run_ids(rows.take(asked))
    known = holders(ids, real.root, _run_batches(real))
    seen, held = known.roots == 1, np.zeros(len(ids), bool)
    if holdout is not None:
        beyond = holders(ids, holdout.root, _run_batches(holdout))
        held = (beyond.roots == 1) & (known.roots == 0)
        seen &= beyond.roots == 0
    first, row = np.full(len(rows), -1, np.int64), np.full(len(rows), -1, np.int64)
    places = np.flatnonzero(seen)
    owner, at = np.unique(np.searchsorted(offsets, places, "right") - 1, return_index=True)
    first[asked[owner]] = places[at] - offsets[owner]
    row[asked[owner]] = known.row[places[at]]
    counts = np.zeros((2, len(rows)))
    counts[:, asked] = _sums(seen, offsets), _sums(held, offsets)
    return (first, row), counts[0], counts[1]


def _personal(rows: Rows) -> Pii:
    """The personal values of all rows."""
    parts = list(map_batches(lambda batch: find_pii(batch.text), rows.batches()))
    if not parts:
        return find_pii(rows.text)
    starts = np.cumsum([0, *(part.rows for part in parts)])
    return Pii(
        len(rows),
        np.concatenate([part.row + start for part, start in zip(parts, starts[:-1], strict=True)]),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("kind", "value", "start", "end")
        ),
    )


def _holding_values(values: Pii, theirs: Pii, root: npt.NDArray[np.uint64]) -> Holders:
    """Who holds each value."""
    return holders(values.value, root, [(theirs.value, _bounds(theirs))])


def _bounds(values: Pii) -> Index:
    """Offsets of each row's values, shape (rows + 1,)."""
    return np.searchsorted(values.row, np.arange(values.rows + 1))


def _sums(flags: Bools, offsets: Index) -> Index:
    """How many flags are set in each row."""
    running = np.concatenate([np.zeros(1, np.int64), np.cumsum(flags)])
    return np.asarray(running[offsets[1:]] - running[offsets[:-1]])
