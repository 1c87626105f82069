"""A scaling law with its bootstrap, all draws at once, against one L-BFGS per draw.

    python benchmarks/scaling_fit.py [draws]

Both start every draw at the best fit to all points and minimise the same objective; its mean over draws must not differ.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from assay.stats import scaling
from assay.stats.bootstrap import cluster_weights
from assay.stats.descent import huber

Floats = npt.NDArray[np.float64]


def main(draws: int) -> None:
    """Print one ratio."""
    rng = np.random.default_rng(0)
    sizes = np.array([(n, d) for n in np.logspace(7.5, 9.5, 15) for d in np.logspace(9, 11, 16)])
    losses = 1.8 + 480 * sizes[:, 0] ** -0.35 + 2100 * sizes[:, 1] ** -0.37
    losses *= np.exp(rng.normal(0, 0.005, len(losses)))
    started = time.perf_counter()
    ours = scaling.fit(sizes, losses, draws=draws)
    batched = time.perf_counter() - started
    weights = cluster_weights(len(losses), draws, np.random.default_rng(0))
    logs, targets, start = np.log(sizes), np.log(losses), _logarithms(ours.constants)

    def objective(parameters: Floats, counts: Floats) -> tuple[float, Floats]:
        e, a, alpha, b, beta = parameters
        terms = np.stack([np.full(len(logs), e), a - alpha * logs[:, 0], b - beta * logs[:, 1]])
        law = np.logaddexp.reduce(terms, axis=0)
        parts = np.exp(terms - law)
        slopes = np.stack([parts[0], parts[1], -parts[1] * logs[:, 0], parts[2], -parts[2] * logs[:, 1]])
        pull = -counts * np.clip(targets - law, -scaling.DELTA, scaling.DELTA)
        loss = float(counts @ huber(targets - law, scaling.DELTA))
        return loss / scaling.DELTA, slopes @ pull / scaling.DELTA

    started = time.perf_counter()
    single = [
        minimize(objective, start, args=(counts,), jac=True, method="L-BFGS-B", options={"maxiter": 1000}).fun
        for counts in weights
    ]
    looped = time.perf_counter() - started
    reached = [
        objective(_logarithms(found), counts)[0] for found, counts in zip(ours.draws, weights, strict=True)
    ]
    print(
        f"{len(losses)} points, {draws} draws: all at once, with the search and every point left out {batched:.2f} s; one "
        f"L-BFGS per draw, nothing else {looped:.2f} s; ratio {looped / batched:.1f}; objective "
        f"{np.mean(reached):.4f} against {np.mean(single):.4f}"
    )


def _logarithms(constants: Floats) -> Floats:
    out = constants.copy()
    out[[0, 1, 3]] = np.log(constants[[0, 1, 3]])
    return out


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
