"""Regimes: what the next generation is trained on, as rows of what there is by then.

Source 0 are the real rows of the start, source g (1, 2, ...) the rows that generation g - 1 wrote, and `FRESH` are
real rows that nobody has seen yet. A regime knows counts and sources only, so it serves text, labels and numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from assay.core import words
from assay.core.errors import InputError
from assay.models.learner import Sampling

Kind = Literal["replace", "accumulate", "subsample", "mixed", "fresh", "selected"]
Drawn = list[tuple[int, npt.NDArray[np.int64]]]

REAL, FRESH = 0, -1
CANDIDATES = 2  # rows written for each that selection keeps


@dataclass(frozen=True)
class Regime:
    """How generations follow each other.

    Attributes:
        kind: `replace` keeps only the last generation's rows. `accumulate` keeps all rows, so the training set grows.
            `subsample` keeps all rows and trains on as many of them as there were at the start. `mixed` puts a share
            of the real rows of the start, always the same ones, beside the last generation's; `fresh` puts as many new
            real rows. `selected` keeps the best half of twice as many rows of the last generation.
        share: Real rows of `mixed` and `fresh`, 0 to 1.
        sampling: How its text is drawn, where it is not as everywhere else.
    """

    kind: Kind
    share: float = 0.0
    sampling: Sampling | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InputError(f"a share of {self.share} real rows is not between 0 and 1")

    @property
    def name(self) -> str:
        """As it stands in measures: ``mixed 10 %``, ``replace, temperature 0.7``."""
        name = f"{self.kind} {words.share(self.share)}" if self.kind in ("mixed", "fresh") else self.kind
        return name if self.sampling is None else f"{name}, {told(self.sampling)}"

    @property
    def candidates(self) -> int:
        """Rows written for each that is kept."""
        return CANDIDATES if self.kind == "selected" else 1

    def rows(self, generation: int, budget: int) -> int:
        """Rows that a generation is trained on."""
        return budget * (generation + 1) if self.kind == "accumulate" else budget

    def real_rows(self, generation: int, budget: int) -> int:
        """How many of them are real; of `subsample`, on average."""
        if generation == 0:
            return budget
        return {
            "accumulate": budget,
            "subsample": budget // (generation + 1),
            "mixed": round(self.share * budget),
            "fresh": round(self.share * budget),
        }.get(self.kind, 0)

    def draw(self, generation: int, budget: int, reserve: int, rng: np.random.Generator) -> Drawn:
        """Which rows of which source a generation is trained on.

        Args:
            generation: 1 is the first that sees rows of another.
            budget: Rows of the start; every generation writes as many.
            reserve: Real rows beside those of the start, which `fresh` takes in order and, when all are used, again.
        Raises: InputError: `fresh` without a reserve.
        """
        whole = np.arange(budget)
        if self.kind == "accumulate":
            return [(source, whole) for source in range(generation + 1)]
        if self.kind == "subsample":
            chosen = np.sort(rng.permutation(budget * (generation + 1))[:budget])
            parts = ((source, chosen[chosen // budget == source]) for source in range(generation + 1))
            return [(source, part % budget) for source, part in parts if len(part)]
        real = self.real_rows(generation, budget)
        written: Drawn = [(generation, whole[: budget - real])] if real < budget else []
        if not real:
            return written
        if self.kind == "mixed":
            return [(REAL, whole[:real]), *written]
        if not reserve:
            raise InputError("fresh real rows need real rows beside those of the start")
        return [(FRESH, (np.arange(real) + (generation - 1) * real) % reserve), *written]


def told(sampling: Sampling) -> str:
    """What is not as usual about a way of drawing text."""
    parts = [
        f"temperature {sampling.temperature:g}" if sampling.temperature != 1 else "",
        f"top-p {sampling.top_p:g}" if sampling.top_p != 1 else "",
        f"{sampling.beams} beams" if sampling.beams > 1 else "",
    ]
    return ", ".join(part for part in parts if part) or "plain draws"


def short() -> tuple[Regime, ...]:
    """The worst case and the realistic one."""
    return (Regime("replace"), Regime("subsample"))


def full(share: float = 0.1) -> tuple[Regime, ...]:
    """All of them, with this share of real rows where a regime has one."""
    return (
        *short(),
        Regime("accumulate"),
        Regime("mixed", share),
        Regime("fresh", share),
        Regime("selected"),
    )


def drawn_otherwise(sampling: Sampling) -> tuple[Regime, ...]:
    """Replacement with text drawn more carefully, which is how collapse is usually hastened."""
    cooler = replace(sampling, temperature=0.7 * sampling.temperature)
    nucleus = replace(sampling, top_p=0.9 * sampling.top_p)
    return (Regime("replace", sampling=cooler), Regime("replace", sampling=nucleus))
