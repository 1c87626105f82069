"""Files made from real rows: what a model writes in their manner, and copies with secrets planted among them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.errors import InputError
from assay.core.progress import Progress, silent
from assay.study.job import Job
from assay.study.settings import Study
from assay.study.sides import read_side

if TYPE_CHECKING:
    from assay.canary.plant import PlantResult
    from assay.generate.generate import GenerateResult


def generate(
    sources: tuple[str, ...],
    out: Path,
    *,
    rows: int,
    recipe: str,
    model: str,
    about: str,
    seed: int,
    columns: dict[str, str],
    progress: Progress = silent,
) -> GenerateResult:
    """Read labelled real rows and let a model write `rows` more of their kind into the JSONL file `out`.

    Raises: InputError: the recipe is unknown, the rows carry no labels, or `out` holds other rows.
    """
    from assay.generate.fewshot import NAME, FewShotByLabel
    from assay.generate.generate import generate as write
    from assay.models.endpoint import open_model

    if recipe != NAME:
        raise InputError(f"no recipe is called {recipe!r}", fix=f"Use --recipe {NAME}.")
    job = Job(
        Study(real=sources, columns=columns), out.parent, progress, aside=out.with_name(f".{out.name}.steps")
    )
    real = read_side(job, "real", sources).corpus
    with open_model(model) as writer:
        return write(
            real,
            recipe=FewShotByLabel(about=about),
            model=writer,
            rows=rows,
            out=out,
            seed=seed,
            progress=progress,
        )


def plant(
    sources: tuple[str, ...],
    out: Path,
    *,
    number: int,
    words: int,
    copies: int,
    seed: int,
    columns: dict[str, str],
    progress: Progress = silent,
) -> PlantResult:
    """Copy real rows into the JSONL file `out` with `number` canaries planted among them, and write their key.

    Raises: InputError: too few rows, or too few words in them, to draw canaries from.
    """
    from assay.canary.plant import plant as write

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as aside:
        job = Job(Study(real=sources, columns=columns), out.parent, progress, aside=Path(aside))
        real = read_side(job, "real", sources).corpus
        return write(
            sources, real, out, number=number, words=words, copies=copies, seed=seed, progress=progress
        )
