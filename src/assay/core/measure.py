"""Measure: a number with its interval, unit, method and reference, or the reason there is none."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Worse = Literal["higher", "lower", "either", "none"]


class Reference(BaseModel):
    """The same measure, real data against real data: what "nothing is wrong" looks like here."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    low: float
    high: float


class Measure(BaseModel):
    """One measured number, as it stands in `evidence.json`.

    Attributes:
        name: A name from `core.catalogue`, such as ``diversity.distinct_2``.
        corpus: ``real``, ``synthetic`` or another corpus; None for measures of a pair or a trial.
        slice: The part of the data meant, such as ``{"label": "refund"}``; None means all of it.
        low, high: Bounds of the interval at `level`.
        n: How many units (rows, tokens, test items) the value rests on.
        worse: Which way is worse.
        left_out: Rows that did not count, by reason.
        missing: Why there is no value. Exactly one of `value` and `missing` is set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    corpus: str | None = None
    slice: dict[str, str] | None = None
    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    n: int = 0
    unit: str
    worse: Worse
    reference: Reference | None = None
    method: str
    left_out: dict[str, int] = Field(default_factory=dict)
    missing: str | None = None

    @model_validator(mode="after")
    def _value_or_reason(self) -> Measure:
        if (self.value is None) == (self.missing is None):
            raise ValueError(f"{self.name}: a measure has either a value or the reason why it is missing")
        if self.value is not None and (self.low is None or self.high is None):
            raise ValueError(f"{self.name}: a value never travels without its interval")
        return self
