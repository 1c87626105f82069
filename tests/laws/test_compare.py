"""What moved is found, what did not is not, and the direction follows from the measure."""

from __future__ import annotations

import json
import math
import os
import random
from pathlib import Path

import pytest
from scipy import stats

from assay.core.change import change, worsening
from assay.core.discoveries import adjusted
from assay.core.errors import InputError
from assay.core.evidence import Evidence, Run
from assay.core.measure import Measure
from assay.core.recipe import Recipe
from assay.core.trial import Cost, Trial
from assay.report import compare_page, history, terminal
from assay.report.compare import Comparison, compare, headline, record
from assay.report.paired import arms

from ..report.sample import absent, evidence, measured, write_run
from .test_gate import HOSTILE

SOUND = HOSTILE.replace("\ud800", "")


def between(folder: Path, before: Evidence, after: Evidence) -> Comparison:
    return compare(write_run(folder / "before", before), write_run(folder / "after", after))


def share(value: float, half: float = 0.01, name: str = "quality.refusal_share", n: int = 1000) -> Measure:
    return measured(name, (value, value - half, value + half), n=n)


def trials(
    bump: float = 0.0, noise: float = 0.01, seed: int = 0, score: str = "accuracy"
) -> tuple[Trial, ...]:
    """Arms with a large effect of the seed, which pairing takes out, and a little noise of their own."""
    shared, own = random.Random(99), random.Random(seed)
    of_seed = [shared.gauss(0, 0.05) for _ in range(8)]
    return tuple(
        Trial(
            learner="linear",
            recipe=Recipe(real=1.0, synthetic=synthetic),
            seed=at,
            score={score: 0.8 + of_seed[at] + bump + own.gauss(0, noise)},
            cost=Cost(),
        )
        for at in range(8)
        for synthetic in (0.0, 0.5)
    )


def test_a_run_against_itself_has_not_moved(tmp_path: Path) -> None:
    found = between(tmp_path, evidence(), evidence())
    assert len(found.moved) > 40
    assert not [*found.beyond_noise(), *found.turned, *found.inputs, *found.apart]
    assert headline(found).startswith("Nothing moved beyond noise")


def test_noise_alone_is_seldom_called_a_move(tmp_path: Path) -> None:
    """Two hundred pairs of runs that differ by noise: a false finding in at most about one in twenty."""
    draw = random.Random(1)
    names = [
        "quality.refusal_share",
        "quality.repetition_share",
        "quality.empty_share",
        "trial.gap",
        "trial.benefit",
    ]
    false = 0
    for _ in range(200):
        sides = [[share(0.5 + draw.gauss(0, 0.01), 0.0196, name) for name in names] for _ in range(2)]
        p = [change(before, after).p for before, after in zip(*sides, strict=True)]
        false += min(adjusted(p)) <= 0.05
    assert false <= 20


