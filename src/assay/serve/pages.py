"""The HTML of the room's own pages, and the report's pages with a way back."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from assay.core.unseen import clean

_OURS = jinja2.PackageLoader("assay.serve", "templates")
_STATIC = jinja2.PackageLoader("assay.serve", "static")
_REPORT = jinja2.PackageLoader("assay.report", "templates")
_MAST = '<p class="mast">Assay</p>'
_META_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')


def render(template: str, **values: Any) -> str:
    """A page of ours; every plain string in it is escaped and stripped of unseen characters."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=_OURS,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
    )
    environment.globals["address"] = address
    return environment


def address(path: str, **parameters: str) -> str:
    """An address here."""
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    return f"{path}?{asked}" if asked else path


@cache
def static(name: str) -> str | None:
    """The text of a style sheet or script of ours; None where there is none of that name."""
    if name == "serve.css":
        return _source(_REPORT, "style.css") + _source(_STATIC, name)
    return _source(_STATIC, name) if name in ("rows.js", "runs.js", "icon.svg") else None


def with_way_back(page: str, links: list[tuple[str, str]]) -> tuple[str, str]:
    """A page of the report with links above its title, and the policy that it asks for itself."""
    way = Markup(" · ").join(Markup('<a href="{}">{}</a>').format(link, clean(name)) for name, link in links)
    found = _META_POLICY.search(page)
    policy = unescape(found.group(1)) if found else "default-src 'none'"
    # No <nav>: the report draws its own list of sections as one, between rules.
    head = Markup('<div class="mast" role="navigation" aria-label="Assay">{}</div>').format(way)
    return page.replace(_MAST, str(head), 1), f"{policy}; frame-ancestors 'none'"


def plain(title: str, text: str) -> str:
    """A page that says one thing."""
    return render("plain.html.jinja", title=title, text=text)


def _source(loader: jinja2.PackageLoader, name: str) -> str:
    source, _, _ = loader.get_source(jinja2.Environment(), name)
    return source
