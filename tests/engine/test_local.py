"""The local engine: order and bound hold, whatever the threads do."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest

from assay.engine.local import map_batches


def batch(value: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"n": [value]})


def number(one: pa.RecordBatch) -> list[int]:
    return [one.column("n")[0].as_py()]


@pytest.mark.parametrize("workers", [1, 2, 7, None])
def test_results_come_in_order(workers: int | None) -> None:
    told: list[int] = []

    def tell(stage: str, done: int, total: int | None, unit: str = "rows") -> None:
        told.append(done)

    results = map_batches(number, map(batch, range(50)), workers=workers, progress=tell)
    assert list(results) == [[value] for value in range(50)]
    assert told == list(range(1, 51))


def test_no_batches_give_nothing() -> None:
    assert list(map_batches(number, [])) == []


def test_few_batches_are_taken_ahead() -> None:
    taken, first_may_end = 0, threading.Event()
    most_ahead = 0

    def source() -> Iterator[pa.RecordBatch]:
        nonlocal taken, most_ahead
        for value in range(30):
            taken += 1
            most_ahead = max(most_ahead, taken)
            if taken == 4:
                first_may_end.set()
            yield batch(value)

    def slow_first(one: pa.RecordBatch) -> list[int]:
        value = number(one)
        if value == [0]:
            assert first_may_end.wait(10)
            assert most_ahead <= 4
        return value

    assert list(map_batches(slow_first, source(), workers=2)) == [[value] for value in range(30)]


def test_an_error_in_the_function_comes_out() -> None:
    def fails(one: pa.RecordBatch) -> list[int]:
        raise ArithmeticError(str(number(one)))

    with pytest.raises(ArithmeticError, match=r"\[0\]"):
        list(map_batches(fails, map(batch, range(20)), workers=2))
