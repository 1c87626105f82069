"""Sketches of more rows than memory holds: made batch by batch, kept in files that have no name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from assay.engine.local import Batch, map_batches
from assay.engine.scratch import mapped, scratch_file
from assay.kernels.minhash import PERMUTATIONS, SHINGLE_WORDS, Sketches, banding, sketch
from assay.kernels.text import Tokens


def sketch_batches(
    batches: Iterable[Batch],
    read: Callable[[Batch], Tokens],
    rows: int,
    folder: Path,
    *,
    threshold: float = 0.7,
    shingle_words: int = SHINGLE_WORDS,
) -> Sketches:
    """The sketches of the rows in all batches.

    In memory lie 24 bytes a row; what two rows are compared by lies in memory-mapped files in `folder`, which are
    gone with the sketches, or with the process.

    Args:
        read: The tokens of a batch.
        rows: Rows of all batches together.
        shingle_words: Words that make a shingle.
    Raises: InputError: `threshold` outside (0, 1].
    """
    bands, _ = banding(threshold)
    signatures = mapped(scratch_file(folder), (rows, PERMUTATIONS), np.uint32)
    keys = mapped(scratch_file(folder), (bands, rows), np.uint64)
    lengths, hashes = np.empty(rows, np.int64), np.empty(rows, np.uint64)
    offsets = np.zeros(rows + 1, np.int64)
    shingles = scratch_file(folder)
    start = 0
    for part in map_batches(lambda batch: sketch(read(batch), threshold, shingle_words), batches):
        stop = start + len(part.hashes)
        lengths[start:stop], hashes[start:stop] = part.lengths, part.hashes
        signatures[start:stop], keys[:, start:stop] = part.signatures, part.keys
        offsets[start + 1 : stop + 1] = offsets[start] + part.offsets[1:]
        part.ids.tofile(shingles)
        start = stop
    ids = mapped(shingles, (int(offsets[-1]),), np.uint64)
    return Sketches(threshold, lengths, hashes, ids, offsets, signatures, keys)
