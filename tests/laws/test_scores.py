"""Score files of other evaluators: every form gives the same arm, and the comparison keeps the laws of pairing."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.engine.scores import ArmScores, number, read_scores
from assay.trial.imported import ScoresResult, compare_arms, compare_scores

Floats = npt.NDArray[np.float64]
SCORES = {"a": 1.0, "b": 0.0, "ü": 1.0, "d": 0.5}


def lines(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def table(folder: Path) -> Path:
    return lines(folder / "arm.jsonl", [{"id": item, "score": score} for item, score in SCORES.items()])


def comma_separated(folder: Path) -> Path:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([("id", "score"), *SCORES.items()])
    (folder / "arm.csv").write_text(out.getvalue(), encoding="utf-8")
    return folder / "arm.csv"


def harness(folder: Path) -> Path:
    rows = [
        {"doc_id": item, "doc": {"q": item}, "target": "x", "resps": [["x"]], "filtered_resps": ["x"], "filter": name}
        | {"metrics": ["exact_match"], "doc_hash": f"h{item}", "prompt_hash": "p", "target_hash": "t"}
        | {"exact_match": score if name == "strict" else 1.0}
        for item, score in SCORES.items()
        for name in ("strict", "flexible")
    ]  # fmt: skip
    return lines(folder / "arm.jsonl", rows)


def samples() -> list[dict[str, Any]]:
    letters = {1.0: "C", 0.0: "I", 0.5: "P"}
    return [
        {"id": item, "epoch": 1, "input": item, "target": "x", "scores": {"match": {"value": letters[score]}}}
        for item, score in SCORES.items()
    ]


def inspect_json(folder: Path) -> Path:
    log = {"version": 2, "status": "success", "eval": {"task": "t"}, "samples": samples()}
    (folder / "arm.json").write_text(json.dumps(log, indent=1), encoding="utf-8")
    return folder / "arm.json"


def inspect_archive(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "arm.eval", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": {"task": "t"}}))
        for place, sample in enumerate(samples()):
            chunked = place == 1
            name = f"samples/{sample['id']}_epoch_1{'/sample' * chunked}.json"
            archive.writestr(name, json.dumps(sample))
        archive.writestr("summaries.json", "[]")
    return folder / "arm.eval"


def zstandard_archive(folder: Path) -> Path:
    """As Inspect writes it with INSPECT_USE_ZSTD: deflate's place in the headers taken by method 93."""
    path = folder / "arm.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for sample in samples():
            packed = pa.compress(json.dumps(sample).encode(), codec="zstd", asbytes=True)
            member = zipfile.ZipInfo(f"samples/{sample['id']}_epoch_1.json")
            archive.writestr(member, packed)
            member.compress_type, member.file_size = 93, len(json.dumps(sample).encode())
    return path


@pytest.mark.parametrize(
    "write", [table, comma_separated, harness, inspect_json, inspect_archive, zstandard_archive]
)
def test_every_form_gives_the_same_arm(write: Callable[[Path], Path], tmp_path: Path) -> None:
    arm = read_scores(write(tmp_path))
    assert arm.name == "arm"
    assert dict(zip(arm.items, arm.scores[:, 0], strict=True)) == SCORES
    assert arm.losses == ()


def test_metric_is_chosen_by_rule_or_by_name(tmp_path: Path) -> None:
    path = harness(tmp_path)
    assert read_scores(path).metric == "exact_match,strict"
    assert read_scores(path, metric="exact_match").metric == "exact_match,strict"
    assert read_scores(path, metric="exact_match,flexible").scores.mean() == 1
    with pytest.raises(InputError, match="exact_match,strict, exact_match,flexible"):
        read_scores(path, metric="acc")


def test_a_log_without_a_list_of_metrics_is_read_too(tmp_path: Path) -> None:
    rows = [{"doc_id": n, "doc": {}, "resps": [], "filtered_resps": [], "acc": n % 2, "acc_norm": 1.0} for n in range(4)]  # fmt: skip
    arm = read_scores(lines(tmp_path / "old.jsonl", rows))
    assert (arm.metric, arm.others, arm.scores.mean()) == ("acc,none", ("acc_norm,none",), 0.5)


def test_means_are_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"results": {}, "configs": {}}))
    with pytest.raises(InputError, match="--log_samples"):
        read_scores(path)


