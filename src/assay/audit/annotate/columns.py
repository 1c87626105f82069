"""The columns that additive probes count: dear work done once per row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.audit.annotate.copies import Copied
from assay.audit.annotate.phrases import Phrase, holds
from assay.audit.annotate.refusals import refuses
from assay.audit.annotate.regions import NO_REGIONS, Regions
from assay.audit.annotate.repeats import repeats
from assay.audit.annotate.repetition import repeats_itself
from assay.audit.rows import Bools, Index, Rows
from assay.kernels.exact import row_hashes
from assay.kernels.minhash import near_clusters
from assay.kernels.text import tokens


@dataclass(frozen=True)
class Columns:
    """One value per row, every array of shape (rows,).

    Attributes:
        exact_group, near_group: Rows of one group say the same, word for word or nearly.
        exact_repeat, near_repeat: An earlier row is of the same group.
        copied_tokens, near_copy: What the row shares with the real rows it was held against.
        parts: Label and slice columns by name; "" where the row has none.
        phrases: Which rows hold each of the phrases in question, by its text.
        region: Region of the real data that the row lies in, or -1.
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
    copied_tokens: Index
    near_copy: Bools
    parts: Mapping[str, npt.NDArray[np.str_]]
    phrases: Mapping[str, Bools]
    region: Index

    def __len__(self) -> int:
        return len(self.root)

    def take(self, index: Index) -> Columns:
        """The rows at `index`, what is known about each unchanged."""
        taken: dict[str, Any] = {}
        for field in fields(self):
            values = getattr(self, field.name)
            if isinstance(values, Mapping):
                taken[field.name] = {name: each[index] for name, each in values.items()}
            else:
                taken[field.name] = values[index]
        return Columns(**taken)

    def alone(self, index: Index) -> Columns:
        """The rows at `index` as if there were no others: only repeats of each other count."""
        return _with_repeats(self.take(index))


def annotate(
    rows: Rows, copied: Copied, phrases: Iterable[Phrase] = (), regions: Regions = NO_REGIONS
) -> Columns:
    """The columns of `rows`."""
    nowhere = np.zeros(len(rows), bool)
    unmarked = Columns(
        root=rows.root,
        tokens=rows.lengths,
        exact_group=row_hashes(rows.tokens),
        near_group=near_clusters(rows.tokens),
        exact_repeat=nowhere,
        near_repeat=nowhere,
        empty=(rows.lengths == 0) | (np.diff(tokens(rows.answer).offsets) == 0),
        refusal=refuses(rows.answer),
        repetition=repeats_itself(rows.tokens),
        copied_tokens=copied.tokens,
        near_copy=copied.near >= 0,
        parts={name: _strings(values) for name, values in rows.parts.items()},
        phrases={phrase.text: holds(rows, phrase) for phrase in phrases},
        region=regions.of(rows),
    )
    return _with_repeats(unmarked)


def _with_repeats(columns: Columns) -> Columns:
    filled = columns.tokens > 0
    return replace(
        columns,
        exact_repeat=repeats(columns.exact_group, filled),
        near_repeat=repeats(columns.near_group, filled),
    )


def _strings(values: object) -> npt.NDArray[np.str_]:
    encoded = values.fill_null("").dictionary_encode()  # type: ignore[attr-defined]
    names = np.array(encoded.dictionary.to_pylist() or [""], dtype=np.str_)
    return names[encoded.indices.to_numpy()] if len(encoded) else np.zeros(0, names.dtype)
