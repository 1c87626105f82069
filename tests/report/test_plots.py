"""The plots hold the measures as they are, and refuse to draw a curve through two points."""

from pathlib import Path
from typing import Any

from assay.core.measure import Measure
from assay.report.figures import part
from assay.report.forest import differences, ratios
from assay.report.futures import curves, samplings
from assay.report.plots import addition, amplification, bias_response, dose_response, learning_curve
from assay.report.trials import compared
from assay.report.view import view

from .sample import evidence, measured, write_run


def _values(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [value for layer in spec["layer"] for value in layer["data"]["values"]]


def _points(spec: dict[str, Any]) -> list[tuple[float, float]]:
    return [(round(value["x"], 1), round(value["y"], 1)) for value in _values(spec) if "y" in value]


def test_dose_response_holds_the_replacement_arms_in_percent() -> None:
    spec = dose_response(evidence())
    assert spec is not None
    assert {(0.0, 82.2), (25.0, 82.1), (100.0, 73.8)} <= set(_points(spec))
    assert "1,600 rows throughout" in spec["encoding"]["x"]["axis"]["title"]


def test_repeated_real_rows_stand_where_as_many_synthetic_rows_would() -> None:
    spec = addition(evidence())
    assert spec is not None
    assert {(20.0, 85.7), (20.0, 84.9)} <= set(_points(spec))


def test_scarce_real_rows_with_synthetic_ones_stand_on_the_learning_curve() -> None:
    spec = learning_curve(evidence())
    assert spec is not None
    assert {(235.0, 71.2), (235.0, 74.4)} <= set(_points(spec))


def test_best_and_harmful_ranges_are_named_on_the_plot() -> None:
    spec = dose_response(evidence())
    assert spec is not None
    said = {value["words"] for value in _values(spec) if "words" in value}
    assert said == {"best: 10 to 35 %", "as good as the best: 0 to 25 %", "harmful above 60 % (50 to 75)"}


def test_a_share_that_never_harms_is_not_shaded() -> None:
    measures = tuple(each for each in evidence().measures if each.name != "trial.harmful_above")
    spec = dose_response(evidence(measures=measures))
    assert spec is not None
    assert not any("harmful" in value.get("words", "") for value in _values(spec))


def test_the_learning_curve_runs_over_the_measured_sizes_only() -> None:
    spec = learning_curve(evidence())
    assert spec is not None
    assert spec["encoding"]["x"]["scale"]["domain"] == [235.0, 3760.0]


def test_two_points_make_no_curve() -> None:
    kept = [each for each in evidence().measures if each.name != "trial.learning_curve"]
    few = [each for each in evidence().measures if each.name == "trial.learning_curve"][:2]
    assert learning_curve(evidence(measures=(*kept, *few))) is None
    assert dose_response(evidence(measures=())) is None


def test_one_range_that_is_both_is_named_once() -> None:
    best = measured("trial.best_share", (0.1, 0.0, 0.25))
    kept = [each for each in evidence().measures if each.name != "trial.best_share"]
    spec = dose_response(evidence(measures=(*kept, best)))
    assert spec is not None
    said = [value["words"] for value in _values(spec) if "words" in value]
    assert "best, or as good: 0 to 25 %" in said
    assert len(said) == 2


def test_the_placebo_stands_at_the_share_of_its_rows() -> None:
    spec = addition(evidence())
    assert spec is not None
    assert (20.0, 84.6) in _points(spec)


def test_the_exchange_rate_is_an_arrow_on_the_learning_curve() -> None:
    spec = learning_curve(evidence())
    assert spec is not None
    (arrow,) = [value for value in _values(spec) if "to" in value][:1]
    assert arrow["to"] - arrow["x"] == 0.31 * 1600
    assert arrow["words"] == "1,600 synthetic rows ≈ 496 real rows"


def test_a_loss_says_that_lower_is_better() -> None:
    text = [
        each.model_copy(update={"unit": "bits per byte"}) if each.name == "trial.dose_response" else each
        for each in evidence().measures
    ]
    spec, usual = dose_response(evidence(measures=tuple(text))), dose_response(evidence())
    assert spec is not None
    assert usual is not None
    assert spec["encoding"]["y"]["axis"]["title"] == "bits per byte on real test rows (lower is better)"
    assert usual["encoding"]["y"]["axis"]["title"].endswith("% (higher is better)")


def test_the_gap_between_groups_shares_the_axis_of_what_is_added() -> None:
    spec, scores = bias_response(evidence()), addition(evidence())
    assert spec is not None
    assert scores is not None
    assert spec["encoding"]["x"]["scale"] == scores["encoding"]["x"]["scale"]
    assert {(0.0, 2.0), (20.0, 3.1), (20.0, -3.1)} <= set(_points(spec))
    few = [each for each in evidence().measures if (each.slice or {}).get("synthetic_share") in ("0", "0.2")]
    assert bias_response(evidence(measures=tuple(few))) is None


def test_how_far_a_model_leans_shares_that_axis_too() -> None:
    slices = [{"step": "whole", "synthetic_share": share} for share in ("0", "0.0962", "0.2")]
    leans = [
        Measure(name="bias.amplification", slice=each, value=1.1, low=1.0, high=1.2, unit="times", worse="higher", method="")
        for each in (*slices, {"step": "training", "synthetic_share": "0"})
    ]  # fmt: skip
    spec, scores = amplification(evidence(measures=(*evidence().measures, *leans))), addition(evidence())
    assert spec is not None
    assert scores is not None
    assert spec["encoding"]["x"]["scale"] == scores["encoding"]["x"]["scale"]
    assert {(0.0, 1.1), (20.0, 1.1)} <= set(_points(spec))
    assert amplification(evidence(measures=(*evidence().measures, *leans[:2]))) is None


def test_forecast_curves_hold_each_round_of_each_regime() -> None:
    spec = curves(evidence())
    assert spec is not None
    assert {(0.0, 1.4), (3.0, 1.9), (3.0, 1.5)} <= set(_points(spec))
    assert (4.0, 2.1) in _points(spec)  # 1.42 and half as much again, foretold
    assert "lower is better" in spec["encoding"]["y"]["axis"]["title"]
    assert curves(evidence(measures=())) is None


def test_ways_to_draw_text_stand_in_a_plot_of_their_own_and_what_happened_beside_six_regimes() -> None:
    measures = evidence().measures
    curve = [each for each in measures if each.name == "forecast.loss" and each.slice["regime"] == "replace"]  # type: ignore[index]

    def like(regime: str, more: float) -> list[Measure]:
        return [
            each.model_copy(
                update={"slice": {**(each.slice or {}), "regime": regime}, "value": (each.value or 0) + more}
            )
            for each in curve
        ]

    others = ["subsample", "mixed 10 %", "fresh 10 %", "selected", "replace, temperature 0.7", "observed"]
    added = [measure for at, name in enumerate(others) for measure in like(name, 0.1 * (at + 1))]
    found = evidence(measures=(*measures, *added))
    whole, drawn = curves(found), samplings(found)
    assert whole is not None
    assert drawn is not None
    regimes = {value["regime"] for value in _values(whole)}
    assert regimes == {"replace", "accumulate", *others} - {"replace, temperature 0.7"}
    assert {value["regime"] for value in _values(drawn)} == {"replace", "replace, temperature 0.7"}
    assert (3.0, 2.4) in _points(drawn)
    assert samplings(evidence()) is None


def test_a_forest_tells_better_from_worse_by_shape_and_colour() -> None:
    spec = differences(compared(evidence()))
    assert spec is not None
    signs = {value["name"].rpartition(": ")[2]: value["sign"] for value in spec["layer"][0]["data"]["values"]}
    assert signs["imdb"] == "better"
    assert signs["<b>rotten</b>"] == "worse"
    assert signs["a placebo added"] == "not told apart"
    dots = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "point")
    assert dots["encoding"]["shape"]["scale"]["domain"] == dots["encoding"]["color"]["scale"]["domain"]
    assert len(set(dots["encoding"]["shape"]["scale"]["range"])) == 3


def test_groups_that_differ_for_sure_come_first_and_doubtful_pairs_stay_in_the_table(tmp_path: Path) -> None:
    seen = view(write_run(tmp_path)).bias
    assert [part(each) for each in seen.plotted] == ["gender: women", "gender: men", "gender: any"]
    assert len(seen.shares.figures) == 4
    assert seen.level == 1
    spec = ratios(seen.plotted, "groups")
    assert spec is not None
    assert [value["sign"] for value in spec["layer"][0]["data"]["values"]] == [
        "differs",
        "differs",
        "not told apart",
    ]
