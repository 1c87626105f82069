"""The report in a real browser, opened from the disk: drawn, quiet, foldable, and hostile text stays text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assay.core.evidence import Run
from assay.report.page import render

from ..report.sample import write_run
from ..report.test_page import hostile_run
from .browser import chromium, watching

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The report of a usual run and of a hostile one."""
    made: dict[str, Callable[[Path], Run]] = {"sample": write_run, "hostile": hostile_run}
    found = {}
    for name, run_of in made.items():
        folder = tmp_path_factory.mktemp(name)
        found[name] = folder / "report.html"
        found[name].write_text(render(run_of(folder / "run")), encoding="utf-8")
    return found


@pytest.mark.parametrize("kind", ["sample", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 500])
def test_the_report_opens_offline(
    browser: Browser, pages: dict[str, Path], kind: str, scheme: str, width: int
) -> None:
    with watching(browser, width=width, scheme=scheme) as seen:
        page = seen.page
        page.context.set_offline(True)
        page.goto(pages[kind].as_uri())
        page.wait_for_selector(".plot.drawn .live svg")
        page.wait_for_timeout(1_000)
        assert page.locator(".plot.drawn .live svg").count() == page.locator(".plot").count() >= 3
        assert page.locator(".plot .still").first.is_hidden()
        folded = page.locator("details")
        page.locator("details > summary").evaluate_all("all => all.forEach(each => each.click())")
        assert folded.count() == page.locator("details[open]").count() > 3
        page.locator(".plot").first.scroll_into_view_if_needed()
        page.locator(".plot .live svg path[aria-roledescription]").first.hover(force=True)
        light = page.evaluate(
            "getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).every((each) => each > 127)"
        )
        assert light == (scheme == "light")
        assert not seen.overflows
        assert seen.complaints == []
        assert seen.hosts == {""}
        assert page.url == pages[kind].as_uri()


def test_print_shows_the_plots_that_need_no_script(browser: Browser, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(pages["sample"].as_uri())
        assert page.locator(".plot .still svg").count() == page.locator(".plot").count()
        assert page.locator(".plot .still svg").first.is_visible()
    finally:
        context.close()
