"""The page in a real browser: the plots are drawn, and nothing complains."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.core.evidence import Run
from assay.report.page import render

from ..report.sample import write_run
from ..report.test_page import hostile_run

_BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--virtual-time-budget=8000",
)  # fmt: skip


@pytest.mark.skipif(_BROWSER is None, reason="no Chromium is installed to open the page with")
@pytest.mark.parametrize("run_of", [write_run, hostile_run], ids=["sample", "hostile"])
def test_the_plots_are_drawn_without_a_word_on_the_console(
    run_of: Callable[[Path], Run], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    page.write_text(render(run_of(tmp_path / "run")), encoding="utf-8")
    opened = subprocess.run(
        [_BROWSER or "", *_QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [line for line in opened.stderr.splitlines() if "CONSOLE" in line] == []
    live = re.findall(r'<div class="live[^"]*"[^>]*><svg', opened.stdout)
    assert opened.stdout.count('class="plot drawn"') == opened.stdout.count('data-spec="') == 9
    assert len(live) == 9
