"""The plots hold the measures as they are, and refuse to draw a curve through two points."""

from typing import Any

from assay.report.plots import dose_response, learning_curve

from .sample import evidence


def _values(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [value for layer in spec["layer"] for value in layer["data"]["values"]]


def test_dose_response_holds_every_arm_in_percent() -> None:
    spec = dose_response(evidence())
    assert spec is not None
    points = [(value["x"], round(value["y"], 1)) for value in _values(spec) if "y" in value]
    assert (25.0, 84.6) in points
    assert (100.0, 76.4) in points
    assert (20.0, 85.6) in points


def test_best_and_harmful_ranges_are_named_on_the_plot() -> None:
    spec = dose_response(evidence())
    assert spec is not None
    said = {value["words"] for value in _values(spec) if "words" in value}
    assert said == {"best: 10 to 35 %", "harmful above 60 %"}


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
