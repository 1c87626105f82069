"""The local page in a real browser: filter, search, label, reload, compare; hostile rows stay text."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import urlopen

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.core.corpus import root_hash
from assay.core.evidence import EXAMPLES
from assay.core.labels import CHOICES, LABELS, Answers
from assay.serve.server import Server

from ..laws.served import REAL, serving, write_run
from .browser import Watched, chromium, watching

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = (
    "<script>alert('script')</script>",
    "<img src=x onerror=alert('image')>",
    "<svg/onload=alert('svg')>",
    "</title></textarea></style></script><script>alert(1)</script>",
    "javascript:alert('link')",
    '<a href="javascript:alert(2)">press me</a>',
    '" onmouseover="alert(3)" autofocus onfocus="alert(4)',
    "{{ 7 * 7 }} {% raw %} ${alert(5)} <%= 1 %>",
    "left \u202eright to left override\u202c and \u2066isolate",
    '=HYPERLINK("http://evil.example","x")',
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<link rel=stylesheet href=http://evil.example/x.css><iframe src=http://evil.example></iframe>",
    "<form action=http://evil.example><input name=token></form>",
    "a\u0000b\u001b[31mred",
    "Wide" * 4000,
    "many lines\n" * 3000,
    "العربية من اليمين إلى اليسار",
    "",
    "   \t  ",
)
PLAIN = tuple(f"Plain row {n}, a real row about number {n % 50} and more" for n in range(130))
TEXTS = (*HOSTILE, *PLAIN)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    real = (*REAL, *HOSTILE)
    write_run(folder / "first", TEXTS, real)
    write_run(folder / "second", TEXTS, real)
    evil = folder / "<img src=x onerror=alert(6)>"
    write_run(evil, HOSTILE, real)
    shown = [
        dict(
            zip(
                EXAMPLES.names, ("copying.near_share", None, "synthetic", n, bad, bad, 0, 5, bad), strict=True
            )
        )
        for n, bad in enumerate(HOSTILE)
    ]
    pq.write_table(pa.Table.from_pylist(shown, schema=EXAMPLES), evil / "rows" / "examples.parquet")
    flags = pq.read_table(evil / "rows" / "synthetic.parquet")
    flags = flags.set_column(7, "region", pa.array(HOSTILE)).append_column(
        "<b>bold</b>\u202e", pa.array([True] * len(HOSTILE))
    )
    pq.write_table(flags, evil / "rows" / "synthetic.parquet")
    return folder


@pytest.fixture(scope="module")
def server(runs: Path) -> Iterator[Server]:
    with serving(runs) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def at(server: Server, path: str) -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def enter(seen: Watched, server: Server, path: str = "/") -> None:
    """Go in by the address of the terminal, then to a page."""
    seen.page.goto(server.url)
    seen.page.wait_for_selector(".runs")
    assert "token" not in seen.page.url
    if path != "/":
        seen.page.goto(at(server, path))


def settled(seen: Watched) -> None:
    """Wait until the list and the row beside its real rows stand."""
    seen.page.wait_for_selector("main:not([aria-busy]) #list li")
    seen.page.wait_for_selector("#near[aria-busy=false]")


def reads(page: Page, selector: str, text: str) -> None:
    """Wait until a place reads exactly so; the page's policy lets no test evaluate a string there, either."""
    page.locator(selector, has_text=re.compile(f"^{re.escape(text)}$")).wait_for()


def begins(page: Page, selector: str, text: str) -> None:
    """Wait until the text of a place begins so."""
    page.locator(selector, has_text=re.compile(f"^{re.escape(text)}(?!\\d)")).wait_for()


def in_peace(seen: Watched, server: Server) -> None:
    assert seen.complaints == []
    assert seen.hosts <= {f"127.0.0.1:{server.port}"}