def test_bad_rows_are_counted_and_placed(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "score": 1},
        {"id": 2, "score": "?"},
        {"id": 3, "score": None},
        {"score": 1},
        {"id": 4, "score": 0},
    ]
    path = lines(tmp_path / "arm.jsonl", rows)
    path.write_text(path.read_text() + "{torn\n")
    arm = read_scores(path)
    assert arm.items == ("1", "4")
    assert sum(loss.rows for loss in arm.losses) == 4
    assert any(str(path) in loss.examples[0] and "line 2" in loss.examples[0] for loss in arm.losses)
    assert any(loss.examples == (f"{path}:6",) for loss in arm.losses)


def test_epochs_are_averaged_and_twins_refused(tmp_path: Path) -> None:
    rows = [
        {"id": item, "score": score, "epoch": epoch} for item in "ab" for epoch, score in ((1, 1), (2, 0))
    ]
    arm = read_scores(lines(tmp_path / "arm.jsonl", rows))
    assert arm.scores.tolist() == [[0.5], [0.5]]
    assert arm.repeats == 2
    with pytest.raises(InputError, match=r"'a' is scored twice, in line 1 and line 2"):
        read_scores(lines(tmp_path / "twins.jsonl", [{"id": "a", "score": 1}, {"id": "a", "score": 0}]))


def test_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the columns are name, points"):
        read_scores(lines(tmp_path / "arm.jsonl", [{"name": "a", "points": 1}]))
    arm = read_scores(lines(tmp_path / "more.jsonl", [{"id": "a", "points": 3}]), metric="points")
    assert arm.scores.tolist() == [[3.0]]


def test_a_folder_is_an_arm_of_several_tasks(tmp_path: Path) -> None:
    for task, stamp in (("arc", "2026-01-01T00-00-00.1"), ("gsm8k", "2026-01-01T00-00-01.2")):
        harness(tmp_path).rename(tmp_path / f"samples_{task}_{stamp}.jsonl")
    (tmp_path / "results_2026.json").write_text(json.dumps({"results": {}, "configs": {}}))
    arm = read_scores(tmp_path)
    assert arm.items[0] == "arc/a"
    assert set(arm.slices["task"]) == {"arc", "gsm8k"}


@pytest.mark.parametrize(
    ("value", "wanted"), [(True, 1), ("false", 0), (" 0.5 ", 0.5), ("nan", None), (None, None), ([1], None), ("C", None)]
)  # fmt: skip
def test_numbers(value: Any, wanted: float | None) -> None:
    assert number(value) == wanted


def arm(
    name: str,
    scores: Floats,
    *,
    clusters: Sequence[str | None] | None = None,
    slices: dict[str, tuple[str | None, ...]] | None = None,
    metric: str = "acc",
) -> ArmScores:
    scores = scores.reshape(len(scores), -1)
    items = tuple(str(number) for number in range(len(scores)))
    none = (None,) * len(items)
    return ArmScores(
        name=name,
        form="table",
        metric=metric,
        others=(),
        items=items,
        runs=tuple(str(run) for run in range(scores.shape[1])) if scores.shape[1] > 1 else ("",),
        scores=scores,
        repeats=1,
        clusters=none if clusters is None else tuple(clusters),
        slices=slices or {},
        checks=none,
        losses=(),
    )


def find(result: ScoresResult, name: str, **where: str) -> Measure:
    return next(
        each for each in result.measures if each.name == name and (each.slice or {}).items() >= where.items()
    )


def delta(result: ScoresResult, name: str = "trial.score_delta", **where: str) -> tuple[float, float, float]:
    measure = find(result, name, **where)
    assert measure.value is not None
    assert measure.low is not None
    assert measure.high is not None
    return measure.value, measure.low, measure.high


def binary(rng: np.random.Generator, chance: Floats) -> Floats:
    return (rng.random(len(chance)) < chance).astype(np.float64)


def test_pairing_sees_what_two_separate_error_bars_do_not() -> None:
    rng = np.random.default_rng(0)
    base = binary(rng, np.full(1000, 0.5))
    better = base.copy()
    better[np.flatnonzero(base == 0)[:15]] = 1
    value, low, high = delta(compare_arms([arm("real", base), arm("new", better)]))
    assert value == pytest.approx(0.015)
    assert 0 < low < high < 0.03
    apart = 2 * np.sqrt(0.25 / 1000) * np.sqrt(2)
    assert high - low < apart / 2


