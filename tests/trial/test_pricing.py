"""What a trial is said to cost, and what it keeps of that and of its trainings for a run that follows a kill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from assay.core.progress import silent
from assay.core.trial import Cost
from assay.models.learner import Examples, Part, Scored
from assay.trial.arms import Arm, Orders, design, weights
from assay.trial.bend import bends
from assay.trial.disturb import shuffled
from assay.trial.pricing import prices
from assay.trial.training import Trainer

ITEMS = Examples(tuple((Part("a word or two"),) for _ in range(640)))


@dataclass
class Clock:
    now: float = 0.0


@dataclass
class Reading:
    """A learner that takes a second for each row and a tenth for each item, and says what it was asked."""

    clock: Clock
    sure: float = 0.0
    expected: int = 0
    trained: list[int] = field(default_factory=list)

    def expect(self, given: npt.NDArray[np.float32]) -> tuple[Cost, ...]:
        self.expected += 1
        return tuple(Cost(seconds=float(row.sum()), tokens=1, flops=1.0) for row in given)

    def fit(self, given: npt.NDArray[np.float32], *more: Any, **named: Any) -> Iterator[Fitted]:
        for arm in range(len(given)):
            if named.get("done") is None or not named["done"][arm]:
                self.trained.append(arm)
                yield Fitted(self, np.array([arm], np.int64))


@dataclass
class Fitted:
    reading: Reading
    arms: npt.NDArray[np.int64]
    costs: tuple[Cost, ...] = (Cost(seconds=1.0, tokens=1, flops=1.0),)

    def score(self, items: Examples) -> Scored:
        self.reading.clock.now += 0.1 * len(items)
        return Scored(np.full((1, len(items)), self.reading.sure, np.float32))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("assay.trial.pricing.time.perf_counter", lambda: made.now)
    return made


def test_scoring_is_part_of_the_price_and_prices_outlive_a_kill(tmp_path: Path, clock: Clock) -> None:
    whole, first = design(400, 400, 400), Reading(clock)
    rows = np.array([[arm.rows] for arm in whole.arms], np.float32)
    found = prices(first, whole.arms, rows, (ITEMS, ITEMS), tmp_path)  # type: ignore[arg-type]
    assert found.scoring == pytest.approx(2 * 64.0)
    alone = sum(arm.rows for arm in whole.arms)
    assert found.total(whole, 5).seconds == pytest.approx(5 * (alone + 128 * len(whole.arms)))
    again = Reading(clock)
    assert prices(again, whole.arms, rows, (ITEMS, ITEMS), tmp_path) == found  # type: ignore[arg-type]
    assert (again.expected, again.trained) == (0, [])


def test_trainings_are_kept_for_the_learner_that_made_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    order = np.stack([rng.permutation(30) for _ in range(5)])
    drawn = Orders(order, order, np.zeros((5, 0), np.int64))
    given = [Arm(10), Arm(20)]
    assert len(weights(given, drawn)) == 10

    def train(name: str, sure: float) -> tuple[Reading, Trainer]:
        reading = Reading(Clock(), sure)
        trainer = Trainer(name, reading, drawn, (ITEMS,), len(ITEMS), tmp_path, silent)  # type: ignore[arg-type]
        trainer.train(given)
        return reading, trainer

    _, dear = train("dear", 1.0)
    _, cheap = train("cheap", 0.0)
    again, resumed = train("dear", 0.5)
    assert again.trained == []
    for arm in given:
        assert dear.results.gain[arm].min() == resumed.results.gain[arm].min() == 1
        assert cheap.results.gain[arm].max() == 0
    assert resumed.results.seconds() == pytest.approx(dear.results.seconds())


@dataclass(frozen=True)
class Writing:
    """Texts at two seconds each, of which the arm's number and the learner's mark is all that is read."""

    number: int = 6
    most_blocks: int = 99

    def of(self, block: Fitted) -> npt.NDArray[np.uint8]:
        if block.arms[0] >= self.most_blocks:
            raise KeyboardInterrupt
        block.reading.clock.now += 2.0 * self.number
        return np.full((1, self.number, 1), block.arms[0] + 100 * block.reading.sure, np.uint8)


def test_writing_is_priced_by_the_text(tmp_path: Path, clock: Clock) -> None:
    whole = replace(design(400, 400, 400), writes=True)
    rows = np.array([[arm.rows] for arm in whole.arms], np.float32)
    told = (Reading(clock), whole.arms, rows, (ITEMS,), tmp_path, Writing(number=400))
    found = prices(*told)  # type: ignore[arg-type]
    assert found.writing == pytest.approx(800.0)
    silent_too = found.total(replace(whole, writes=False), 5).seconds
    assert found.total(whole, 5).seconds == pytest.approx(silent_too + 5 * 800 * (1 + len(whole.addition)))
    assert prices(*told) == found  # type: ignore[arg-type]


def test_what_arms_wrote_before_a_kill_is_not_written_again(tmp_path: Path, clock: Clock) -> None:
    order = np.tile(np.arange(30), (5, 1))
    drawn, given = Orders(order, order, np.zeros((5, 0), np.int64)), [Arm(10), Arm(20)]

    def trainer(sure: float) -> tuple[Reading, Trainer]:
        reading = Reading(clock, sure)
        return reading, Trainer("dear", reading, drawn, (ITEMS,), len(ITEMS), tmp_path, silent)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        trainer(0.0)[1].train(given, Writing(most_blocks=7))  # type: ignore[arg-type]
    reading, resumed = trainer(1.0)
    wrote = resumed.train(given, Writing()).written  # type: ignore[arg-type]
    assert reading.trained == [7, 8, 9]
    found = np.concatenate([wrote[arm][:, 0, 0] for arm in given]).tolist()
    assert found == [*range(7), 107, 108, 109]
    assert wrote[given[0]].shape == (5, 6, 1)
    assert not [each for each in tmp_path.rglob("*") if each.suffix == ".aside"]


def test_the_placebo_of_pairs_is_pairs_of_the_same_words() -> None:
    rows = Examples(
        tuple((Part(f"ask {n}", False), Part(f"good{n} answer")) for n in range(9)),
        rejected=tuple((Part(f"bad{n} other answer"),) for n in range(9)),
    )
    placebo = shuffled(rows, rows, 9, np.random.default_rng(0))
    assert placebo.rejected is not None
    words = [
        sorted(word for row in (*each.parts, *(each.rejected or ())) for part in row for word in part.text.split())
        for each in (rows, placebo)
    ]  # fmt: skip
    assert words[0] == words[1]
    assert placebo.parts != rows.parts
    assert {len(lost[0].text.split()) for lost in placebo.rejected} == {3}


def test_an_answer_that_lost_stands_after_the_same_prompt() -> None:
    rows = Examples(
        ((Part("q", False), Part("a"), Part("r", False), Part("b")), (Part("q", False), Part("a"))),
        rejected=((Part("c"),), (Part("d"),)),
    )
    lost = rows.losing()
    assert [[part.text for part in row] for row in lost.parts] == [["q", "a", "r", "c"], ["q", "d"]]
    assert lost.learned_bytes().tolist() == [2, 1]
    assert len(Examples(((Part("a"),),)).losing()) == 0


def test_a_ladder_that_the_budget_left_out_has_no_bend() -> None:
    nothing = np.zeros(0)
    found = bends(nothing, nothing, np.zeros((10, 0)), corpus="synthetic", items=50)
    assert found.value is None
    assert "0 sizes" in (found.missing or "")
