"""What the audit marks each synthetic row with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.copies import Copied
from assay.audit.annotate.labels import Noise
from assay.audit.annotate.lineage import complete, forbidden, traced
from assay.audit.annotate.regions import Regions
from assay.audit.contamination import Contamination
from assay.audit.rows import Bools, Rows


def flags(
    rows: Rows,
    columns: Columns,
    from_real: Copied,
    suspicion: npt.NDArray[np.float32] | None,
    noise: Noise | None,
    leaked: Contamination,
    betraying: Bools | None,
    runs: int,
    atlas: Regions,
) -> pa.Table:
    """One line for each of `rows`, in their order; a true boolean means a defect."""
    content = columns.content
    leaking = np.zeros(len(rows), bool)
    leaking[from_real.pii.row[from_real.pii_row >= 0]] = True
    # Rows without a region are numbered -1, which is the last of the names.
    names = np.array([*atlas.names, None], dtype=object)
    return pa.table(
        {
            "row": rows.row,
            "exact_duplicate": columns.exact_repeat,
            "near_duplicate": columns.near_repeat,
            "near_cluster": rows.row[columns.near_group],
            "template": columns.template,
            "prompt_duplicate": columns.asked.exact_repeat | columns.asked.near_repeat,
            "empty": columns.empty,
            "refusal": columns.refusal,
            "repetition": columns.repetition,
            "truncated": content.truncated.fails,
            "boilerplate": content.boilerplate.fails,
            "prompt_echo": content.echo.fails,
            "language_mismatch": content.language.fails,
            "placeholder": content.placeholder.fails,
            "broken_code": content.code.fails,
            "invalid_json": content.json.fails,
            "wrong_arithmetic": content.arithmetic.fails,
            "contradiction": content.contradiction.fails,
            "label_suspect": np.zeros(len(rows), bool) if noise is None else noise.suspect,
            "copies_real": columns.near_copy | (columns.copied_tokens > 0),
            "contaminated": leaked.rows,
            "incomplete_lineage": ~complete(columns.named, len(columns))
            if traced(columns.named)
            else pa.nulls(len(rows), pa.bool_()),
            "restricted_terms": forbidden(columns.terms, len(columns)),
            "similarity": from_real.similarity,
            "rare_words_of_real": columns.shared.seen.rare >= runs,
            "personal": np.any(list(columns.pii.values()), axis=0),
            "leaks_personal": leaking,
            "holds_canary": pa.nulls(len(rows), pa.bool_()) if betraying is None else betraying,
            "suspicion": pa.nulls(len(rows), pa.float32()) if suspicion is None else suspicion,
            "region": pa.array(names[columns.region], pa.string()),
        }
    )