def test_error_is_the_clustered_one_of_the_textbook() -> None:
    rng = np.random.default_rng(1)
    kin = np.repeat(np.arange(150), 6)
    shared = rng.normal(size=150)[kin]
    base: Floats = rng.normal(size=900)
    new = np.asarray(rng.normal(size=900) + shared, dtype=np.float64)
    difference = new - base
    sums = np.bincount(kin, difference - difference.mean())
    textbook = np.sqrt(np.sum(sums**2)) / 900
    names = [str(each) for each in kin]
    _, low, high = delta(compare_arms([arm("real", base, clusters=names), arm("new", new, clusters=names)]))
    assert (high - low) / (2 * 1.976) == pytest.approx(textbook, rel=0.06)
    _, narrow_low, narrow_high = delta(compare_arms([arm("real", base), arm("new", new)]))
    assert narrow_high - narrow_low < 0.7 * (high - low)


def test_interval_holds_the_truth_and_equal_arms_are_rarely_called_different() -> None:
    rng = np.random.default_rng(2)
    held = called = 0
    for _ in range(80):
        chance = rng.beta(2, 2, size=200)
        result = compare_arms([arm("real", binary(rng, chance)), arm("new", binary(rng, chance))])
        _, low, high = delta(result)
        held += low <= 0 <= high
        called += float(find(result, "trial.score_delta").method.split("p = ")[1].split(";")[0]) < 0.05
    assert held >= 71
    assert called <= 9


