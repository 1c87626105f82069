"""Write the pages and the schema that follow from the code, or say which are stale.

python scripts/docs.py            # write them; what no longer follows from anything is deleted
python scripts/docs.py --check    # change nothing; exit code 1 if one is stale
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pages import claims, commands, measures, probes, site

from assay.core.evidence import Evidence

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("claims", "commands", "measures", "probes")  # below docs/: nothing in them is written by hand


def wanted() -> dict[Path, str]:
    """Every generated file and its text."""
    pages = claims.pages() | commands.pages() | measures.pages() | probes.pages()
    schema = json.dumps(Evidence.model_json_schema(by_alias=True), indent=1, sort_keys=True) + "\n"
    settings = ROOT / "zensical.toml"
    return {ROOT / "docs" / name: text for name, text in pages.items()} | {
        ROOT / "schema" / "evidence-1.json": schema,
        settings: site.navigation(settings.read_text(encoding="utf-8")),
    }


def main(arguments: list[str]) -> int:
    """0, or 1 if `--check` found something stale."""
    files = wanted()
    stale = [
        path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    gone = [path for folder in FOLDERS for path in (ROOT / "docs" / folder).glob("*.md") if path not in files]
    if "--check" in arguments:
        for path in (*stale, *gone):
            print(f"stale: {path.relative_to(ROOT)}; run `make docs`")
        return 1 if stale or gone else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    for path in gone:
        path.unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
