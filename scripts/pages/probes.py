"""A page for each probe of the audit: its question, what it measures, what that decides, and where it is written."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from assay.core.catalogue import CATALOGUE, Definition
from assay.core.claim import CLAIMS
from pages.cells import WRITTEN, cell
from pages.measures import link, same, worse
from pages.places import PACKAGE

_FOLDER = PACKAGE / "audit" / "probes"


def probes() -> dict[str, tuple[Path, tuple[Definition, ...]]]:
    """Every probe that measures something: the file of that name, and what it measures."""
    found = {}
    for path in sorted(_FOLDER.glob("*.py")):
        names = set(re.findall(r'"([a-z_]+\.[a-z_0-9]+)"', path.read_text(encoding="utf-8")))
        made = tuple(each for each in CATALOGUE if each.name in names)
        if made:
            found[path.stem] = (path, made)
    return found


def pages() -> dict[str, str]:
    """`probes.md`, and `probes/NAME.md` for each probe."""
    return {"probes.md": _index()} | {
        f"probes/{name}.md": _page(name, path, made) for name, (path, made) in probes().items()
    }


def title(name: str) -> str:
    """``near_copies`` as words."""
    return name.replace("_", " ").capitalize()


def _says(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _question(path: Path) -> str:
    return " ".join(_says(path).partition("\n\n")[0].split())


def _index() -> str:
    lines = [
        WRITTEN,
        "",
        "# Probes",
        "",
        "A probe is one question about the rows, in one file. It says how rows are counted so that counts add up, and the audit "
        "gives it its interval, its slices and its reference of real rows against real rows "
        "([architecture](architecture.md)).",
        "",
        "| probe | question |",
        "|---|---|",
    ]
    lines += [
        f"| [{title(name)}](probes/{name}.md) | {cell(_question(path))} |"
        for name, (path, _) in probes().items()
    ]
    return "\n".join([*lines, ""])


def _page(name: str, path: Path, made: tuple[Definition, ...]) -> str:
    more = _says(path).partition("\n\n")[2].strip()
    lines = [WRITTEN, "", f"# {title(name)}", "", f"**{_question(path)}**", ""]
    if more:
        lines += [more, ""]
    lines += [
        "Asked by [`assay audit`](../commands/audit.md) and [`assay run`](../commands/run.md); "
        f"written in `{path.relative_to(PACKAGE.parent).as_posix()}`.",
        "",
        "| measure | what it is | worse | counts as the same as its reference |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {link(each.name, '../')} | {cell(each.title)} | {worse(each)} | {same(each)} |" for each in made
    ]
    decided = [
        f"[{claim.title}](../claims/{claim.id}.md)"
        for claim in CLAIMS
        if {each.name for each in made} & set(claim.measures)
    ]
    if decided:
        lines += ["", f"Helps to decide: {', '.join(decided)}."]
    return "\n".join([*lines, ""])
