"""A linear classifier over hashed TF-IDF, trained for many weightings of the same rows at once.

All arms of a trial share one matrix of features; an arm is a vector of row weights. A pass over the rows
serves a whole block of arms: coefficients lie as (features, arms x outputs), so that a feature's
coefficients for every arm of the block are one contiguous load.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from assay.core.errors import EngineError
from assay.kernels.lanes import LANES, farther, load, store

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
# Offsets, rows and values of the features; no sweep has to ask whether a place counts from the end.
_Columns = tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32], Floats]

THREADS = 2
_BLOCK_OUTPUTS = 32  # coefficients per feature in a block: two cache lines of float32
_FLUSH = 256  # coefficients whose float32 sums are taken before float64 takes over
_NO_CHANCE = 1e-17  # vanishes beside one in float32


@dataclass(frozen=True)
class Fits:
    """A block of trained arms.

    Attributes:
        arms: Which arms, as rows of the weights, shape (arms,).
        features: Features that any of the arms' rows use, shape (used,); all others have coefficient zero.
        solution: Coefficients and, in the last row, intercepts, shape (used + 1, arms * outputs). There is
            one output, the logit of the second class, for two classes; else one per class.
        passes: Passes over its rows that each arm needed, shape (arms,).
        classes: Number of classes.
        seconds: What the block took, beside other blocks.
    """

    arms: npt.NDArray[np.int64]
    features: npt.NDArray[np.int64]
    solution: Floats
    passes: npt.NDArray[np.int64]
    classes: int
    seconds: float

    def predict_proba(self, features: sp.csr_matrix) -> Floats:
        """Class probabilities by every arm of the block, shape (arms, rows, classes)."""
        logits = features[:, self.features] @ self.solution[:-1] + self.solution[-1]
        return self._chances(logits.reshape(features.shape[0], len(self.arms), -1).transpose(1, 0, 2))

    def predict_own(
        self, features: sp.csr_matrix, arm: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """Class probabilities of each row by the one arm that is to judge it.

        Args:
            arm: Number of that arm, shape (rows,).
        Returns: The rows whose arm is of this block; their probabilities, shape (those rows, classes).
        """
        order = np.argsort(self.arms)
        place = order[np.minimum(np.searchsorted(self.arms, arm, sorter=order), len(order) - 1)]
        rows = np.flatnonzero(self.arms[place] == arm)
        outputs = self.solution.shape[1] // len(self.arms)
        whole = np.zeros((features.shape[1], self.solution.shape[1]), np.float32)
        whole[self.features] = self.solution[:-1]
        logits = _own_logits(
            features.indptr, features.indices, features.data, rows, place[rows], whole, outputs
        )
        logits += self.solution[-1].reshape(-1, outputs)[place[rows]]
        return rows, self._chances(logits)

    def _chances(self, logits: Floats) -> Floats:
        """Class probabilities, in the last axis."""
        if self.classes == 2:
            second = 1 / (1 + np.exp(-logits))
            return np.concatenate([1 - second, second], axis=-1)
        odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=-1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True)
class Tfidf:
    """Log term frequency times inverse document frequency, rows of length one.

    Attributes:
        kept: Columns of the counts that serve, shape (columns kept,).
        idf: Inverse document frequency of each, shape (columns kept,).

    Source: Salton & Buckley 1988, Information Processing & Management 24, 513-523.
    """

    kept: npt.NDArray[np.int64]
    idf: Floats

    @classmethod
    def fitted(cls, counts: sp.csr_matrix, *, min_rows: int = 2) -> Tfidf:
        """The frequencies among the rows of `counts`; columns that fewer than `min_rows` use are dropped."""
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        kept = frequency >= min_rows
        idf = (np.log((1 + counts.shape[0]) / (1 + frequency[kept])) + 1).astype(np.float32)
        return cls(np.flatnonzero(kept), idf)

    def of(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        """The features of any rows: float32, shape (rows, columns kept)."""
        place = np.full(counts.shape[1], -1, np.int32)
        place[self.kept] = np.arange(len(self.kept), dtype=np.int32)
        indptr, indices, values = _columns(counts.indptr, counts.indices, counts.data, place)
        values = (1 + np.log(values)) * self.idf[indices]
        filled = np.flatnonzero(np.diff(indptr))
        length = np.zeros(counts.shape[0], np.float32)
        length[filled] = np.sqrt(np.add.reduceat(values * values, indptr[filled])) if len(filled) else 0
        values /= np.repeat(np.maximum(length, np.float32(1e-12)), np.diff(indptr))
        return sp.csr_matrix((values, indices, indptr), shape=(counts.shape[0], len(self.kept)))


def tfidf(counts: sp.csr_matrix, fit_rows: npt.NDArray[np.bool_], *, min_rows: int = 2) -> sp.csr_matrix:
    """`Tfidf` of all rows, whose frequencies are those of some.

    Args:
        counts: Token counts, shape (rows, columns).
        fit_rows: Rows that decide the document frequencies, shape (rows,); never the test rows.
        min_rows: Columns that fewer of those rows use are dropped and the others renumbered.
    Returns: float32, shape (rows, columns kept).
    """
    return Tfidf.fitted(counts if fit_rows.all() else counts[fit_rows], min_rows=min_rows).of(counts)


def fit(
    features: sp.csr_matrix,
    labels: npt.NDArray[np.integer],
    weights: npt.NDArray[np.floating],
    *,
    classes: int,
    l2: float = 1.0,
    tolerance: float = 1e-5,
    max_passes: int = 300,
    threads: int = THREADS,
    done: npt.NDArray[np.bool_] | None = None,
) -> Iterator[Fits]:
    """Multinomial logistic regression for every row of `weights`, to scikit-learn's converged solution.

    Minimises ``sum_i w_i * loss_i + l2 / 2 * ||W||^2`` per arm, intercepts unpenalised: scikit-learn's
    ``LogisticRegression(C=1 / l2)`` with `weights` as sample weights (one logit when there are two classes).

    Args:
        features: Shape (rows, features), float32.
        labels: Class of each row, 0 to classes - 1, shape (rows,).
        weights: Row weights, not negative, shape (arms, rows).
        tolerance: An arm is done when no gradient entry exceeds this times its total weight.
        threads: Blocks of arms trained side by side; the result does not depend on it.
        done: Arms that need no training, shape (arms,); blocks of only such arms are passed over.
    Yields: The arms in blocks, largest first; together they are all arms.
    Raises: EngineError: an arm is not done after `max_passes` passes.
    Source: Polak & Ribiere 1969 (nonlinear conjugate gradients); Bach 2010, Electronic Journal of Statistics
        4, 384-414 (the step length that cannot overshoot).
    """
    outputs = 1 if classes == 2 else classes
    # Few arms are shared out over the threads.
    per_block = max(1, min(_BLOCK_OUTPUTS // outputs, -(-len(weights) // threads)))
    # Arms of like size go together: a block reads the union of its arms' rows.
    order = np.argsort((weights > 0).sum(axis=1), kind="stable")[::-1]

    def rows_of(block: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.flatnonzero((weights[block] > 0).any(axis=0))

    def train(block: npt.NDArray[np.int64]) -> Fits:
        started = time.perf_counter()
        rows = rows_of(block)
        used, columns = whole if whole and len(rows) == len(labels) else _by_feature(features[rows])
        solution, passes = _minimise(
            *columns,
            labels[rows].astype(np.int32),
            np.ascontiguousarray(weights[block][:, rows].T, dtype=np.float32),
            outputs,
            l2,
            tolerance,
            max_passes,
        )
        if (passes < 0).any():
            raise EngineError(
                f"{int((passes < 0).sum())} trainings did not converge in {max_passes} passes",
                fix="Use a stronger penalty, or check the rows for extreme weights.",
            )
        return Fits(block, used, solution, passes, classes, time.perf_counter() - started)

    blocks = [order[i : i + per_block] for i in range(0, len(order), per_block)]
    wanted = blocks if done is None else [block for block in blocks if not done[block].all()]
    # Blocks that use every row turn them round once for all.
    whole = _by_feature(features) if any(len(rows_of(block)) == len(labels) for block in wanted) else None
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(train, wanted)


def _by_feature(rows: sp.csr_matrix) -> tuple[npt.NDArray[np.int64], _Columns]:
    """The features that any row uses; the rows feature by feature, the intercept as one more, of ones."""
    turned, number = rows.tocsc(), rows.shape[0]
    used = np.flatnonzero(np.diff(turned.indptr))
    ends = np.array([turned.nnz, turned.nnz + number])
    return used, (
        np.concatenate([turned.indptr[used], ends]).astype(np.uint64),
        np.concatenate([turned.indices, np.arange(number, dtype=np.int32)]).astype(np.uint32),
        np.concatenate([turned.data, np.ones(number, np.float32)]),
    )


@numba.njit(nogil=True, cache=True)
def _columns(indptr, indices, values, place):  # type: ignore[no-untyped-def]
    """The columns of a CSR matrix that have a place, numbered by it."""
    kept = 0
    for column in indices:
        kept += place[column] >= 0
    starts = np.zeros(len(indptr), np.int64)
    columns, found = np.empty(kept, np.int32), np.empty(kept, np.float32)
    kept = 0
    for row in range(len(indptr) - 1):
        for e in range(indptr[row], indptr[row + 1]):
            if place[indices[e]] >= 0:
                columns[kept], found[kept] = place[indices[e]], values[e]
                kept += 1
        starts[row + 1] = kept
    return starts, columns, found


@numba.njit(nogil=True, cache=True)
def _own_logits(indptr, indices, values, rows, place, solution, outputs):  # type: ignore[no-untyped-def]
    """Logits but for the intercepts of some rows, each by the arm at its place, shape (those rows, outputs)."""
    logits = np.zeros((len(rows), outputs), np.float32)
    for number in range(len(rows)):
        row, first = rows[number], place[number] * outputs
        for e in range(indptr[row], indptr[row + 1]):
            feature, value = indices[e], values[e]
            for k in range(outputs):
                logits[number, k] += value * solution[feature, first + k]
    return logits


@numba.njit(nogil=True, cache=True)
def _minimise(indptr, rows_of, values, labels, weights, outputs, l2, tolerance, max_passes):  # type: ignore[no-untyped-def]
    """Conjugate gradients for a block of arms in step; no loss is evaluated and no line is searched.

    The curvature along a direction is known from the margins, and the logistic loss is self-concordant, so
    each step has a length that provably lowers the loss. Features are stored by column, so that one sweep over
    the coefficients takes in all that happens to them and only the rows' small arrays are reached at random.
    Returns the solution, shape (features + 1, arms * outputs), and the passes per arm, -1 where an arm did
    not converge.
    """
    rows, arms = weights.shape
    size, width = len(indptr) - 1, arms * outputs
    # What the sweeps touch is filled up to whole lanes, with coefficients that stay zero.
    padded = -(-width // LANES) * LANES
    totals = np.zeros(arms, dtype=np.float64)
    for i in range(rows):
        for arm in range(arms):
            totals[arm] += weights[i, arm]
    penalty = np.full(size, l2, dtype=np.float32)
    penalty[size - 1] = 0
    scale = _scale(indptr, values, totals.mean() / rows, outputs, penalty)
    point = np.zeros((size, padded), dtype=np.float32)
    gradient = np.zeros((size, padded), dtype=np.float32)
    direction = np.zeros((size, padded), dtype=np.float32)
    point[size - 1, :width] = _intercepts(labels, weights, outputs)
    logits = np.empty((rows, width), dtype=np.float32)
    logits[:] = point[size - 1, :width]
    change = np.zeros((rows, padded), dtype=np.float32)
    chances = np.zeros((rows, width), dtype=np.float32)
    residual = np.zeros((rows, padded), dtype=np.float32)
    length = np.zeros(padded, dtype=np.float32)
    beta = np.zeros(padded, dtype=np.float32)
    new = np.zeros(padded, dtype=np.float64)
    mixed = np.zeros(padded, dtype=np.float64)
    slope = np.zeros(padded, dtype=np.float64)
    squares = np.zeros(padded, dtype=np.float64)
    steepest = np.zeros(padded, dtype=np.float32)
    curvature = np.zeros(arms, dtype=np.float64)
    widest = np.zeros(arms, dtype=np.float32)
    old = np.full(arms, np.inf)
    passes = np.full(arms, -1, dtype=np.int64)

    for number in range(1, max_passes + 1):
        _move(labels, weights, outputs, length, change, logits, chances, residual)
        _slant(
            indptr,
            rows_of,
            values,
            residual,
            penalty,
            scale,
            length,
            point,
            gradient,
            direction,
            new,
            mixed,
            steepest,
        )
        for arm in range(arms):
            first, last = arm * outputs, (arm + 1) * outputs
            if passes[arm] < 0 and steepest[first:last].max() <= tolerance * totals[arm]:
                passes[arm] = number
            fresh = new[first:last].sum()
            beta[first:last] = max(0.0, (fresh - mixed[first:last].sum()) / old[arm])
            old[arm] = max(fresh, 1e-300)
        if (passes >= 0).all():
            break
        _turn(indptr, rows_of, values, penalty, scale, beta, gradient, direction, change, slope, squares)
        _bend(weights, outputs, chances, change, curvature, widest)
        for arm in range(arms):
            first, last = arm * outputs, (arm + 1) * outputs
            newton = -slope[first:last].sum() / max(curvature[arm] + squares[first:last].sum(), 1e-300)
            if passes[arm] >= 0 or newton <= 0:
                length[first:last] = 0
                old[arm] = np.inf  # a direction that does not descend is forgotten
            elif widest[arm] * newton > 1e-6:
                length[first:last] = np.log1p(widest[arm] * newton) / widest[arm]
            else:
                length[first:last] = newton
    return np.ascontiguousarray(point[:, :width]), passes


@numba.njit(nogil=True, cache=True)
def _intercepts(labels, weights, outputs):  # type: ignore[no-untyped-def]
    """Logits of the class shares of each arm, where its training starts, shape (arms * outputs,).

    A class without rows in an arm would drive its unpenalised intercept towards minus infinity for ever; it
    starts, and so stays, at a probability of zero.
    """
    arms = weights.shape[1]
    shares = np.zeros((arms, max(outputs, 2)), dtype=np.float64)
    for i in range(len(labels)):
        for arm in range(arms):
            shares[arm, labels[i]] += weights[i, arm]
    for arm in range(arms):
        shares[arm] /= shares[arm].sum()
    logits = np.log(np.maximum(shares, _NO_CHANCE))
    return (logits[:, 1] - logits[:, 0]) if outputs == 1 else logits.ravel()


@numba.njit(nogil=True, cache=True)
def _scale(indptr, values, mean_weight, outputs, penalty):  # type: ignore[no-untyped-def]
    """Inverse of the Hessian's diagonal at zero for the block's mean weight, shape (size,)."""
    spread = (1 - 1 / max(outputs, 2)) / max(outputs, 2) * mean_weight
    diagonal = penalty.astype(np.float64)
    for j in range(len(diagonal)):
        curvature = diagonal[j]
        for e in range(indptr[j], indptr[j + 1]):
            curvature += spread * values[e] * values[e]
        diagonal[j] = curvature
    return (1 / diagonal).astype(np.float32)


@numba.njit(nogil=True, cache=True)
def _move(labels, weights, outputs, length, change, logits, chances, residual):  # type: ignore[no-untyped-def]
    """Move every row's logits by length * change; class chances there, and weight * (chance - truth)."""
    rows, width = logits.shape
    arms = weights.shape[1]
    one = np.float32(1)
    for i in range(rows):
        for k in range(width):
            logits[i, k] += length[k] * change[i, k]
        if outputs == 1:
            label = np.float32(labels[i])
            for k in range(width):
                chances[i, k] = one / (one + np.exp(-logits[i, k]))
                residual[i, k] = weights[i, k] * (chances[i, k] - label)
            continue
        for arm in range(arms):
            first, last = arm * outputs, (arm + 1) * outputs
            weight = weights[i, arm]
            if weight == 0:
                continue
            top = logits[i, first]
            for k in range(first, last):
                top = max(top, logits[i, k])
            total = np.float32(0)
            for k in range(first, last):
                chances[i, k] = np.exp(logits[i, k] - top)
                total += chances[i, k]
            for k in range(first, last):
                chances[i, k] /= total
                residual[i, k] = weight * chances[i, k]
            residual[i, first + labels[i]] -= weight


