"""The audit: every probe asked of the synthetic rows, and of real rows in their place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from assay.audit.annotate import labels
from assay.audit.annotate.canaries import betrays
from assay.audit.annotate.columns import Columns, annotate
from assay.audit.annotate.copies import SPAN_TOKENS, copied, copied_among, fewest_runs
from assay.audit.annotate.frames import frequent
from assay.audit.annotate.languages import spoken
from assay.audit.annotate.nearness import nearness
from assay.audit.annotate.parts import with_parts
from assay.audit.annotate.phrases import Phrase
from assay.audit.annotate.regions import find_regions
from assay.audit.contamination import contamination
from assay.audit.evals import Eval
from assay.audit.examples import contaminated, examples
from assay.audit.flags import flags
from assay.audit.probe import (
    Found,
    Probe,
    SampleProbe,
    count,
    difference,
    draw,
    halved,
    halvings,
    measure,
    sample_size,
    sample_together,
    scaled,
)
from assay.audit.probes import (
    PROBES,
    canaries,
    classifier,
    formatting,
    giveaways,
    label_noise,
    names,
    near_duplicates,
    regions,
    vendi,
    verbatim_copies,
)
from assay.audit.probes.bias import bias_measures, bias_probes, marked_words
from assay.audit.probes.drift import drift
from assay.audit.probes.giveaways import overused, phrase_probes
from assay.audit.probes.near_duplicates import near_probe
from assay.audit.probes.preferences import preference_probes
from assay.audit.probes.prompt_copies import prompt_probes
from assay.audit.probes.provenance import provenance_probes
from assay.audit.probes.regions import gap_probe, region_probes
from assay.audit.probes.roles import role_probes
from assay.audit.probes.slices import slice_probes
from assay.audit.probes.verbatim_copies import verbatim_probe
from assay.audit.rows import Bools, Rows, divide, draw_rows, join, open_rows
from assay.core.canary import Canaries
from assay.core.corpus import Corpus
from assay.core.errors import InputError
from assay.core.evidence import EXAMPLES
from assay.core.measure import Measure
from assay.core.progress import Progress, silent
from assay.engine.groups.lists import NO_LISTS, Lists
from assay.engine.local import map_batches, map_each, one_thread_each
from assay.engine.scratch import mapped, scratch_file
from assay.kernels.exact import row_hashes
from assay.models.embed import Embedder, EmbedderName, fit_embedder
from assay.models.names import NameFinder

# Rows that an embedder learns from.
MOST_LEARNT = 20_000
# What is measured in the space of an embedder names it in its method.
_EMBEDDED = (
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
        half, other: Its two halves by root; the second stands in the synthetic rows' place.
        holdout: Real rows that the generator did not see, if there are any.
    """

    synthetic: Rows
    pool: Rows
    half: Rows
    other: Rows
    holdout: Rows | None = None


