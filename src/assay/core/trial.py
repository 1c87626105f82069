"""Trial: one learner trained on one recipe with one seed, and what came of it."""

from pydantic import BaseModel, ConfigDict

from assay.core.recipe import Recipe


class Cost(BaseModel):
    """What a training took: wall seconds of this trial's part, training tokens, floating-point operations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = 0.0
    tokens: int = 0
    flops: float = 0.0


class Trial(BaseModel):
    """One training and its mean scores on the held-out real test set."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    learner: str
    recipe: Recipe
    seed: int
    score: dict[str, float]
    cost: Cost
