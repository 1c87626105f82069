"""Step: name, settings and input fingerprints decide a folder; what stands there is never made twice.

A step writes into a folder beside its final one and is renamed when whole, so a kill costs at most the
step that was running and nothing half-written is ever taken for whole.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import StepError

_RECORD = "record.json"


@dataclass(frozen=True)
class Step:
    """Work that is done once per combination of its name, settings, inputs and the code itself.

    Attributes:
        settings: What the result depends on besides the inputs; must be JSON.
        inputs: Fingerprints of what the step reads.
        work: Writes the output into the folder it is given.
    """

    name: str
    settings: Mapping[str, Any]
    inputs: tuple[str, ...]
    work: Callable[[Path], None]

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits that stand for everything the output depends on."""
        facts = json.dumps([self.name, dict(self.settings), self.inputs, code_fingerprint()], sort_keys=True)
        return hashlib.sha256(facts.encode()).hexdigest()[:12]

    def run(self, steps: Path) -> Path:
        """The folder with the output, made now unless it stands already.

        Raises: StepError: the folder exists but was not finished by a step.
        """
        final = steps / f"{self.name}-{self.key}"
        if final.exists():
            if not (final / _RECORD).exists():
                raise StepError("folder without its record", where=str(final), fix="Delete it and run again.")
            return final
        aside = steps / f".{final.name}.{os.getpid()}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        started = time.perf_counter()
        try:
            self.work(aside)
            record = {
                "name": self.name,
                "settings": dict(self.settings),
                "inputs": self.inputs,
                "code": code_fingerprint(),
                "seconds": round(time.perf_counter() - started, 3),
            }
            (aside / _RECORD).write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
            try:
                aside.rename(final)
            except OSError:
                # Another process finished the same step first; equal keys mean equal output.
                if not (final / _RECORD).exists():
                    raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        return final


def seconds_spent(folder: Path) -> float:
    """Wall seconds the step in `folder` took when it was made."""
    return float(json.loads((folder / _RECORD).read_text(encoding="utf-8"))["seconds"])


@functools.cache
def code_fingerprint() -> str:
    """SHA-256 over the package's own source: other code, other steps."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
