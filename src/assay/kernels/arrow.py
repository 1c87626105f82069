"""A text column as what the kernels loop over: Arrow's own offsets and bytes, never a Python string."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes: TypeAlias = npt.NDArray[np.uint8]
Offsets: TypeAlias = npt.NDArray[np.int64]
TextColumn: TypeAlias = pa.Array | pa.ChunkedArray


def text_buffers(column: TextColumn) -> Iterator[tuple[Offsets, Bytes]]:
    """The chunks of a string column as (offsets, data); row i is ``data[offsets[i]:offsets[i + 1]]``.

    A null counts as an empty row. Strings are not copied unless the column holds nulls or is encoded in
    another way (dictionary, view).
    """
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        if not (pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type)):
            chunk = chunk.cast(pa.large_string())
        if chunk.null_count:
            chunk = pc.fill_null(chunk, "")
        yield _buffers(chunk)


def _buffers(chunk: pa.Array) -> tuple[Offsets, Bytes]:
    width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
    _, starts, data = chunk.buffers()
    # An empty array may come without any offsets, and one of empty strings without any bytes.
    offsets = np.zeros(1, np.int64)
    if len(chunk):
        offsets = np.frombuffer(starts, width, len(chunk) + 1, chunk.offset * width().nbytes).astype(np.int64)
    text = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    # Some of Arrow's buffers are writable and some are not; one form keeps numba at one compilation.
    offsets.flags.writeable = text.flags.writeable = False
    return offsets, text
