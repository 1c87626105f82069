"""The record of a curation: `curate.json` is this model and nothing else."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Part):
    """One side as the run read it."""

    role: Literal["real", "synthetic"]
    name: str
    sha256: str
    rows: int


class Filtered(_Part):
    """One filter.

    Attributes:
        rows: Synthetic rows it left out.
        alone: Of these, rows that no other filter left out.
        overruled: Rows it would have left out, had a person not said otherwise.
    """

    name: str
    why: str
    rows: int
    alone: int
    overruled: int


class Balanced(_Part):
    """One column brought to the real shares; `rows` were set aside for it, `absent` are values no row was there for."""

    column: str
    rows: int
    real: dict[str, float]
    before: dict[str, float]
    after: dict[str, float]
    absent: dict[str, float]


class Written(_Part):
    """A file of the folder."""

    name: str
    rows: int
    sha256: str


class Curation(_Part):
    """What was kept, what was left out and why.

    Attributes:
        evidence_sha256: Of the run's `evidence.json`, with which all this can be checked.
        recommended: Share of synthetic rows that the evidence supports; `why` says what it rests on.
        asked: Share that a person asked for instead; None where nobody did.
        share: Share of synthetic rows in the training set as written.
        real_rows, synthetic_rows: Rows in the training set.
        real_rows_held_out: Real rows that are test rows or copy one.
        stale_answers: Answers about rows whose text has changed since; they did not count.
        balance: The column that was brought to the real shares, if one was.
        not_checked: Filters whose flag the run does not have.
        notes: What else to know.
        files: By what they hold: train, synthetic, set-aside.
    """

    schema_: Literal["assay.curate/1"] = "assay.curate/1"
    tool: str
    name: str
    seed: int
    evidence_sha256: str
    inputs: tuple[Source, ...]
    recommended: float
    asked: float | None
    share: float
    why: str
    real_rows: int
    real_rows_held_out: int
    synthetic_rows: int
    synthetic_rows_read: int
    synthetic_rows_passed: int
    filters: tuple[Filtered, ...]
    not_checked: tuple[str, ...]
    stale_answers: int
    balance: Balanced | None
    notes: tuple[str, ...]
    files: dict[str, Written]

    def to_json(self) -> str:
        """The text of `curate.json`."""
        return self.model_dump_json(indent=1)
