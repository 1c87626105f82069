"""The laws for measures that only rows of some shapes have: turns of a role, preference pairs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.audit.annotate.columns import annotate
from assay.audit.annotate.copies import copied
from assay.audit.probe import Probe, buckets
from assay.audit.probes.preferences import preference_probes
from assay.audit.probes.roles import role_probes
from assay.audit.rows import Rows, divide, open_rows
from assay.audit.run import AuditResult, audit
from assay.core.catalogue import define
from assay.core.claim import CLAIMS
from assay.core.corpus import Corpus
from assay.core.measure import Measure
from assay.engine.read import read
from tests.audit.corpora import find, rows

Made = list[dict[str, Any]]
USER, ASSISTANT = {"role": "user"}, {"role": "assistant"}
REFUSAL = "I'm sorry, but I cannot help with that."


def chats(number: int, seed: int) -> Made:
    """Conversations of two questions and two answers."""
    texts = [text for text, _ in rows(4 * number, seed)]
    sides = ("user", "assistant") * 2
    return [
        {"messages": [{"role": role, "content": text} for role, text in zip(sides, said, strict=True)]}
        for said in zip(*(texts[at::4] for at in range(4)), strict=True)
    ]


def pairs(number: int, seed: int) -> Made:
    """Prompts with two answers, of which chance prefers one."""
    texts = [text for text, _ in rows(3 * number, seed)]
    parts = ("prompt", "chosen", "rejected")
    return [
        dict(zip(parts, said, strict=True)) for said in zip(*(texts[at::3] for at in range(3)), strict=True)
    ]


def corpus(folder: Path, made: Made, name: str) -> Corpus:
    path = folder / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    origin = "synthetic" if name == "synthetic" else "real"
    return read(path, folder / name, name=name, origin=origin).corpus  # type: ignore[arg-type]


def opened(folder: Path, made: Made) -> Rows:
    return open_rows(corpus(folder, made, "synthetic"))


def audited(folder: Path, real: Made, made: Made) -> AuditResult:
    cut = len(real) * 4 // 5
    sides = (("real", real[:cut]), ("reference", real[cut:]), ("synthetic", made))
    train, reference, synthetic = (corpus(folder, part, name) for name, part in sides)
    return audit(train, reference, synthetic, folder / "out")


REAL_CHATS, CHATS = chats(300, seed=1), chats(200, seed=2)
REAL_PAIRS, PAIRS = pairs(400, seed=3), pairs(300, seed=4)
NAMES = ("preference.length_delta", "preference.style_delta", "preference.refusal_delta")


def changed(made: Made, dose: float, change: Callable[[int, dict[str, Any]], dict[str, Any]]) -> Made:
    number = round(dose * len(made))
    return [change(at, row) if at < number else row for at, row in enumerate(made)]


def with_turn(row: dict[str, Any], turn: int, said: Callable[[str], str]) -> dict[str, Any]:
    turns = [dict(each) for each in row["messages"]]
    turns[turn]["content"] = said(turns[turn]["content"])
    return {"messages": turns}


def asked_again(at: int, row: dict[str, Any]) -> dict[str, Any]:
    source = CHATS[-1 - at % 5]["messages"]
    return {"messages": [*(source[turn] if turn % 2 == 0 else row["messages"][turn] for turn in range(4))]}


def asked_nearly_again(at: int, row: dict[str, Any]) -> dict[str, Any]:
    return with_turn(asked_again(at, row), 0, lambda text: f"{text} extra{at}")


def refused_late(at: int, row: dict[str, Any]) -> dict[str, Any]:
    return with_turn(row, 3, lambda text: f"{REFUSAL} {text}")


def emptied(at: int, row: dict[str, Any]) -> dict[str, Any]:
    return with_turn(row, 1, lambda text: "...")


def going_round(at: int, row: dict[str, Any]) -> dict[str, Any]:
    return with_turn(row, 1, lambda text: " ".join(text.split()[:8] * 4))


def longer(at: int, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"chosen": row["chosen"] + " " + PAIRS[-1 - at]["chosen"]}


def styled(at: int, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"chosen": "".join(f"- **{word}**\n" for word in row["chosen"].split())}


def refused(at: int, row: dict[str, Any]) -> dict[str, Any]:
    return row | {"chosen": f"{REFUSAL} {row['chosen']}"}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, AuditResult]:
    folder = tmp_path_factory.mktemp("clean")
    return {
        "chats": audited(folder / "chats", REAL_CHATS, CHATS),
        "pairs": audited(folder / "pairs", REAL_PAIRS, PAIRS),
    }


def surely_worse(measure: Measure) -> bool:
    reference = measure.reference
    assert measure.value is not None
    assert measure.low is not None
    assert reference is not None
    noise = math.hypot(measure.value - measure.low, reference.high - reference.value)
    return measure.value - reference.value - noise > define(measure.name).tolerance


def test_real_against_real_shows_nothing(clean: dict[str, AuditResult]) -> None:
    sliced = [each for each in clean["chats"].measures if each.slice in (USER, ASSISTANT)]
    assert len(sliced) == 5
    preferred = [find(clean["pairs"], name) for name in NAMES]
    for measure in (*sliced, *preferred):
        assert not surely_worse(measure), measure
        assert measure.low is not None
        assert measure.high is not None
        assert measure.low <= (measure.value or 0.0) <= measure.high
        assert measure.method


@pytest.mark.parametrize(
    ("name", "slices", "plant"),
    [
        ("duplicates.exact_share", (USER,), asked_again),
        ("duplicates.near_share", (USER,), asked_nearly_again),
        ("quality.refusal_share", (ASSISTANT, None), refused_late),
        ("quality.empty_share", (ASSISTANT, None), emptied),
        ("quality.repetition_share", (ASSISTANT, None), going_round),
        ("preference.length_delta", (None,), longer),
        ("preference.style_delta", (None,), styled),
        ("preference.refusal_delta", (None,), refused),
    ],
)
def test_a_planted_defect_moves_its_measure_more_with_dose(
    tmp_path: Path,
    clean: dict[str, AuditResult],
    name: str,
    slices: tuple[dict[str, str] | None, ...],
    plant: Callable[[int, dict[str, Any]], dict[str, Any]],
) -> None:
    kind = "pairs" if name in NAMES else "chats"
    real, made = (REAL_PAIRS, PAIRS) if name in NAMES else (REAL_CHATS, CHATS)
    weak, strong = (audited(tmp_path / str(dose), real, changed(made, dose, plant)) for dose in (0.2, 0.5))
    for part in slices:
        base, some, more = (find(result, name, part) for result in (clean[kind], weak, strong))
        assert (base.value or 0.0) < (some.value or 0.0) < (more.value or 0.0)
        assert surely_worse(more)


def test_any_split_gives_the_same_sum(tmp_path: Path) -> None:
    made = changed(changed(CHATS[:60], 0.3, asked_again), 0.2, refused_late)
    ours = opened(tmp_path, made)
    columns = annotate(ours, copied(ours, ours))
    part = np.random.default_rng(0).integers(0, 3, len(columns))
    probes = role_probes(ours)
    assert len(probes) == 5
    for probe in probes:
        assert isinstance(probe, Probe)
        whole = buckets(columns, probe.tally(columns))
        parts = [columns.take(np.flatnonzero(part == each)) for each in range(3)]
        np.testing.assert_array_equal(whole, sum(buckets(each, probe.tally(each)) for each in parts))
        assert whole[:, 1].sum() > 0


def test_without_pairs_or_prompts_nothing_is_asked_and_without_real_ones_nothing_compared(
    tmp_path: Path,
) -> None:
    plain = [{"text": text} for text, _ in rows(60, seed=5)]
    assert role_probes(opened(tmp_path / "plain", plain)) == ()
    assert preference_probes(opened(tmp_path / "plain2", plain)) == ()
    lonely = audited(tmp_path / "lonely", plain, PAIRS)
    for name in NAMES:
        measure = find(lonely, name)
        assert measure.value is not None
        assert measure.reference is None
    few = audited(tmp_path / "few", REAL_PAIRS, PAIRS[:5])
    assert all(find(few, name).missing for name in NAMES)


def test_preferences_decide_no_claim() -> None:
    # Longer or better formatted chosen answers are what some annotators want: no fault by themselves.
    assert not {name for claim in CLAIMS for name in claim.measures} & set(NAMES)


def test_flags_and_examples_name_the_rows(tmp_path: Path) -> None:
    made = changed(CHATS, 0.1, asked_again)
    result = audited(tmp_path / "chats", REAL_CHATS, made)
    flagged = np.flatnonzero(result.rows["prompt_duplicate"].to_numpy())
    # The first of five repeated conversations that asks is none; the ones copied from stand at the end.
    assert set(flagged) == {*range(5, 20), *range(195, 200)}
    slices = {
        each["slice"] for each in result.examples.to_pylist() if each["measure"] == "duplicates.exact_share"
    }
    assert json.dumps(USER) in slices
    shown = audited(tmp_path / "pairs", REAL_PAIRS, changed(PAIRS, 0.1, longer)).examples.to_pylist()
    pair = next(each for each in shown if each["measure"] == "preference.length_delta")
    assert pair["beside"] == PAIRS[pair["row"]]["rejected"]
    assert pair["row"] < 30


def test_halves_of_pairs_keep_what_they_are(tmp_path: Path) -> None:
    ours = opened(tmp_path, PAIRS[:40])
    first, second = (ours.take(index) for index in divide(ours, 0.5, salt=1))
    assert len(first) + len(second) == 40
    assert first.rejected.null_count == second.rejected.null_count == 0
