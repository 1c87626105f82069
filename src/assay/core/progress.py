"""How long work tells whoever is waiting where it stands."""

from typing import Protocol


class Progress(Protocol):
    """Called with the stage's name, what is done and what there is to do, in `unit`."""

    def __call__(self, stage: str, done: int, total: int | None, unit: str = "rows") -> None: ...


def silent(stage: str, done: int, total: int | None, unit: str = "rows") -> None:
    """The progress of someone who does not want to know."""
