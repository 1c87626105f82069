"""Write the pages and the schema that follow from the code: run by `make docs`."""

import json
from pathlib import Path

from assay.core.catalogue import CATALOGUE
from assay.core.claim import CLAIMS
from assay.core.evidence import Evidence

ROOT = Path(__file__).resolve().parents[1]


def measures() -> str:
    """The page of all measures and claims."""
    lines = [
        "# Measures and claims",
        "",
        "Written by `make docs` from `core/catalogue.py` and `core/claim.py`.",
        "",
    ]
    lines += ["## Claims", ""]
    for claim in CLAIMS:
        lines += [
            f"### {claim.title} (`{claim.id}`, {claim.kind}, {claim.perspective})",
            "",
            claim.question,
            "",
        ]
        decided = ", ".join(f"`{name}`" for name in claim.measures)
        lines += [f"Decided by {decided}." if decided else f"Not measured. {claim.needs}", ""]
        lines += [f"[{title}]({link})" for title, link in claim.literature] + [""]
    lines += ["## Measures", ""]
    for each in CATALOGUE:
        tolerance = f"{each.tolerance:g}" + (" of the reference" if each.relative else "")
        lines += [
            f"### `{each.name}`",
            "",
            f"{each.title}. Unit: {each.unit}. Worse: {each.worse}. Tolerance: {tolerance}.",
            "",
            f"Formula: {each.formula}.",
            "",
            f"Source: {each.source}.",
            "",
        ]
    return "\n".join(lines)


def schema() -> str:
    """The JSON schema of `evidence.json`."""
    return json.dumps(Evidence.model_json_schema(by_alias=True), indent=1, sort_keys=True) + "\n"


PAGES = {ROOT / "docs" / "measures.md": measures, ROOT / "schema" / "evidence-1.json": schema}

if __name__ == "__main__":
    for path, text in PAGES.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(), encoding="utf-8")
