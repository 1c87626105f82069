"""The audit: every probe asked of the synthetic rows, and of real rows in their place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from assay.audit.annotate.columns import Columns, annotate
from assay.audit.annotate.copies import Copied, copied, copied_among
from assay.audit.annotate.phrases import Phrase
from assay.audit.annotate.regions import Regions, find_regions
from assay.audit.examples import examples
from assay.audit.probe import Probe, SampleProbe, count, draw, measure, sample, sample_size
from assay.audit.probes import PROBES, classifier, formatting, giveaways, regions
from assay.audit.probes.giveaways import overused, phrase_probes
from assay.audit.probes.regions import gap_probe, region_probes
from assay.audit.probes.slices import slice_probes
from assay.audit.rows import Index, Rows, divide, join, open_rows
from assay.core.corpus import Corpus
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.models.embed import Embedder, EmbedderName, fit_embedder

# What is measured in the space of an embedder names it in its method.
_EMBEDDED = (
    "diversity.vendi",
    "fidelity.precision",
    "fidelity.recall",
    "fidelity.density",
    "fidelity.coverage",
    "fidelity.mauve",
    "coverage.region_gap",
    "coverage.regions",
    "coverage.tail",
)


@dataclass(frozen=True)
class AuditResult:
    """What the audit found.

    Attributes:
        measures: Each taken of the synthetic rows, with real rows in their place as its reference.
        examples: Rows to look at, columns as in `core.evidence.EXAMPLES`.
        rows: Flags of every synthetic row, in its order.
    """

    measures: tuple[Measure, ...]
    examples: pa.Table
    rows: pa.Table


@dataclass(frozen=True)
class _Sides:
    """Who is compared with whom.

    The real rows are divided afresh for the references, by root alone: the split guard keeps near-duplicates
    on one side, so its parts resemble each other less than real rows do.

    Attributes:
        pool: All real rows of the audit.
        halves: Indices of its two halves by root; the second stands in the synthetic rows' place.
    """

    synthetic: Rows
    pool: Rows
    halves: tuple[Index, Index]
    half: Rows
    other: Rows


def audit(
    real: Corpus,
    reference: Corpus,
    synthetic: Corpus,
    folder: Path,
    *,
    seed: int = 0,
    level: float = 0.95,
    embedder: EmbedderName = "lsa",
    progress: Progress = silent,
) -> AuditResult:
    """What is wrong with the synthetic rows, measure by measure.

    Args:
        real: Real rows to train on.
        reference: Real rows held back from them.
        folder: Where ``examples.parquet`` and ``flags.parquet`` are written.
        seed: Decides which rows are drawn wherever not all can serve.
        level: Probability with which each interval should cover the truth.
        embedder: Whose space the rows are compared in; see `assay.models.embed`.
    Returns: Measures in the order of the probes. One that cannot be taken says why; none is left out.
    """
    progress("audit: reading", 0, None)
    pool = join(open_rows(real), open_rows(reference))
    halves = divide(pool, 0.5, salt=seed + 1)
    progress("audit: embedding rows", 0, None)
    # Fitted on the half that both sides are held against: synthetic rows and the other half are equally strange.
    space = fit_embedder(embedder, pool.take(halves[0]).tokens, seed)
    pool, made = (_placed(rows, space) for rows in (pool, open_rows(synthetic)))
    sides = _Sides(made, pool, halves, pool.take(halves[0]), pool.take(halves[1]))
    progress("audit: comparing rows", 0, None)
    atlas = find_regions(sides.half, seed)
    phrases = _phrases(sides, seed)
    from_real = copied(sides.synthetic, pool)
    ours = annotate(sides.synthetic, from_real, phrases, atlas)
    theirs = annotate(pool, copied_among(pool, salt=seed + 2), phrases, atlas)
    suspicion = _suspicion(sides, seed)
    probes = (
        *PROBES,
        *phrase_probes(phrases),
        *slice_probes(ours, theirs),
        gap_probe(atlas),
        *region_probes(atlas),
    )
    other = theirs.take(halves[1])
    quarters = divide(sides.other, 0.5, salt=seed + 3)
    measures: list[Measure] = []
    for done, probe in enumerate(probes):
        progress("audit: measuring", done, len(probes), "measures")
        if isinstance(probe, SampleProbe):
            measures.append(_sampled(probe, sides, seed, level))
        elif probe.name == regions.NAME:
            measures.append(_counted(probe, ours, other, quarters, seed, level))
        else:
            measures.append(_counted(probe, ours, theirs, sides.halves, seed, level))
    progress("audit: measuring", len(probes), len(probes), "measures")
    result = AuditResult(
        tuple(_name_the_embedder(name_the_confound(measures), space)),
        examples(sides.synthetic, ours, from_real, pool, phrases, suspicion, sides.other, atlas),
        _flags(sides.synthetic, ours, from_real, suspicion, atlas),
    )
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(result.examples, folder / "examples.parquet")
    pq.write_table(result.rows, folder / "flags.parquet")
    return result


def _placed(rows: Rows, space: Embedder) -> Rows:
    return rows.placed(space.embed(rows.text, rows.tokens))


def _name_the_embedder(measures: list[Measure], space: Embedder) -> list[Measure]:
    return [
        each.model_copy(update={"method": f"{each.method}; rows embedded by {space.about}"})
        if each.name in _EMBEDDED
        else each
        for each in measures
    ]


def _phrases(sides: _Sides, seed: int) -> tuple[Phrase, ...]:
    probe = giveaways.PROBE
    size = sample_size(probe, sides.synthetic, sides.half, sides.other)
    rows, real, _ = draw(probe, sides.synthetic, sides.half, size, seed)
    return overused(rows, real) if min(len(rows), len(real)) >= probe.least else ()


def _suspicion(sides: _Sides, seed: int) -> npt.NDArray[np.float32] | None:
    if min(len(sides.synthetic), len(sides.pool)) < classifier.PROBE.least:
        return None
    return classifier.suspicion(sides.synthetic, sides.pool, np.random.default_rng([seed, 1]))


def _sampled(probe: SampleProbe, sides: _Sides, seed: int, level: float) -> Measure:
    ours, theirs, beside = (
        (sides.synthetic, sides.other, sides.half)
        if probe.against_real
        else (sides.synthetic, sides.pool, sides.pool)
    )
    size = sample_size(probe, ours, theirs, beside) if len(sides.pool) else sample_size(probe, ours)
    found = sample(probe, ours, beside, size, seed, level)
    reference = sample(probe, theirs, beside, size, seed, level)
    return measure(probe, found, reference, level)


def _counted(
    probe: Probe, ours: Columns, theirs: Columns, halves: tuple[Index, Index], seed: int, level: float
) -> Measure:
    if probe.ratio:
        half, other = (theirs.take(index) for index in halves)
        return measure(probe, count(probe, ours, theirs, level), count(probe, other, half, level), level)
    if probe.equal_rows and len(theirs):
        rng = np.random.default_rng([seed, 2])
        rows = min(len(ours), len(theirs))
        ours, theirs = (side.alone(np.sort(rng.permutation(len(side))[:rows])) for side in (ours, theirs))
    return measure(probe, count(probe, ours, theirs, level), count(probe, theirs, theirs, level), level)


def name_the_confound(measures: list[Measure]) -> list[Measure]:
    """Say in the method of `fidelity.formatting_auc` which single trait tells the sides apart."""
    traits = [each for each in measures if each.name == formatting.PROBE.name and each.slice and each.value]
    telling = max(traits, key=lambda each: each.value or 0.0, default=None)
    if (
        telling is None
        or not telling.slice
        or not telling.reference
        or (telling.low or 0) <= telling.reference.high
    ):
        return measures
    said = f"; {telling.slice['feature']} alone reaches {telling.value:.2f}"
    return [
        each.model_copy(update={"method": each.method + said})
        if each.name == formatting.PROBE.name and each.slice is None
        else each
        for each in measures
    ]


def _flags(
    rows: Rows,
    columns: Columns,
    from_real: Copied,
    suspicion: npt.NDArray[np.float32] | None,
    atlas: Regions,
) -> pa.Table:
    # Rows without a region are numbered -1, which is the last of the names.
    names = np.array([*atlas.names, None], dtype=object)
    return pa.table(
        {
            "row": rows.row,
            "exact_duplicate": columns.exact_repeat,
            "near_duplicate": columns.near_repeat,
            "near_cluster": rows.row[columns.near_group],
            "empty": columns.empty,
            "refusal": columns.refusal,
            "repetition": columns.repetition,
            "copies_real": columns.near_copy | (columns.copied_tokens > 0),
            "similarity": from_real.similarity,
            "suspicion": pa.nulls(len(rows), pa.float32()) if suspicion is None else suspicion,
            "region": pa.array(names[columns.region], pa.string()),
        }
    )