def test_a_planted_move_is_found_more_surely_with_dose() -> None:
    found = [change(share(0.1), share(0.1 + dose)).p for dose in (0.0, 0.005, 0.01, 0.02, 0.04)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 1.0
    assert found[-1] < 1e-6


@pytest.mark.parametrize(
    ("name", "up"),
    [("quality.refusal_share", "worse"), ("trial.benefit", "better"), ("trial.best_share", "neither")],
)
def test_the_direction_follows_from_the_measure(name: str, up: str) -> None:
    down = {"worse": "better", "better": "worse"}.get(up, "neither")
    assert change(share(0.1, name=name), share(0.3, name=name)).direction == up
    assert change(share(0.3, name=name), share(0.1, name=name)).direction == down


def test_straying_either_way_is_worse() -> None:
    even, thin, thick = (share(value, name="coverage.slice_ratio") for value in (1.0, 0.5, 2.0))
    assert change(even, thin).direction == change(even, thick).direction == "worse"
    assert change(thin, even).direction == "better"
    assert worsening(thin, thick)[0] == pytest.approx(0, abs=1e-9)
    assert worsening(even, thick)[0] == pytest.approx(math.log(2))


def test_other_real_data_is_measured_against_its_own_reference() -> None:
    """The value rose because the real rows are more alike too; against them nothing changed."""
    name = "quality.repetition_share"
    before = measured(name, (0.10, 0.09, 0.11), reference=(0.05, 0.045, 0.055))
    after = measured(name, (0.20, 0.19, 0.21), reference=(0.15, 0.145, 0.155))
    assert change(before, after).value == pytest.approx(0.0)
    same = before.model_copy(update={"value": 0.2, "low": 0.19, "high": 0.21})
    moved = change(before, same)
    assert moved.value == pytest.approx(0.1)
    assert moved.high - moved.low == pytest.approx(2 * math.hypot(0.01, 0.01))  # one reference adds no noise


def test_less_data_is_not_called_better() -> None:
    name = "diversity.distinct_2"
    before, after = share(0.40, name=name, n=62_000), share(0.48, name=name, n=31_000)
    assert change(before, after).direction == "neither"
    assert change(before, after.model_copy(update={"n": 60_000})).direction == "better"


def test_adjusted_p_values_are_those_of_benjamini_and_hochberg() -> None:
    draw = random.Random(2)
    p_values = [draw.random() ** 3 for _ in range(50)]
    assert adjusted(p_values) == pytest.approx(list(stats.false_discovery_control(p_values)))
    assert adjusted([]) == []


def test_pairing_by_seed_sees_what_independent_errors_hide(tmp_path: Path) -> None:
    before, after = (evidence(trials=trials(bump, 0.005, seed)) for bump, seed in ((0.0, 1), (0.03, 2)))
    found = arms(before, after)
    assert len(found) == 2
    pairs = [
        [each.score["accuracy"] for each in side.trials if each.recipe.synthetic == 0.5]
        for side in (before, after)
    ]
    known = stats.ttest_rel(pairs[1], pairs[0])
    wanted = next(each for each in found if each.arm.synthetic == 0.5)
    assert wanted.change.p == pytest.approx(known.pvalue)
    interval = known.confidence_interval(0.95)
    assert (wanted.change.low, wanted.change.high) == pytest.approx((interval.low, interval.high))
    assert stats.ttest_ind(*pairs).pvalue > 0.05 > known.pvalue
    moved = between(tmp_path, before, after).beyond_noise("better")
    assert [each.how for each in moved] == ["paired by seed", "paired by seed"]


def test_arms_are_paired_only_on_the_same_test_rows() -> None:
    before = evidence(trials=trials())
    other = tuple(each.model_copy(update={"sha256": "c3" * 32}) for each in before.inputs)
    assert arms(before, evidence(trials=trials(), inputs=other)) == []
    assert arms(before, evidence(trials=trials(), seed=1)) == []
    assert len(arms(before, evidence(trials=trials()))) == 2


def test_more_loss_is_worse() -> None:
    before, after = (evidence(trials=trials(bump, score="loss")) for bump in (0.0, 0.2))
    assert {each.change.direction for each in arms(before, after)} == {"worse"}


def test_what_cannot_be_compared_says_why(tmp_path: Path) -> None:
    before = evidence(measures=(share(0.1), share(0.2, name="quality.empty_share")))
    other_unit = share(0.1).model_copy(update={"unit": "rows"})
    after = evidence(
        measures=(other_unit, absent("quality.empty_share", "no rows"), share(0.1, name="trial.gap"))
    )
    apart = dict(between(tmp_path, before, after).apart)
    assert sorted(apart.values()) == [
        "measured in share of rows before, in rows now", "no longer measured: no rows", "not measured before",
    ]  # fmt: skip
    reverse = compare(Run(tmp_path / "after"), Run(tmp_path / "before"))
    assert "only in after" in dict(reverse.apart).values()


def test_turned_verdicts_and_inputs_are_named(tmp_path: Path) -> None:
    before = evidence()
    claims = tuple(
        each.model_copy(update={"verdict": "undecided"}) if each.id == "copying" else each
        for each in before.claims
    )
    inputs = tuple(
        each.model_copy(update={"sha256": "d4" * 32}) if each.role == "synthetic" else each
        for each in before.inputs
    )
    found = between(tmp_path, before, evidence(claims=claims, inputs=inputs, seed=3))
    assert [(each.id, each.after) for each in found.turned] == [("copying", "undecided")]
    assert any("synthetic" in each and "of other content" in each for each in found.inputs)
    assert "seed: 0 before, 3 now" in found.inputs


def runs(folder: Path) -> Path:
    """Five runs whose refusals grow in the last one."""
    for at, value in enumerate((0.01, 0.011, 0.009, 0.01, 0.08)):
        run = write_run(
            folder / "runs" / f"r{at}", evidence(measures=(share(value, 0.003), share(0.5, name="trial.gap")))
        )
        os.utime(run.folder / "evidence.json", (1e9 + 86400 * at, 1e9 + 86400 * at))
    return folder / "runs"


def test_a_history_holds_every_run_in_order(tmp_path: Path) -> None:
    found = history.history(runs(tmp_path))
    assert [name for name, _ in found.runs] == ["r0", "r1", "r2", "r3", "r4"]
    assert found.runs[0][1] == "2001-09-09"
    by_name = {each.name: each for each in found.series}
    assert by_name["quality.refusal_share"].trend == "worse"
    assert by_name["trial.gap"].trend == ""
    assert len(history.record(found)["series"][0]["points"]) == 5
    page = history.render(found)
    assert page.count('class="dot"') == 10
    assert "<script" not in page
    narrowed = history.history(tmp_path / "runs", names=["trial.gap"], order="name")
    assert [each.name for each in narrowed.series] == ["trial.gap"]


def test_a_history_needs_runs_and_known_names(tmp_path: Path) -> None:
    write_run(tmp_path / "only")
    with pytest.raises(InputError, match="two runs or more; there is one"):
        history.history(tmp_path)
    with pytest.raises(InputError, match=r"Did you mean quality\.refusal_share"):
        history.history(runs(tmp_path), names=["quality.refusals_share"])


def test_hostile_text_breaks_no_output(tmp_path: Path) -> None:
    old = evidence(measures=(measured("coverage.slice_ratio", (0.9, 0.8, 1.0), slice={"label": SOUND}),))
    new = evidence(measures=(measured("coverage.slice_ratio", (0.1, 0.05, 0.15), slice={"label": SOUND}),))
    claims = tuple(each.model_copy(update={"verdict": "harm", "statement": SOUND}) for each in new.claims)
    found = between(tmp_path, old, new.model_copy(update={"claims": claims}))
    assert len(found.beyond_noise("worse")) == 1
    page = compare_page.render(found)
    series = history.render(history.history(tmp_path, names=["coverage.slice_ratio"]))
    for text in (page, series):
        assert "<script" not in text
        assert "\x1b" not in text
        assert text.count("</html>") == 1
    lines = [part for part in terminal.of_comparison(found) if isinstance(part, str)]
    assert not any("\x1b" in each or "\n" in each for each in lines)
    json.dumps(record(found))
