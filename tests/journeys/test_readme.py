"""Every command the README shows is run here, on rows such as it speaks of."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Row = dict[str, str]
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (assay .*)$", README, flags=re.MULTILINE)
TARGETS = re.findall(r"^\$ make (\w+)$", README, flags=re.MULTILINE)
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_readme_shows_commands_and_python() -> None:
    assert len(COMMANDS) >= 4
    assert set(TARGETS) == {"demo", "test"}
    assert PYTHON


def test_readme_make_targets_exist() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
    for target in TARGETS:
        assert f"\n{target}:" in makefile


def test_readme_runs_as_written(
    snippets: list[Row],
    write: Callable[[str, list[Row]], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write("real.jsonl", snippets[:900])
    write("synthetic.jsonl", snippets[900:1400])
    write("quiz.jsonl", snippets[1400:1500])
    for command in COMMANDS:
        words = [sys.executable, "-m", "assay.cli", *shlex.split(command)[1:]]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    for code in PYTHON:
        exec(compile(code, "README.md", "exec"), {})
