"""The report as one HTML file that opens offline and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup, escape

from assay.core.evidence import Run
from assay.report import forest, futures, layers, plots, safe, trials
from assay.report.typography import tidy
from assay.report.view import regions, view

_TEMPLATES = jinja2.PackageLoader("assay.report", "templates")

_CLIP = re.compile(r"\bclip\d+\b")


def render(run: Run) -> str:
    """The page of a run: a whole HTML document of under 3 MB.

    Rows are shown, never trusted: text is escaped, cut and stripped of unseen characters, and the page's
    policy lets only the scripts named by their hash run and nothing be fetched.
    """
    evidence = run.evidence
    seen = view(run)
    specs = {
        "dose": plots.dose_response(evidence),
        "gap": plots.bias_response(evidence),
        "lean": plots.amplification(evidence),
        "added": plots.addition(evidence),
        "curve": plots.learning_curve(evidence),
        "differences": forest.differences(trials.compared(evidence)),
        "forecast": futures.curves(evidence),
        "samplings": futures.samplings(evidence),
        "regions": forest.ratios(regions(evidence), "regions of the real data"),
        "shares": forest.ratios(seen.bias.plotted, "groups of people"),
        "gaps": forest.gaps(seen.bias.plotted_gaps),
    }
    drawn = {name: spec for name, spec in specs.items() if spec is not None}
    scripts = [*([_library(), _asset("plots.js")] if drawn else []), _asset("details.js")]
    environment = jinja2.Environment(
        loader=_TEMPLATES,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: safe.clean(value) if type(value) is str else value,
    )
    environment.filters["commands"] = _commands
    environment.filters["tidy"] = tidy
    return environment.get_template("page.html.jinja").render(
        view=seen,
        policy=_policy(scripts),
        style=Markup(_asset("style.css")),
        scripts=[Markup(script) for script in scripts],
        specs={name: _json_block(spec) for name, spec in drawn.items()},
        stills={name: Markup(_still(name, spec)) for name, spec in drawn.items()},
    )


def _commands(text: str) -> Markup:
    """`text` with what stands between backticks as code to copy."""
    parts = [escape(safe.clean(part)) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(safe.clean(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts)
    )


def _policy(scripts: list[str]) -> str:
    """Content-Security-Policy: no network at all, and no script but ours.

    Styles may stand inline because the plots set them on their elements; rows cannot, being escaped.
    """
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    allowed = hashes or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    source, _, _ = _TEMPLATES.get_source(jinja2.Environment(), name)
    return source


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle


def _json_block(spec: dict[str, Any]) -> Markup:
    """JSON that no HTML parser can leave early: the characters that could end the element are escaped."""
    text = json.dumps(spec, ensure_ascii=True)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _still(name: str, spec: dict[str, Any]) -> str:
    """The plot as fixed SVG, for readers without scripts and for print.

    The drawer numbers what it clips by all it ever drew; here each plot counts its own.
    """
    fixed = {**spec, "width": layers.WIDTH}
    drawing: str = vl_convert.vegalite_to_svg(fixed, allowed_base_urls=[])
    numbers: dict[str, str] = {}
    return _CLIP.sub(lambda found: numbers.setdefault(found[0], f"{name}-clip{len(numbers)}"), drawing)
