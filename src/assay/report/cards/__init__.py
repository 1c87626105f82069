"""Cards: what was measured of a data set, in the forms that travel with it. No field is filled that was not measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.core.errors import InputError
from assay.core.evidence import Run
from assay.report.cards import croissant, dataset_card, eu, spdx
from assay.report.cards.facts import facts

FILES = {
    "card": "README.md",
    "croissant": "croissant.json",
    "spdx": "dataset.spdx.json",
    "eu": "eu-summary.md",
}


def write(run: Run, kinds: Sequence[str], folder: Path) -> list[Path]:
    """Write or bring up to date the cards of these kinds (keys of `FILES`) in the folder of the data set.

    What a person wrote into README.md outside the markers, or into croissant.json, stays.

    Raises: InputError: the run has no synthetic data, or a file there cannot be kept.
    """
    written = []
    for kind in kinds:
        path = folder / FILES[kind]
        before = _read(path)
        found = facts(run)
        if kind == "card":
            text = dataset_card.update(before, found)
        elif kind == "croissant":
            text = _json(croissant.update(_parsed(before, path), found))
        elif kind == "spdx":
            text = _json(spdx.document(found))
        else:
            text = eu.render(found)
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8: {error}", where=str(path), fix="Move it away, or give --into."
        ) from error


def _parsed(text: str, path: Path) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error}", where=str(path), fix="Mend it or move it away.") from error
    if not isinstance(found, dict):
        raise InputError("not a JSON object", where=str(path), fix="Move it away.")
    return found


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
