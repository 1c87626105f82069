"""May the rows be used, and where is each from?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.lineage import FIELDS, Base, complete, forbidden, table, traced
from assay.audit.probe import Floats, Probe
from assay.audit.rows import Bools

_NO_LINEAGE = "no row says where it is from; give columns such as generator, generator_version, prompt, seed_row, licence, created"


def provenance_probes(synthetic: Columns, student: str | None = None) -> tuple[Probe, ...]:
    """The questions about origin that these rows raise.

    Real rows are no yardstick here: nobody asks them which model wrote them.

    Args:
        student: Name of the model to be trained; None where it is not known.
    """
    rows = len(synthetic)
    told = traced(synthetic.named)
    needs = None if told else _NO_LINEAGE
    met = [term for term in table().terms if rows and synthetic.terms[term.id].any()]
    flagged = "; ".join(str(term) for term in met if term.kind == "forbids") or "nothing found"
    others = "; ".join(str(term) for term in met if term.kind == "conditions")
    probes = [
        Probe(
            "provenance.complete_share",
            _share(lambda columns: complete(columns.named, len(columns)), told),
            "rows that name " + ", ".join(FIELDS) + " / rows; real rows are no yardstick",
            alone=True,
            needs=needs,
        ),
        *(
            Probe(
                "provenance.complete_share",
                _share(lambda columns, field=field: columns.named[field], told),  # type: ignore[misc]
                f"rows with one of the columns {', '.join(names)} / rows",
                alone=True,
                needs=needs,
                slice={"field": field},
            )
            for field, names in FIELDS.items()
        ),
        Probe(
            "provenance.clear_share",
            _share(lambda columns: columns.clear_terms, told),
            "rows whose generator and licence both stand in the table as clear / rows; what is not in the table "
            "is not known" + (f". With conditions: {others}" if others else ""),
            alone=True,
            needs=needs,
        ),
        Probe(
            "provenance.licence_flags",
            _share(lambda columns: forbidden(columns.terms, len(columns)), told),
            f"generator and licence held against the table of terms: {flagged}",
            alone=True,
            needs=needs,
        ),
        *(
            Probe(
                "provenance.licence_flags",
                _share(lambda columns, term=term: columns.terms[term.id], told),  # type: ignore[misc]
                str(term),
                alone=True,
                slice={"terms": term.id},
            )
            for term in met
            if term.kind != "clear"
        ),
        _same_base(synthetic, student),
    ]
    return tuple(probes)


def _same_base(synthetic: Columns, student: str | None) -> Probe:
    base = table().base(student) if student else None
    known = list(synthetic.bases)
    kin = [each for each in known if base is not None and each.may_be(base)]
    needs = (
        "needs the name of the model that is to be trained: --student NAME"
        if student is None
        else f"the table of families does not know the student {student!r}"
        if base is None
        else "no row names a generator whose family the table knows"
    )

    def tally(columns: Columns) -> Floats:
        hits, units = (_any_of(columns, each) for each in (kin, known if base else []))
        return np.column_stack([hits, units]).astype(float)

    return Probe(
        "provenance.same_base",
        tally,
        f"rows whose generator may have the student's base, {base} / rows whose generator's family is known"
        if base
        else "generator and student held against the table of families",
        alone=True,
        needs=needs,
    )


def _any_of(columns: Columns, bases: Sequence[Base]) -> Bools:
    found = np.zeros(len(columns), bool)
    for base in bases:
        found |= columns.bases[base]
    return found


def _share(hits: Callable[[Columns], Bools], counts: bool) -> Callable[[Columns], Floats]:
    """Hits of all rows; of none where the corpus carries no lineage at all, which is no share of zero."""

    def tally(columns: Columns) -> Floats:
        return np.column_stack([hits(columns) & counts, np.full(len(columns), counts)]).astype(float)

    return tally
