"""What a labelling of one run works with: its rows, the audit's flags, the design and the answers so far."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assay.core.corpus import SLICE_PREFIX, Corpus
from assay.core.errors import InputError
from assay.core.evidence import EXAMPLES
from assay.core.labels import LABELS, Answers
from assay.core.measure import Measure
from assay.engine.groups.lists import Lists
from assay.label import groups
from assay.label.design import Design, recorded
from assay.label.rate import NAME, error_rate

SHOWN = 5


@dataclass(frozen=True)
class Sheet:
    """The labelling of the run in `folder`; its labels lie in `labels.jsonl`, the design in `rows/`.

    Attributes:
        rows: All synthetic rows, with the columns text, prompt, response and label.
        columns: Slice columns of the same rows, by name.
        flags: The audit's table of them.
    """

    folder: Path
    rows: pa.Table
    columns: Mapping[str, pa.ChunkedArray]
    flags: pa.Table
    design: Design
    answers: Answers

    def rates(self, lists: Lists) -> tuple[Measure, ...]:
        """The share of wrong rows, of all and by group; writes the suspects into `rows/` and shows some of them.

        Args:
            lists: Groups to look for in the text, beside those that slice columns name.
        """
        text = self.rows["text"]
        found = error_rate(self.answers, self.design, self.flags, text)
        rows = self.folder / "rows"
        _write(rows / "suspects.parquet", found.suspects)
        stands = pq.read_table(rows / "examples.parquet").cast(EXAMPLES)
        others = stands.filter(pc.not_equal(stands["measure"], NAME))
        shown = [
            {
                "measure": NAME,
                "corpus": "synthetic",
                "row": suspect["row"],
                "text": text[suspect["row"]].as_py(),
                "note": f"chance of being wrong {suspect['chance']:.2f}, not labelled",
            }
            for suspect in found.suspects.slice(0, SHOWN).to_pylist()
        ]
        _write(
            rows / "examples.parquet",
            pa.concat_tables([others, pa.Table.from_pylist(shown, schema=EXAMPLES)]),
        )
        if found.known is None:
            return (found.measure,)
        return (found.measure, *groups.rates(found.known, groups.parts(text, lists, self.columns)))


def open_sheet(folder: Path, synthetic: Corpus, seed: int) -> Sheet:
    """The sheet of a run with an audit. Raises: InputError: the audit's table is missing or of other rows."""
    path = folder / "rows" / "synthetic.parquet"
    flags = pq.read_table(path) if path.exists() else None
    if flags is None or flags.num_rows != synthetic.rows:
        raise InputError(
            "no flags of these synthetic rows", where=str(path), fix="Make them with `assay run --out`."
        )
    rows = synthetic.table(["text", "prompt", "response", "label"])
    design = recorded(folder / "rows" / "label-order.parquet", flags, synthetic.fingerprint, seed)
    columns = {name: synthetic.table([SLICE_PREFIX + name]).column(0) for name in synthetic.slices}
    return Sheet(folder, rows, columns, flags, design, Answers(folder / LABELS, rows["text"]))


def _write(path: Path, table: pa.Table) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(table, aside)
    aside.replace(path)
