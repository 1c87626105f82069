"""Evaluations for tests: items of made words, and corpora that hold some of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assay.audit.contamination import Contamination, contamination
from assay.audit.evals import Eval, index
from assay.audit.rows import Rows, open_rows
from assay.core.measure import Measure
from tests.audit.corpora import rows, write

VERBATIM, REPHRASED = "contamination.ngram_share", "contamination.rephrased_share"


def texts(number: int, seed: int) -> list[str]:
    return [text for text, _ in rows(number, seed)]


def opened(folder: Path, made: Sequence[str], name: str) -> Rows:
    return open_rows(write(folder, [(text, "") for text in made], name, "synthetic"))


def made_eval(folder: Path, items: Sequence[str], name: str = "quiz", *, ngram: int = 13) -> Eval:
    corpus = write(folder, [(text, "") for text in items], f"eval {name}", "real")
    return index(corpus, name, ngram=ngram)


def searched(folder: Path, each: Eval, ours: Sequence[str], real: Sequence[str]) -> Contamination:
    return contamination([each], opened(folder, ours, "ours"), opened(folder, real, "real"))


def the(found: Contamination, name: str) -> Measure:
    return next(measure for measure in found.measures if measure.name == name)
