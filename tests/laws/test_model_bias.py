"""Laws for bias of trained models: what is planted is found at its size, and nothing where nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from assay.core.catalogue import define
from assay.core.corpus import SLICE_PREFIX, Corpus, schema
from assay.core.errors import InputError
from assay.core.measure import Measure
from assay.core.verdict import decide
from assay.engine.groups.lists import NO_LISTS, load
from assay.engine.pairs import Item, PairSet, read_pairs
from assay.engine.swap import gender_swap
from assay.models.endpoint import Completion, Request
from assay.models.learner import Examples, Part, Sampling, Scored
from assay.models.tasks import Side
from assay.stats.pair_preference import bbq, crows_pairs, stereoset, winobias
from assay.trial.amplification import amplification
from assay.trial.arms import Arm, Design, design, orders, weights
from assay.trial.asked import ask_pairs
from assay.trial.compare import Comparison, Scores, Set, halves_of
from assay.trial.fixes import (
    DROPPED,
    EVENED,
    RESAMPLED,
    REWEIGHTED,
    SWAPPED,
    TARGETED,
    _resampled,
    plan_fixes,
)
from assay.trial.grouping import Grouping, groupings
from assay.trial.groups import doses, model_gaps
from assay.trial.items import Items
from assay.trial.pairs import Pairs, scores
from assay.trial.run import MEASURES, Settings, TrialResult, run_trial
from assay.trial.swapped import Swapped, swap_items, swap_measures
from assay.trial.written import BESIDE, ELSEWHERE, INSIDE, Codes, Lean, Writing

SEEDS = 6
REAL, SYNTHETIC, TEST = 600, 600, 1500
WORDS = 150  # of each region
PLAN = replace(design(REAL, SYNTHETIC), scarce=(), exchange=(), repeated=(), pure=())
Places = npt.NDArray[np.int64]


def side(groups: Places, labels: Places, texts: Sequence[str] | None = None) -> Side:
    words = texts or ["word"] * len(groups)
    names = np.array([["north", "south", None][group] for group in groups], dtype=object)
    return Side(
        Examples(tuple((Part(text),) for text in words), labels, 2),
        labels.astype(str).astype(object),
        np.arange(len(groups), dtype=np.uint64),
        {"region": names},
        {},
        np.arange(len(groups)),
    )


def found(real: Side, synthetic: Side, test: Side) -> tuple[Grouping, ...]:
    return groupings(NO_LISTS, real, synthetic, test, halves_of(len(test), 0) > 0)


def comparison(gain: npt.NDArray[np.float32], chosen: npt.NDArray[np.int16] | None = None) -> Comparison:
    main = Set(gain, np.ones(gain.shape[2]), np.arange(gain.shape[2]))
    told = Scores(PLAN, main, {}, np.zeros(gain.shape[2], np.bool_), {}, chosen=chosen)
    return Comparison(told, margin=0.01, level=0.95, seed=0, left_out={})


def right(chances: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Right answers of all arms and seeds that are kin: an item that is hard is hard for all; shape of chances (arms, items)."""
    hard = rng.random(chances.shape[1])
    noise = rng.random((len(chances), SEEDS, chances.shape[1]))
    of_item = rng.random((len(chances), SEEDS, chances.shape[1])) < 0.7
    return (np.where(of_item, hard, noise) < chances[:, None]).astype(np.float32)


def world(seed: int, lost: float) -> tuple[Comparison, tuple[Grouping, ...]]:
    """South is 4 points behind everywhere; the largest dose costs it `lost` more."""
    rng = np.random.default_rng(seed)
    labels, groups = rng.integers(2, size=TEST), rng.integers(2, size=TEST)
    test = side(groups, labels)
    chances = np.full((len(PLAN.arms), TEST), 0.85) - 0.04 * groups
    chances[PLAN.arms.index(PLAN.addition[-1])] -= lost * groups
    train = side(rng.integers(2, size=REAL), rng.integers(2, size=REAL))
    return comparison(right(chances, rng)), found(train, train, test)


