"""Canaries: made-up secrets planted among real rows, and the key that finds them again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assay.core.errors import InputError


class Canary(BaseModel):
    """The beginning of a real row and a secret that goes on from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str
    secret: str

    @property
    def text(self) -> str:
        """What the row says."""
        return f"{self.prefix} {self.secret}"


class Canaries(BaseModel):
    """The key file.

    Attributes:
        words: Words of each secret.
        planted: Stand in the corpus, each `copies` times.
        controls: Drawn in the same way and planted nowhere: what is found of them is chance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Literal["assay.canaries/1"] = Field(default="assay.canaries/1", alias="schema")
    seed: int
    words: int = Field(ge=2)
    copies: int = Field(default=1, ge=1)
    planted: tuple[Canary, ...] = Field(min_length=2)
    controls: tuple[Canary, ...] = Field(min_length=2)

    @classmethod
    def load(cls, path: Path) -> Canaries:
        """The key in a file. Raises: InputError: it is missing or holds none."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise InputError("no such file", where=str(path)) from None
        except ValidationError as error:
            raise InputError(
                f"not a key of canaries: {error}",
                where=str(path),
                fix="Give the *.canaries.json that `assay canary plant` wrote.",
            ) from error

    def to_json(self) -> str:
        """The text of the key file."""
        return self.model_dump_json(by_alias=True, indent=1) + "\n"
