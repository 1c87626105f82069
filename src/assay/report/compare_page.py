"""A comparison as one HTML file that opens offline and asks the network for nothing."""

from __future__ import annotations

from markupsafe import Markup

from assay.core.measure import Measure
from assay.report.compare import Comparison, Moved, headline
from assay.report.sheet import render as draw
from assay.report.whisker import whisker


def render(found: Comparison) -> str:
    """The whole HTML document."""
    groups = (
        ("Got worse", found.beyond_noise("worse")),
        ("Got better", found.beyond_noise("better")),
        ("Moved, but neither way can be called better", found.beyond_noise("neither")),
    )
    return draw(
        "compare.html.jinja",
        title=f"{found.after} against {found.before}",
        found=found,
        headline=headline(found),
        groups=groups,
        still=[each for each in found.moved if not each.beyond_noise],
        drawn=_drawn,
    )


def _drawn(moved: Moved) -> Markup:
    """The difference as a dot with its whisker, against the line of no difference."""
    between = moved.change
    return whisker(
        Measure(
            name=moved.name,
            value=between.value,
            low=between.low,
            high=between.high,
            unit="difference",
            worse="none",
            method=moved.how,
        )
    )
