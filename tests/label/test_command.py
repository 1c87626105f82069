"""`assay label` as a person and as a script meet it: whole processes on a real run, one of them on a terminal."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from assay.core.claim import claim
from assay.core.evidence import Run
from assay.study import Study, run
from tests.audit.corpora import rows

RATE = "quality.error_rate"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small audit; its rows try to command the terminal."""
    tmp_path = tmp_path_factory.mktemp("made")
    for name, number, seed in (("real", 200, 1), ("syn", 120, 2)):
        lines = [{"text": text + "\x1b[2J\x07", "label": label} for text, label in rows(number, seed)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    real, synthetic = (str(tmp_path / f"{name}.jsonl") for name in ("real", "syn"))
    run(Study(real=(real,), synthetic=(synthetic,), trial=False), tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def audited(made: Path, tmp_path: Path) -> Path:
    """A copy of that folder, to be labelled."""
    return shutil.copytree(made, tmp_path / "run")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "assay.cli", *map(str, arguments)]


def test_unlabelled_labelled_and_run_again(audited: Path, tmp_path: Path) -> None:
    before = Run(audited).evidence.find(RATE)
    assert before is not None
    assert before.value is None
    assert "assay label RUN" in (before.missing or "")
    assert "assay label RUN" in (audited / "report.html").read_text(encoding="utf-8")
    assert not (audited / "rows" / "label-order.parquet").exists()
    wrong = RATE in next(each for each in Run(audited).evidence.claims if each.id == "wrong-content").because
    assert not wrong

    # A script imports labels: every third of 90 rows is wrong.
    labels = tmp_path / "mine.jsonl"
    lines = [{"row": row, "wrong": row % 3 == 0} for row in range(90)]
    labels.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = subprocess.run(
        command("label", audited, "--labels", labels, "--json"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    measure = next(each for each in json.loads(done.stdout)["measures"] if each["name"] == RATE)
    assert measure["n"] == 90
    assert measure["low"] < 1 / 3 < measure["high"]
    result = next(each for each in json.loads(done.stdout)["claims"] if each["id"] == "wrong-content")
    assert result["verdict"] == "harm"
    assert RATE in result["because"]
    assert "as far as the labels of a sample can tell" in (audited / "report.md").read_text(encoding="utf-8")
    suspects = pq.read_table(audited / "rows" / "suspects.parquet")
    assert set(suspects["row"].to_pylist()) == set(range(90, 120))
    shown = [each for each in Run(audited).examples().to_pylist() if each["measure"] == RATE]
    assert [each["row"] for each in shown] == suspects["row"].to_pylist()[:5]

    # A rerun of the whole keeps them, and says the same.
    again = run(Study.load(audited / "study.toml"), audited)
    found = again.evidence.find(RATE)
    assert found is not None
    assert found.model_dump() == measure
    assert len([each for each in again.examples().to_pylist() if each["measure"] == RATE]) == 5
    assert RATE in claim("wrong-content").measures


def test_one_answer_a_line_where_there_is_no_terminal(audited: Path) -> None:
    done = subprocess.run(
        command("label", audited, "--rows", "30"),
        input="w\nr\ns\n" * 20,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Rows that a person calls wrong: 5" in done.stdout
    assert "from 30 labels" in done.stdout
    assert "\x1b" not in done.stderr
    assert "⟨U+001B⟩[2J" in done.stderr
    assert len((audited / "labels.jsonl").read_text().splitlines()) == 44


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_single_keys_on_a_terminal_survive_a_kill(audited: Path) -> None:
    import pty

    def session(*keys: bytes, kill: bool = False) -> bytes:
        """What a terminal shows while these keys are pressed, each after the screen has come to rest."""
        outer, inner = pty.openpty()
        process = subprocess.Popen(command("label", audited), stdin=inner, stdout=inner, stderr=inner)
        os.close(inner)
        seen = b""
        try:
            for key in keys:
                seen += until(outer, b"q quit")
                os.write(outer, key)
            if kill:
                seen += until(outer, b"q quit")
                os.kill(process.pid, signal.SIGKILL)
            else:
                seen += until(outer, b"report.html")
            assert process.wait(60) == (-signal.SIGKILL if kill else 0)
        finally:
            process.kill()
            process.wait()
            os.close(outer)
        return seen

    def until(terminal: int, wanted: bytes) -> bytes:
        seen, deadline = b"", time.monotonic() + 60
        while wanted not in seen and time.monotonic() < deadline:
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 65536)
        assert wanted in seen, seen
        return seen

    # No key needs a return; an arrow key is no answer, though the last byte of "down" is a B.
    seen = session(b"r", b"\x1b[Bw", b"w", kill=True)
    # The only commands the terminal gets are Assay's own: clear the screen, home.
    assert set(seen.split(b"\x1b")[1:]) >= {b"[2J"}
    assert all(part.startswith((b"[2J", b"[H")) for part in seen.split(b"\x1b")[1:])
    assert b"\x07" not in seen
    assert said(audited) == ["right", "wrong", "wrong"]
    seen = session(b"b", b"r", b"q")
    assert said(audited) == ["right", "wrong", "wrong", "right"]
    assert b"so far: wrong" in seen
    assert b"3 of at least 20" in seen


def said(folder: Path) -> list[str]:
    return [json.loads(line)["answer"] for line in (folder / "labels.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("missing", ["folder", "file"])
def test_wrong_use_says_what_and_how(audited: Path, tmp_path: Path, missing: str) -> None:
    nowhere = tmp_path / "nowhere"
    arguments = [nowhere] if missing == "folder" else [audited, "--labels", nowhere]
    done = subprocess.run(command("label", *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