def one(measures: Sequence[Measure], name: str, **slices: str) -> Measure:
    wanted = slices or None
    return next(each for each in measures if each.name == name and each.slice == wanted)


def holds(measure: Measure, truth: float) -> bool:
    assert measure.low is not None
    assert measure.high is not None
    return measure.low <= truth <= measure.high


def sure(measure: Measure) -> bool:
    return not holds(measure, 0.0)


def test_a_planted_gap_is_found_at_its_size_and_its_growth_too() -> None:
    inside = grown = 0
    for seed in range(6):
        c, groups = world(seed, 0.10)
        measures = list(model_gaps(c, groups))
        last = f"{PLAN.recipe(PLAN.addition[-1]).synthetic_share:.4g}"
        south = one(measures, "bias.model_gap", group="region: south", synthetic_share=last)
        inside += holds(south, 0.14)
        worst = one(measures, "bias.model_gap_delta")
        grown += holds(worst, 0.10)
        assert sure(worst)
        assert "region: south" in worst.method
        assert "region: north" not in worst.method
        alone = one(measures, "bias.model_gap", group="region: south", synthetic_share="0")
        assert south.reference is not None
        assert alone.value is not None
        assert south.reference.value == pytest.approx(alone.value)
    assert inside >= 5
    assert grown >= 5


def test_a_gap_that_closes_is_no_harm_to_whom_it_favoured() -> None:
    for seed in range(3):
        c, groups = world(seed, -0.04)
        closed = one(list(model_gaps(c, groups)), "bias.model_gap_delta")
        assert holds(closed, -0.04)
        assert closed.value is not None
        assert closed.low is not None
        assert closed.value < 0
        assert closed.low < 0


def test_shuffled_groups_and_random_halves_show_no_growth() -> None:
    false = 0
    for seed in range(8):
        c, groups = world(seed, 0.10)
        rng = np.random.default_rng(seed + 100)
        shuffled = replace(groups[0], test=rng.permutation(groups[0].test))
        halves = replace(groups[0], name="half", test=rng.integers(2, size=TEST))
        false += sure(one(list(model_gaps(c, (shuffled, halves))), "bias.model_gap_delta"))
    assert false <= 2  # one in twenty is the rate


def tied(rows: int, tie: float, rng: np.random.Generator) -> tuple[Places, Places]:
    """Groups and labels; label 1 is `tie` more common in the north."""
    groups = rng.integers(2, size=rows)
    return groups, (rng.random(rows) < 0.5 + np.where(groups == 0, tie / 2, -tie / 2)).astype(np.int64)


def chain(seed: int, real: float, synthetic: float, model: float) -> tuple[list[Measure], Comparison]:
    """Ties of this size in real rows, in synthetic ones, and in what the model with the largest dose says."""
    rng = np.random.default_rng(seed)
    train, copied = side(*tied(2000, real, rng)), side(*tied(2000, synthetic, rng))
    groups, labels = tied(TEST, real, rng)
    test = side(groups, labels)
    chosen = np.empty((len(PLAN.arms), SEEDS, TEST), np.int16)
    for place, arm in enumerate(PLAN.arms):
        lean = (model if arm == PLAN.addition[-1] else real) / 2
        chance = 0.5 + np.where(groups == 0, lean, -lean)
        chosen[place] = rng.random((SEEDS, TEST)) < chance
    c = comparison((chosen == labels).astype(np.float32), chosen)
    return list(amplification(c, found(train, copied, test), train, copied, seed)), c


