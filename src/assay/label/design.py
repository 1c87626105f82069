"""Which rows to label, in which order: drawn once, from a seed, and recorded.

Rows fall into strata by what the audit said of them. Within a stratum the order is random, and the strata take
turns, so wherever the labelling stops, the rows labelled so far are a random sample of every stratum and each
row's probability of being among them is known: labels of its stratum / rows of its stratum.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Index = npt.NDArray[np.int64]

STRATA = ("least suspicious", "middling", "most suspicious", "flagged")
_FLAGGED = STRATA.index("flagged")


@dataclass(frozen=True)
class Design:
    """The plan of a labelling.

    Attributes:
        corpus: Fingerprint of the corpus it was drawn for.
        stratum: Place in `STRATA` of each row, shape (rows,).
        order: All rows, in the order in which they are asked, shape (rows,).
    """

    corpus: str
    seed: int
    stratum: Index
    order: Index

    def covers(self, visited: Index) -> bool:
        """Whether the rows visited are the first ones of each stratum's order, and so a random sample of it."""
        seen = np.zeros(len(self.order), bool)
        seen[visited] = True
        seen, stratum = seen[self.order], self.stratum[self.order]
        parts = (seen[stratum == each] for each in range(len(STRATA)))
        return all(bool(part[: part.sum()].all()) for part in parts)


def draw(flags: pa.Table, corpus: str, seed: int) -> Design:
    """A design over the rows of `flags`, the audit's table of every synthetic row.

    Flagged rows are one stratum, the others three of equal size by their suspicion. A stratum's turns go
    with the root of its size: a few flagged rows get more labels than their share, and teach what flags mean.

    Source: Bankier 1988, The American Statistician 42, 174-177 (power allocation).
    """
    rng = np.random.default_rng([seed, 40])
    stratum = _strata(flags)
    shuffled = rng.permutation(len(stratum))
    due = np.empty(len(stratum))
    for each in range(len(STRATA)):
        rows = shuffled[stratum[shuffled] == each]
        due[rows] = (np.arange(len(rows)) + 0.5) / np.sqrt(max(len(rows), 1))
    return Design(corpus, seed, stratum, np.argsort(due, kind="stable"))


def recorded(path: Path, flags: pa.Table, corpus: str, seed: int) -> Design:
    """The design that stands at `path`; drawn and written there if none of this corpus does.

    A design outlives the audit it was drawn from: newer flags must not change who was asked.
    """
    if path.exists():
        table = pq.read_table(path)
        noted = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        if noted.get("corpus") == corpus:
            columns = (table[name].to_numpy().astype(np.int64) for name in ("stratum", "order"))
            return Design(corpus, int(noted["seed"]), *columns)
    design = draw(flags, corpus, seed)
    table = pa.table({"stratum": design.stratum.astype(np.int8), "order": design.order})
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(table.replace_schema_metadata({"corpus": corpus, "seed": str(seed)}), aside)
    aside.replace(path)
    return design


def _strata(flags: pa.Table) -> Index:
    flagged = np.zeros(flags.num_rows, bool)
    for name in flags.column_names:
        if pa.types.is_boolean(flags.schema.field(name).type):
            marked = flags[name].fill_null(False).to_numpy()
            # A flag that most rows carry divides nothing.
            flagged |= marked if marked.mean() < 0.5 else False
    stratum = np.zeros(flags.num_rows, np.int64)
    if "suspicion" in flags.column_names and not flags["suspicion"].null_count:
        plain = np.flatnonzero(~flagged)
        rank = np.argsort(np.argsort(flags["suspicion"].to_numpy()[plain], kind="stable"))
        stratum[plain] = rank * _FLAGGED // max(len(plain), 1)
    stratum[flagged] = _FLAGGED
    return stratum