@numba.njit(nogil=True, cache=True)
def _slant(  # type: ignore[no-untyped-def]
    indptr,
    rows_of,
    values,
    residual,
    penalty,
    scale,
    length,
    point,
    gradient,
    direction,
    new,
    mixed,
    steepest,
):
    """Take the step and find the gradient there; its scaled square, its scaled product with the last, its peak."""
    size, width = point.shape
    # Rows of their own: the step's length, two sums, and the peak.
    lengths, sums, peaks = _row(length), np.zeros((2, width), dtype=np.float32), _row(steepest)
    new[:] = 0
    mixed[:] = 0
    steepest[:] = 0
    for j in range(size):
        for k in range(0, width, LANES):
            place = load(point, j, k) + load(lengths, 0, k) * load(direction, j, k)
            slant = penalty[j] * place
            for e in range(indptr[j], indptr[j + 1]):
                slant = slant + values[e] * load(residual, rows_of[e], k)
            scaled = scale[j] * slant
            square = load(sums, 0, k) + scaled * slant
            product = load(sums, 1, k) + scaled * load(gradient, j, k)
            store(sums, 0, k, square)
            store(sums, 1, k, product)
            store(peaks, 0, k, farther(load(peaks, 0, k), slant))
            store(point, j, k, place)
            store(gradient, j, k, slant)
        if j % _FLUSH == 0 or j == size - 1:
            for k in range(width):
                new[k] += sums[0, k]
                mixed[k] += sums[1, k]
                sums[0, k] = sums[1, k] = 0