def test_the_command_prints_where_to_go_and_ends_when_told(runs: Path) -> None:
    """Needs no browser: whoever has the address is let in."""
    command = [sys.executable, "-m", "assay.cli", "serve", str(runs), "--port", "0", "--json"]
    served = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests themselves run in the background, interrupts are ignored, and children would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert served.stdout is not None
    facts = json.loads(served.stdout.readline())
    assert facts["runs"] == 3
    with urlopen(facts["url"]) as answer:
        assert answer.headers["Set-Cookie"].startswith("assay-")
    again = [*command[:-3], "--port", str(urlsplit(facts["url"]).port)]
    refused = subprocess.run(again, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--port 0" in refused.stderr
    served.send_signal(signal.SIGINT)
    said, complained = served.communicate(timeout=20)
    assert (served.returncode, said, complained) == (0, "", "")


def test_filter_search_sort_and_reload(browser: Browser, server: Server) -> None:
    with watching(browser) as seen:
        enter(seen, server, "/rows?run=first")
        page = seen.page
        settled(seen)
        assert page.text_content("#found") == f"{len(TEXTS)} rows"
        suspicion = [float(each) for each in re.findall(r"suspicion ([\d.]+)", page.inner_text("#list"))]
        assert suspicion == sorted(suspicion, reverse=True)
        page.keyboard.press("/")
        page.keyboard.type("PLAIN number 7", delay=5)
        held = [text for text in TEXTS if all(term in text.lower() for term in ("plain", "number", "7"))]
        reads(page, "#found", f"{len(held)} rows")
        page.locator("input[name=has][value=near_duplicate]").check()
        page.locator("#found", has_text=re.compile(f"^(?!{len(held)} )[0-9]+ rows?$")).wait_for()
        found = page.text_content("#found")
        rows = page.locator("#list li").evaluate_all("all => all.map(each => each.dataset.row)")
        assert all("near duplicate" in text for text in page.locator("#list li").all_inner_texts())
        page.locator("#list a").nth(1).click()
        page.reload()
        settled(seen)
        assert page.text_content("#found") == found
        assert page.locator("#list li").evaluate_all("all => all.map(each => each.dataset.row)") == rows
        assert page.input_value("#q") == "PLAIN number 7"
        assert page.is_checked("input[name=has][value=near_duplicate]")
        assert page.text_content("#row-name").startswith(f"Row {rows[1]}")  # type: ignore[union-attr]
        page.locator("#clear").click()
        reads(page, "#found", f"{len(TEXTS)} rows")
        in_peace(seen, server)


def test_label_by_keys_and_in_two_windows(browser: Browser, server: Server, runs: Path) -> None:
    with watching(browser) as seen:
        enter(seen, server, "/rows?run=first&q=plain&sort=")
        page = seen.page
        settled(seen)
        first = len(HOSTILE)
        for key in "wrs":
            page.keyboard.press(key)
        page.wait_for_selector(f"#list li[data-row='{first + 2}'] .word.skip")
        begins(page, "#row-name", f"Row {first + 3}")
        page.keyboard.press("d")
        page.wait_for_selector(".answers [data-said=drop][aria-pressed=true]")
        other = page.context.new_page()
        other.goto(page.url)
        other.wait_for_selector(".answers [data-said=drop][aria-pressed=true]")
        other.keyboard.press("k")
        other.wait_for_selector(".answers [data-said=keep][aria-pressed=true]")
        page.locator(".answers [data-said=drop]").dispatch_event("click")
        begins(page, "#saved", "Not saved: another window")
        page.wait_for_selector(".answers [data-said=keep][aria-pressed=true]")
        page.keyboard.press("b")
        page.keyboard.press("s")
        page.wait_for_selector(f"#list li[data-row='{first + 2}'] .said:empty", state="attached")
        page.reload()
        settled(seen)
        assert page.inner_text(f"#list li[data-row='{first}'] .said").strip() == "wrong"
        assert "2 labelled, 1 wrong" in page.inner_text("#tally")
        in_peace(seen, server)
    text = pa.chunked_array([pa.array(TEXTS, pa.large_string())])
    assert Answers(runs / "first" / LABELS, text).given == {first: "wrong", first + 1: "right"}
    assert Answers(runs / "first" / CHOICES, text).given == {first + 3: "keep"}
    line = json.loads((runs / "first" / LABELS).read_text(encoding="utf-8").splitlines()[0])
    assert line["text"] == f"{root_hash(TEXTS[first]):016x}"


def test_pages_turn_by_keys_and_export_holds_what_is_found(browser: Browser, server: Server) -> None:
    with watching(browser) as seen:
        enter(seen, server, "/rows?run=second&q=plain&sort=")
        page = seen.page
        settled(seen)
        page.locator("#list a").nth(49).click()
        page.keyboard.press("ArrowDown")
        reads(page, "#place", "page 2 of 3")
        begins(page, "#row-name", f"Row {len(HOSTILE) + 50}")
        page.keyboard.press("b")
        reads(page, "#place", "page 1 of 3")
        page.locator(".take summary").click()
        with page.expect_download() as started:
            page.locator("#jsonl").click()
        rows = [json.loads(line) for line in started.value.path().read_text(encoding="utf-8").splitlines()]
        assert [row["text"] for row in rows] == list(PLAIN)
        in_peace(seen, server)


def test_shared_words_are_marked_on_both_sides(browser: Browser, server: Server) -> None:
    with watching(browser) as seen:
        enter(seen, server, f"/rows?run=first&row={len(HOSTILE) + 7}")
        settled(seen)
        seen.page.wait_for_selector("#near mark")
        own = seen.page.locator("#own mark").all_inner_texts()
        assert "a real row about number 7 and" in own
        assert seen.page.locator("#near figure").first.locator("mark").first.inner_text() == own[0]
        in_peace(seen, server)


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (500, "dark")])
def test_hostile_rows_stay_text(browser: Browser, server: Server, width: int, scheme: str) -> None:
    with watching(browser, width=width, scheme=scheme) as seen:
        enter(seen, server)
        page = seen.page
        assert "<img src=x onerror=alert(6)>" in page.inner_text(".runs")
        page.locator(".run", has_text="onerror").get_by_role("link", name="Rows").click()
        page.wait_for_selector("main:not([aria-busy]) #list li")
        assert not seen.overflows
        for number in range(len(HOSTILE)):
            page.evaluate(f"show({number}, true)")
            begins(page, "#row-name", f"Row {number}")
            assert not seen.overflows, HOSTILE[number][:40]
        page.evaluate("show(0, true)")
        begins(page, "#own", "Synthetic row<script>")
        assert (
            page.locator(
                "main script, main img, main iframe, main form:not(#filters), main a[href^=javascript]"
            ).count()
            == 0
        )
        assert "\u202e" not in page.inner_text("body")
        shown = page.evaluate("document.querySelector('#own').textContent")
        assert "<script>alert('script')</script>" in shown
        in_peace(seen, server)