@one_thread_each()
def audit(
    real: Corpus,
    reference: Corpus,
    synthetic: Corpus,
    folder: Path,
    *,
    evals: Sequence[Eval] = (),
    holdout: Corpus | None = None,
    planted: Canaries | None = None,
    span: int = SPAN_TOKENS,
    seed: int = 0,
    level: float = 0.95,
    student: str | None = None,
    embedder: EmbedderName = "lsa",
    lists: Lists = NO_LISTS,
    finder: NameFinder | None = None,
    progress: Progress = silent,
) -> AuditResult:
    """What is wrong with the synthetic rows, measure by measure.

    Args:
        real: Real rows to train on.
        reference: Real rows held back from them.
        folder: Where ``examples.parquet``, ``flags.parquet`` and, with evaluations, ``contamination.parquet``
            are written.
        evals: Evaluations to look for.
        holdout: Real rows that the generator did not see: what the synthetic rows share with them is chance.
        planted: The key of canaries that were planted in the generator's real rows.
        span: Fewest tokens of a passage that counts as copied word for word.
        seed: Decides which rows are drawn wherever not all can serve.
        level: Probability with which each interval should cover the truth.
        student: Name of the model to be trained, which may share its base with the generator.
        embedder: Whose space the rows are compared in; see `assay.models.embed`.
        lists: Groups of people to look for; see `engine.groups.lists.load`.
        finder: Finds names of people; None does not look for them.
    Returns: Measures in the order of the probes. One that cannot be taken says why; none is left out.
    Raises: InputError: half of the hold-out or more stands word for word among the real rows.
    """
    progress("audit: reading", 0, None)
    pool = join(open_rows(real), open_rows(reference))
    halves = divide(pool, 0.5, salt=seed + 1)
    progress("audit: embedding rows", 0, None)
    # Fitted on the half that both sides are held against: synthetic rows and the other half are equally strange.
    learnt = draw_rows(pool.take(halves[0]), MOST_LEARNT, np.random.default_rng([seed, 8]))
    space = fit_embedder(embedder, learnt.tokens, seed)
    pool, made = (_placed(rows, space) for rows in (pool, open_rows(synthetic)))
    sides = _Sides(
        made,
        pool,
        pool.take(halves[0]),
        pool.take(halves[1]),
        None if holdout is None else _held_out(holdout, pool),
    )
    progress("audit: comparing rows", 0, None)
    with ThreadPoolExecutor(2) as beside:
        # One after the other, since either holds tables of passages; what is found meanwhile is small.
        copies = beside.submit(
            lambda: (
                copied(sides.synthetic, pool, span=span, holdout=sides.holdout, seed=seed),
                copied_among(pool, salt=seed + 2, span=span, holdout=sides.holdout),
            )
        )
        atlas = find_regions(sides.half, seed)
        phrases = _phrases(sides, seed)
        marks = marked_words(lists, sides.synthetic, sides.half, seed)
        known = (*phrases, *(phrase for _, phrase in marks))
        words, real_languages = frequent(sides.synthetic, pool), spoken(pool)
        near = nearness(pool)
        from_real, among = copies.result()
    ours, theirs = with_parts(
        (
            annotate(sides.synthetic, from_real, known, atlas, words, real_languages, lists, near),
            sides.synthetic,
        ),
        (annotate(pool, among, known, atlas, words, real_languages, lists, near), pool),
    )
    # Regions were found in the first half of the real rows, so that the second is held against them.
    all_real, second_half = ((side, halvings(side, seed)) for side in (theirs, theirs.take(halves[1])))

    def ask(asked: list[Probe | SampleProbe]) -> list[Measure]:
        sampled = [probe for probe in asked if isinstance(probe, SampleProbe)]
        if sampled:
            return _sampled(sampled, sides, seed, level)
        return [answer(probe) for probe in asked if isinstance(probe, Probe)]

    def answer(probe: Probe) -> Measure:
        if probe.by_chance is not None or probe.needs_holdout:
            return _beyond_chance(probe, ours, theirs, sides, level)
        side, halves_of_it = second_half if probe.name == regions.NAME else all_real
        return _counted(probe, ours, side, halves_of_it, seed, level)

    # The two that look at every row take longest, so they start first.
    with ThreadPoolExecutor(2) as pool_of_two:
        doubted = pool_of_two.submit(labels.label_noise, sides.synthetic, np.random.default_rng([seed, 3]))
        suspected = pool_of_two.submit(_suspicion, sides, seed)
        chosen: dict[str, Probe | SampleProbe] = {
            verbatim_copies.PROBE.name: verbatim_probe(span),
            near_duplicates.PROBE.name: near_probe(near),
            label_noise.PROBE.name: label_noise.knowing(sides.synthetic, doubted.result),
        }
        if embedder != "lsa":
            chosen[vendi.PROBE.name] = vendi.TRAINED
        probes: tuple[Probe | SampleProbe, ...] = (
            *(chosen.get(probe.name, probe) for probe in PROBES),
            *role_probes(sides.synthetic),
            *preference_probes(sides.synthetic),
            *prompt_probes(ours),
            *phrase_probes(phrases),
            *slice_probes(ours, theirs),
            gap_probe(atlas),
            *region_probes(atlas),
            *provenance_probes(ours, student),
            *bias_probes(lists, ours, theirs, sides.synthetic, pool, marks, seed),
        )
        together = _together(probes)
        answers = map_each(ask, together, stage="audit: measuring", units="measures", progress=progress)
        suspicion, noise = suspected.result(), doubted.result()
    asked, found = itertools.chain(*together), itertools.chain(*answers)
    by_probe = {id(probe): each for probe, each in zip(asked, found, strict=True)}
    measures = [by_probe[id(probe)] for probe in probes]
    measures += bias_measures(lists, probes, ours, theirs, level, seed)
    measures += drift(sides.synthetic, sides.pool, seed, level)
    measures += canaries.recalled(planted, sides.synthetic, level)
    about_names, naming = names.named(finder, sides.synthetic, pool, sides.holdout, seed, level)
    measures += about_names
    leaked = contamination(evals, sides.synthetic, pool, seed=seed, level=level, progress=progress)
    betraying = None if planted is None else betrays(planted.planted, sides.synthetic)
    shown = examples(
        sides.synthetic,
        ours,
        from_real,
        pool,
        phrases,
        suspicion,
        words,
        noise,
        planted,
        sides.other,
        atlas,
        lists,
        marks,
    )
    result = AuditResult(
        (*_name_the_embedder(name_the_confound(measures), space), *leaked.measures),
        pa.concat_tables([shown, pa.Table.from_pylist(naming, schema=EXAMPLES), contaminated(leaked.pairs)]),
        flags(
            sides.synthetic,
            ours,
            from_real,
            suspicion,
            noise,
            leaked,
            betraying,
            fewest_runs(theirs.shared),
            atlas,
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(result.examples, folder / "examples.parquet")
    pq.write_table(result.rows, folder / "flags.parquet")
    if evals:
        pq.write_table(leaked.pairs, folder / "contamination.parquet")
    return result


def _held_out(corpus: Corpus, pool: Rows) -> Rows:
    """The hold-out, once it has shown that it is one."""
    rows = open_rows(corpus)
    known = np.unique(_hashes(pool)[pool.lengths > 0])
    repeated = int(np.isin(_hashes(rows)[rows.lengths > 0], known).sum())
    if 2 * repeated >= len(rows):
        raise InputError(
            f"{repeated:,} of the {len(rows):,} hold-out rows stand word for word among the real rows",
            where=corpus.name,
            fix="Give --holdout real rows that the generator did not see, and keep them out of --real.",
        )
    return rows


def _hashes(rows: Rows) -> npt.NDArray[np.uint64]:
    parts = map_batches(lambda batch: row_hashes(batch.tokens), rows.batches())
    return np.concatenate([np.zeros(0, np.uint64), *parts])


def _placed(rows: Rows, space: Embedder) -> Rows:
    """The same rows with their vectors, which lie in a file rather than in memory."""
    no_rows = rows.take(np.zeros(0, np.int64))
    none = space.embed(no_rows.text, no_rows.tokens)
    vectors = mapped(scratch_file(rows.folder), (len(rows), none.shape[1]), np.float32)
    start = 0
    for part in map_batches(lambda batch: space.embed(batch.text, batch.tokens), rows.batches()):
        vectors[start : start + len(part)] = part
        start += len(part)
    return rows.placed(vectors)


def _name_the_embedder(measures: list[Measure], space: Embedder) -> list[Measure]:
    return [
        each.model_copy(update={"method": f"{each.method}; rows embedded by {space.about}"})
        if each.name in _EMBEDDED or each.method == vendi.TRAINED.method
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


def _together(probes: Sequence[Probe | SampleProbe]) -> list[list[Probe | SampleProbe]]:
    """The probes, those that one reading of a sample answers side by side.

    The longest come first and tallies of columns last, so that no thread is left alone with a long one.
    """
    shared: dict[object, list[Probe | SampleProbe]] = {}
    for probe in probes:
        shared.setdefault(probe.prepare if isinstance(probe, SampleProbe) else id(probe), []).append(probe)
    return sorted(shared.values(), key=lambda each: _length(each[0]))


def _length(probe: Probe | SampleProbe) -> int:
    return 2 if isinstance(probe, Probe) else int(probe.redrawn is None)


def _sampled(probes: list[SampleProbe], sides: _Sides, seed: int, level: float) -> list[Measure]:
    probe = probes[0]
    ours, theirs, beside = (
        (sides.synthetic, sides.other, sides.half)
        if probe.against_real
        else (sides.synthetic, sides.pool, sides.pool)
    )
    size = sample_size(probe, ours, theirs, beside) if len(sides.pool) else sample_size(probe, ours)
    found = sample_together(probes, ours, beside, size, seed, level)
    reference = sample_together(probes, theirs, beside, size, seed, level)
    return [measure(*each, level) for each in zip(probes, found, reference, strict=True)]


def _counted(probe: Probe, ours: Columns, theirs: Columns, halves: Bools, seed: int, level: float) -> Measure:
    if probe.alone:
        return measure(probe, count(probe, ours, ours, level), Found(missing="no yardstick"), level)
    if probe.ratio:
        return measure(probe, count(probe, ours, theirs, level), halved(probe, theirs, level, halves), level)
    if probe.equal_rows and len(theirs):
        rng = np.random.default_rng([seed, 2])
        rows = min(len(ours), len(theirs))
        ours, theirs = (side.alone(np.sort(rng.permutation(len(side))[:rows])) for side in (ours, theirs))
    return measure(probe, count(probe, ours, theirs, level), count(probe, theirs, theirs, level), level)


def _beyond_chance(probe: Probe, ours: Columns, theirs: Columns, sides: _Sides, level: float) -> Measure:
    """What rows share with seen real rows, and what the hold-out, or else real rows in their place, explain."""
    if sides.holdout is None and probe.needs_holdout:
        missing = Found(missing="needs --holdout: real rows that the generator did not see")
        return measure(probe, missing, missing, level)
    found, among_real = count(probe, ours, theirs, level), count(probe, theirs, theirs, level)
    if probe.by_chance is None:
        return measure(probe, found, among_real, level)
    if sides.holdout is None:
        chance, said = among_real, "real rows against other real rows, as no hold-out was given"
    else:
        # Equal chances for both sides: a hold-out of half the size meets half as much.
        factor = int(sides.pool.lengths.sum()) / max(int(sides.holdout.lengths.sum()), 1)
        chance = scaled(count(replace(probe, tally=probe.by_chance), ours, theirs, level), factor)
        said = (
            f"the same rows against {len(sides.holdout):,} hold-out rows, times {factor:.2f} for their size; "
            "each match is credited to one real row"
        )
    probe = replace(probe, method=f"{probe.method}; chance: {said}")
    if not probe.excess:
        return measure(probe, found, chance, level)
    # Chance is taken off, so that real rows in the synthetic rows' place would show nothing by definition.
    nothing = Found(missing=chance.missing) if chance.value is None else Found(0.0)
    return measure(probe, difference(found, chance), nothing, level)


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
