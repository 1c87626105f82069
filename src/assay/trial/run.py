"""Run the trial: features once, every arm a weight vector, scores on the held-out real test set."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp

from assay.core.catalogue import define
from assay.core.corpus import SLICE_PREFIX, Corpus
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.core.trial import Cost, Trial
from assay.kernels.ngrams import hashed_counts
from assay.kernels.text import tokens
from assay.models import linear
from assay.trial.arms import Design, design, weights
from assay.trial.compare import Comparison, Scores

LEARNER = "linear"
MEASURES = (
    "trial.gap",
    "trial.benefit",
    "trial.learning_curve",
    "trial.dose_response",
    "trial.best_share",
    "trial.harmful_above",
    "trial.exchange_rate",
    "trial.break_even_rows",
    "trial.calibration_delta",
    "trial.worst_slice_delta",
    "evaluation.mde",
)
_FEWEST_TRAIN, _FEWEST_TEST, _FEWEST_ROOTS = 100, 50, 20


@dataclass(frozen=True)
class TrialResult:
    """Every training, and what they say together."""

    trials: tuple[Trial, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True)
class _Rows:
    """The labelled rows of one corpus in memory: hashed counts, tokens per row, label, root, slices."""

    counts: sp.csr_matrix
    lengths: npt.NDArray[np.int64]
    labels: npt.NDArray[np.object_]
    roots: npt.NDArray[np.uint64]
    slices: dict[str, npt.NDArray[np.object_]]

    def where(self, keep: npt.NDArray[np.bool_]) -> _Rows:
        return _Rows(
            self.counts[keep],
            self.lengths[keep],
            self.labels[keep],
            self.roots[keep],
            {name: values[keep] for name, values in self.slices.items()},
        )


def run_trial(
    train: Corpus,
    synthetic: Corpus,
    test: Corpus,
    *,
    seeds: int = 8,
    margin: float = 0.01,
    seed: int = 0,
    level: float = 0.95,
    slices: tuple[str, ...] | None = None,
    l2: float = 1.0,
    progress: Progress = silent,
) -> TrialResult:
    """Train on real, synthetic and mixed rows at matched budgets; compare on real test rows.

    Args:
        train: Real rows to train on.
        synthetic: Rows under trial, without copies of test rows.
        test: Real rows no arm has seen.
        seeds: Subsamples of the training rows, at least 4; each trains every arm.
        margin: Difference in accuracy that does not matter.
        slices: Slice columns of `test` to compare besides the label; None means all of them.
        l2: Penalty on the coefficients, scikit-learn's 1 / C.
    Returns: One `Trial` per arm and seed, and all measures named in `MEASURES`; each of them missing with what the
        trial needs when labels, rows or classes do not suffice.
    """
    wanted = test.slices if slices is None else slices
    real, fake, held = _read(train, ()), _read(synthetic, ()), _read(test, wanted)
    known = set(real.labels) - {None}
    left_out = _left_out(real, fake, held, known)
    real, fake, held = (rows.where(_among(rows.labels, known)) for rows in (real, fake, held))
    lacking = _lacking(real, fake, held, seeds)
    if lacking:
        return TrialResult((), tuple(_missing(name, lacking, level, left_out) for name in MEASURES))
    plan = design(len(real.labels), len(fake.labels))
    trials, scores = _train(plan, real, fake, held, seeds=seeds, seed=seed, l2=l2, progress=progress)
    comparison = Comparison(scores, margin=margin, level=level, seed=seed, left_out=left_out)
    return TrialResult(trials, tuple(comparison.measures()))


def _train(
    plan: Design,
    real: _Rows,
    fake: _Rows,
    held: _Rows,
    *,
    seeds: int,
    seed: int,
    l2: float,
    progress: Progress,
) -> tuple[tuple[Trial, ...], Scores]:
    names, codes = np.unique(np.concatenate([real.labels, fake.labels]).astype(str), return_inverse=True)
    answers = np.searchsorted(names, held.labels.astype(str))
    pool = len(codes)
    features = linear.tfidf(
        sp.vstack([real.counts, fake.counts, held.counts], format="csr"),
        np.arange(pool + len(answers)) < pool,
    )
    row_weights = weights(plan, real.roots, fake.roots, seeds, np.random.default_rng(seed))
    runs = len(row_weights)
    correct = np.zeros((runs, len(answers)), dtype=np.bool_)
    confidence = np.zeros((runs, len(answers)), dtype=np.float32)
    passes = np.zeros(runs, dtype=np.int64)
    started = time.perf_counter()
    done = 0
    progress("trial", 0, runs, "trainings")
    for fits in linear.fit(features[:pool], codes, row_weights, classes=len(names), l2=l2):
        chances = fits.predict_proba(features[pool:])
        correct[fits.arms] = chances.argmax(axis=2) == answers
        confidence[fits.arms] = chances.max(axis=2)
        passes[fits.arms] = fits.passes
        done += len(fits.arms)
        progress("trial", done, runs, "trainings")
    seconds = time.perf_counter() - started
    lengths = np.concatenate([real.lengths, fake.lengths])
    outputs = 1 if len(names) == 2 else len(names)
    trials = _trials(plan, correct, row_weights, passes, lengths, features[:pool], outputs, seconds, seeds)
    shape = (len(plan.arms), seeds, len(answers))
    _, roots = np.unique(held.roots, return_inverse=True)
    slices = {"label": held.labels, **held.slices}
    return trials, Scores(plan, correct.reshape(shape), confidence.reshape(shape), roots, slices)


def _trials(
    plan: Design,
    correct: npt.NDArray[np.bool_],
    row_weights: npt.NDArray[np.float32],
    passes: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    features: sp.csr_matrix,
    outputs: int,
    seconds: float,
    seeds: int,
) -> tuple[Trial, ...]:
    """Costs per training. All arms are trained together, so the seconds are shared out by the operations.

    Operations: each pass reads every non-zero feature of the arm's rows twice (logits of a direction and
    gradient), a multiplication and an addition per output each time: 4 * non-zeros * outputs * passes.
    """
    used = (row_weights > 0).astype(np.float32)
    nonzeros = used @ np.diff(features.indptr).astype(np.float32)
    flops = 4.0 * nonzeros * outputs * passes
    seen = row_weights @ lengths.astype(np.float32)
    share = flops / flops.sum()
    return tuple(
        Trial(
            learner=LEARNER,
            recipe=plan.recipe(arm),
            seed=seed,
            score={"accuracy": float(correct[run].mean())},
            cost=Cost(seconds=float(seconds * share[run]), tokens=int(seen[run]), flops=float(flops[run])),
        )
        for run, (arm, seed) in enumerate((arm, seed) for arm in plan.arms for seed in range(seeds))
    )


def _read(corpus: Corpus, slices: tuple[str, ...]) -> _Rows:
    table = corpus.table(["text", "label", "root", *(SLICE_PREFIX + name for name in slices)])
    found = tokens(table.column("text"))
    return _Rows(
        hashed_counts(found),
        np.diff(found.offsets),
        _objects(table.column("label")),
        table.column("root").to_numpy(),
        {name: _objects(table.column(SLICE_PREFIX + name)) for name in slices},
    )


def _objects(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    return np.array(column.to_pylist(), dtype=object)


def _among(labels: npt.NDArray[np.object_], known: set[str]) -> npt.NDArray[np.bool_]:
    return np.array([label in known for label in labels], dtype=np.bool_)


def _left_out(real: _Rows, fake: _Rows, held: _Rows, known: set[str]) -> dict[str, int]:
    counts = {}
    for name, rows in (("real", real), ("synthetic", fake), ("test", held)):
        unlabelled = sum(label is None for label in rows.labels)
        counts[f"{name} rows without a label"] = unlabelled
        counts[f"{name} rows with a label no real training row has"] = int(
            len(rows.labels) - _among(rows.labels, known).sum() - unlabelled
        )
    return {reason: rows for reason, rows in counts.items() if rows}


def _lacking(real: _Rows, fake: _Rows, held: _Rows, seeds: int) -> str:
    """What the trial still needs, or nothing."""
    needs = []
    if seeds < 4:
        needs.append(f"at least 4 seeds (given: {seeds})")
    classes = len(set(real.labels))
    if classes < 2:
        needs.append(f"a label column with two or more classes on the real rows (found: {classes})")
    for name, rows, fewest in (
        ("real training", real, _FEWEST_TRAIN),
        ("synthetic", fake, _FEWEST_TRAIN),
        ("test", held, _FEWEST_TEST),
    ):
        if len(rows.labels) < fewest:
            needs.append(
                f"{fewest} {name} rows whose label occurs among the real training rows (found: {len(rows.labels)})"
            )
        elif len(np.unique(rows.roots)) < _FEWEST_ROOTS:
            needs.append(f"{_FEWEST_ROOTS} independent roots among the {name} rows")
    if len(set(fake.labels)) < 2 and not needs:
        needs.append("synthetic rows of two or more classes")
    return "the trial needs " + "; ".join(needs) if needs else ""


def _missing(name: str, reason: str, level: float, left_out: dict[str, int]) -> Measure:
    definition = define(name)
    return Measure(
        name=name,
        value=None,
        missing=reason,
        level=level,
        unit=definition.unit,
        worse=definition.worse,
        method=definition.formula,
        left_out=left_out,
    )