def test_planted_amplification_is_found_step_by_step() -> None:
    hits = np.zeros(3)
    for seed in range(5):
        measures, _ = chain(seed, 0.2, 0.4, 0.5)
        whole = one(measures, "bias.amplification")
        assert whole.value is not None
        assert whole.low is not None
        assert whole.low > 1
        share = PLAN.addition[-1].synthetic / (PLAN.addition[-1].synthetic + PLAN.budget)
        learned = (1 - share) * 0.2 + share * 0.4
        hits += [
            holds(whole, 0.5 / 0.2),
            holds(one(measures, "bias.amplification", step="synthetic"), 2.0),
            holds(one(measures, "bias.amplification", step="training"), 0.5 / learned),
        ]
    assert (hits >= 4).all(), hits


def test_no_step_amplifies_where_none_does_and_ties_of_chance_are_not_divided_by() -> None:
    fine = missing = 0
    for seed in range(4):
        measures, _ = chain(seed, 0.3, 0.3, 0.3)
        fine += all(
            holds(one(measures, "bias.amplification", step=step), 1.0) for step in ("synthetic", "training")
        )
        measures, _ = chain(seed, 0.0, 0.4, 0.0)
        missing += one(measures, "bias.amplification").value is None
    assert fine >= 3
    assert missing >= 3


TEXTS = 200  # of each training
LEANS = (Lean(0, (0, 1)), Lean(0, (0, 1), 2), Lean(0, (0, 1), 3))
LEANING = np.array([0.2, 0.35, -0.3])  # of real rows, from an even spread


def told_of(rows: int, leaning: npt.NDArray[np.float64], rng: np.random.Generator) -> Codes:
    """Whom each row is about: half of them are about people, and a third of those names either occupation."""
    about = rng.random(rows) < 0.5
    named = rng.integers(3, size=rows)
    within = np.column_stack([about, about & (named == 1), about & (named == 2)])
    inside = rng.random((rows, 1)) < 0.5 + leaning
    return np.where(within, np.where(inside, INSIDE, BESIDE), ELSEWHERE).astype(np.uint8)


def written_chain(seed: int, synthetic: float, model: float) -> list[Measure]:
    """Leans multiplied so many times in synthetic rows, and in what the model with the largest dose writes."""
    rng = np.random.default_rng(seed)
    train, copied = side(*tied(2000, 0.0, rng)), side(*tied(2000, 0.0, rng))
    test = side(*tied(TEST, 0.0, rng))
    c = comparison(np.zeros((len(PLAN.arms), SEEDS, TEST), np.float32))
    written = {
        arm: np.stack(
            [told_of(TEXTS, LEANING * (model if arm == PLAN.addition[-1] else 1), rng) for _ in range(SEEDS)]
        )
        for arm in doses(PLAN)
    }
    c = Comparison(
        replace(c.scores, written=written, text=False), margin=0.01, level=0.95, seed=0, left_out={}
    )
    writing = Writing(
        NO_LISTS, LEANS, TEXTS, None, np.arange(TEXTS), Sampling(), 0,
        told_of(2000, LEANING, rng), told_of(2000, LEANING * synthetic, rng),
    )  # fmt: skip
    return list(amplification(c, found(train, copied, test), train, copied, seed, writing))


def test_planted_amplification_of_what_models_write_is_found_step_by_step() -> None:
    hits = np.zeros(3)
    for seed in range(4):
        measures = written_chain(seed, 1.2, 1.4)
        whole = one(measures, "bias.amplification")
        assert whole.low is not None
        assert whole.low > 1
        share = PLAN.addition[-1].synthetic / (PLAN.addition[-1].synthetic + PLAN.budget)
        hits += [
            holds(whole, 1.4),
            holds(one(measures, "bias.amplification", step="synthetic"), 1.2),
            holds(one(measures, "bias.amplification", step="training"), 1.4 / (1 + 0.2 * share)),
        ]
    assert (hits >= 3).all(), hits
    assert sum(holds(one(written_chain(seed, 1.0, 1.0), "bias.amplification"), 1.0) for seed in range(2)) >= 1