def test_identical_arms_are_equivalent_only_with_enough_items() -> None:
    for items, sure in ((50, False), (2000, True)):
        base: Floats = np.tile([0.0, 1.0], items // 2)
        result = compare_arms([arm("real", base), arm("same", base)])
        value, low, high = delta(result)
        assert value == 0
        assert low < 0 < high
        p = float(find(result, "trial.score_delta").method.split("within 0.01: p = ")[1].split(";")[0])
        assert (p < 0.05) == sure


def test_more_trainings_count_and_one_training_is_said_to_be_one() -> None:
    rng = np.random.default_rng(3)
    chance = np.full(400, 0.6)
    # Four trainings whose luck is worth three points each: far more than the items show.
    luck = 0.03 * np.array([-1.2, 1.0, 0.6, -0.4])
    base = np.stack([binary(rng, chance) for _ in range(4)], axis=1)
    new = np.stack([binary(rng, chance + each * 4) for each in luck], axis=1)
    several = compare_arms([arm("real", base), arm("new", new)])
    once = compare_arms([arm("real", base.mean(axis=1)), arm("new", new.mean(axis=1))])
    wide, narrow = delta(several), delta(once)
    assert wide[0] == pytest.approx(narrow[0])
    assert wide[2] - wide[1] > 1.5 * (narrow[2] - narrow[1])
    assert "4 trainings, paired by seed" in find(several, "trial.score_delta").method
    assert len(several.trials) == 8
    mixed = compare_arms([arm("real", base[:, 0]), arm("new", new)])
    assert "4 against 1 trainings" in find(mixed, "trial.score_delta").method


def test_a_harmed_slice_is_found_among_many() -> None:
    rng = np.random.default_rng(4)
    names = np.array([f"s{n % 12}" for n in range(2400)])
    chance = np.full(2400, 0.8)
    base = binary(rng, chance)
    new = binary(rng, np.where(names == "s7", 0.4, chance))
    slices: dict[str, tuple[str | None, ...]] = {"topic": tuple(names)}
    result = compare_arms([arm("real", base, slices=slices), arm("new", new, slices=slices)])
    value, _, high = delta(result, "trial.worst_slice_delta", arm="new")
    assert value == pytest.approx(-0.4, abs=0.12)
    assert high < 0
    significant = [
        (each.slice or {})["topic"]
        for each in result.measures
        if each.name == "trial.slice_delta" and float(each.method.split(" = ")[1].split(";")[0]) < 0.05
    ]
    assert significant == ["s7"]


def test_among_many_equal_arms_none_is_discovered() -> None:
    rng = np.random.default_rng(5)
    chance = rng.beta(2, 2, size=300)
    arms = [arm(f"arm {n}", binary(rng, chance)) for n in range(13)]
    adjusted = [
        float(each.method.split("12 arms: ")[1].split(")")[0])
        for each in compare_arms(arms).measures
        if each.name == "trial.score_delta"
    ]
    assert len(adjusted) == 12
    assert min(adjusted) > 0.05


def test_losses_of_which_less_is_better_are_turned() -> None:
    rng = np.random.default_rng(6)
    base = rng.gamma(2, size=300)
    result = compare_arms([arm("real", base, metric="loss"), arm("worse", base + 0.2, metric="loss")])
    assert delta(result)[2] < 0
    assert "less is better" in find(result, "trial.score_delta").method
    as_scores = compare_arms([arm("real", base), arm("worse", base + 0.2)])
    assert delta(as_scores)[1] > 0


def test_mde_is_what_is_found_in_four_of_five_runs() -> None:
    rng = np.random.default_rng(7)
    base = rng.normal(size=400)
    noise = rng.normal(size=(60, 400))
    mde = find(compare_arms([arm("real", base), arm("new", base + noise[0])]), "evaluation.mde").value
    assert mde is not None
    found = sum(
        delta(compare_arms([arm("real", base), arm("new", base + each + mde)]))[1] > 0 for each in noise
    )
    assert 0.62 < found / 60 < 0.95


def test_items_are_matched_by_id_and_content(tmp_path: Path) -> None:
    rows = [
        {"doc_id": n, "doc": {}, "resps": [], "filtered_resps": [], "metrics": ["acc"], "acc": n % 3 == 0, "filter": "none", "doc_hash": f"h{n}"}
        for n in range(40)
    ]  # fmt: skip
    base = lines(tmp_path / "real.jsonl", rows)
    moved = [row | {"doc_hash": "else"} if row["doc_id"] == 5 else row for row in reversed(rows[2:])]
    result = compare_scores([base, lines(tmp_path / "new.jsonl", [*moved, {**rows[0], "doc_id": 99}])])
    measure = find(result, "trial.score_delta")
    assert measure.value == 0
    assert measure.n == 37
    assert measure.left_out == {
        "items only real was scored on": 2,
        "items only new was scored on": 1,
        "items of one id but different content": 1,
    }
    assert {loss.examples for loss in result.losses} == {("0", "1"), ("99",), ("5",)}
    with pytest.raises(InputError, match="no item in common"):
        compare_scores([base, lines(tmp_path / "other.jsonl", [{"id": "z", "score": 1, "acc,none": 1}])])


def test_files_of_one_task_are_called_after_their_models(tmp_path: Path) -> None:
    paths = []
    for model, stamp in (("real-8b", "2026-01-01T00-00-00.1"), ("mixed-8b", "2026-01-02T00-00-00.1")):
        (tmp_path / model).mkdir()
        rows = [{"id": n, "score": n % 2} for n in range(20)]
        paths.append(lines(tmp_path / model / f"samples_gsm8k_{stamp}.jsonl", rows))
    assert find(compare_scores(paths), "trial.score_delta").slice == {"arm": "mixed-8b"}


def test_too_few_items_give_no_number(tmp_path: Path) -> None:
    result = compare_arms([arm("real", np.ones(5)), arm("new", np.zeros(5))])
    measure = find(result, "trial.score_delta")
    assert measure.value is None
    assert "fewer than 10" in (measure.missing or "")


def test_same_seed_same_numbers_and_order_of_items_does_not_matter(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    rows = [{"id": n, "score": float(rng.random()), "slice_lang": "ab"[n % 2]} for n in range(100)]
    other = [row | {"score": float(rng.random())} for row in rows]
    base, new = lines(tmp_path / "real.jsonl", rows), lines(tmp_path / "new.jsonl", other)
    once = compare_scores([base, new])
    assert once == compare_scores([base, new])
    (tmp_path / "turned").mkdir()
    shuffled = lines(tmp_path / "turned" / "new.jsonl", other[::-1])
    assert find(once, "trial.score_delta") == find(compare_scores([base, shuffled]), "trial.score_delta")
    assert find(once, "trial.slice_delta", lang="a").n == 50
