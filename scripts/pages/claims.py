"""A page for each claim: the question, what decides it, the rule, what to do, and what to read."""

from __future__ import annotations

from assay.core.catalogue import define
from assay.core.claim import CLAIMS, Claim
from assay.core.verdict import actions
from pages.cells import WRITTEN, cell
from pages.measures import link, same, worse
from pages.places import commands


def pages() -> dict[str, str]:
    """`claims.md`, and `claims/ID.md` for each claim."""
    return {"claims.md": _index()} | {f"claims/{each.id}.md": _page(each) for each in CLAIMS}


def _index() -> str:
    lines = [
        WRITTEN,
        "",
        "# Claims",
        "",
        "The risks and benefits of synthetic training data, each asked the same way in every run. "
        "[How to read a verdict](verdict.md) says how they are decided.",
        "",
    ]
    for perspective in dict.fromkeys(each.perspective for each in CLAIMS):
        lines += [f"## {perspective.capitalize()}", "", "| claim | | question |", "|---|---|---|"]
        lines += [
            f"| [{each.title}](claims/{each.id}.md) | {each.kind} | {cell(each.question)} |"
            for each in CLAIMS
            if each.perspective == perspective
        ]
        lines += [""]
    return "\n".join(lines)


def _page(each: Claim) -> str:
    lines = [WRITTEN, "", f"# {each.title}", "", f"**{each.question}**", ""]
    lines += [
        f"A {each.kind}, seen from the perspective of {each.perspective}. In rules and records: `{each.id}`.",
        "",
    ]
    if not each.measures:
        lines += [f"Not measured by this version. {each.needs}", ""]
    else:
        ran = " and ".join(f"[`assay {name}`](../commands/{name}.md)" for name in commands(each.measures))
        lines += [
            "## How it is measured",
            "",
            f"By {ran}; [`assay run`](../commands/run.md) runs audit, trial and a short forecast together.",
        ]
        lines += [each.needs, "", "## What decides it", ""]
        lines += [
            "| measure | what it is | worse | counts as the same as its reference |",
            "|---|---|---|---|",
        ]
        for name in each.measures:
            of = define(name)
            past = same(of) + (" (can only leave it open)" if of.opens else "")
            lines += [f"| {link(name, '../')} | {cell(of.title)} | {worse(of)} | {past} |"]
        lines += ["", "## The rule", "", _RULES[each.kind], ""]
        lines += ["## What to do", "", "| verdict | next step |", "|---|---|"]
        lines += [f"| {word} | {cell(step)} |" for word, step in actions(each).items()]
        lines += [""]
    lines += ["## Literature", "", *(f"- [{title}]({address})" for title, address in each.literature), ""]
    return "\n".join(lines)


_RULES = {
    "risk": "*Harm* if one of these lies past its reference by more than counts as the same, surely: the share of false "
    "findings is held at 5 % over all measures of the run that decide a claim. *No harm* if every interval ends within "
    "what counts as the same. *Undecided* if an interval reaches across that line. More on [verdicts](../verdict.md).",
    "benefit": "*Helps* if one of these lies surely above nothing, with the share of false findings held at 5 % over all "
    "measures of the run that decide a claim. *Harm* if one lies surely below by more than counts as the same. *No harm* "
    "if every interval ends within it, and else *undecided*. More on [verdicts](../verdict.md).",
}