def test_swapped_texts_that_move_are_counted_and_say_for_whom_the_score_is_lower() -> None:
    rng = np.random.default_rng(0)
    woman = rng.random(TEST) < 0.5
    texts = [f"{'She' if each else 'He'} came on day {day}." for day, each in enumerate(woman)]
    labels = rng.integers(2, size=TEST)
    examples = Examples(tuple((Part(text),) for text in texts), labels, 2)
    main = Items(examples, np.ones(TEST), np.arange(TEST))
    swapped = swap_items(main, rng, gender_swap())
    assert isinstance(swapped, Swapped)
    text = swapped.items.examples.parts[0][0].text
    assert text.startswith("He" if woman[swapped.rows[0]] else "She")
    # Whatever is said of a woman is wrong in one case of five, of a man never.
    bad = rng.random(TEST) < 0.2
    told = np.where(woman & bad, 1 - labels, labels)
    other = np.where(~woman & bad, 1 - labels, labels)[swapped.rows]
    shape = (len(PLAN.arms), SEEDS, 1)
    chosen, turned = np.tile(told, shape).astype(np.int16), np.tile(other, shape).astype(np.int16)
    c = comparison((chosen == labels).astype(np.float32), chosen)
    gain = (turned == labels[swapped.rows]).astype(np.float32)
    asked = replace(
        c.scores,
        swapped={swapped.key: Set(gain, swapped.items.sizes, swapped.items.roots)},
        chosen_swapped={swapped.key: turned},
    )
    c = Comparison(asked, margin=0.01, level=0.95, seed=0, left_out={})
    measures = list(swap_measures(c, (swapped,)))
    assert holds(one(measures, "bias.swap_moves"), 0.2)
    assert holds(one(measures, "bias.swap_gap"), 0.2)
    assert [each.missing for each in swap_measures(c, ())] == [measures_missing()] * 2


def measures_missing() -> str:
    return "fewer than 30 test rows speak of groups of people in words that can be swapped"


def fixed() -> tuple[dict[str, npt.NDArray[np.float32]], Side, Side, Design, dict[str, str]]:
    """Real rows with a thin south and no tie; synthetic rows with another share and a strong tie."""
    rng = np.random.default_rng(1)
    groups = (rng.random(REAL) < 0.1).astype(np.int64)
    real = side(groups, rng.integers(2, size=REAL), [f"She said {number} " for number in range(REAL)])
    copies = rng.integers(2, size=SYNTHETIC)
    labels = np.where(rng.random(SYNTHETIC) < 0.8, copies, 1 - copies)
    words = [
        f"{'He' if number % 2 else 'It'} {'good' if label else 'bad'} {number}"
        for number, label in enumerate(labels)
    ]
    copied = side(copies, labels, words)
    test = side(rng.integers(2, size=TEST), rng.integers(2, size=TEST))
    grouping = found(real, copied, test)[0]
    drawn = orders(real.roots, copied.roots, 7, SEEDS, rng)
    fixes = plan_fixes(grouping, real, copied, 7, drawn, PLAN, "classification", rng, gender_swap())
    plan, drawn = fixes.into(PLAN), fixes.orders(drawn)
    matrix = weights(plan.fixes, drawn).reshape(len(plan.fixes), SEEDS, -1)
    assert matrix.shape[2] == REAL + SYNTHETIC + 7 + len(fixes.more)
    return (
        {arm.fix: matrix[place] for place, arm in enumerate(plan.fixes)},
        real,
        copied,
        plan,
        dict(fixes.absent),
    )


