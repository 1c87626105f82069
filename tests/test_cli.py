"""What the command line prints of hostile data."""

from pathlib import Path

import pytest

from assay.cli.screen import print_answer

from .report.sample import write_run


def test_no_control_character_of_the_data_reaches_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run")
    claims = tuple(
        claim.model_copy(update={"statement": f"label \x1b]0;owned\x07: {claim.statement}"})
        for claim in run.evidence.claims
    )
    run.evidence = run.evidence.model_copy(update={"claims": claims})
    print_answer(run)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\x07" not in printed
    assert "⟨U+001B⟩" in printed
