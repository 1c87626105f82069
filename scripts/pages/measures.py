"""A page for each family of measures, a section for each measure, and a page that lists all."""

from __future__ import annotations

from itertools import groupby

from assay.core.catalogue import CATALOGUE, Definition
from assay.core.claim import CLAIMS
from pages.cells import WRITTEN, anchor, cell, sentence
from pages.places import commands, places

# What a family is about, and where more stands of it.
FAMILIES = {
    "duplicates": ("Duplicates", "rows that repeat other rows", "audit/diversity.md"),
    "diversity": ("Diversity", "how much there is to read, at equal tokens or rows", "audit/diversity.md"),
    "fidelity": ("Fidelity", "whether the synthetic rows look like the real ones", "audit/embedding.md"),
    "quality": ("Quality", "rows that are wrong or broken", "audit/content.md"),
    "preference": (
        "Preference pairs",
        "what the chosen answers have that the rejected ones lack",
        "audit.md",
    ),
    "copying": ("Copying", "what real rows, secrets and personal values come out again", "audit/copying.md"),
    "provenance": ("Provenance", "what rows say of where they come from", "audit/provenance.md"),
    "coverage": ("Coverage", "which parts of the real rows are thin", "audit/embedding.md"),
    "bias": ("Bias", "how groups of people are shown, and what a model makes of it", "bias.md"),
    "contamination": ("Contamination", "questions of an evaluation among the rows", "audit/evaluations.md"),
    "drift": ("Drift", "batches and times that move away", "audit/drift.md"),
    "trial": ("Trial", "what training on the rows does to a model", "trial.md"),
    "evaluation": ("Evaluation", "whether to believe the rest", "statistics.md"),
    "scaling": ("Scaling", "where more of it stops helping", "trial/scaling.md"),
    "forecast": ("Forecast", "what recursive training will do", "forecast.md"),
    "cost": ("Cost", "what rows and trainings take, and what a point of gain costs", "costs.md"),
}
_WORSE = {
    "higher": "higher is worse",
    "lower": "lower is worse",
    "either": "straying either way is worse",
    "none": "neither way is worse by itself",
}


def family(name: str) -> str:
    """``trial`` of ``trial.gap``."""
    return name.partition(".")[0]


def families() -> dict[str, str]:
    """Every family in the catalogue, with its title."""
    return {name: _about(name)[0] for name in sorted({family(each.name) for each in CATALOGUE}, key=_place)}


def link(name: str, below: str = "") -> str:
    """A link to a measure's section, from a page whose way to docs/ is `below`."""
    return f"[`{name}`]({below}measures/{family(name)}.md#{anchor(name)})"


def same(each: Definition) -> str:
    """How far past its reference a value may lie and count as the same, in words."""
    if each.unit in ("accuracy difference", "share of loss saved"):
        return "up to the margin (`--margin`)"
    if each.tolerance == 0:
        return "nothing past it"
    return (
        f"up to {100 * each.tolerance:g} % past it" if each.relative else f"up to {each.tolerance:g} past it"
    )


def worse(each: Definition) -> str:
    """Which way is worse, in words."""
    return _WORSE.get(str(each.worse), str(each.worse))


def pages() -> dict[str, str]:
    """`measures.md`, and `measures/FAMILY.md` for each family."""
    by_family = {
        name: tuple(some)
        for name, some in groupby(
            sorted(CATALOGUE, key=lambda each: _place(family(each.name))), lambda each: family(each.name)
        )
    }
    found = {"measures.md": _index(by_family)}
    for name, some in by_family.items():
        found[f"measures/{name}.md"] = _family(name, some)
    return found


def _place(family: str) -> tuple[int, str]:
    """In the order above, and families that do not stand there behind them."""
    return (list(FAMILIES).index(family) if family in FAMILIES else len(FAMILIES), family)


def _about(name: str) -> tuple[str, str, str]:
    return FAMILIES.get(name, (name.capitalize(), "", "architecture.md"))


def _index(by_family: dict[str, tuple[Definition, ...]]) -> str:
    lines = [
        WRITTEN,
        "",
        "# Measures",
        "",
        f"All {len(CATALOGUE)} measures by their names in `evidence.json`, in gates and in dashboards. A measure always "
        "comes with its interval, its unit, how many rows it rests on, how it was made, and, where there is one, the same "
        "measure of real rows against real rows. [How to read a verdict](verdict.md) says what is made of them.",
        "",
    ]
    for name, some in by_family.items():
        title, about, _ = _about(name)
        lines += [
            f"## {title}",
            "",
            sentence(about),
            "",
            "| measure | what it is | unit | worse |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {link(each.name)} | {cell(each.title)} | {cell(each.unit)} | {worse(each)} |" for each in some
        ]
        lines += [""]
    return "\n".join(lines)


def _family(name: str, some: tuple[Definition, ...]) -> str:
    title, about, more = _about(name)
    ran = ", ".join(
        f"[`assay {each}`](../commands/{each}.md)" for each in commands(tuple(each.name for each in some))
    )
    lines = [WRITTEN, "", f"# {title}", "", sentence(about)]
    lines += ["", f"Measured by {ran}. " * bool(ran) + f"More: [{more.removesuffix('.md')}](../{more}).", ""]
    for each in some:
        lines += _section(each)
    return "\n".join(lines)


def _section(each: Definition) -> list[str]:
    said = each.says.format(value="…", reference="…")
    decides = [f"[{claim.title}](../claims/{claim.id}.md)" for claim in CLAIMS if each.name in claim.measures]
    lines = [f"## `{each.name}`", "", f"**{sentence(each.title)}** In a report: *{said.strip()}.*", ""]
    lines += [f"- **Made**: {sentence(each.formula)}"]
    lines += [f"- **Unit**: {each.unit}; {worse(each)}."]
    lines += [f"- **Counts as the same** as its reference: {same(each)}."]
    if decides:
        opens = ", where it can leave the question open and harms nobody by itself" if each.opens else ""
        lines += [f"- **Decides**: {', '.join(decides)}{opens}."]
    else:
        lines += ["- **Decides** no claim; it is shown beside those that do."]
    for place in places(each.name):
        asks = " ".join(place.says.partition("\n\n")[0].split())
        lines += [f"- **In the code**: `{place.path}`: {asks}"]
    return [*lines, f"- **Source**: {sentence(each.source)}", ""]