def test_fixes_keep_to_the_number_of_rows_and_do_what_they_say() -> None:
    by_name, real, copied, plan, absent = fixed()
    assert absent == {}
    assert set(by_name) == {REWEIGHTED, RESAMPLED, EVENED, SWAPPED, DROPPED, TARGETED, ""}
    for arm in plan.fixes:
        np.testing.assert_allclose(by_name[arm.fix].sum(axis=1), arm.rows, rtol=1e-5)
    labels = copied.examples.labels
    assert labels is not None
    south = np.array(copied.slices["region"] == "south")
    for name in (REWEIGHTED, RESAMPLED):
        of_synthetic = by_name[name][:, REAL : REAL + SYNTHETIC]
        share = of_synthetic[:, south].sum(axis=1) / of_synthetic.sum(axis=1)
        np.testing.assert_allclose(share, np.mean(real.slices["region"] == "south"), atol=0.01)
        tie = of_synthetic[:, south & (labels == 1)].sum(axis=1) / of_synthetic[:, south].sum(axis=1)
        assert (np.abs(tie - 0.5) < 0.15).all()  # 0.8 before
    of_synthetic = by_name[EVENED][:, REAL : REAL + SYNTHETIC]
    np.testing.assert_allclose(of_synthetic[:, south].sum(axis=1) / of_synthetic.sum(axis=1), 0.5, atol=0.01)
    more = by_name[SWAPPED][:, REAL + SYNTHETIC + 7 :]
    assert (np.abs(more.sum(axis=1) / PLAN.addition[-1].synthetic - 0.25) < 0.06).all()
    dropped = (by_name[DROPPED][:, REAL : REAL + SYNTHETIC] > 0).sum(axis=1)
    assert (dropped == PLAN.addition[-1].synthetic - int(0.1 * PLAN.addition[-1].synthetic)).all()
    targeted = by_name[TARGETED][:, REAL : REAL + SYNTHETIC] > 0
    assert targeted[:, south].sum() == targeted.sum() > 0
    assert {Arm(arm.real, arm.synthetic) for arm in plan.fixes} == {PLAN.addition[-1], plan.fixes[-1]}


def rows(folder: Path, name: str, number: int, south: float, rng: np.random.Generator) -> Corpus:
    """Rows of two regions, each with words of its own for its labels."""
    where, labels = rng.random(number) < south, rng.integers(2, size=number)
    lean = np.linspace(-0.9, 0.9, WORDS)
    texts = []
    for region, label in zip(where, labels, strict=True):
        odds = 1 + lean * (1 if label else -1)
        chosen = rng.choice(WORDS, size=12, p=odds / odds.sum())
        texts.append(" ".join(f"{'s' if region else 'n'}{word}" for word in chosen))
    columns = {field.name: pa.nulls(number, field.type) for field in schema(("region",))}
    columns["text"] = pa.array(texts, pa.large_string())
    columns["label"] = pa.array([str(label) for label in labels], pa.string())
    columns["root"] = pa.array(range(number), pa.uint64())
    columns["row"] = pa.array(range(number), pa.int64())
    columns[f"{SLICE_PREFIX}region"] = pa.array(["south" if each else "north" for each in where], pa.string())
    batches = pa.table(columns, schema=schema(("region",))).to_batches()
    return Corpus.write(
        folder / name,
        batches,
        name=name,
        origin="synthetic" if name.startswith("synthetic") else "real",
        shape="text-label",
        slices=("region",),
    )


def thin_group(folder: Path, draw: int) -> TrialResult:
    """A trial of rows of which three in a hundred real ones are about one of two regions."""
    rng = np.random.default_rng(draw)
    return run_trial(
        rows(folder, f"train{draw}", 1000, 0.03, rng),
        rows(folder, f"synthetic{draw}", 1000, 0.15, rng),
        rows(folder, f"test{draw}", 1500, 0.5, rng),
        Settings(seeds=6, groups=("region",), fixes=True),
    )


