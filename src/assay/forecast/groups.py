"""Which groups of people the text of each generation mentions: shares drift although no loss need show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.engine.groups.lists import Lists
from assay.engine.groups.mentions import counted, holds
from assay.forecast.rows import texts_of
from assay.kernels.phrases import find
from assay.kernels.text import tokens
from assay.models.learner import Examples

SHARE = "forecast.group_share"
FEWEST = 30  # real rows that mention a group that is followed
MOST = 6  # groups that are followed, those first that most real rows mention


def of_group(label: str) -> str:
    """The name under which a generation keeps a group's share."""
    return f"{SHARE}/{label}"


@dataclass(frozen=True)
class GroupShares:
    """The groups that real rows mention often enough to be followed.

    Attributes:
        lists: What stands for each group.
        followed: Numbers of those that are followed.
    """

    lists: Lists
    followed: tuple[int, ...]

    @classmethod
    def of(cls, lists: Lists, real: Examples) -> GroupShares:
        """Choose by real rows; rows with labels are followed by their labels instead."""
        if real.labels is not None or not lists.groups:
            return cls(lists, ())
        mentions = _mentions(lists, real)
        rows = np.array([int(holds(mentions, group).sum()) for group in range(len(lists.groups))])
        # A theme of which one group alone is known has no shares to lose.
        contrasted = [
            group
            for group in np.flatnonzero(rows >= FEWEST).tolist()
            if (rows[list(lists.members(lists.groups[group].theme))] > 0).sum() > 1
        ]
        return cls(lists, tuple(sorted(sorted(contrasted, key=lambda group: -int(rows[group]))[:MOST])))

    def look(self, rows: Examples) -> dict[str, float]:
        """Of the rows that mention its theme the share that mention each group; NaN where none does."""
        if not self.followed:
            return {}
        mentions, found = _mentions(self.lists, rows), dict[str, float]()
        for group in self.followed:
            theme = self.lists.members(self.lists.groups[group].theme)
            any_of_it = int(np.any([holds(mentions, each) for each in theme], axis=0).sum())
            share = int(holds(mentions, group).sum()) / any_of_it if any_of_it else float("nan")
            found[of_group(self.lists.groups[group].label)] = share
        return found


def _mentions(lists: Lists, rows: Examples) -> npt.NDArray[np.uint8]:
    column = pa.array(texts_of(rows), pa.large_string())
    mentions, _ = counted(find(column, tokens(pa.chunked_array([column])), lists.book), len(rows), lists)
    return mentions
