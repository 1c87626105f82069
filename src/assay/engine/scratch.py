"""Arrays that lie in files without a name instead of in memory, gone with the array or with the process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt


def scratch_file(folder: Path) -> IO[bytes]:
    """An empty file in the folder."""
    return tempfile.TemporaryFile(dir=folder)


def mapped(file: IO[bytes], shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The file as an array that may be written to; what the file lacks is zeros. The array alone keeps it open."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    with file:
        if size == 0:
            return np.zeros(shape, dtype)
        file.truncate(size)
        # As a plain array: numba would compile everything once more for a memory-mapped one.
        return np.asarray(np.memmap(file, dtype, "r+", shape=shape))
