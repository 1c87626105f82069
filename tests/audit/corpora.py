"""Corpora whose truth is known: text from a word-frequency law, whole or spoilt on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from assay.audit.run import AuditResult, audit
from assay.core.canary import Canaries
from assay.core.corpus import Corpus, Origin, root_hash, schema
from assay.core.measure import Measure

LABELS = ("good", "bad", "mixed")
VOCABULARY = 3000
Row = tuple[str, str]  # text, label


def rows(number: int, seed: int) -> list[Row]:
    """Rows of 12 to 40 words of a Zipf-like vocabulary; each label has words of its own."""
    rng = np.random.default_rng(seed)
    rates = 1 / (np.arange(VOCABULARY) + 10)
    made = []
    for _ in range(number):
        words = [f"w{word}" for word in rng.choice(VOCABULARY, rng.integers(12, 40), p=rates / rates.sum())]
        label = LABELS[rng.integers(len(LABELS))]
        made.append((" ".join([*words[:-1], label + words[-1]]).capitalize() + ".", label))
    return made


def write(folder: Path, made: Sequence[Row], name: str, origin: Origin, roots: Sequence[str] = ()) -> Corpus:
    """The rows as a corpus; without `roots`, each is its own."""
    number = len(made)
    columns = {
        "text": [text for text, _ in made],
        "label": [label for _, label in made],
        "root": [root_hash(root) for root in roots or [f"{name} {row}" for row in range(number)]],
        "file": [name] * number,
        "line": list(range(1, number + 1)),
        "row": list(range(number)),
    }
    filled = {field.name: columns.get(field.name, [None] * number) for field in schema()}
    batch = pa.RecordBatch.from_pydict(filled, schema=schema())
    return Corpus.write(folder / name, [batch], name=name, origin=origin, shape="text-label")


def audited(
    folder: Path,
    real: Sequence[Row],
    synthetic: Sequence[Row],
    *,
    holdout: Sequence[Row] = (),
    planted: Canaries | None = None,
    span: int = 50,
    seed: int = 0,
) -> AuditResult:
    """The audit of `synthetic` against `real`, a fifth of which is the reference."""
    cut = len(real) * 4 // 5
    return audit(
        write(folder, real[:cut], "real", "real"),
        write(folder, real[cut:], "reference", "real"),
        write(folder, synthetic, "synthetic", "synthetic"),
        folder / "out",
        holdout=write(folder, holdout, "holdout", "real") if holdout else None,
        planted=planted,
        span=span,
        seed=seed,
    )


def find(result: AuditResult, name: str, slice: dict[str, str] | None = None) -> Measure:
    return next(each for each in result.measures if each.name == name and each.slice == slice)


def some(made: Sequence[Row], dose: float, spoil: Callable[[int, str], str]) -> list[Row]:
    """`made` with the first `dose` of its rows spoilt."""
    number = round(len(made) * dose)
    return [(spoil(i, text), label) if i < number else (text, label) for i, (text, label) in enumerate(made)]
