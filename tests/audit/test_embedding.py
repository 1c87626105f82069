"""The embedder's setting acts, from the command line to the measures."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from assay import cli, study
from assay.audit.run import audit
from assay.core.evidence import Run
from tests.audit.corpora import rows, write
from tests.models.test_embed import needs_minilm


def test_the_command_line_hands_the_embedder_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[study.Study] = []

    def run(settings: study.Study, out: Path, **_: object) -> Run:
        asked.append(settings)
        raise SystemExit

    monkeypatch.setattr(study, "run", run)
    for chosen in ("lsa", "minilm"):
        CliRunner().invoke(cli.app, ["audit", "--real", "r", "--synthetic", "s", "--embedder", chosen])
    assert [each.embedder for each in asked] == ["lsa", "minilm"]


@needs_minilm
def test_the_embedder_changes_the_space_and_is_named(tmp_path: Path) -> None:
    real, held, made = (write(tmp_path, rows(90, seed), str(seed), "real") for seed in (1, 2, 3))
    found = {
        name: {
            each.name: each
            for each in audit(real, held, made, tmp_path / name, embedder=name).measures
            if each.slice is None
        }
        for name in ("lsa", "minilm")
    }
    assert "rows embedded by LSA" in found["lsa"]["fidelity.recall"].method
    assert "rows embedded by all-MiniLM" in found["minilm"]["fidelity.recall"].method
    assert found["lsa"]["diversity.vendi"].value != found["minilm"]["diversity.vendi"].value
    assert found["lsa"]["fidelity.two_sample_auc"] == found["minilm"]["fidelity.two_sample_auc"]
