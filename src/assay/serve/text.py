"""The text of a corpus on disk: searched whole, read a few rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from assay.core.corpus import Corpus

_THREADS = 4


class Texts:
    """The memory-mapped rows of one corpus."""

    def __init__(self, corpus: Corpus) -> None:
        self.table = corpus.table()
        self.column: pa.ChunkedArray = self.table["text"]
        self._ends = np.cumsum([len(chunk) for chunk in self.column.chunks])
        self._chunks = {name: self.table[name].chunks for name in self.table.column_names}

    def __len__(self) -> int:
        return len(self.column)

    def holding(self, term: str) -> npt.NDArray[np.bool_]:
        """Which rows hold `term`, upper and lower case alike; shape (rows,)."""

        def search(chunk: pa.Array) -> npt.NDArray[np.bool_]:
            found = pc.match_substring(chunk, term, ignore_case=True)
            return np.asarray(found.to_numpy(zero_copy_only=False))

        with ThreadPoolExecutor(_THREADS) as pool:
            parts = list(pool.map(search, self.column.chunks))
        return np.concatenate([np.zeros(0, bool), *parts])

    def rows(self, at: Sequence[int], names: Sequence[str]) -> list[dict[str, Any]]:
        """Some columns of the rows `at`, in that order; no other row is touched."""
        found = []
        for row in at:
            chunk, place = self._place(row)
            found.append({name: self._chunks[name][chunk][place].as_py() for name in names})
        return found

    def beginnings(self, at: Sequence[int], characters: int) -> list[str]:
        """The first characters of the rows `at`; a row of many megabytes costs no more than another."""
        found = []
        for row in at:
            chunk, place = self._place(row)
            cut = pc.utf8_slice_codeunits(self._chunks["text"][chunk].slice(place, 1), 0, characters)
            found.append(cut[0].as_py())
        return found

    def _place(self, row: int) -> tuple[int, int]:
        """Which chunk a row lies in, and where there."""
        chunk = int(np.searchsorted(self._ends, row, "right"))
        return chunk, row - (int(self._ends[chunk - 1]) if chunk else 0)
