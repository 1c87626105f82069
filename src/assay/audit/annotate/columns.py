"""The columns that additive probes count: dear work done once per row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.copies import Copied
from assay.audit.annotate.phrases import Phrase, holds
from assay.audit.annotate.repeats import repeats
from assay.audit.annotate.roles import Answered, Asked, answered, asked
from assay.audit.rows import Bools, Index, Rows
from assay.kernels.exact import row_hashes
from assay.kernels.minhash import near_clusters


@dataclass(frozen=True)
class Columns:
    """One value per row, every array of shape (rows,).

    Attributes:
        exact_group, near_group: Rows of one group say the same, word for word or nearly.
        exact_repeat, near_repeat: An earlier row is of the same group.
        empty, refusal, repetition: Any answer of the row is.
        asked, answered: The same of the user's and of the assistant's turns.
        copied_tokens, near_copy: What the row shares with the real rows it was held against.
        parts: Label and slice columns by name; "" where the row has none.
        phrases: Which rows hold each of the phrases in question, by its text.
    """

    root: npt.NDArray[np.uint64]
    tokens: Index
    exact_group: npt.NDArray[np.uint64]
    near_group: Index
    exact_repeat: Bools
    near_repeat: Bools
    empty: Bools
    refusal: Bools
    repetition: Bools
    asked: Asked
    answered: Answered
    copied_tokens: Index
    near_copy: Bools
    parts: Mapping[str, npt.NDArray[np.str_]]
    phrases: Mapping[str, Bools]

    def __len__(self) -> int:
        return len(self.root)

    def take(self, index: Index) -> Columns:
        """The rows at `index`, what is known about each unchanged."""
        taken: dict[str, Any] = {}
        for field in fields(self):
            values = getattr(self, field.name)
            if isinstance(values, Mapping):
                taken[field.name] = {name: each[index] for name, each in values.items()}
            elif isinstance(values, np.ndarray):
                taken[field.name] = values[index]
            else:
                taken[field.name] = values.take(index)
        return Columns(**taken)

    def alone(self, index: Index) -> Columns:
        """The rows at `index` as if there were no others: only repeats of each other count."""
        return _with_repeats(self.take(index))


def annotate(rows: Rows, copied: Copied, phrases: Iterable[Phrase] = ()) -> Columns:
    """The columns of `rows`."""
    nowhere = np.zeros(len(rows), bool)
    found = answered(rows)
    unmarked = Columns(
        root=rows.root,
        tokens=rows.lengths,
        exact_group=row_hashes(rows.tokens),
        near_group=near_clusters(rows.tokens),
        exact_repeat=nowhere,
        near_repeat=nowhere,
        empty=(rows.lengths == 0) | (found.empty > 0),
        refusal=found.refusal > 0,
        repetition=found.repetition > 0,
        asked=asked(rows),
        answered=found,
        copied_tokens=copied.tokens,
        near_copy=copied.near >= 0,
        parts={name: _strings(values) for name, values in rows.parts.items()},
        phrases={phrase.text: holds(rows, phrase) for phrase in phrases},
    )
    return _with_repeats(unmarked)


def _with_repeats(columns: Columns) -> Columns:
    filled = columns.tokens > 0
    return replace(
        columns,
        exact_repeat=repeats(columns.exact_group, filled),
        near_repeat=repeats(columns.near_group, filled),
        asked=columns.asked.with_repeats(),
    )


def _strings(values: object) -> npt.NDArray[np.str_]:
    encoded = values.fill_null("").dictionary_encode()  # type: ignore[attr-defined]
    names = np.array(encoded.dictionary.to_pylist() or [""], dtype=np.str_)
    return names[encoded.indices.to_numpy()] if len(encoded) else np.zeros(0, names.dtype)
