"""The ledgers themselves, where they are installed: MLflow in a folder, Weights & Biases offline. Nothing leaves the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assay.core.errors import EngineError
from assay.report import tracking

from .sample import evidence, write_run


@pytest.fixture
def mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    package = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    package.set_tracking_uri((tmp_path / "ledger").as_uri())
    return package


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> Any:
    package = pytest.importorskip("wandb", reason="the extra wandb is not installed")
    monkeypatch.setenv("WANDB_SILENT", "true")
    package.teardown()  # what an earlier test set holds for the whole process
    return package


def test_mlflow_keeps_all_that_it_is_told(mlflow: Any, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    tracking.to_mlflow(run)
    client = mlflow.MlflowClient()
    (kept,) = client.search_runs(["0"])
    assert kept.info.run_name == "run"
    assert kept.info.status == "FINISHED"
    assert kept.data.metrics == pytest.approx(dict(tracking.metrics(run)))
    assert kept.data.params == tracking.parameters(run)
    stored = {each.path for each in client.list_artifacts(kept.info.run_id)}
    assert stored == {path.name for path in tracking._files(run)} >= {"evidence.json"}


def test_mlflow_refusing_is_an_error_of_ours(mlflow: Any, tmp_path: Path) -> None:
    first, second = (
        write_run(tmp_path / "run"),
        write_run(tmp_path / "other", evidence().model_copy(update={"seed": 9})),
    )
    with mlflow.start_run():
        tracking.to_mlflow(first, files=False)
        with pytest.raises(EngineError, match=r"MLflow refused: .*assay\.seed"):
            tracking.to_mlflow(second, files=False)


def test_wandb_keeps_all_that_it_is_told(wandb: Any, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    with wandb.init(mode="offline", dir=tmp_path) as active:
        tracking.to_wandb(run)
        told = dict(active.summary)
        assert {name: told[name] for name, _ in tracking.metrics(run)} == dict(tracking.metrics(run))
        assert dict(active.config) == tracking.parameters(run)
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))


def test_wandb_opens_and_closes_a_run_of_its_own(wandb: Any, tmp_path: Path) -> None:
    tracking.to_wandb(write_run(tmp_path / "run"), files=False, mode="offline", dir=tmp_path)
    assert wandb.run is None
    assert list(tmp_path.glob("wandb/offline-run-*/*.wandb"))
