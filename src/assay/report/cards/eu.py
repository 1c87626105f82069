"""A draft of what the public summary of training content says of synthetic data (EU AI Act, Art. 53(1)(d)).

Source: European Commission, C(2025) 8311 final of 5 December 2025, Explanatory Notice and Template for the Public
Summary of Training Content for general-purpose AI models (first published on 24 July 2025), section 2.5.
"""

from __future__ import annotations

from assay.core.words import count
from assay.report.cards.facts import Facts
from assay.report.escape import markdown

TEMPLATE = "C(2025) 8311 final of 5 December 2025 (first published on 24 July 2025)"
_OPEN = "_not measured; for the provider to fill in_"
_LINEAGE = "provenance."
_RIGHTS = ("copying", "provenance", "contamination")
_BIAS = ("representativeness", "bias-amplification")


def render(facts: Facts) -> str:
    """Markdown, in the order of the template's section. What only the provider can know is left open, and said to be."""
    asked = [
        (
            "Was AI-generated data made by the provider, or on its behalf, to train the model? (yes, no)",
            _OPEN,
        ),
        ("Modality", "text"),
        (
            "General-purpose AI models that made it, where they are on the market, with links to their summaries",
            _OPEN,
        ),
        (
            "Other AI models that made it, the provider's own among them, with what is known of their training data",
            _OPEN,
        ),
    ]
    data = facts.data
    parts = [
        "# Section 2.5, Synthetic data: draft for the public summary of training content",
        "",
        "> **Draft.** Article 53(1)(d) of Regulation (EU) 2024/1689 asks providers of general-purpose AI models for a "
        f"public summary on the Commission's template. This follows the template {TEMPLATE}, in our own words, and "
        "fills in what was measured of one data set. It is no legal advice, and one section of many.",
        "",
        "Section 2.5 is meant for rows that a model wrote and another one is trained on. Rows that a model only cleaned "
        "or annotated do not belong here, nor do data sets that others made and published for all (section 2.1).",
        "",
        "| Asked | Answer |",
        "|---|---|",
        *(f"| {question} | {answer} |" for question, answer in asked),
        "",
        "## Additional comments (optional): what was measured",
        "",
        f"- Data set: {markdown(data.name)}, {count(data.rows, 'row')}, {data.bytes:,} bytes",
        f"- Form of the rows: {markdown(data.shape)}",
        f"- SHA-256{'' if facts.file else ' of the list of its files'}: `{data.sha256}`",
    ]
    lineage = facts.figures(_LINEAGE)
    if lineage:
        parts += ["", "### What its rows say of where they come from", ""]
        parts += [f"- {markdown(each.sentence)}" for each in lineage]
    personal = facts.figures("copying.pii_share")
    for heading, ids, figures in (
        ("Rights and personal data", _RIGHTS, personal),
        ("Bias", _BIAS, ()),
    ):
        claims = facts.about(ids)
        if claims or figures:
            parts += ["", f"### {heading}", ""]
            parts += [
                f"- {title}, {result.verdict}: {markdown(result.statement)}" for title, result in claims
            ]
            parts += [f"- {markdown(each.sentence)}" for each in figures]
    parts += [
        "",
        f"Measured by {markdown(facts.tool)}, seed {facts.evidence.seed}, on {facts.written:%Y-%m-%d}.",
    ]
    return "\n".join(parts) + "\n"