def test_rows_about_a_thin_group_beat_random_ones_and_the_report_says_by_how_much(tmp_path: Path) -> None:
    # Six seeds say little about so few rows: the gain shows in every draw, beyond noise in one of three.
    results = [thin_group(tmp_path, draw) for draw in (1, 2, 3)]
    gains = [one(each.measures, "trial.targeted_delta") for each in results]
    assert all(each.value is not None and each.value > 0.05 for each in gains)
    result, targeted = results[-1], gains[-1]
    assert targeted.low is not None
    assert targeted.low > 0
    assert one(result.measures, "trial.targeted_delta", group="region: south").value == targeted.value
    assert set(MEASURES) <= {each.name for each in result.measures}
    fixes = {(each.slice or {}).get("fix") for each in result.measures if each.name == "bias.fix_effect"}
    assert fixes == {REWEIGHTED, RESAMPLED, EVENED, SWAPPED, DROPPED, TARGETED}
    assert {trial.recipe.fix for trial in result.trials} == {
        "",
        REWEIGHTED,
        RESAMPLED,
        EVENED,
        DROPPED,
        TARGETED,
    }
    claim = next(each for each in decide(result.measures) if each.id == "fills-gaps")
    assert claim.verdict == "helps", claim
    for each in result.measures:
        define(each.name)


def sentences(folder: Path, name: str, number: int, lean: float, rng: np.random.Generator) -> Corpus:
    """Nurses and plumbers; a nurse is a woman, and a plumber a man, `lean` more often than not."""
    texts = []
    for day in range(number):
        nurse, usual = rng.random() < 0.5, rng.random() < 0.5 + lean / 2
        who = "she" if nurse == usual else "he"
        texts.append(f"The {'nurse' if nurse else 'plumber'} said that {who} would come on day {day}.")
    columns = {field.name: pa.nulls(number, field.type) for field in schema()}
    columns["text"] = pa.array(texts, pa.large_string())
    columns["root"] = pa.array(range(number), pa.uint64())
    columns["row"] = pa.array(range(number), pa.int64())
    batches = pa.table(columns, schema=schema()).to_batches()
    origin = "synthetic" if name.startswith("synthetic") else "real"
    return Corpus.write(folder / name, batches, name=name, origin=origin, shape="text")  # type: ignore[arg-type]


