"""Map a function over batches in threads; what comes out comes in order, to be merged."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from assay.core.progress import Progress, silent

Batch = TypeVar("Batch", bound=Sized)
Item = TypeVar("Item")
Result = TypeVar("Result")


def map_batches(
    function: Callable[[Batch], Result],
    batches: Iterable[Batch],
    *,
    workers: int | None = None,
    stage: str = "map",
    progress: Progress = silent,
) -> Iterator[Result]:
    """`function(batch)` of each batch, in their order, whichever finishes first.

    At most twice as many batches as workers are in memory. `function` gains from threads when it releases
    the interpreter's lock, as the kernels do.

    Args:
        workers: Threads; by default one for each processor this process may use.
    """
    workers = workers or _processors()
    done = 0
    waiting: deque[tuple[int, Future[Result]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            # None stands for the end: from there on, only what is under way is waited for.
            for batch in itertools.chain(batches, itertools.repeat(None)):
                if batch is not None:
                    waiting.append((len(batch), pool.submit(function, batch)))
                    if len(waiting) < 2 * workers:
                        continue
                if not waiting:
                    return
                rows, future = waiting.popleft()
                yield future.result()
                done += rows
                progress(stage, done, None)
        finally:
            for _, future in waiting:
                future.cancel()


def map_each(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    stage: str = "map",
    units: str = "items",
    progress: Progress = silent,
) -> list[Result]:
    """`function(item)` of each item, in their order, on as many threads as there are processors."""
    found: list[Result] = []
    progress(stage, 0, len(items), units)
    with ThreadPoolExecutor(_processors()) as pool:
        for result in pool.map(function, items):
            found.append(result)
            progress(stage, len(found), len(items), units)
    return found


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """While it is entered, each product of matrices keeps to its caller's thread.

    Whoever runs threads of his own gains nothing from theirs: they wait for each other without giving the
    processor back, which cost an audit of 20,000 rows a third of its processor time.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def _processors() -> int:
    # Containers and batch systems give a process fewer processors than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
