"""The rule that decides claims, on measures made by hand."""

import pytest

from assay.core.catalogue import CATALOGUE, define
from assay.core.claim import CLAIMS
from assay.core.evidence import ClaimResult
from assay.core.measure import Measure, Reference
from assay.core.verdict import actions, decide, gravest


def measured(
    name: str,
    value: float,
    width: float,
    reference: float | None = None,
    slice: dict[str, str] | None = None,
) -> Measure:
    definition = define(name)
    known = None
    if reference is not None:
        known = Reference(value=reference, low=reference - width, high=reference + width)
    return Measure(
        name=name,
        value=value,
        low=value - width,
        high=value + width,
        n=1000,
        unit=definition.unit,
        worse=definition.worse,
        reference=known,
        method="by hand",
        slice=slice,
    )


def verdict_of(claim: str, *measures: Measure, margin: float = 0.01) -> ClaimResult:
    return next(result for result in decide(measures, margin=margin) if result.id == claim)


def test_every_claim_is_always_answered() -> None:
    results = decide([])
    assert [result.id for result in results] == [claim.id for claim in CLAIMS]
    assert {result.verdict for result in results} == {"not measured"}
    assert all(result.statement is not None and result.action for result in results)


def test_every_deciding_measure_has_a_definition() -> None:
    for claim in CLAIMS:
        assert claim.measures or claim.needs
        for name in claim.measures:
            assert define(name).name == name
    assert len({definition.name for definition in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize(
    ("value", "width", "expected"),
    [
        (0.30, 0.01, "harm"),  # far beyond the reference
        (0.010, 0.005, "no harm"),  # like the reference
        (0.035, 0.03, "undecided"),  # too wide to tell
        (0.025, 0.001, "no harm"),  # beyond the reference, within the tolerance
    ],
)
def test_a_risk_is_judged_against_its_reference(value: float, width: float, expected: str) -> None:
    result = verdict_of("copying", measured("copying.near_share", value, width, reference=0.02))
    assert result.verdict == expected
    assert result.because == ("copying.near_share",)


def test_lower_is_worse_where_the_catalogue_says_so() -> None:
    lost = measured("diversity.type_coverage", 0.4, 0.01, reference=0.7)
    richer = measured("diversity.type_coverage", 0.9, 0.01, reference=0.7)
    assert verdict_of("diversity-loss", lost).verdict == "harm"
    assert verdict_of("diversity-loss", richer).verdict == "no harm"


@pytest.mark.parametrize("ratio", [0.3, 3.0])
def test_a_ratio_may_stray_either_way(ratio: float) -> None:
    thin = measured("coverage.slice_ratio", ratio, 0.05, reference=1.0, slice={"label": "refund"})
    result = verdict_of("representativeness", thin)
    assert result.verdict == "harm"
    assert "refund" in result.statement


@pytest.mark.parametrize(
    ("value", "width", "expected"),
    [(0.02, 0.005, "helps"), (-0.05, 0.01, "harm"), (0.0, 0.005, "no harm"), (0.0, 0.05, "undecided")],
)
def test_a_benefit_helps_harms_or_neither(value: float, width: float, expected: str) -> None:
    assert verdict_of("performance", measured("trial.benefit", value, width)).verdict == expected


def test_only_a_better_score_as_a_whole_says_to_use_it() -> None:
    gains = {each.id: actions(each)["helps"] for each in CLAIMS if each.kind == "benefit"}
    assert len(set(gains.values())) == len(gains) == 5
    assert [name for name, action in gains.items() if action.startswith("Use it")] == ["performance"]


def test_the_margin_is_the_users() -> None:
    loss = measured("trial.gap", -0.03, 0.005)
    assert verdict_of("substitution", loss, margin=0.01).verdict == "harm"
    assert verdict_of("substitution", loss, margin=0.05).verdict == "no harm"


def test_many_slices_are_held_to_a_stricter_test() -> None:
    """One slice at p = 0.03 alone is a finding; the same slice among 40 quiet ones is not."""
    odd = measured("coverage.slice_ratio", 2.30, 0.95, slice={"label": "odd"})
    quiet = [measured("coverage.slice_ratio", 1.2, 0.3, slice={"label": str(i)}) for i in range(40)]
    assert verdict_of("representativeness", odd).verdict == "harm"
    assert verdict_of("representativeness", odd, *quiet).verdict != "harm"


def test_a_missing_measure_is_not_zero() -> None:
    missing = Measure(
        name="trial.benefit",
        value=None,
        unit="accuracy difference",
        worse="lower",
        method="",
        missing="no labels",
    )
    result = verdict_of("performance", missing)
    assert result.verdict == "not measured"
    assert "no labels" in result.statement


def test_gravest() -> None:
    assert gravest(["no harm", "harm", "undecided"]) == "harm"
    assert gravest(["not measured", "no harm"]) == "no harm"
    assert gravest([]) == "not measured"