def test_compare_history_and_report_from_the_list(browser: Browser, server: Server) -> None:
    with watching(browser) as seen:
        enter(seen, server)
        page = seen.page
        page.set_default_timeout(40_000)  # what draws the plots takes seconds to start
        page.locator(".run[data-name=first] input[name=before]").check()
        page.locator(".run[data-name=first] input[name=after]").check()
        assert not page.is_checked(".run[data-name=first] input[name=before]")
        page.locator(".run[data-name=second] input[name=before]").check()
        page.get_by_role("button", name="Compare").click()
        assert page.text_content("h1") == "first against second"
        page.get_by_role("link", name="All runs").click()
        page.get_by_role("link", name="History of all runs").click()
        assert page.locator(".charts figure").count() > 5
        page.get_by_role("link", name="All runs").click()
        page.locator(".run[data-name=first]").get_by_role("link", name="Report").click()
        page.locator(".plot.drawn").nth(2).wait_for()
        page.get_by_role("link", name="Rows").click()
        page.wait_for_selector("#list li")
        in_peace(seen, server)


@pytest.mark.parametrize("width", [1400, 500])
def test_everything_has_a_name_and_a_place_for_the_keyboard(
    browser: Browser, server: Server, width: int
) -> None:
    with watching(browser, width=width) as seen:
        enter(seen, server, "/rows?run=first")
        page = seen.page
        page.wait_for_selector("main:not([aria-busy]) #list li")
        if width == 500:
            page.locator("#more > summary").click()
        nameless = page.evaluate(
            """[...document.querySelectorAll("button, input, select, a")].filter((each) => each.checkVisibility()
              && !(each.ariaLabel || each.textContent.trim() || each.labels?.[0]?.textContent.trim())).length"""
        )
        assert nameless == 0
        reached = set()
        page.locator("#keys").focus()
        for _ in range(12):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    "document.activeElement.id || document.activeElement.name || document.activeElement.tagName"
                )
            )
        assert {"q", "sort", "label"} <= reached, reached
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog:not([open])", state="attached")
        page.locator("#list a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_selector("#row-name:not(:empty)")
        if width == 500:
            assert not page.is_visible("#list")
            page.keyboard.press("Escape")
            page.wait_for_selector("#list", state="visible")
        in_peace(seen, server)


def test_without_the_token_a_browser_gets_one_sentence(browser: Browser, server: Server) -> None:
    with watching(browser) as seen:
        seen.page.goto(at(server, "/rows?run=first"))
        assert "Not let in" in seen.page.inner_text("body")
        assert "Plain row" not in seen.page.content()
