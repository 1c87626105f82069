"""A draft of what the public summary of training content says of synthetic data (EU AI Act, Art. 53(1)(d)).

Source: European Commission 2025, Template for the Public Summary of Training Content for general-purpose AI
models, section on synthetic data.
"""

from __future__ import annotations

from assay.core.words import count
from assay.report.cards.facts import Facts
from assay.report.escape import markdown

_OPEN = "_not measured; for the provider to fill in_"
_LINEAGE = "provenance."
_RIGHTS = ("copying", "provenance", "contamination")
_BIAS = ("representativeness", "bias-amplification")


def render(facts: Facts) -> str:
    """Markdown. What only the provider can know is left open, and said to be."""
    data = facts.data
    rows = [
        ("Synthetic data was used in training", _OPEN),
        ("Made by the provider or on the provider's behalf", _OPEN),
        ("Modality", "text"),
        ("Data set", f"{markdown(data.name)}: {count(data.rows, 'row')}, {data.bytes:,} bytes"),
        ("Form of the rows", markdown(data.shape)),
        ("SHA-256", f"`{data.sha256}`" + ("" if facts.file else " (of the list of its files)")),
        ("General-purpose AI models that made it, if on the market", _OPEN),
        ("Other AI models that made it, and what they were trained on", _OPEN),
    ]
    parts = [
        "# Synthetic data: draft for the public summary of training content",
        "",
        "> **Draft.** Article 53(1)(d) of Regulation (EU) 2024/1689 asks providers of general-purpose AI models for a "
        "public summary on the Commission's template. This fills in what was measured of one synthetic data set. It is "
        "no legal advice, and not the whole summary.",
        "",
        "| Asked | Answer |",
        "|---|---|",
        *(f"| {asked} | {answer} |" for asked, answer in rows),
    ]
    lineage = facts.figures(_LINEAGE)
    if lineage:
        parts += ["", "## What its rows say of where they come from", ""]
        parts += [f"- {markdown(each.sentence)}" for each in lineage]
    for heading, ids in (("Rights and personal data", _RIGHTS), ("Bias", _BIAS)):
        found = facts.about(ids)
        if found:
            parts += ["", f"## {heading}", ""]
            parts += [f"- {title}, {result.verdict}: {markdown(result.statement)}" for title, result in found]
    personal = facts.figures("copying.pii_share")
    parts += [f"- {markdown(each.sentence)}" for each in personal]
    parts += [
        "",
        f"Measured by {markdown(facts.tool)}, seed {facts.evidence.seed}, on {facts.written:%Y-%m-%d}.",
    ]
    return "\n".join(parts) + "\n"
