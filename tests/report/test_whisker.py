"""The dot-and-whisker shows value, interval and the band of real against real."""

import re
from xml.etree import ElementTree

from assay.report.whisker import WIDTH, domain, whisker

from .sample import absent, measured


def _at(drawing: str, what: str, attribute: str) -> float:
    found = re.search(rf'class="{what}"[^>]* {attribute}="([-0-9.]+)"', drawing)
    assert found
    return float(found.group(1))


def test_a_value_above_its_reference_stands_right_of_the_band() -> None:
    drawing = whisker(measured("fidelity.two_sample_auc", (0.9, 0.88, 0.92), reference=(0.5, 0.48, 0.52)))
    ElementTree.fromstring(drawing)
    band_ends = _at(drawing, "band", "x") + _at(drawing, "band", "width")
    assert band_ends < _at(drawing, "dot", "cx") < WIDTH


def test_a_measure_without_value_is_not_drawn() -> None:
    assert whisker(absent("trial.gap", "no labels")) == ""


def test_a_point_without_width_still_has_a_place() -> None:
    drawing = whisker(measured("quality.empty_share", (0.0, 0.0, 0.0), reference=(0.0, 0.0, 0.0)))
    assert _at(drawing, "dot", "cx") == WIDTH / 2


def test_one_range_serves_a_whole_table() -> None:
    thin = measured("coverage.slice_ratio", (0.1, 0.05, 0.2))
    full = measured("coverage.slice_ratio", (1.8, 1.6, 2.0))
    across = domain([thin, full], also=(0.0, 2.0))
    assert across == (0.0, 2.0)
    assert _at(whisker(thin, across), "dot", "cx") < _at(whisker(full, across), "dot", "cx")


def test_a_difference_is_read_against_none() -> None:
    assert 'class="zero"' in whisker(measured("trial.gap", (-0.08, -0.1, -0.06)))
