"""What each measure means: one definition per name, read by probes, verdicts and reports alike.

Names are a contract: dashboards and gates rely on them. A measure may be added; one may be renamed only
with an alias.
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.measure import Worse


@dataclass(frozen=True)
class Definition:
    """What a measure's name stands for.

    Attributes:
        title: The measure in a few plain words.
        says: One sentence; ``{value}`` and ``{reference}`` are replaced by formatted numbers.
        tolerance: How far past its reference a value may lie and still count as the same; in the measure's
            unit, or as a share of the reference when `relative`.
        formula: How the number is made.
        source: The paper or convention behind it.
    """

    name: str
    title: str
    says: str
    unit: str
    worse: Worse
    tolerance: float
    formula: str
    source: str
    relative: bool = False


def define(name: str) -> Definition:
    """The definition of a measure. Raises: KeyError: no measure has that name."""
    return _BY_NAME[name]


CATALOGUE: tuple[Definition, ...] = (
    Definition(
        "duplicates.exact_share",
        "Rows that repeat another row exactly",
        "{value} of the synthetic rows repeat an earlier synthetic row word for word (real rows: {reference})",
        "share of rows",
        "higher",
        0.01,
        "rows whose token sequence already occurred / rows",
        "Lee et al. 2022, Deduplicating Training Data Makes Language Models Better",
    ),
    Definition(
        "duplicates.near_share",
        "Rows that nearly repeat another row",
        "{value} of the synthetic rows nearly repeat another one (real rows: {reference})",
        "share of rows",
        "higher",
        0.02,
        "rows in a near-duplicate cluster (Jaccard of 3-word shingles at least 0.7), its first row excepted / rows",
        "Broder 1997, On the resemblance and containment of documents",
    ),
    Definition(
        "diversity.compression_ratio",
        "How far the text compresses",
        "at equal length the synthetic text compresses {value} times, the real text {reference} times",
        "ratio",
        "higher",
        0.10,
        "bytes / zlib-compressed bytes, at equal tokens",
        "Shaib et al. 2024, Standardizing the Measurement of Text Diversity",
        relative=True,
    ),
    Definition(
        "diversity.distinct_2",
        "Different word pairs",
        "{value} of its word pairs are different ones, at equal length {reference} in real text",
        "share of bigrams",
        "lower",
        0.10,
        "distinct bigrams / bigrams, at equal tokens",
        "Li et al. 2016, A Diversity-Promoting Objective Function (distinct-n)",
        relative=True,
    ),
    Definition(
        "diversity.type_coverage",
        "Rarer real words that it still uses",
        "it uses {value} of the rarer words of the real text, where other real rows use {reference}",
        "share of types",
        "lower",
        0.05,
        "rarer word types of the real sample that occur in the other sample / such types, at equal tokens",
        "after Guo et al. 2024, The Curious Decline of Linguistic Diversity",
    ),
    Definition(
        "diversity.opening_share",
        "Rows taken by the ten commonest openings",
        "{value} of its rows begin with one of ten openings (real rows: {reference})",
        "share of rows",
        "higher",
        0.05,
        "rows that begin with one of the ten commonest three-word openings / rows, at equal rows",
        "after Padmakumar & He 2024, Does Writing with Language Models Reduce Content Diversity?",
    ),
    Definition(
        "diversity.vendi",
        "Wholly different rows that it counts as",
        "its rows count as {value} wholly different ones, as many real rows as {reference}",
        "rows",
        "lower",
        0.10,
        "exponential of the entropy of the eigenvalues of the cosine similarities / rows, at equal rows",
        "Friedman & Dieng 2022, The Vendi Score",
        relative=True,
    ),
    Definition(
        "fidelity.two_sample_auc",
        "How well a classifier tells synthetic from real",
        "a word-count classifier tells a synthetic from a real row with AUC {value} (real from real: {reference})",
        "AUC",
        "higher",
        0.10,
        "area under the ROC curve of cross-validated TF-IDF and logistic regression, folds by root id; 0.5 is chance",
        "Lopez-Paz & Oquab 2017, Revisiting Classifier Two-Sample Tests",
    ),
    Definition(
        "fidelity.formatting_auc",
        "How well format alone tells synthetic from real",
        "line breaks, markup, punctuation and length alone tell them apart with AUC {value} "
        "(real from real: {reference})",
        "AUC",
        "higher",
        0.10,
        "the same test on counts of characters by class only",
        "Lopez-Paz & Oquab 2017, Revisiting Classifier Two-Sample Tests",
    ),
    Definition(
        "fidelity.length_ks",
        "Difference in length",
        "the lengths of synthetic and real rows differ by {value} (real from real: {reference})",
        "KS distance",
        "higher",
        0.10,
        "largest gap between the two distribution functions of tokens per row",
        "Kolmogorov-Smirnov two-sample statistic",
    ),
    Definition(
        "fidelity.giveaways",
        "Phrases it over-uses",
        "it over-uses {value} phrases (real against real: {reference})",
        "phrases",
        "higher",
        5.0,
        "phrases of one to three words whose weighted log-odds against real text pass a z cut-off",
        "Monroe et al. 2008, Fightin' Words",
    ),
    Definition(
        "fidelity.precision",
        "Synthetic rows that lie where real rows lie",
        "{value} of the synthetic rows lie among real rows (real rows among others: {reference})",
        "share of rows",
        "lower",
        0.10,
        "synthetic rows no farther from some real row than that row's 5th real neighbour / synthetic rows, in an embedding space",
        "Kynkäänniemi et al. 2019, Improved Precision and Recall Metric for Assessing Generative Models",
    ),
    Definition(
        "fidelity.recall",
        "Real rows that lie where synthetic rows lie",
        "{value} of the real rows lie among synthetic rows (among other real rows: {reference})",
        "share of rows",
        "lower",
        0.10,
        "real rows no farther from some synthetic row than that row's 5th synthetic neighbour / real rows, in an embedding space",
        "Kynkäänniemi et al. 2019, Improved Precision and Recall Metric for Assessing Generative Models",
    ),
    Definition(
        "fidelity.density",
        "How thick real rows lie around synthetic ones",
        "real rows lie {value} times as thick around a synthetic row as expected (around another real row: {reference})",
        "ratio",
        "lower",
        0.15,
        "balls of real rows, to their 5th neighbour, around a synthetic row, on average / 5",
        "Naeem et al. 2020, Reliable Fidelity and Diversity Metrics for Generative Models",
    ),
    Definition(
        "fidelity.coverage",
        "Real rows with a synthetic row near them",
        "{value} of the real rows have a synthetic row as near as their real neighbours (another real row: {reference})",
        "share of rows",
        "lower",
        0.10,
        "real rows with a synthetic row no farther than their 5th real neighbour / real rows, in an embedding space",
        "Naeem et al. 2020, Reliable Fidelity and Diversity Metrics for Generative Models",
    ),
    Definition(
        "fidelity.mauve",
        "MAUVE, the overlap of two distributions",
        "synthetic and real rows overlap by a MAUVE of {value} (real with real: {reference}; 1 is the same)",
        "MAUVE",
        "lower",
        0.10,
        "area under the divergence frontier of the two histograms over clusters of embedded rows",
        "Pillutla et al. 2021, MAUVE: Measuring the Gap Between Neural Text and Human Text",
    ),
    Definition(
        "quality.empty_share",
        "Empty rows",
        "{value} of its rows hold no word (real rows: {reference})",
        "share of rows",
        "higher",
        0.01,
        "rows without a token / rows",
        "convention",
    ),
    Definition(
        "quality.refusal_share",
        "Refusals",
        "{value} of its rows refuse or speak as an assistant instead of doing the task (real rows: {reference})",
        "share of rows",
        "higher",
        0.01,
        "rows that open with or contain a phrase of the refusal list / rows",
        "convention; phrases in audit/probes/refusals.txt",
    ),
    Definition(
        "quality.repetition_share",
        "Rows that repeat themselves",
        "{value} of its rows repeat themselves (real rows: {reference})",
        "share of rows",
        "higher",
        0.02,
        "rows in which repeated n-grams pass the Gopher cut-offs / rows",
        "Rae et al. 2021, Scaling Language Models (Gopher), table A1",
    ),
    Definition(
        "copying.verbatim_share",
        "Text copied word for word from real rows",
        "{value} of its words lie in passages of 50 or more words that stand in real rows (real rows: {reference})",
        "share of tokens",
        "higher",
        0.01,
        "synthetic tokens in exact spans of at least 50 tokens that occur in real rows / tokens",
        "Lee et al. 2022; Carlini et al. 2023, Quantifying Memorization",
    ),
    Definition(
        "copying.near_share",
        "Rows nearly copied from real rows",
        "{value} of its rows nearly copy a real row (real rows among themselves: {reference})",
        "share of rows",
        "higher",
        0.01,
        "synthetic rows with a real row at Jaccard 0.7 or more over 3-word shingles / rows",
        "Broder 1997, On the resemblance and containment of documents",
    ),
    Definition(
        "coverage.slice_ratio",
        "Share of a slice, synthetic to real",
        "this slice is {value} times as common as in real data (real against real: {reference})",
        "ratio",
        "either",
        0.25,
        "share of synthetic rows in the slice / share of real rows in the slice",
        "four-fifths convention for the tolerance",
    ),
    Definition(
        "coverage.region_gap",
        "Rows that lie in the wrong region",
        "{value} of the rows would have to lie in another region to be spread as real rows are (real rows: {reference})",
        "share of rows",
        "higher",
        0.10,
        "sum over regions of what the real share exceeds the synthetic share by (total variation)",
        "convention",
    ),
    Definition(
        "coverage.regions",
        "Share of a region, synthetic to real",
        "this region is {value} times as common as in real data (real against real: {reference})",
        "ratio",
        "either",
        0.25,
        "share of synthetic rows in a cluster of real rows / share of other real rows in it",
        "four-fifths convention for the tolerance",
    ),
    Definition(
        "coverage.tail",
        "Rare real rows that it still reaches",
        "{value} of the rare real rows have a synthetic row near them (other real rows: {reference})",
        "share of rare rows",
        "lower",
        0.10,
        "real rows of the sparsest tenth with a synthetic row no farther than their 5th real neighbour / such rows",
        "after Naeem et al. 2020 (coverage); tails: Shumailov et al. 2024",
    ),
    Definition(
        "trial.gap",
        "Synthetic only against real only",
        "a model trained on synthetic rows alone scores {value} against the same number of real rows",
        "accuracy difference",
        "lower",
        0.01,
        "mean test accuracy, trained on synthetic only minus trained on real only, at equal rows",
        "train on synthetic, test on real: Esteban et al. 2017",
    ),
    Definition(
        "trial.benefit",
        "Real plus synthetic against real, the better of once and repeated",
        "adding synthetic rows changes the score by {value} against the better of real and repeated real data",
        "accuracy difference",
        "lower",
        0.01,
        "mean test accuracy with synthetic rows added minus the better of the two real-only baselines",
        "baseline of repeated real data: Muennighoff et al. 2023, Scaling Data-Constrained Language Models",
    ),
    Definition(
        "trial.learning_curve",
        "Score by number of real rows",
        "trained on these real rows the model scores {value}",
        "accuracy",
        "none",
        0.0,
        "mean test accuracy over seeds at each size of a nested ladder of real rows",
        "convention",
    ),
    Definition(
        "trial.dose_response",
        "Score by share of synthetic rows",
        "with this mix the model scores {value}",
        "accuracy",
        "none",
        0.0,
        "mean test accuracy over seeds at each mix",
        "convention",
    ),
    Definition(
        "trial.best_share",
        "Best share of synthetic rows",
        "at a fixed number of rows the best share of synthetic rows is {value}",
        "share of rows",
        "none",
        0.0,
        "share with the best mean test accuracy among the replacement arms; interval over joint bootstrap draws",
        "convention",
    ),
    Definition(
        "trial.harmful_above",
        "Share from which it harms",
        "at a fixed number of rows, more than {value} synthetic rows harms",
        "share of rows",
        "lower",
        0.0,
        "smallest share at which the curve falls below real only by more than the margin",
        "convention",
    ),
    Definition(
        "trial.exchange_rate",
        "Real rows that one synthetic row is worth",
        "one synthetic row is worth {value} real rows at the margin",
        "real rows per synthetic row",
        "lower",
        0.0,
        "(real rows that reach the score of real + synthetic, minus the real rows in it) / synthetic rows",
        "the relative-efficiency idea of classical statistics, read off a measured learning curve",
    ),
    Definition(
        "trial.break_even_rows",
        "Real rows above which it stops helping",
        "adding it stops helping above {value} real rows",
        "real rows",
        "lower",
        0.0,
        "real rows at which the gain from adding all synthetic rows falls to zero",
        "after Kazdan et al. 2024, Collapse or Thrive",
    ),
    Definition(
        "trial.calibration_delta",
        "Calibration of synthetic only against real only",
        "calibration error changes by {value} when real rows are replaced",
        "expected calibration error",
        "higher",
        0.01,
        "expected calibration error, synthetic only minus real only, at equal rows",
        "Guo et al. 2017, On Calibration of Modern Neural Networks",
    ),
    Definition(
        "trial.worst_slice_delta",
        "Worst slice, real plus synthetic against real",
        "the slice that loses most changes by {value}",
        "accuracy difference",
        "lower",
        0.01,
        "smallest change of accuracy over slices when synthetic rows are added, Benjamini-Hochberg over slices",
        "Sagawa et al. 2020, Distributionally Robust Neural Networks; Benjamini & Hochberg 1995",
    ),
    Definition(
        "trial.slice_delta",
        "A slice, real plus synthetic against real",
        "this slice changes by {value}",
        "accuracy difference",
        "lower",
        0.01,
        "change of accuracy in the slice when synthetic rows are added",
        "convention",
    ),
    Definition(
        "evaluation.mde",
        "Smallest difference this trial could see",
        "differences below {value} cannot be told from noise here",
        "difference of accuracy",
        "higher",
        0.01,
        "smallest true difference found with 80 % power at the 5 % level",
        "Card et al. 2020, With Little Power Comes Great Responsibility",
    ),
)

_BY_NAME = {definition.name: definition for definition in CATALOGUE}
