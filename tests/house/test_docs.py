"""The documentation: every link leads somewhere, every page is in the navigation, what follows from the code is current."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer

from assay.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
WRITTEN = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
COMMANDS = typer.main.get_command(app)
FENCED = re.compile(r"^(```+).*?^\1$", re.DOTALL | re.MULTILINE)


def prose(path: Path) -> str:
    """A page without its blocks and spans of code; a link around a span stays."""
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    text = re.sub(r"^(?: {4}|\t).*$", "", text, flags=re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "code", text)


def links(path: Path) -> list[str]:
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", prose(path))


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", FENCED.sub("", path.read_text(encoding="utf-8")), flags=re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each) for each in headings]
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", each.lower()).strip()) for each in plain}


def shown(path: Path) -> Iterator[list[str]]:
    """Every command line of ours in a page's blocks of code, as words."""
    for block in re.finditer(
        r"^```(?:console)?\n(.*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ):
        for line in re.findall(r"^(?:\$ )?assay (.*)$", block[1].replace("\\\n", ""), flags=re.MULTILINE):
            yield line.partition("#")[0].replace("[", " ").replace("]", " ").replace("|", " ").split()


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme == "https", link
            assert "." in parts.netloc, link
            continue
        target = (path.parent / parts.path).resolve() if parts.path else path
        assert target.exists(), f"{link} is no file"
        assert not path.is_relative_to(DOCS) or target.is_relative_to(DOCS), f"{link} leads out of the site"
        assert not parts.fragment or parts.fragment in anchors(target), f"{link} is no heading"


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_shown_commands_and_options_exist(path: Path) -> None:
    for words in shown(path):
        command = COMMANDS
        while words and hasattr(command, "commands"):
            assert words[0] in command.commands, f"assay {' '.join(words)}"
            command = command.commands[words.pop(0)]
        known = {option for each in command.params for option in each.opts} | {"--help"}
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert asked <= known, f"{' '.join(words)}: {asked - known}"


def test_every_page_has_one_place_in_the_navigation() -> None:
    def places(part: object) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            yield from places(inner)

    settings = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    found = sorted(places(settings["project"]["nav"]))
    assert found == sorted(path.relative_to(DOCS).as_posix() for path in PAGES), "see nav in zensical.toml"


def test_pages_that_follow_from_the_code_are_current() -> None:
    words = [sys.executable, str(ROOT / "scripts" / "docs.py"), "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_site_builds_without_a_broken_link_and_loads_nothing_from_elsewhere() -> None:
    pytest.importorskip("zensical", reason="the extra docs is not installed; `make docs` does it")
    for words in (["-m", "zensical", "build", "--strict", "--clean"], ["scripts/offline.py", "build/site"]):
        done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
