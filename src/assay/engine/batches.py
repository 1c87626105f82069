"""How much text is worked on at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assay.core.corpus import Corpus

# Of several a thread, each is ten times as large once it is in tokens. Larger ones are slower, since what they hold
# leaves the processor's cache.
BATCH_BYTES, BATCH_ROWS = 2 << 20, 1 << 16


def text_bytes(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Bytes of each row's text, shape (rows,); of the text itself nothing is read."""
    return np.asarray(pc.binary_length(column), dtype=np.int64)


def bounds(sizes: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First row and the one after the last of each batch of rows of these sizes."""
    ends = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = int(ends[start - 1]) if start else 0
        fitting = int(np.searchsorted(ends, before + BATCH_BYTES, "right"))
        stop = min(max(fitting, start + 1), start + BATCH_ROWS)
        yield start, stop
        start = stop


def texts(corpus: Corpus) -> Iterator[pa.ChunkedArray]:
    """The text of a corpus, a batch at a time."""
    column = corpus.table(["text"])["text"]
    for start, stop in bounds(text_bytes(column)):
        yield column.slice(start, stop - start)


def gather(column: pa.ChunkedArray, at: npt.NDArray[np.int64]) -> pa.Array:
    """The values at `at`, chunk by chunk: Arrow's own take copies a whole column of text before it chooses."""
    order = np.argsort(at, kind="stable")
    ascending = at[order]
    pieces, start = [], 0
    for chunk in column.chunks:
        begin, end = np.searchsorted(ascending, [start, start + len(chunk)])
        if begin < end:
            pieces.append(chunk.take(pa.array(ascending[begin:end] - start)))
        start += len(chunk)
    gathered = pa.concat_arrays(pieces) if pieces else pa.array([], column.type)
    if (order[1:] > order[:-1]).all():
        return gathered
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return gathered.take(pa.array(place))
