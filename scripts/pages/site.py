"""The generated pages in the navigation of the site: what stands between the marks in zensical.toml."""

from __future__ import annotations

import re

from assay.core.claim import CLAIMS
from pages import commands, measures, probes


def navigation(settings: str) -> str:
    """`zensical.toml` with its marked parts as they follow from the code."""
    for name, lines in {
        "claims": _claims(),
        "commands": _commands(),
        "measures": _measures(),
        "probes": _probes(),
    }.items():
        settings, found = re.subn(
            rf"(?<=^# begin {name}\n).*?(?=^# end {name}$)",
            "".join(f"{line}\n" for line in lines),
            settings,
            flags=re.DOTALL | re.MULTILINE,
        )
        assert found == 1, f"zensical.toml has no marks for {name}"
    return settings


def _claims() -> list[str]:
    lines = []
    for perspective in dict.fromkeys(each.perspective for each in CLAIMS):
        lines += [f'    {{ "{perspective.capitalize()}" = [']
        lines += [
            f'      {{ "{each.title}" = "claims/{each.id}.md" }},'
            for each in CLAIMS
            if each.perspective == perspective
        ]
        lines += ["    ] },"]
    return lines


def _commands() -> list[str]:
    return [f'      {{ "assay {name}" = "{commands.path(name)}" }},' for name, _, _ in commands.named()]


def _measures() -> list[str]:
    return [f'      {{ "{title}" = "measures/{name}.md" }},' for name, title in measures.families().items()]


def _probes() -> list[str]:
    return [f'      {{ "{probes.title(name)}" = "probes/{name}.md" }},' for name in probes.probes()]
