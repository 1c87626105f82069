"""The Vendi score against the package of its authors: equal values, seconds side by side in one run.

Theirs takes the kernel of all pairs, as its README begins with; their route through the covariance
(``score_dual``) is timed as well. vendi-score lives in an environment of its own:

    python3 -m venv peers
    peers/bin/pip install vendi-score numpy scipy scikit-learn
    python benchmarks/embedding_measures.py --peer-python peers/bin/python [--rows N] [--dimensions D]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Timed = tuple[float, float]  # value, seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", type=Path, help="the interpreter that has vendi-score")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--dimensions", type=int, default=256)
    parser.add_argument("--as-peer", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_peer is not None:
        print(json.dumps(time_peer(np.load(arguments.as_peer))))
        return
    if arguments.peer_python is None:
        print("Not measured: --peer-python is needed, see the top of this file.")
        return
    vectors = made(arguments.rows, arguments.dimensions)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.npy"
        np.save(path, vectors)
        command = [str(arguments.peer_python), __file__, "--as-peer", str(path)]
        before = time_ours(vectors)
        theirs: dict[str, Timed] = json.loads(
            subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        )
        after = time_ours(vectors)
    seconds = (before[1] + after[1]) / 2
    print(f"{arguments.rows} rows, {arguments.dimensions} dimensions")
    print(f"assay                    {before[0]:.9f} {seconds:9.4f} s")
    for name, (value, spent) in theirs.items():
        print(
            f"vendi-score {name:12} {value:.9f} {spent:9.4f} s: {spent / seconds:.1f} times as long, "
            f"values differ by {abs(value - before[0]):.1e}"
        )


def made(rows: int, dimensions: int) -> npt.NDArray[np.float64]:
    """Vectors of length one that thin out over their dimensions, as embeddings do."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((rows, dimensions)) / np.sqrt(1 + np.arange(dimensions))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def time_ours(vectors: npt.NDArray[np.float64]) -> Timed:
    from assay.stats.vendi import vendi_of_vectors

    vendi_of_vectors(vectors[:100])
    return timed(lambda: vendi_of_vectors(vectors))


def time_peer(vectors: npt.NDArray[np.float64]) -> dict[str, Timed]:
    from vendi_score import vendi

    return {
        "score_dual": timed(lambda: float(vendi.score_dual(vectors))),
        "score_K": timed(lambda: float(vendi.score_K(vectors @ vectors.T))),
    }


def timed(work: Callable[[], float]) -> Timed:
    started = time.perf_counter()
    value = work()
    return value, time.perf_counter() - started


if __name__ == "__main__":
    main()
