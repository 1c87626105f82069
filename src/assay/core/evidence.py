"""Evidence: the record of a run. `evidence.json` is this model and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.core.trial import Trial

SCHEMA_NAME = "assay.evidence/1"
VerdictWord = Literal["harm", "no harm", "helps", "undecided", "not measured"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)


class Tool(_Part):
    """Which Assay made the record."""

    version: str
    commit: str | None


class Input(_Part):
    """One input as it was read."""

    role: Literal[
        "real",
        "synthetic",
        "test",
        "holdout",
        "shifted",
        "general",
        "eval",
        "points",
        "scores",
        "answers",
        "labels",
    ]
    name: str
    sha256: str
    rows: int
    rows_unread: int
    bytes: int
    shape: str


class ClaimResult(_Part):
    """A claim decided: the verdict, the measures that decided it, one sentence, one next step."""

    id: str
    kind: Literal["risk", "benefit"]
    perspective: Literal["quality", "bias", "evaluation"]
    verdict: VerdictWord
    because: tuple[str, ...]
    statement: str
    action: str


class Loss(_Part):
    """Rows that were set aside: which, why, how many, and some of them."""

    what: str
    why: str
    rows: int
    examples: tuple[str, ...] = ()


class Costs(_Part):
    """What the run cost."""

    seconds: float = 0.0
    usd: float = 0.0


class Evidence(_Part):
    """Everything a run found; report, gate and comparison read this and nothing else."""

    schema_: Literal["assay.evidence/1"] = Field(default="assay.evidence/1", alias="schema")
    tool: Tool
    seed: int
    inputs: tuple[Input, ...]
    measures: tuple[Measure, ...]
    trials: tuple[Trial, ...]
    claims: tuple[ClaimResult, ...]
    costs: Costs
    losses: tuple[Loss, ...]

    def find(
        self, name: str, corpus: str | None = "any", slice: dict[str, str] | None = None
    ) -> Measure | None:
        """The measure of that name and slice, or None if the run has none."""
        for measure in self.measures:
            if measure.name == name and measure.slice == slice and corpus in ("any", measure.corpus):
                return measure
        return None

    def sliced(self, name: str) -> list[Measure]:
        """All measures of that name that speak of a slice, in their order."""
        return [measure for measure in self.measures if measure.name == name and measure.slice is not None]

    def to_json(self) -> str:
        """The text of `evidence.json`."""
        return self.model_dump_json(by_alias=True, indent=1)


# Example rows stand beside the findings in `rows/examples.parquet`, so that evidence stays small.
EXAMPLES = pa.schema(
    [
        pa.field("measure", pa.string()),
        pa.field("slice", pa.string()),  # JSON of the measure's slice, or null
        pa.field("corpus", pa.string()),  # whose row it is
        pa.field("row", pa.int64()),
        pa.field("text", pa.large_string()),
        pa.field("beside", pa.large_string()),  # the row it resembles or stands against, or null
        pa.field("start", pa.int32()),  # byte span in `text` that is meant, or null
        pa.field("end", pa.int32()),
        pa.field("note", pa.string()),
    ]
)


class Run:
    """A folder written by `assay run`: evidence, settings, rows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "evidence.json"
        try:
            self.evidence = Evidence.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise InputError(
                "no evidence.json here",
                where=str(folder),
                fix="Give the folder that `assay run --out` wrote.",
            ) from None
        except ValidationError as error:
            raise InputError(f"not evidence of schema {SCHEMA_NAME}: {error}", where=str(path)) from error

    @property
    def settings(self) -> str:
        """The text of `study.toml`, with which the run can be repeated; empty if it is gone."""
        path = self.folder / "study.toml"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def corpus(self, role: Literal["real", "synthetic", "test"]) -> Corpus:
        """The rows of one side as the run read them, whatever has become of the files since.

        Raises: InputError: they are gone.
        """
        digest = next((each.sha256 for each in self.evidence.inputs if each.role == role), None)
        found = sorted(self.folder.glob(f"steps/read-{role}-*"), key=lambda each: each.stat().st_mtime)
        for folder in reversed(found):
            card = folder / "read.json"
            if card.exists() and json.loads(card.read_text(encoding="utf-8"))["sha256"] == digest:
                return Corpus.open(folder)
        raise InputError(
            f"the {role} rows of this run are gone", where=str(self.folder / "steps"), fix="Run it again."
        )

    def examples(self) -> pa.Table:
        """Example rows of the findings, columns as in `EXAMPLES`."""
        path = self.folder / "rows" / "examples.parquet"
        return pq.read_table(path) if path.exists() else EXAMPLES.empty_table()
