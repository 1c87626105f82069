"""Recipe: which corpora in which shares make a training set."""

from pydantic import BaseModel, ConfigDict


class Recipe(BaseModel):
    """A training set as multiples of the budget, the real training rows one seed may use.

    Attributes:
        real: Real rows / budget. Above 1, the budget's rows are repeated.
        synthetic: Synthetic rows / budget.
        placebo: Placebo rows / budget: the words of synthetic rows without their order.
        fix: How its synthetic rows were chosen or weighted against bias; empty as they come.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    real: float = 0.0
    synthetic: float = 0.0
    placebo: float = 0.0
    fix: str = ""

    @property
    def synthetic_share(self) -> float:
        """Share of the training rows that is synthetic, 0 to 1."""
        return self.synthetic / (self.real + self.synthetic + self.placebo)
