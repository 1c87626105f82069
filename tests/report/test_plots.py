"""The plots hold the measures as they are, and refuse to draw a curve through two points."""

from typing import Any

from assay.report.plots import addition, bias, dose_response, learning_curve

from .sample import evidence, measured


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


def test_bias_stands_beside_benefit_on_one_axis() -> None:
    assert bias(evidence()) is None
    gaps = [
        measured(
            "bias.model_gap",
            (gap, gap - 0.02, gap + 0.02),
            slice={"group": group, "synthetic_share": share},
        )
        for group, of_group in {"region: south": (0.08, 0.12), "region: north": (-0.08, -0.12)}.items()
        for share, gap in zip(("0", "0.2"), of_group, strict=True)
    ]
    run = evidence()
    spec = bias(run.model_copy(update={"measures": (*run.measures, *gaps)}))
    assert spec is not None
    assert {(0.0, 0.0), (0.0, 8.0), (20.0, 12.0)} <= set(_points(spec))
    assert (20.0, -12.0) not in set(_points(spec))


def test_scarce_real_rows_with_synthetic_ones_stand_on_the_learning_curve() -> None:
    spec = learning_curve(evidence())
    assert spec is not None
    assert {(235.0, 71.2), (235.0, 74.4)} <= set(_points(spec))


def test_best_and_harmful_ranges_are_named_on_the_plot() -> None:
    spec = dose_response(evidence())
    assert spec is not None
    said = {value["words"] for value in _values(spec) if "words" in value}
    assert said == {"best: 10 to 35 %", "harmful above 60 % (50 to 75)"}


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
