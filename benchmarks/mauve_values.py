"""MAUVE against the package of its authors: values and seconds side by side in one run, on the same vectors.

The divergence frontier is compared by itself, on one and the same histograms, and the whole measure, clusters
included, on made-up vectors of which one side is shifted. mauve-text lives in an environment of its own:

    python3 -m venv peers
    peers/bin/pip install mauve-text==0.4.0 faiss-cpu scikit-learn
    python benchmarks/mauve_values.py --peer-python peers/bin/python [--rows N] [--dimensions D]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

SHIFTS = (0.0, 0.5, 1.0, 2.0)
Timed = tuple[float, float]  # value, processor seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer-python", type=Path, help="the interpreter that has mauve-text")
    parser.add_argument("--rows", type=int, default=2500)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--as-peer", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.as_peer is not None:
        print(json.dumps(theirs(arguments.as_peer)))
        return
    if arguments.peer_python is None:
        print("Not measured: --peer-python is needed, see the top of this file.")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, arguments.rows, arguments.dimensions)
        command = [str(arguments.peer_python), __file__, "--as-peer", name]
        mine = ours(folder)
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        peer: dict[str, Timed] = json.loads(done.stdout.splitlines()[-1])
    print(f"{arguments.rows} rows a side, {arguments.dimensions} dimensions; processor seconds")
    for what, (value, seconds) in mine.items():
        other, spent = peer[what]
        print(
            f"{what:22} assay {value:.4f} {seconds:8.4f} s   mauve-text {other:.4f} {spent:8.4f} s   "
            f"{spent / seconds:6.1f} times as long, values differ by {abs(value - other):.4f}"
        )


def make(folder: Path, rows: int, dimensions: int) -> None:
    """Vectors and histograms; the second side lies further along the first dimension."""
    rng = np.random.default_rng(0)
    for shift in SHIFTS:
        sides = rng.standard_normal((2, rows, dimensions)) / np.sqrt(1 + np.arange(dimensions))
        sides[1, :, 0] += shift
        sides /= np.linalg.norm(sides, axis=2, keepdims=True)
        np.save(folder / f"vectors-{shift}.npy", sides.astype(np.float32))
        weights = np.exp(rng.standard_normal((2, rows // 10)) * shift)
        # Counts above zero and the same in all: what smoothing adds to them vanishes.
        counts = 1000 + 100_000 * weights / weights.sum(axis=1, keepdims=True)
        np.save(folder / f"counts-{shift}.npy", counts)


def ours(folder: Path) -> dict[str, Timed]:
    from assay.stats.kmeans import kmeans, nearest
    from assay.stats.mauve import mauve

    def whole(shift: float) -> float:
        sides = np.load(folder / f"vectors-{shift}.npy")
        clusters = sides.shape[1] // 10
        centres = kmeans(np.concatenate(list(sides)), clusters, np.random.default_rng(0))
        return mauve(*(np.bincount(nearest(side, centres), minlength=clusters) for side in sides))

    whole(SHIFTS[0])
    found = {}
    for shift in SHIFTS:
        counts = np.load(folder / f"counts-{shift}.npy")
        found[f"frontier, spread {shift}"] = timed(partial(mauve, *counts))
        found[f"vectors, shift {shift}"] = timed(partial(whole, shift))
    return found


def theirs(folder: Path) -> dict[str, Timed]:
    from mauve import compute_mauve
    from mauve.compute_mauve import get_divergence_curve_for_multinomials

    def frontier(counts: np.ndarray) -> float:
        p, q = (side / side.sum() for side in counts)
        mixtures = np.linspace(1e-6, 1 - 1e-6, 25)
        curve = get_divergence_curve_for_multinomials(p, q, mixtures, 5)
        across, along = curve.T
        order = np.argsort(across)
        return float(np.trapezoid(along[order], across[order]))

    def whole(sides: np.ndarray) -> float:
        options = {"num_buckets": sides.shape[1] // 10, "seed": 0, "verbose": False, "device_id": -1}
        return float(compute_mauve(p_features=sides[0], q_features=sides[1], **options).mauve)

    found = {}
    whole(np.load(folder / f"vectors-{SHIFTS[0]}.npy"))
    for shift in SHIFTS:
        counts, sides = np.load(folder / f"counts-{shift}.npy"), np.load(folder / f"vectors-{shift}.npy")
        found[f"frontier, spread {shift}"] = timed(partial(frontier, counts))
        found[f"vectors, shift {shift}"] = timed(partial(whole, sides))
    return found


def timed(work: Callable[[], float]) -> Timed:
    started = time.process_time()
    value = work()
    return value, time.process_time() - started


if __name__ == "__main__":
    main()
