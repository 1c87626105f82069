"""Map a function over batches in threads, and merge what comes out, in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

from assay.core.progress import Progress, silent

Result = TypeVar("Result")


def map_merge(
    function: Callable[[pa.RecordBatch], Result],
    batches: Iterable[pa.RecordBatch],
    merge: Callable[[Result, Result], Result],
    *,
    workers: int | None = None,
    stage: str = "map",
    progress: Progress = silent,
) -> Result | None:
    """`merge` of `function(batch)` over all batches, taken from left to right.

    The result does not depend on `workers`: batches are merged in their order, whichever finishes first.
    At most twice as many batches as workers are in memory. `function` gains from threads when it releases
    the interpreter's lock, as the kernels do.

    Args:
        workers: Threads; by default one for each processor this process may use.
    Returns: None when there are no batches.
    """
    threads = workers or _processors()
    merged: Result | None = None
    is_first, done = True, 0
    waiting: deque[tuple[int, Future[Result]]] = deque()

    def take() -> None:
        nonlocal merged, is_first, done
        rows, future = waiting.popleft()
        result = future.result()
        merged = result if is_first or merged is None else merge(merged, result)
        is_first = False
        done += rows
        progress(stage, done, None)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for batch in batches:
                waiting.append((batch.num_rows, pool.submit(function, batch)))
                if len(waiting) >= 2 * threads:
                    take()
            while waiting:
                take()
        finally:
            for _, future in waiting:
                future.cancel()
    return merged


def _processors() -> int:
    # Containers and batch systems give a process fewer processors than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
