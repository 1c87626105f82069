"""A realistic run, made up: every decided claim, every kind of plot, and hostile strings on request."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.catalogue import define
from assay.core.evidence import EXAMPLES, Costs, Evidence, Input, Loss, Run, Tool
from assay.core.measure import Measure, Reference
from assay.core.recipe import Recipe
from assay.core.trial import Cost, Trial
from assay.core.verdict import decide

SETTINGS = """\
[inputs]
real = ["reviews/real.jsonl"]
synthetic = ["reviews/smollm2.jsonl"]

[run]
task = "classification"
seed = 0
"""


def measured(
    name: str,
    value: tuple[float, float, float],
    *,
    reference: tuple[float, float, float] | None = None,
    n: int = 3200,
    slice: dict[str, str] | None = None,
    corpus: str | None = None,
    left_out: dict[str, int] | None = None,
    method: str = "leave-one-bucket-out over 64 buckets of root ids",
) -> Measure:
    """A measure from (value, low, high), and the reference in the same form."""
    definition = define(name)
    return Measure(
        name=name,
        corpus=corpus,
        slice=slice,
        value=value[0],
        low=value[1],
        high=value[2],
        n=n,
        unit=definition.unit,
        worse=definition.worse,
        reference=None
        if reference is None
        else Reference(value=reference[0], low=reference[1], high=reference[2]),
        method=method,
        left_out=left_out or {},
    )


def absent(name: str, why: str) -> Measure:
    """A measure that could not be taken, with its reason."""
    definition = define(name)
    return Measure(
        name=name, value=None, unit=definition.unit, worse=definition.worse, method="none", missing=why
    )


def audit_measures() -> list[Measure]:
    """What an audit of weak film reviews would find."""
    synthetic = "synthetic"
    phrases = {
        "a masterpiece of": (0.112, 0.101, 0.123, 0.004),
        "the film is a": (0.341, 0.324, 0.358, 0.031),
        "testament to the": (0.071, 0.062, 0.080, 0.001),
        "in conclusion": (0.054, 0.047, 0.062, 0.006),
        "a must-see for": (0.049, 0.041, 0.057, 0.003),
    }
    labels = {"pos": (1.31, 1.26, 1.36), "neg": (0.69, 0.65, 0.73)}
    sources = {"imdb": (1.02, 0.97, 1.07), "rotten tomatoes": (0.94, 0.80, 1.09)}
    return [
        measured(
            "fidelity.two_sample_auc",
            (0.957, 0.951, 0.963),
            reference=(0.502, 0.481, 0.523),
            n=6400,
            left_out={"empty": 4},
            method="TF-IDF and logistic regression, cross-validated by root id",
        ),
        measured(
            "fidelity.formatting_auc",
            (0.781, 0.769, 0.793),
            reference=(0.498, 0.477, 0.519),
            n=6400,
        ),
        measured(
            "fidelity.length_ks",
            (0.412, 0.391, 0.433),
            reference=(0.021, 0.008, 0.034),
        ),
        measured(
            "diversity.compression_ratio",
            (3.12, 3.08, 3.16),
            reference=(2.35, 2.33, 2.37),
            corpus=synthetic,
        ),
        measured(
            "diversity.distinct_2",
            (0.31, 0.30, 0.32),
            reference=(0.62, 0.61, 0.63),
            corpus=synthetic,
        ),
        measured(
            "diversity.type_coverage",
            (0.22, 0.20, 0.24),
            reference=(0.47, 0.45, 0.49),
            corpus=synthetic,
        ),
        measured(
            "diversity.opening_share",
            (0.183, 0.171, 0.195),
            reference=(0.041, 0.033, 0.049),
            corpus=synthetic,
        ),
        measured(
            "duplicates.exact_share",
            (0.014, 0.010, 0.019),
            reference=(0.003, 0.001, 0.005),
            corpus=synthetic,
        ),
        measured(
            "duplicates.near_share",
            (0.121, 0.110, 0.133),
            reference=(0.004, 0.002, 0.007),
            corpus=synthetic,
        ),
        measured(
            "quality.empty_share",
            (0.0, 0.0, 0.001),
            reference=(0.0, 0.0, 0.001),
            corpus=synthetic,
        ),
        measured(
            "quality.refusal_share",
            (0.0031, 0.0016, 0.0058),
            reference=(0.0002, 0.0, 0.001),
            corpus=synthetic,
        ),
        measured(
            "quality.repetition_share",
            (0.087, 0.078, 0.097),
            reference=(0.011, 0.008, 0.015),
            corpus=synthetic,
        ),
        measured("copying.verbatim_share", (0.0004, 0.0, 0.0012), reference=(0.0003, 0.0, 0.001)),
        measured("copying.near_share", (0.0003, 0.0, 0.0009), reference=(0.0002, 0.0, 0.0008)),
        absent("trial.slice_delta", "no slice has 50 test rows"),
        measured("fidelity.giveaways", (212, 188, 236), reference=(3, 0, 8)),
        *(
            measured(
                "fidelity.giveaways",
                (value, low, high),
                reference=(real, real * 0.6, real * 1.5),
                slice={"phrase": phrase},
            )
            for phrase, (value, low, high, real) in phrases.items()
        ),
        *(
            measured(
                "coverage.slice_ratio",
                value,
                reference=(1.0, 0.94, 1.06),
                slice={"label": label},
            )
            for label, value in labels.items()
        ),
        *(
            measured("coverage.regions", value, reference=(1.0, 0.9, 1.1), slice={"region": region})
            for region, value in {
                "war, front, soldier": (0.2, 0.1, 0.4),
                "laugh, joke, fun": (1.6, 1.3, 1.9),
            }.items()
        ),
        *(
            measured(
                "coverage.slice_ratio",
                value,
                reference=(1.0, 0.93, 1.07),
                slice={"source": source},
            )
            for source, value in sources.items()
        ),
    ]


def trial_measures() -> list[Measure]:
    """What a trial would find: a little helps, alone it hurts."""
    method = "two-level paired bootstrap over 2500 test items and 6 seeds"
    ladder = {"235": 0.712, "470": 0.756, "940": 0.793, "1880": 0.826, "3760": 0.848}
    replacement = {0.0: 0.822, 0.1: 0.824, 0.25: 0.821, 0.5: 0.806, 0.75: 0.783, 1.0: 0.738}
    doses = {0: 0.848, 400: 0.853, 940: 0.857, 1600: 0.852}
    repeats = {1.0: 0.848, 1.11: 0.849, 1.25: 0.849, 1.43: 0.847}
    scarce = {235: 0.744, 470: 0.772, 940: 0.799, 1880: 0.824}

    def arm(design: str, score: float, real: int, synthetic: int = 0, times: float = 1.0) -> Measure:
        where = {
            "design": design,
            "synthetic_share": f"{synthetic / (real * times + synthetic):.4g}",
            "real_rows": str(real),
            "synthetic_rows": str(synthetic),
            "repeats": f"{times:.4g}",
        }
        spread = (score, score - 0.006, score + 0.006)
        return measured("trial.dose_response", spread, n=2500, slice=where, method=method)

    return [
        measured("trial.gap", (-0.084, -0.096, -0.071), n=2500, method=method),
        measured("trial.benefit", (0.008, 0.003, 0.014), n=2500, method=method),
        measured("trial.best_share", (0.2, 0.1, 0.35), n=2500, method=method),
        measured("trial.harmful_above", (0.6, 0.5, 0.75), n=2500, method=method),
        measured("trial.exchange_rate", (0.31, 0.22, 0.41), n=2500, method=method),
        measured("trial.break_even_rows", (1400, 900, 2100), n=2500, method=method),
        measured("trial.calibration_delta", (0.021, 0.012, 0.030), n=2500, method=method),
        measured("trial.worst_slice_delta", (-0.004, -0.016, 0.008), n=900, method=method),
        measured("evaluation.mde", (0.0052, 0.0041, 0.0066), n=2500, method=method),
        *(
            measured(
                "trial.learning_curve",
                (score, score - 0.008, score + 0.008),
                n=2500,
                slice={"real_rows": rows},
                method=method,
            )
            for rows, score in ladder.items()
        ),
        *(
            arm("replacement", score, round(1600 * (1 - share)), round(1600 * share))
            for share, score in replacement.items()
        ),
        *(arm("addition", score, 3760, dose) for dose, score in doses.items()),
        *(arm("repeated", score, 3760, times=times) for times, score in repeats.items()),
        arm("placebo", 0.846, 3760),
        measured("trial.flat_range", (0.0, 0.0, 0.0), slice={"end": "lowest"}, n=2500, method=method),
        measured("trial.flat_range", (0.25, 0.1, 0.25), slice={"end": "highest"}, n=2500, method=method),
        measured("trial.placebo", (-0.002, -0.008, 0.004), n=2500, method=method),
        *(
            measured("trial.slice_delta", value, n=900, slice={"source": source}, method=method)
            for source, value in {
                "imdb": (0.012, 0.004, 0.02),
                "<b>rotten</b>": (-0.02, -0.03, -0.01),
            }.items()
        ),
        *(arm("scarce+synthetic", score, real, 1600) for real, score in scarce.items()),
    ]


def group_measures() -> list[Measure]:
    """What it would find about groups: women shown less, a word that marks them, more near-copies."""
    method = "share of synthetic rows that mention the group / the same share of real rows"
    ratios = {"gender: any": (0.9, 0.8, 1.0), "gender: women": (0.61, 0.52, 0.7), "gender: men": (1.3, 1.2, 1.4),
              "age: children & gender: men": (0.5, 0.1, 1.6)}  # fmt: skip
    gaps = {"short rows": (0.02, -0.05, 0.09), "duplicates.near_share": (0.1, 0.05, 0.15),
            "quality.empty_share": (0.0, -0.01, 0.01)}  # fmt: skip
    women = {"group": "gender: women"}
    real = (0.02, 0.0, 0.04)
    model_gaps = {
        "gender: women": (0.02, 0.024, 0.031, 0.038),
        "gender: men": (-0.02, -0.024, -0.031, -0.038),
    }
    return [
        *(
            Measure(
                name="bias.model_gap",
                slice={"group": group, "synthetic_share": share},
                value=gap,
                low=gap - 0.01,
                high=gap + 0.01,
                n=400,
                unit="accuracy difference",
                worse="higher",
                method=method,
            )
            for group, found in model_gaps.items()
            for share, gap in zip(("0", "0.0962", "0.2", "0.2985"), found, strict=True)
        ),
        *(
            measured(
                "bias.group_share_ratio",
                value,
                reference=(1, 0.95, 1.05),
                slice={"group": group},
                method=method,
            )
            for group, value in ratios.items()
        ),
        measured("bias.marked_words", (1, 0, 4), reference=(0, 0, 2)),
        measured(
            "bias.marked_words", (0.12, 0.09, 0.16), reference=real, slice={**women, "word": "gentle"}
        ).model_copy(update={"unit": "share of rows"}),
        measured("bias.sentiment_gap", (0.04, 0.0, 0.08), reference=real),
        *(
            measured("bias.gap", value, reference=(0.0, -0.02, 0.02), slice={**women, "measure": name})
            for name, value in gaps.items()
        ),
    ]


def forecast_measures() -> list[Measure]:
    """Bits per byte of two regimes over four rounds, and how the loss grows, by names the catalogue may not hold yet."""
    losses = {"replace": (1.42, 1.55, 1.71, 1.9), "accumulate": (1.42, 1.45, 1.46, 1.465)}
    fields = {
        "unit": "bits per byte",
        "worse": "higher",
        "n": 1200,
        "method": "8 chains, two-level bootstrap",
    }
    curves = [
        Measure(
            name="forecast.loss", slice={"regime": regime, "round": str(round_)},
            value=loss, low=loss - 0.02, high=loss + 0.02, **fields,
        )
        for regime, found in losses.items()
        for round_, loss in enumerate(found)
    ]  # fmt: skip
    growth = Measure(
        name="forecast.loss_growth", slice={"regime": "replace"}, value=0.16, low=0.14, high=0.18, **fields
    )  # fmt: skip
    shapes = [
        Measure(
            name="forecast.shape", slice={"regime": "replace", "shape": shape}, value=value, low=value, high=value,
            unit="probability", worse="none", method="four shapes, weighed",
        )
        for shape, value in {"level": 0.1, "linear": 0.9}.items()
    ]  # fmt: skip
    outlook = Measure(
        name="forecast.outlook", slice={"regime": "replace", "round": "4"}, value=0.5, low=0.4, high=0.6, n=1200,
        unit="share of loss", worse="higher", method="extrapolated",
    )  # fmt: skip
    return [*curves, growth, *shapes, outlook]


FORECAST = {
    "regimes": [
        {
            "regime": "replace",
            "generations": [
                {"round": 0, "sample": "A film that knows what it wants.", "histogram": [1, 5, 2, 0]},
                {"round": 3, "sample": "The film is a film is a film.", "histogram": [7, 0, 0, 1]},
            ],
        }
    ]
}


def evidence(**changes: object) -> Evidence:
    """The sample evidence, with any field replaced by name."""
    measures = tuple(audit_measures() + group_measures() + trial_measures() + forecast_measures())
    recipes = (
        Recipe(real=1.0),
        Recipe(real=1.0, synthetic=0.25),
        Recipe(synthetic=1.0),
        Recipe(real=1.0, placebo=0.25),
    )
    fields: dict[str, object] = {
        "tool": Tool(version="0.1.0", commit="652ce03"),
        "seed": 0,
        "inputs": (
            Input(role="real", name="film reviews", sha256="a1" * 32, rows=9229, rows_unread=3, bytes=12_400_000, shape="text/label"),
            Input(role="synthetic", name="SmolLM2 reviews", sha256="b2" * 32, rows=3200, rows_unread=0, bytes=1_900_000, shape="text/label"),
        ),
        "measures": measures,
        "trials": tuple(
            Trial(learner="linear", recipe=recipe, seed=seed, score={"accuracy": 0.85 - 0.08 * recipe.synthetic_share},
                  cost=Cost(seconds=1.2, tokens=410_000, flops=2.0e9))
            for recipe in recipes for seed in range(6)
        ),
        "claims": decide(measures),
        "costs": Costs(seconds=83.4, usd=0.0),
        "losses": (
            Loss(what="rows not read", why="not valid JSON", rows=3, examples=("film.jsonl line 17", "film.jsonl line 40")),
            Loss(what="synthetic rows kept out of every arm", why="they copy test rows", rows=41,
                 examples=("a film that will be remembered",)),
        ),
    }  # fmt: skip
    return Evidence.model_validate({**fields, **changes})


def examples() -> pa.Table:
    """Rows beside three findings: a shared span, a copy, and a phrase."""
    text = "The film is a masterpiece of the genre and a testament to the power of cinema."
    rows = [
        ("copying.verbatim_share", None, "synthetic", 17, text, "Truly a masterpiece of the genre and little else.", 12, 42, "30 shared tokens"),
        ("duplicates.near_share", None, "synthetic", 90, text, text.replace("power", "magic"), None, None, "similarity 0.93"),
        ("bias.marked_words", json.dumps({"group": "gender: women", "word": "gentle"}), "synthetic", 8, "Her gentle smile.", None, 4, 10, "a word that marks rows about the group"),
        ("coverage.regions", json.dumps({"region": "war, front, soldier"}), "real", 3, "The soldier at the front.", None, None, None, ""),
        ("fidelity.giveaways", json.dumps({"phrase": "a masterpiece of"}), "synthetic", 4, text, None, 12, 28, ""),
    ]  # fmt: skip
    return pa.Table.from_pylist(
        [dict(zip(EXAMPLES.names, row, strict=True)) for row in rows], schema=EXAMPLES
    )


def write_run(folder: Path, record: Evidence | None = None, rows: pa.Table | None = None) -> Run:
    """A run folder as `assay run` writes it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evidence.json").write_text((record or evidence()).to_json(), encoding="utf-8")
    (folder / "study.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "rows").mkdir(exist_ok=True)
    (folder / "rows" / "forecast.json").write_text(json.dumps(FORECAST), encoding="utf-8")
    pq.write_table(examples() if rows is None else rows, folder / "rows" / "examples.parquet")
    return Run(folder)
