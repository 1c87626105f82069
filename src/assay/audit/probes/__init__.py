"""The questions the audit asks, one per file, in the order in which their answers are reported."""

from assay.audit.probe import Probe, SampleProbe
from assay.audit.probes import (
    classifier,
    compression,
    content,
    distinct,
    emptiness,
    exact_duplicates,
    formatting,
    giveaways,
    label_noise,
    lengths,
    near_copies,
    near_duplicates,
    openings,
    rare_types,
    refusals,
    self_repetition,
    verbatim_copies,
)

PROBES: tuple[Probe | SampleProbe, ...] = (
    exact_duplicates.PROBE,
    near_duplicates.PROBE,
    compression.PROBE,
    distinct.PROBE,
    rare_types.PROBE,
    openings.PROBE,
    classifier.PROBE,
    classifier.NORMALISED,
    formatting.PROBE,
    *formatting.EACH,
    lengths.PROBE,
    giveaways.PROBE,
    emptiness.PROBE,
    refusals.PROBE,
    self_repetition.PROBE,
    *content.PROBES,
    label_noise.PROBE,
    verbatim_copies.PROBE,
    near_copies.PROBE,
)
