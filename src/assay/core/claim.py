"""The claims: each risk and benefit of synthetic training data, and the measures that decide it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Perspective = Literal["quality", "bias", "evaluation"]


@dataclass(frozen=True)
class Claim:
    """A question about the data, asked the same way in every run.

    Attributes:
        measures: Names of the measures that decide it; empty when this version measures none of them.
        needs: Why the claim is not measured, when `measures` is empty.
        literature: Titles and links.
    """

    id: str
    kind: Literal["risk", "benefit"]
    perspective: Perspective
    title: str
    question: str
    measures: tuple[str, ...]
    needs: str
    literature: tuple[tuple[str, str], ...]


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "fidelity-gap",
        "risk",
        "quality",
        "Fidelity gap",
        "Do the synthetic rows differ from the real ones in ways that matter?",
        (
            "fidelity.two_sample_auc",
            "fidelity.formatting_auc",
            "fidelity.precision",
            "fidelity.recall",
            "fidelity.density",
            "fidelity.coverage",
            "fidelity.mauve",
            "fidelity.length_ks",
            "fidelity.giveaways",
        ),
        "",
        (
            (
                "Lopez-Paz & Oquab 2017, Revisiting Classifier Two-Sample Tests",
                "https://arxiv.org/abs/1610.06545",
            ),
            (
                "Naeem et al. 2020, Reliable Fidelity and Diversity Metrics for Generative Models",
                "https://arxiv.org/abs/2002.09797",
            ),
            ("Pillutla et al. 2021, MAUVE", "https://arxiv.org/abs/2102.01454"),
        ),
    ),
    Claim(
        "diversity-loss",
        "risk",
        "quality",
        "Loss of diversity",
        "Is it more repetitive than the real data, at equal tokens?",
        (
            "diversity.compression_ratio",
            "diversity.distinct_2",
            "diversity.type_coverage",
            "diversity.opening_share",
            "diversity.self_repetition",
            "diversity.syntax_compression",
            "diversity.vendi",
            "duplicates.exact_share",
            "duplicates.near_share",
            "duplicates.template_share",
        ),
        "",
        (
            (
                "Shaib et al. 2024, Standardizing the Measurement of Text Diversity",
                "https://arxiv.org/abs/2403.00553",
            ),
            (
                "Salkar et al. 2022, Self-Repetition in Abstractive Neural Summarizers",
                "https://arxiv.org/abs/2210.08145",
            ),
            (
                "Shaib et al. 2024, Detection and Measurement of Syntactic Templates in Generated Text",
                "https://arxiv.org/abs/2407.00211",
            ),
        ),
    ),
    Claim(
        "wrong-content",
        "risk",
        "quality",
        "Wrong content",
        "How many rows are wrong, and which?",
        (
            "quality.empty_share",
            "quality.refusal_share",
            "quality.repetition_share",
            "quality.truncated_share",
            "quality.boilerplate_share",
            "quality.prompt_echo_share",
            "quality.language_mismatch_share",
            "quality.placeholder_share",
            "quality.broken_code_share",
            "quality.invalid_json_share",
            "quality.wrong_arithmetic_share",
            "quality.label_noise_share",
            "quality.contradiction_share",
            "quality.error_rate",
        ),
        "",
        (
            ("Rae et al. 2021, Scaling Language Models (Gopher)", "https://arxiv.org/abs/2112.11446"),
            ("Northcutt et al. 2021, Confident Learning", "https://arxiv.org/abs/1911.00068"),
            ("Angelopoulos et al. 2023, Prediction-Powered Inference", "https://arxiv.org/abs/2301.09633"),
        ),
    ),
    Claim(
        "redundancy",
        "risk",
        "quality",
        "Redundancy",
        "Will more of it stop helping?",
        ("diversity.effective_rows", "scaling.bend"),
        "",
        (
            (
                "Revisiting Scaling Laws for Language Models, ACL 2025",
                "https://aclanthology.org/2025.acl-long.1163/",
            ),
        ),
    ),
    Claim(
        "copying",
        "risk",
        "quality",
        "Copying",
        "Does it copy, or leak, the real rows?",
        (
            "copying.verbatim_share",
            "copying.near_share",
            "copying.dcr_share",
            "copying.rare_ngram_excess",
            "copying.pii_excess",
            "copying.pii_share",
            "copying.name_excess",
            "copying.canary_recall",
        ),
        "",
        (
            ("Carlini et al. 2023, Quantifying Memorization", "https://arxiv.org/abs/2202.07646"),
            ("Carlini et al. 2019, The Secret Sharer", "https://arxiv.org/abs/1802.08232"),
        ),
    ),
    Claim(
        "provenance",
        "risk",
        "quality",
        "Provenance",
        "May it be used, and where is each row from?",
        (
            "provenance.licence_flags",
            "provenance.clear_share",
            "provenance.complete_share",
            "provenance.same_base",
        ),
        "",
        (
            ("Longpre et al. 2023, The Data Provenance Initiative", "https://arxiv.org/abs/2310.16787"),
            ("Cloud et al. 2025, Subliminal Learning", "https://arxiv.org/abs/2507.14805"),
        ),
    ),
    Claim(
        "representativeness",
        "risk",
        "bias",
        "Representativeness",
        "Which parts of the real population are thin or missing?",
        (
            "coverage.slice_ratio",
            "coverage.region_gap",
            "coverage.regions",
            "coverage.tail",
            "bias.group_shift",
            "bias.group_share_ratio",
        ),
        "",
        (("IBM 2025, Examining synthetic data", "https://www.ibm.com/think/insights/ai-synthetic-data"),),
    ),
    Claim(
        "bias-amplification",
        "risk",
        "bias",
        "Bias amplification",
        "Are groups shown less, or differently, than in the real data, and does the model amplify it?",
        (
            "bias.association",
            "bias.sentiment_gap",
            "bias.marked_words",
            "bias.gap",
            "bias.weat",
            "bias.model_gap_delta",
            "bias.swap_moves",
            "bias.amplification",
        ),
        "Needs lists of groups: do not give --groups none.",
        (("Wang & Russakovsky 2021, Directional Bias Amplification", "https://arxiv.org/abs/2102.12594"),),
    ),
    Claim(
        "fills-gaps",
        "benefit",
        "bias",
        "Filling gaps",
        "Does it fill gaps and lessen bias?",
        ("trial.targeted_delta", "trial.worst_slice_delta"),
        "Needs a trial with groups: give --groups COLUMN_OR_LIST.",
        (
            (
                "Three questions on synthetic data, MIT News 2025",
                "https://news.mit.edu/2025/3-questions-pros-cons-synthetic-data-ai-kalyan-veeramachaneni-0903",
            ),
        ),
    ),
    Claim(
        "performance",
        "benefit",
        "evaluation",
        "Better performance",
        "Does adding it improve the model on real test data?",
        ("trial.benefit", "trial.score_delta", "trial.judge_win_rate"),
        "",
        (
            (
                "Muennighoff et al. 2023, Scaling Data-Constrained Language Models",
                "https://arxiv.org/abs/2305.16264",
            ),
        ),
    ),
    Claim(
        "substitution",
        "risk",
        "evaluation",
        "Substitution",
        "How much worse is a model trained on it instead of real data?",
        ("trial.gap", "trial.calibration_delta"),
        "",
        (("Esteban et al. 2017, train on synthetic, test on real", "https://arxiv.org/abs/1706.02633"),),
    ),
    Claim(
        "scarce-data",
        "benefit",
        "evaluation",
        "Help when data is scarce",
        "Does it help when real data is scarce, and up to how much real data?",
        ("trial.exchange_rate",),
        "",
        (("Kazdan et al. 2024, Collapse or Thrive", "https://arxiv.org/abs/2410.16713"),),
    ),
    Claim(
        "robustness",
        "benefit",
        "evaluation",
        "Robustness",
        "Does it help off the beaten track?",
        ("trial.shifted_delta", "trial.tail_delta", "trial.forgetting"),
        "",
        (("Ribeiro et al. 2020, Beyond Accuracy: CheckList", "https://arxiv.org/abs/2005.04118"),),
    ),
    Claim(
        "model-collapse",
        "risk",
        "evaluation",
        "Model collapse",
        "What if the next generations train on this one's output?",
        ("forecast.loss_growth", "forecast.mechanism_growth"),
        "Needs a simulation of recursive training: run `assay forecast`.",
        (
            (
                "Schaeffer et al. 2025, Position: Model Collapse Does Not Mean What You Think",
                "https://arxiv.org/abs/2503.03150",
            ),
            ("Kazdan et al. 2024, Collapse or Thrive", "https://arxiv.org/abs/2410.16713"),
            (
                "Shumailov et al. 2024, AI models collapse when trained on recursively generated data",
                "https://doi.org/10.1038/s41586-024-07566-y",
            ),
        ),
    ),
    Claim(
        "drift",
        "risk",
        "evaluation",
        "Drift",
        "Does it drift from batch to batch, or away from a moving world?",
        ("drift.batch", "drift.trend", "drift.time_split"),
        "",
        (
            (
                "Lazaridou et al. 2021, Mind the Gap: temporal generalization",
                "https://arxiv.org/abs/2102.01951",
            ),
        ),
    ),
    Claim(
        "contamination",
        "risk",
        "evaluation",
        "Contamination",
        "Did questions of an evaluation leak in, also rephrased?",
        ("contamination.ngram_share", "contamination.rephrased_share"),
        "Needs an evaluation to look for: give --evals FILE.",
        (("Yang et al. 2023, Rethinking Benchmark and Contamination", "https://arxiv.org/abs/2311.04850"),),
    ),
    Claim(
        "evaluation-reliability",
        "risk",
        "evaluation",
        "Reliability of this evaluation",
        "Is any of this real, or noise?",
        (
            "evaluation.mde",
            "evaluation.snr",
            "evaluation.proxy_rank_correlation",
            "trial.placebo",
            "evaluation.judge_swap_consistency",
            "evaluation.judge_agreement",
            "evaluation.judge_kappa",
            "evaluation.preference_leakage",
        ),
        "",
        (
            (
                "Card et al. 2020, With Little Power Comes Great Responsibility",
                "https://arxiv.org/abs/2010.06595",
            ),
        ),
    ),
    Claim(
        "compute-cost",
        "risk",
        "evaluation",
        "Compute cost",
        "What does it cost to make and to train on?",
        (
            "cost.per_kept_row",
            "cost.usd",
            "cost.tokens",
            "cost.seconds",
            "cost.gpu_seconds",
            "cost.flops",
            "cost.kwh",
        ),
        "Needs the cost of generation.",
        (("Strubell et al. 2019, Energy and Policy Considerations", "https://arxiv.org/abs/1906.02243"),),
    ),
    Claim(
        "lower-cost",
        "benefit",
        "evaluation",
        "Lower cost",
        "Is it cheaper than more real data for the same gain?",
        ("cost.worth", "cost.per_point"),
        "Needs the price of a real and of a synthetic row.",
        (
            (
                "Synthetic Data: Benefits and Techniques for LLM Fine-Tuning",
                "https://labelyourdata.com/articles/llm-fine-tuning/synthetic-data",
            ),
        ),
    ),
)


def claim(id: str) -> Claim:
    """The claim of that id. Raises: KeyError: there is none."""
    return _BY_ID[id]


_BY_ID = {each.id: each for each in CLAIMS}
