"""What a curation did, in the lines that a terminal shows."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from assay.core.unseen import clean
from assay.core.words import count, share
from assay.curate.curate import ASIDE, RECORD, SYNTHETIC, TRAIN
from assay.curate.record import Curation


def said(made: Curation, run: Path, out: Path) -> Iterator[str]:
    """Lines: what was left out by which filter, what the mix is and why, and how to learn whether it helps."""
    aside = made.files[ASIDE]
    stay = made.files[SYNTHETIC]
    yield (
        f"{stay.rows:,} of {count(made.synthetic_rows_read, 'synthetic row')} stay, in {out / stay.name}; "
        f"{aside.rows:,} are set aside, each with its reasons, in {out / aside.name}."
    )
    for each in sorted(made.filters, key=lambda each: -each.rows):
        if each.rows or each.overruled:
            freed = f"; {each.overruled:,} kept by a person's word" if each.overruled else ""
            yield f"  {each.name:<20}{each.rows:>8,}  {each.why} (only this: {each.alone:,}){freed}"
    if made.balance is not None:
        yield (
            f"  {'rebalance':<20}{made.balance.rows:>8,}  so that shares of {clean(made.balance.column)} are those of "
            "the real rows"
        )
    yield ""
    train = made.files[TRAIN]
    yield (
        f"Training set: {count(made.real_rows, 'real row')} and {count(made.synthetic_rows, 'synthetic row')} "
        f"({share(made.share)} synthetic) in {out / train.name}; the record is {out / RECORD}."
    )
    yield f"Why: {made.why}."
    yield from made.notes
    if made.stale_answers:
        yield f"{count(made.stale_answers, 'answer')} did not count: the rows have another text now."
    if not made.files[SYNTHETIC].rows:
        return
    again = shlex.quote(f"{str(out).rstrip('/')}-run")
    yield ""
    yield "This leaves out what was flagged. Whether the rest helps, only a new trial tells:"
    yield f"  assay run --study {shlex.quote(str(out / 'study.toml'))} --out {again}"
    yield f"  assay compare {shlex.quote(str(run))} {again}"
    yield f"  assay report {again} --card --into {shlex.quote(str(out))}"
