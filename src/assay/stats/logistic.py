"""A logistic regression on a few numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_STEPS = 25


def logistic(features: Floats, hits: npt.NDArray[np.bool_], *, ridge: float = 1.0) -> Floats:
    """Coefficients of a logistic regression, the constant first, shape (1 + k,).

    Args:
        features: Shape (n, k); brought to one spread before the ridge weighs on them.
        hits: The class, shape (n,).
        ridge: Half the squared length of the coefficients counts this much; it keeps separable data finite.
    Source: Newton's method for the penalised likelihood, le Cessie & van Houwelingen 1992, Applied
        Statistics 41, 191-201.
    """
    centre, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(features)), (features - centre) / spread])
    penalty = ridge * np.diag([1e-6, *np.ones(features.shape[1])])
    found = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        slope = design.T @ (hits - chance) - penalty @ found
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
        step = np.linalg.solve(bend, slope)
        found += step
        if np.abs(step).max() < 1e-9:
            break
    weights = found[1:] / spread
    return np.concatenate([[found[0] - weights @ centre], weights])
