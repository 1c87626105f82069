"""All that is asked of groups of people, in the order in which it is reported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.phrases import Phrase
from assay.audit.probe import Probe, SampleProbe, draw, sample_size
from assay.audit.probes.bias_association import (
    amplification_probe,
    association_probes,
    attributed,
    official_probe,
)
from assay.audit.probes.bias_gaps import gap_measures, gaps, plain, sentiment_probe
from assay.audit.probes.bias_groups import Searched
from assay.audit.probes.bias_shares import share_probes, shift_probe
from assay.audit.probes.bias_weat import weat_probes
from assay.audit.probes.bias_words import marking, word_probes, words_probe
from assay.audit.rows import Rows, draw_rows
from assay.core.measure import Measure
from assay.engine.groups.lists import Lists

MarkedWords = tuple[tuple[int, Phrase], ...]


def marked_words(lists: Lists, synthetic: Rows, real: Rows, seed: int) -> MarkedWords:
    """The words that mark each group, from samples; the columns must be told of their phrases."""
    if not lists.themes:
        return ()
    probe = words_probe(lists)
    size = sample_size(probe, synthetic, real)
    rows, beside, _ = draw(probe, synthetic, real, size, seed)
    return marking(rows, beside, lists) if min(len(rows), len(beside)) >= probe.least else ()


def bias_probes(
    lists: Lists,
    ours: Columns,
    theirs: Columns,
    synthetic: Rows,
    real: Rows,
    marks: MarkedWords,
    seed: int,
) -> tuple[Probe | SampleProbe, ...]:
    """Every question of the groups that the lists find; none without lists.

    Args:
        ours, theirs: The columns of all rows of `synthetic` and of `real`.
    """
    if not lists.themes:
        return ()
    search = Searched(((synthetic, ours.mentioned), (real, theirs.mentioned)))
    sampled = draw_rows(synthetic, 20_000, np.random.default_rng([seed, 9]))
    return (
        shift_probe(lists, search),
        *share_probes(lists, ours, theirs),
        *(amplification_probe(lists, theme, search) for theme in attributed(lists)),
        *(official_probe(lists, theme, search) for theme in attributed(lists)),
        *association_probes(lists, ours, theirs),
        *weat_probes(lists, sampled),
        sentiment_probe(lists, search),
        words_probe(lists, search),
        *word_probes(lists, marks),
    )


def bias_measures(
    lists: Lists,
    probes: Sequence[Probe | SampleProbe],
    ours: Columns,
    theirs: Columns,
    level: float,
    seed: int,
) -> list[Measure]:
    """The gaps between groups in every question that the audit asked."""
    return gap_measures(gaps(plain(probes), lists, ours, theirs, level, seed), level)