@numba.njit(nogil=True, cache=True)
def _turn(indptr, rows_of, values, penalty, scale, beta, gradient, direction, change, slope, squares):  # type: ignore[no-untyped-def]
    """The next direction, the slope and the penalty's curvature along it, and how it changes every row's logits."""
    size, width = direction.shape
    betas, sums = _row(beta), np.zeros((2, width), dtype=np.float32)
    slope[:] = 0
    squares[:] = 0
    change[:] = 0
    for j in range(size):
        for k in range(0, width, LANES):
            slant = load(gradient, j, k)
            way = load(betas, 0, k) * load(direction, j, k) - scale[j] * slant
            product = load(sums, 0, k) + way * slant
            square = load(sums, 1, k) + penalty[j] * way * way
            store(direction, j, k, way)
            store(sums, 0, k, product)
            store(sums, 1, k, square)
            for e in range(indptr[j], indptr[j + 1]):
                i = rows_of[e]
                store(change, i, k, load(change, i, k) + values[e] * way)
        if j % _FLUSH == 0 or j == size - 1:
            for k in range(width):
                slope[k] += sums[0, k]
                squares[k] += sums[1, k]
                sums[0, k] = sums[1, k] = 0


@numba.njit(nogil=True, cache=True)
def _row(values):  # type: ignore[no-untyped-def]
    return values.reshape(1, len(values))


@numba.njit(nogil=True, cache=True)
def _bend(weights, outputs, chances, change, curvature, widest):  # type: ignore[no-untyped-def]
    """The loss's curvature along the direction and the widest change of a row's logits, per arm."""
    rows, width = chances.shape
    arms = weights.shape[1]
    curvature[:] = 0
    widest[:] = 0
    one = np.float32(1)
    for i in range(rows):
        if outputs == 1:
            for k in range(width):
                bend = weights[i, k] * chances[i, k] * (one - chances[i, k])
                curvature[k] += bend * change[i, k] * change[i, k]
                reach = abs(change[i, k]) if weights[i, k] > 0 else np.float32(0)
                widest[k] = max(widest[k], reach)
            continue
        for arm in range(arms):
            weight = weights[i, arm]
            if weight == 0:
                continue
            first, last = arm * outputs, (arm + 1) * outputs
            mean = square = np.float32(0)
            least = most = change[i, first]
            for k in range(first, last):
                mean += chances[i, k] * change[i, k]
                square += chances[i, k] * change[i, k] * change[i, k]
                least, most = min(least, change[i, k]), max(most, change[i, k])
            curvature[arm] += weight * max(square - mean * mean, np.float32(0))
            widest[arm] = max(widest[arm], most - least)