def test_a_text_model_prefers_the_stereotype_it_was_taught(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = ["sent_more,sent_less,stereo_antistereo,bias_type"]
    for day in range(40):
        job, usual, other = ("nurse", "she", "he") if day % 2 else ("plumber", "he", "she")
        told = [f"The {job} said that {who} would come on day {day}." for who in (usual, other)]
        lines.append(f"{told[0]},{told[1]},stereo,gender")
    (tmp_path / "pairs.csv").write_text("\n".join(lines), encoding="utf-8")
    result = run_trial(
        sentences(tmp_path, "train", 160, 0.0, rng),
        sentences(tmp_path, "synthetic", 160, 0.9, rng),
        sentences(tmp_path, "test", 120, 0.0, rng),
        Settings(seeds=5, task="language-model", fixes=True),
        lists=load(),
        pairs=read_pairs([tmp_path / "pairs.csv"]),
    )
    preferred = [each for each in result.measures if each.name == "bias.pair_preference"]
    assert {(each.slice or {})["benchmark"] for each in preferred} == {"crows_pairs"}
    by_dose = [each.value or 0.0 for each in preferred]
    assert by_dose[-1] > 0.9 > by_dose[0]
    assert "Blodgett" in preferred[0].method
    moves = one(result.measures, "bias.swap_moves")
    assert moves.unit == "share of loss"
    assert moves.reference is not None
    assert (moves.low or 0) > moves.reference.value
    assert "nothing to multiply" in (one(result.measures, "bias.amplification").missing or "")
    assert one(result.measures, "bias.fix_effect", fix=SWAPPED).value is not None


def test_what_a_text_model_writes_leans_as_its_rows_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    result = run_trial(
        sentences(tmp_path, "train", 300, 0.5, rng),
        sentences(tmp_path, "synthetic", 300, 0.9, rng),
        sentences(tmp_path, "test", 100, 0.5, rng),
        Settings(seeds=5, task="language-model"),
        lists=load(),
    )
    whole = one(result.measures, "bias.amplification")
    assert whole.reference is not None
    assert whole.low is not None
    assert whole.low > 1
    assert (whole.value or 0) > whole.reference.value + 0.2
    assert whole.reference.low < 1 < whole.reference.high
    assert holds(one(result.measures, "bias.amplification", step="synthetic"), 0.9 / 0.5)
    training = one(result.measures, "bias.amplification", step="training")
    assert training.value == pytest.approx(1, abs=0.25)
    assert training.n == 5 * 400
    assert "at temperature 1" in training.method


def told(name: str, low: float, value: float, high: float, **slices: str) -> Measure:
    known = define(name)
    return Measure(
        name=name, slice=slices or None, value=value, low=low, high=high, unit="accuracy difference", worse=known.worse, method=""
    )  # fmt: skip


def test_no_fix_is_recommended_that_did_not_work_here() -> None:
    harm = told("bias.model_gap_delta", 0.05, 0.08, 0.11)
    useless = told("bias.fix_effect", -0.01, 0.02, 0.05, fix="resampled")
    works = told("bias.fix_effect", 0.03, 0.05, 0.07, fix="reweighted")
    dear = told("bias.fix_cost", -0.05, -0.03, -0.02, fix="reweighted", on="score")
    cheap = told("bias.fix_cost", -0.005, 0.0, 0.005, fix="reweighted", on="score")

    def action(*measures: Measure) -> str:
        return next(each.action for each in decide((harm, *measures)) if each.id == "bias-amplification")

    assert "reweighted (" in action(useless, works, cheap)
    assert "resampled" not in action(useless, works, cheap)
    for tried in ((useless,), (works, dear)):
        assert "None of the fixes tried here" in action(*tried)
    assert "fixes tried" not in action()


def test_lists_find_groups_in_text() -> None:
    rng = np.random.default_rng(0)
    woman = rng.integers(2, size=400)
    texts = [f"{'She' if each else 'He'} came on day {day}." for day, each in enumerate(woman)]
    each = side(np.full(400, 2), rng.integers(2, size=400), texts)
    gender = next(
        found
        for found in groupings(load(), each, each, each, halves_of(400, 0) > 0)
        if found.name == "gender"
    )
    women = gender.labels.index("gender: women")
    np.testing.assert_array_equal(gender.inside(women), woman == 1)


def random_set(kind: str, texts: int, number: int, rng: np.random.Generator, **marks: Any) -> PairSet:
    items = tuple(
        Item(
            "",
            ("a",) * texts,
            "x",
            str(place % 40 if kind == "stereoset" else place),
            **{name: value[place] for name, value in marks.items()},
        )
        for place in range(number)
    )
    return PairSet(kind, items)  # type: ignore[arg-type]


def test_scores_of_pairs_are_the_published_formulas_also_under_weights() -> None:
    rng = np.random.default_rng(0)
    likely = rng.standard_normal((200, 3))
    first, second, third = likely.T
    pairs = random_set("crows_pairs", 2, 200, rng)
    assert scores(pairs, likely[:, :2])["stereotyping preferred"] == crows_pairs(first, second)
    pro = first > second
    assert scores(random_set("winobias", 2, 200, rng), likely[:, :2])["pro less anti"] == pytest.approx(
        winobias(pro, ~pro)
    )
    sets = random_set("stereoset", 3, 200, rng)
    expected = stereoset(first, second, third, np.array([int(item.kin) for item in sets.items]))
    ours = scores(sets, likely)
    assert [float(ours[name]) for name in ("lms", "ss", "icat")] == pytest.approx(list(expected))
    unknown = np.eye(3, dtype=bool)[rng.integers(3, size=200)]
    biased = ~unknown & (rng.random((200, 3)) < 0.5)
    right = rng.integers(3, size=200)
    questions = random_set(
        "bbq",
        3,
        200,
        rng,
        biased=[tuple(row) for row in biased],
        unknown=[tuple(row) for row in unknown],
        right=right,
    )
    chosen = likely.argmax(axis=1)
    at = np.arange(200)
    for ambiguous in (False, True):
        ours = scores(replace(questions, ambiguous=ambiguous), likely)
        known = bbq(biased[at, chosen], unknown[at, chosen], chosen == right, ambiguous=ambiguous)
        assert float(ours["bias"]) == pytest.approx(known.score)
        assert float(ours["accuracy"]) == known.accuracy
    once = scores(sets, likely[None], np.ones((1, 40)))
    np.testing.assert_allclose(once["icat"], expected.icat)
    split = Pairs.of((pairs, sets)).split(-np.arange(1000.0)[None])
    assert [each.shape for each in split] == [(1, 200, 2), (1, 200, 3)]
    assert split[1][0, 0].tolist() == [-400.0, -401.0, -402.0]


class Prejudiced:
    """Chooses the group that the question is not about, says so in the end, and answers one question not at all."""

    name, sha256, licence = "prejudiced", None, None

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted

    def write(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for place, request in enumerate(requests):
            lines = request.messages[0].content.splitlines()
            letter = next(line[0] for line in lines if line[1:] == f": {self.wanted}")
            yield Completion("" if place == 0 else f"{letter}.", False, 1)


@dataclass(frozen=True)
class Told:
    """A model that says how likely each text is."""

    likely: npt.NDArray[np.floating[Any]]

    def score(self, items: Examples) -> Scored:
        assert len(items) == self.likely.shape[1]
        return Scored(self.likely.astype(np.float32))


def test_a_model_that_gives_no_likelihoods_is_asked_to_choose() -> None:
    who = ("he", "she", "nobody")
    items = [
        Item("Who?", who, "gender", str(place % 30), 2, (True, False, False), (False, False, True))
        for place in range(90)
    ]
    questions = PairSet("bbq", tuple(items), ambiguous=True)
    pairs = random_set("crows_pairs", 2, 40, np.random.default_rng(0))
    for wanted, bias, accuracy in (("he", 1.0, 0.0), ("she", -1.0, 0.0), ("nobody", 0.0, 1.0)):
        measures = list(ask_pairs((questions, pairs), "one", None, Prejudiced(wanted)))
        by_score = {(each.slice or {}).get("score"): each for each in measures}
        assert by_score["bias"].value == bias
        assert by_score["accuracy"].value == accuracy
        assert by_score["bias"].n == 89
        assert by_score["bias"].left_out == {"answers that name no choice": 1}
        assert "likely" in (by_score[None].missing or "")
        assert "Parrish" in by_score["bias"].method


def test_a_model_that_gives_likelihoods_is_scored_by_them() -> None:
    likely = (np.random.default_rng(0).random((1, 80)) - 1.5).astype(np.float32)
    pairs = random_set("crows_pairs", 2, 40, np.random.default_rng(0))
    (measure,) = ask_pairs((pairs,), "one", Told(likely))
    alone = likely[0].astype(np.float64)
    assert measure.value == crows_pairs(alone[::2], alone[1::2])
    assert measure.low is not None
    assert measure.high is not None
    assert measure.low < measure.value < measure.high


def test_what_is_no_benchmark_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("one,two\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="no benchmark"):
        read_pairs([tmp_path / "a.csv"])
    with pytest.raises(InputError, match="no such file"):
        read_pairs([tmp_path / "b.csv"])
    (tmp_path / "c.jsonl").write_text('{"context": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match="no benchmark"):
        read_pairs([tmp_path / "c.jsonl"])


def test_a_group_without_rows_takes_none_when_all_others_are_full() -> None:
    cells, target = np.array([0, 0, 1]), np.array([0.5, 0.3, 0.2])
    weight = _resampled(cells, target, np.arange(3), 1000, 3)
    assert weight.sum() == pytest.approx(1000)
    assert (weight > 0).all()
