"""Gate, compare and cards from the command line and from a pytest suite, as a build server would call them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from assay.cli import main

from ..report.sample import evidence, measured, write_run

pytest_plugins = ["pytester"]


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Assay = Callable[..., Done]


@pytest.fixture
def assay(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Assay:
    """The command line in this process: what it prints, and the code it exits with."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["assay", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return Done(int(left.value.code or 0), out, err)

    return run


def rules(folder: Path, text: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_gate_in_a_build(tmp_path: Path) -> None:
    """One call writes everything a build server reads, and its exit code says which way it went."""
    run = write_run(tmp_path / "run").folder
    broken = rules(tmp_path, '[[rule]]\nmeasure = "quality.repetition_share"\nmax = 0.01\n')
    summary = tmp_path / "summary.md"
    done = subprocess.run(
        [sys.executable, "-m", "assay.cli", "gate", run, "--rules", broken, "--github",
         "--junit", "out/junit.xml", "--sarif", "out/gate.sarif"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env=os.environ | {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKSPACE": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("::error file=rules.toml,line=1,")
    assert done.stdout.rstrip().endswith("broken")
    assert ElementTree.parse(tmp_path / "out" / "junit.xml").getroot().get("failures") == "1"
    assert len(json.loads((tmp_path / "out" / "gate.sarif").read_text())["runs"][0]["results"]) == 1
    assert summary.read_text(encoding="utf-8").startswith("## ❌ Assay gate: broken")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[[rule]]\nmeasure = "quality.repetition_share"\nmax = 0.5', 0),
        ('[[rule]]\nmeasure = "quality.repetition_share"\nmax = 0.05', 1),
        ('[[rule]]\nmeasure = "quality.repetition_shar"\nmax = 0.5', 2),
        ('[[rule]]\nmeasure = "quality.repetition_share"\nmax = 0.09', 3),
    ],
)
def test_exit_codes(assay: Assay, text: str, code: int, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run").folder
    done = assay("gate", run, "--rules", rules(tmp_path, text), "--json")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code == 2:
        assert "Did you mean quality.repetition_share" in done.stderr
        assert "rules.toml:1" in done.stderr.replace("\n", "")
    else:
        assert json.loads(done.stdout)["exit_code"] == code


def test_a_ratchet_finds_the_run_its_rules_name(assay: Assay, tmp_path: Path) -> None:
    worse = tuple(
        measured(each.name, (0.2, 0.19, 0.21), corpus=each.corpus)
        if each.name == "quality.repetition_share"
        else each
        for each in evidence().measures
    )
    run, earlier = write_run(tmp_path / "new", evidence(measures=worse)), write_run(tmp_path / "old")
    text = '[[rule]]\nmeasure = "quality.repetition_share"\nno-worse-by = 0.01\n'
    named = rules(tmp_path, f'against = "old"\n{text}')
    assert assay("gate", run.folder, "--rules", named).returncode == 1
    unnamed = rules(tmp_path, text)
    assert assay("gate", run.folder, "--rules", unnamed).returncode == 3
    assert assay("gate", run.folder, "--rules", unnamed, "--against", earlier.folder).returncode == 1


def test_compare_writes_table_page_and_json(assay: Assay, tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a")
    moved = tuple(
        measured("trial.gap", (0.0, -0.01, 0.01)) if each.name == "trial.gap" else each
        for each in evidence().measures
    )
    write_run(tmp_path / "runs" / "b", evidence(measures=moved))
    sides = (tmp_path / "runs" / "a", tmp_path / "runs" / "b")
    table = assay("compare", *sides, "--html", tmp_path / "page" / "compare.html")
    assert table.returncode == 0, table.stderr
    assert "1 got better" in table.stdout
    assert "+8.4 points" in table.stdout
    assert "▲ better" in (tmp_path / "page" / "compare.html").read_text(encoding="utf-8")
    found = json.loads(assay("compare", *sides, "--json").stdout)
    assert [each["name"] for each in found["moved"] if each["beyond_noise"]] == ["trial.gap"]
    series = assay("compare", "--history", tmp_path / "runs", "--html", tmp_path / "history.html")
    assert series.returncode == 0, series.stderr
    assert "▲ better" in series.stdout
    assert (tmp_path / "history.html").read_text(encoding="utf-8").count("<svg") > 10
    for wrong in ((), sides[:1], (*sides, "--history", tmp_path), (*sides, "--measure", "trial.gap")):
        done = assay("compare", *wrong)
        assert done.returncode == 2, wrong
        assert "Traceback" not in done.stderr


def test_cards_from_the_command_line(assay: Assay, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run").folder
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "README.md").write_text("---\nlicense: mit\n---\nby hand\n", encoding="utf-8")
    done = assay(
        "report", run, "--card", "--croissant", "--spdx", "--eu", "--into", tmp_path / "data", "--json"
    )
    assert done.returncode == 0, done.stderr
    names = ["README.md", "croissant.json", "dataset.spdx.json", "eu-summary.md"]
    assert [Path(each).name for each in json.loads(done.stdout)] == names
    assert (
        (tmp_path / "data" / "README.md")
        .read_text(encoding="utf-8")
        .startswith("---\nlicense: mit\n---\nby hand\n")
    )
    assert not (run / "report.html").exists()
    assert assay("report", run, "--into", tmp_path).returncode == 2


def test_the_fixture_fails_a_test_in_plain_words(pytester: pytest.Pytester) -> None:
    write_run(pytester.path / "run")
    rules(
        pytester.path,
        '[[rule]]\nname = "few repeats"\nmeasure = "quality.repetition_share"\nmax = 0.05\n',
    )
    (pytester.path / "open.toml").write_text('[[rule]]\nmeasure = "quality.repetition_share"\nmax = 0.09\n')
    (pytester.path / "kept.toml").write_text('[[rule]]\nmeasure = "quality.repetition_share"\nmax = 0.9\n')
    pytester.makepyfile(
        """
        def test_kept(assay_gate):
            assay_gate("run", "kept.toml")

        def test_broken(assay_gate):
            assay_gate("run", "rules.toml")

        def test_undecided(assay_gate):
            assay_gate("run", "open.toml")

        def test_skipped(assay_gate):
            assay_gate("run", "open.toml", undecided="skip")

        def test_let_pass(assay_gate):
            assay_gate("run", "open.toml", undecided="pass")
        """
    )
    loaded = () if _installed() else ("-p", "assay.pytest_plugin")
    result = pytester.runpytest_subprocess(*loaded, "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=2, skipped=1)
    result.stdout.fnmatch_lines(
        ["*does not meet its rules*", "*broken*few repeats*8.7 %*may be at most 5.0 %*"]
    )


def _installed() -> bool:
    """Whether pytest finds the plugin by itself."""
    from importlib.metadata import entry_points

    return any(each.value == "assay.pytest_plugin" for each in entry_points(group="pytest11"))


@pytest.mark.skipif(
    shutil.which("chromium") is None, reason="no Chromium is installed to open the pages with"
)
def test_the_pages_open_without_a_word_on_the_console(tmp_path: Path) -> None:
    from assay.report import compare_page, history
    from assay.report.compare import compare

    before, after = write_run(tmp_path / "a"), write_run(tmp_path / "b")
    pages = {
        "compare.html": compare_page.render(compare(before, after)),
        "history.html": history.render(history.history(tmp_path)),
    }
    for name, text in pages.items():
        page = tmp_path / name
        page.write_text(text, encoding="utf-8")
        opened = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--enable-logging=stderr",
             f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert [line for line in opened.stderr.splitlines() if "CONSOLE" in line] == []
