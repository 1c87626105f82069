"""The Hugging Face data set card: a block of measured facts between two markers in README.md.

Source: Hugging Face Hub, Dataset Cards.
"""

from __future__ import annotations

import re

from assay.core.errors import InputError
from assay.core.words import count
from assay.report.cards.facts import Facts
from assay.report.escape import line, markdown

BEGIN, END = "<!-- assay:begin -->", "<!-- assay:end -->"
_LOSSES = 20
# The hub's own words for how many rows there are.
_SIZES = (
    (10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"), (10**9, "100M<n<1B"),
)  # fmt: skip


def update(card: str, facts: Facts) -> str:
    """The card with its block brought up to date; everything outside the markers stays byte for byte.

    A card without markers gets the block at its end; no card at all becomes a new one, whose header holds what
    is known: that the rows are synthetic, and how many there are.

    Raises: InputError: a marker's line stands without the other's, or twice.
    """
    ends = "\r\n" if "\r\n" in card else "\n"
    text = block(facts).replace("\n", ends)
    begins, stops = (list(_alone(marker).finditer(card)) for marker in (BEGIN, END))
    if not begins and not stops:
        if not card.strip():
            return f"{_header(facts)}\n# {markdown(facts.name)}\n\n{text}\n"
        return card.rstrip("\r\n") + ends * 2 + text + ends
    if (len(begins), len(stops)) != (1, 1) or stops[0].start() < begins[0].start():
        raise InputError(
            "its markers do not enclose one block",
            where="README.md",
            fix=f"Leave one line {BEGIN} before one line {END}.",
        )
    return card[: begins[0].start()] + text + card[stops[0].end() :]


def _alone(marker: str) -> re.Pattern[str]:
    """A marker counts where it has a line to itself; in a sentence it is only spoken of."""
    return re.compile(rf"^{re.escape(marker)}(?=[ \t]*\r?$)", re.MULTILINE)


def block(facts: Facts) -> str:
    """The block with its markers: no line in it can be taken for a marker, a tag or a link of the data's making."""
    parts = [BEGIN, "## What was measured of this data", "", *_about(facts)]
    if facts.claims:
        parts += ["", "### Risks and benefits", "", "| Question | Verdict | |", "|---|---|---|"]
        parts += [
            f"| {title} ({result.kind}) | {result.verdict} | {markdown(result.statement)} |"
            for title, result in facts.claims
        ]
    figures = facts.figures()
    if figures:
        parts += ["", "### Measures", "", "| Measure | Value (95 % interval) | Real against real | n |"]
        parts.append("|---|---|---|---|")
        parts += [
            f"| {markdown(each.title)} | {each.value} | {each.reference or '–'} | {each.n:,} |"
            for each in figures
        ]
    losses = facts.evidence.losses[:_LOSSES]
    if losses:
        parts += ["", "### Set aside", ""]
        parts += [
            f"- {count(each.rows, 'row')}: {markdown(each.what)} ({markdown(each.why)})" for each in losses
        ]
    if facts.open_questions:
        parts += ["", "### Not measured", ""]
        parts += [f"- {title}: {markdown(why)}" for title, why in facts.open_questions]
    return "\n".join([*parts, END])


def _about(facts: Facts) -> list[str]:
    lines = [
        f"Measured by {facts.tool}, seed {facts.evidence.seed}, on {facts.written:%Y-%m-%d}. Nothing here was "
        "filled in by hand, and what was not measured is named as such.",
        "",
        "| Input | Rows | SHA-256 |",
        "|---|---|---|",
    ]
    lines += [
        f"| {each.role}: {markdown(each.name)} | {each.rows:,} | `{each.sha256}` |"
        for each in facts.evidence.inputs
    ]
    return lines


def _header(facts: Facts) -> str:
    size = next((name for most, name in _SIZES if facts.data.rows < most), "n>1B")
    name = line(facts.name).replace("'", "''")
    return f"---\npretty_name: '{name}'\ntags:\n- synthetic\nsize_categories:\n- {size}\n---\n"
