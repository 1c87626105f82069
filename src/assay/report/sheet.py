"""A page without scripts in the look of the report: what comparison and history are drawn on."""

from __future__ import annotations

from typing import Any

import jinja2
from markupsafe import Markup

from assay.report import safe

_TEMPLATES = jinja2.PackageLoader("assay.report", "templates")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(template: str, **values: Any) -> str:
    """A whole HTML document; every plain string in `values` is cut, escaped and stripped of unseen characters."""
    environment = jinja2.Environment(
        loader=_TEMPLATES,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: safe.visible(value, safe.ROW_LIMIT) if type(value) is str else value,
    )
    style, _, _ = _TEMPLATES.get_source(environment, "style.css")
    return environment.get_template(template).render(style=Markup(style), policy=_POLICY, **values)
