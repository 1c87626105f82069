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
        ideal: What the value would be if nothing were wrong; counts only where there is no reference.
        opens: Past its tolerance it leaves the question open and harms nobody by itself.
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
    ideal: float = 0.0
    opens: bool = False


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
        "rows in a near-duplicate cluster (Jaccard of 3-word shingles at least 0.5), its first row excepted / rows",
        "Broder 1997, On the resemblance and containment of documents",
    ),
    Definition(
        "duplicates.template_share",
        "Rows made after the same template",
        "{value} of its rows are one of a few sentences with other names and words filled in (real rows: "
        "{reference})",
        "share of rows",
        "higher",
        0.02,
        "rows whose frame (the row without names, numbers and rarer words, or without the commonest words) at least two "
        "rows of other roots and other words share / rows, at equal rows",
        "after Shaib et al. 2024, Detection and Measurement of Syntactic Templates in Generated Text",
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
        0.10,
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
        "diversity.self_repetition",
        "Four-word runs that other rows hold too",
        "{value} of its four-word runs stand in another of its rows as well, at equal length {reference} of those "
        "in real text",
        "share of four-word runs",
        "higher",
        0.05,
        "four-word runs that at least two rows of the sample hold / four-word runs, counted once a row, at equal "
        "tokens; longer runs that repeat are made of these",
        "Salkar et al. 2022, Self-Repetition in Abstractive Neural Summarizers",
    ),
    Definition(
        "diversity.syntax_compression",
        "How far the word classes compress",
        "reduced to the build of its sentences, the synthetic text compresses {value} times, the real text "
        "{reference} times; more means fewer ways to build a sentence",
        "ratio",
        "higher",
        0.10,
        "word classes / zlib-compressed bytes, one byte a class, at equal tokens; classes are frequent words, "
        "numbers, names and word endings, so that no language needs a tagger",
        "after Shaib et al. 2024, Detection and Measurement of Syntactic Templates in Generated Text",
        relative=True,
    ),
    Definition(
        "diversity.effective_rows",
        "Real rows that tell as much that is new as one row",
        "each of its rows tells as much that is new, in different word pairs, as {value} real rows of its length "
        "(a real row: {reference})",
        "real rows per synthetic row",
        "lower",
        0.10,
        "real tokens that hold as many distinct bigrams / synthetic tokens, read off the rarefaction curve of the "
        "real rows",
        "after Colwell et al. 2012, Models and estimators linking rarefaction and extrapolation; Heaps 1978",
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
        "quality.truncated_share",
        "Rows that stop too early",
        "{value} of its rows stop in mid-sentence, in a bracket or in a code block (real rows: {reference})",
        "share of rows",
        "higher",
        0.05,
        "rows whose answer ends unfinished / rows with words",
        "convention",
    ),
    Definition(
        "quality.boilerplate_share",
        "Assistant phrases around the answer",
        "{value} of its rows wrap the answer in an assistant's phrases (real rows: {reference})",
        "share of rows",
        "higher",
        0.01,
        "rows that open or close with a phrase of the boilerplate list / rows",
        "convention; phrases in audit/probes/boilerplate.txt",
    ),
    Definition(
        "quality.prompt_echo_share",
        "Answers that repeat their prompt",
        "{value} of its answers repeat their prompt (real rows: {reference})",
        "share of rows with a prompt",
        "higher",
        0.02,
        "rows whose answer opens as the prompt does or holds half of it in a row / rows with a prompt of 8 words or more",
        "convention",
    ),
    Definition(
        "quality.language_mismatch_share",
        "Rows in the wrong language",
        "{value} of its rows are in another language than they should be (real rows: {reference})",
        "share of rows with a known language",
        "higher",
        0.02,
        "rows in another language than their prompt, or than the real rows / rows whose language can be told",
        "after Grefenstette 1995, Comparing two language identification schemes",
    ),
    Definition(
        "quality.placeholder_share",
        "Gaps left to fill in",
        "{value} of its rows still hold a gap to fill in, such as [Your Name] (real rows: {reference})",
        "share of rows",
        "higher",
        0.01,
        "rows with a placeholder / rows",
        "convention; patterns in audit/annotate/placeholders.py",
    ),
    Definition(
        "quality.broken_code_share",
        "Python that does not parse",
        "{value} of its rows with Python hold code that does not parse (real rows: {reference})",
        "share of rows with code",
        "higher",
        0.05,
        "rows with Python code that does not parse / rows with Python code",
        "after Chen et al. 2021, Evaluating Large Language Models Trained on Code",
    ),
    Definition(
        "quality.invalid_json_share",
        "JSON that does not parse",
        "{value} of its rows that owe JSON hold none that parses (real rows: {reference})",
        "share of rows that owe JSON",
        "higher",
        0.05,
        "rows whose JSON does not parse / rows with a JSON fence or a prompt that asks for JSON",
        "RFC 8259",
    ),
    Definition(
        "quality.wrong_arithmetic_share",
        "Equations that do not hold",
        "{value} of its rows with equations hold a wrong one (real rows: {reference})",
        "share of rows with an equation",
        "higher",
        0.05,
        "rows with an equation of numbers that is wrong beyond rounding / rows with such an equation",
        "equations as annotated in Cobbe et al. 2021, Training Verifiers to Solve Math Word Problems",
    ),
    Definition(
        "quality.label_noise_share",
        "Labels that are likely wrong",
        "{value} of its labels look wrong to a classifier trained on the other rows (real rows: {reference})",
        "share of rows",
        "higher",
        0.05,
        "rows confidently of another class than their label / rows confidently of any class, out of fold",
        "Northcutt, Jiang & Chuang 2021, Confident Learning, JAIR 70",
    ),
    Definition(
        "quality.contradiction_share",
        "Rows that contradict each other",
        "{value} of its rows have the same text as another row and a different label (real rows: {reference})",
        "share of rows with a label",
        "higher",
        0.01,
        "rows whose text or prompt another row has with another label / rows with a label, at equal rows",
        "convention",
    ),
    Definition(
        "quality.error_rate",
        "Rows that a person calls wrong",
        "{value} of its rows are wrong, as far as the labels of a sample can tell",
        "share of rows",
        "higher",
        0.05,
        "share of wrong labels, corrected by lambda times the scores of all rows (prediction-powered inference)",
        "Angelopoulos et al. 2023, Prediction-Powered Inference; 2024, PPI++. Tolerance: well-known test sets hold "
        "3.3 % wrong labels on average (Northcutt et al. 2021, Pervasive Label Errors in Test Sets)",
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
        "provenance.complete_share",
        "Rows with a complete lineage",
        "{value} of its rows say which model wrote them, in which version, from which prompt and seed row, under "
        "which licence and when",
        "share of rows",
        "lower",
        0.05,
        "rows that name generator, version, prompt, seed row, licence and time / rows",
        "Longpre et al. 2023, The Data Provenance Initiative",
        ideal=1.0,
        opens=True,
    ),
    Definition(
        "provenance.clear_share",
        "Rows whose terms are known to restrict nothing",
        "for {value} of its rows generator and licence are both known, and neither restricts training",
        "share of rows",
        "lower",
        0.05,
        "rows whose generator and licence stand in the table of terms as clear / rows; what is not in it is not known",
        "audit/annotate/terms.toml, each entry with its source and date",
        ideal=1.0,
        opens=True,
    ),
    Definition(
        "provenance.licence_flags",
        "Rows whose terms forbid training or commercial use",
        "{value} of its rows come from a generator or under a licence whose terms forbid training other models or "
        "commercial use",
        "share of rows",
        "higher",
        0.01,
        "rows whose generator or licence stands in the table of terms as forbidding / rows",
        "audit/annotate/terms.toml, each entry with its source and date",
    ),
    Definition(
        "provenance.same_base",
        "Rows written by a model of the student's base",
        "{value} of its rows were written by a model that may share its base with the student: traits can pass that "
        "no filter of the text sees",
        "share of rows",
        "higher",
        0.01,
        "rows whose generator is of the student's family and size / rows whose generator is of a known family",
        "Cloud et al. 2025, Subliminal Learning",
        opens=True,
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
        "contamination.ngram_share",
        "Evaluation items found word for word",
        "{value} of the items of this evaluation stand in the synthetic rows word for word "
        "(in as many real rows: {reference})",
        "share of items",
        "higher",
        0.01,
        "evaluation items of which one row holds at least half of the 13-word runs / items",
        "Brown et al. 2020, Language Models are Few-Shot Learners, appendix C (13-word runs)",
    ),
    Definition(
        "contamination.rephrased_share",
        "Evaluation items found, also in other words",
        "{value} of the items of this evaluation stand in the synthetic rows, also in other words "
        "(in as many real rows: {reference})",
        "share of items",
        "higher",
        0.02,
        "evaluation items for which a row passes a threshold that real rows seldom pass / items",
        "after Yang et al. 2023, Rethinking Benchmark and Contamination with Rephrased Samples",
    ),
    Definition(
        "drift.batch",
        "How well a batch is told from the one before",
        "of all batches the one that differs most from the one before is told from it with AUC {value} (as many "
        "comparisons of real rows at random: {reference})",
        "AUC",
        "higher",
        0.10,
        "area under the ROC curve of the two-sample classifier, batch n against n - 1, the largest over the batches",
        "Lopez-Paz & Oquab 2017, Revisiting Classifier Two-Sample Tests; Rabanser et al. 2019, Failing Loudly",
        ideal=0.5,
    ),
    Definition(
        "drift.trend",
        "Drift away from real rows",
        "from the first batch to the last the AUC against real rows changes by {value}",
        "AUC difference",
        "higher",
        0.10,
        "climb of the least-squares line through the AUC of each batch against the same real rows",
        "Lazaridou et al. 2021, Mind the Gap: Assessing Temporal Generalization",
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
