"""Made rows with what `corpora.write` leaves empty: lineage, prompt, batch, generation, time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from assay.audit.run import AuditResult, audit
from assay.core.corpus import Corpus, Origin, root_hash, schema
from tests.audit.corpora import Row
from tests.audit.corpora import write as write_plain

LINEAGE = {
    "generator": "SmolLM2-135M-Instruct.Q4_1",
    "generator_sha256": "b179",
    "prompt_style": "turns",
    "seed_rows": ["real.jsonl:1"],
    "licence": "Apache-2.0",
    "created": "2026-11-23",
}


def write(
    folder: Path,
    made: Sequence[Row],
    name: str,
    origin: Origin,
    extras: Sequence[Mapping[str, Any] | None] = (),
    roots: Sequence[str] = (),
    **columns: Sequence[Any],
) -> Corpus:
    """The rows as a corpus with these columns besides."""
    number = len(made)
    filled = {
        **{field.name: [None] * number for field in schema()},
        "text": [text for text, _ in made],
        "label": [label for _, label in made],
        "root": [root_hash(root) for root in roots or [f"{name} {row}" for row in range(number)]],
        "row": list(range(number)),
        "extras": [json.dumps(each) if each else None for each in extras] or [None] * number,
        **columns,
    }
    batch = pa.RecordBatch.from_pydict(filled, schema=schema())
    return Corpus.write(folder / name, [batch], name=name, origin=origin, shape="text-label")


def audited(
    folder: Path, real: Sequence[Row], synthetic: Corpus, *, student: str | None = None
) -> AuditResult:
    """The audit of `synthetic` against made real rows."""
    cut = len(real) * 4 // 5
    return audit(
        write_plain(folder, real[:cut], "real", "real"),
        write_plain(folder, real[cut:], "reference", "real"),
        synthetic,
        folder / "out",
        student=student,
    )
