"""A run's numbers in the ledgers others keep: MLflow and Weights & Biases. Nothing is sent unless one of these is called."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from assay.core.errors import EngineError, MissingExtra
from assay.core.evidence import Run
from assay.core.measure import Measure

_UNFIT = re.compile(r"[^\w\-. ]+")  # what MLflow takes in no name
_PARAMETER = 500  # characters of a parameter that MLflow keeps


def metrics(run: Run) -> Iterator[tuple[str, float]]:
    """Every measure with a value, and its bounds as ``NAME.low`` and ``NAME.high``; the slice stands behind the name."""
    for measure in run.evidence.measures:
        if measure.value is not None and measure.low is not None and measure.high is not None:
            name = _name(measure)
            yield name, measure.value
            yield f"{name}.low", measure.low
            yield f"{name}.high", measure.high


def parameters(run: Run) -> dict[str, str]:
    """What the numbers rest on: version, seed, inputs, and the verdict on each claim."""
    evidence = run.evidence
    found = {"assay.version": evidence.tool.version, "assay.seed": str(evidence.seed)}
    for each in evidence.inputs:
        stem = f"input.{_fit(each.role)}.{_fit(each.name)}"
        found |= {f"{stem}.sha256": each.sha256, f"{stem}.rows": str(each.rows)}
    found |= {f"claim.{_fit(each.id)}": each.verdict for each in evidence.claims}
    return {key[:250]: value[:_PARAMETER] for key, value in found.items()}


def to_mlflow(run: Run, *, files: bool = True) -> None:
    """Log into MLflow's active run, or into a new one if none is active.

    Args:
        files: Whether evidence and report are stored as artifacts; they quote rows of the data.

    Raises: MissingExtra: mlflow is not installed. EngineError: MLflow refused, such as a second, different log into one run.
    """
    mlflow = _ledger("mlflow", "logging to MLflow")
    with _refusals(mlflow.MlflowException, "MLflow"):
        if mlflow.active_run() is None:
            with mlflow.start_run(run_name=run.folder.name):
                _log_to(mlflow, run, files)
        else:
            _log_to(mlflow, run, files)


def to_wandb(run: Run, *, files: bool = True, **init: Any) -> None:
    """Log into the active run of Weights & Biases, or into a new one opened with `init` and closed again.

    Args:
        files: Whether evidence and report are stored, as one artifact; they quote rows of the data.
        init: Handed to ``wandb.init``, such as ``project="reviews"`` or ``mode="offline"``.

    Raises: MissingExtra: wandb is not installed. EngineError: Weights & Biases refused.
    """
    wandb = _ledger("wandb", "logging to Weights & Biases")
    with _refusals(wandb.Error, "Weights & Biases"):
        if wandb.run is None:
            with wandb.init(**({"name": run.folder.name} | init)) as opened:
                _tell(wandb, opened, run, files)
        else:
            _tell(wandb, wandb.run, run, files)


def _log_to(mlflow: Any, run: Run, files: bool) -> None:
    mlflow.log_params(parameters(run))
    mlflow.log_metrics(dict(metrics(run)))
    for path in _files(run) if files else ():
        mlflow.log_artifact(str(path))


def _tell(wandb: Any, target: Any, run: Run, files: bool) -> None:
    target.config.update(parameters(run), allow_val_change=True)
    target.summary.update(dict(metrics(run)))
    if files:
        # An artifact holds copies; `save` would leave links that break when the run's folder moves before a sync.
        stored = wandb.Artifact(
            name=re.sub(r"[^\w\-.]", "_", f"assay-{run.folder.name}")[:128], type="assay-run"
        )
        for path in _files(run):
            stored.add_file(str(path))
        target.log_artifact(stored)


def _files(run: Run) -> Iterator[Any]:
    for name in ("evidence.json", "report.html", "study.toml"):
        if (run.folder / name).exists():
            yield run.folder / name


def _name(measure: Measure) -> str:
    other = measure.corpus not in (None, "synthetic")
    parts = [
        measure.name,
        *([f"corpus-{_fit(measure.corpus or '')}"] if other else []),
        *(f"{_fit(key)}-{_fit(value)}" for key, value in sorted((measure.slice or {}).items())),
    ]
    return " ".join(parts)[:240]  # a slash would make a folder of a name that is a file already


def _fit(text: str) -> str:
    return _UNFIT.sub("_", text)


@contextmanager
def _refusals(error: type[Exception], ledger: str) -> Iterator[None]:
    try:
        yield
    except error as refusal:
        raise EngineError(f"{ledger} refused: {refusal}") from refusal


def _ledger(package: str, purpose: str) -> Any:
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise MissingExtra(package, package, purpose=purpose) from error
