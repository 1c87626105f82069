"""The diversity measures on rows small enough to count by hand."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from assay.audit.annotate.frames import FEWEST_ROWS, framed, frames, frequent
from assay.audit.probe import Probe, count, halved, halvings
from assay.audit.probes import repeated_runs, syntax
from assay.audit.probes.effective_rows import PROBE as EFFECTIVE
from assay.audit.probes.effective_rows import rarefied, worth
from assay.audit.probes.slices import slice_probes
from assay.audit.rows import Rows, open_rows
from assay.kernels.exact import row_hashes
from tests.audit.corpora import rows, write
from tests.audit.test_parts import sides


def opened(folder: Path, *texts: str) -> Rows:
    return open_rows(write(folder, [(text, "") for text in texts], "rows", "real"))


RNG = np.random.default_rng(0)


def test_repeated_runs_count_once_a_row_and_only_across_rows(tmp_path: Path) -> None:
    some = opened(
        tmp_path,
        "one two three four five",  # two runs, the first also in the second row
        "zero one two three four",  # two runs
        "a b c d a b c d",  # four distinct runs of five, none of them in another row
        "too short",
    )
    read = repeated_runs.PROBE.prepare(some, some, RNG)
    everything = np.ones(4, bool)
    assert read(everything, everything) == pytest.approx(2 / 8)
    # Without the second row nothing repeats.
    assert read(np.array([True, False, True, True]), everything) == 0
    assert np.isnan(read(np.array([False, False, False, True]), everything))


def test_rarefaction_is_the_mean_over_all_draws() -> None:
    held = [{0, 1, 2}, {1, 2}, {2, 3}, {4}, {2}]
    holders = np.array([sum(run in row for row in held) for run in range(5)])
    expected = [
        np.mean([len(set().union(*drawn)) for drawn in combinations(held, taken)]) for taken in range(6)
    ]
    np.testing.assert_allclose(rarefied(holders, 5, np.arange(6.0)), expected, atol=1e-9)


def test_worth_reads_the_curve_and_goes_on_as_its_last_slope() -> None:
    taken = np.linspace(0, 100, 65)
    curve = taken**0.8
    assert worth(50**0.8, curve, taken) == pytest.approx(50, rel=0.01)
    assert worth(200**0.8, curve, taken) == pytest.approx(200, rel=0.01)
    assert worth(0, curve, taken) == 0


def test_rows_said_twice_are_worth_half(tmp_path: Path) -> None:
    real = opened(tmp_path / "real", *(text for text, _ in rows(1000, seed=1)))
    once = [text for text, _ in rows(500, seed=2)]
    twice = opened(tmp_path / "twice", *once, *once)
    everything = np.ones(1000, bool)
    value = EFFECTIVE.prepare(twice, real, RNG)(everything, everything)
    assert value == pytest.approx(0.5, abs=0.03)


def frame_of(texts: list[str], folder: Path) -> list[bool]:
    some = opened(folder, *texts)
    found = frames(some, frequent(some))
    shared: list[bool] = framed(found, some.root, row_hashes(some.tokens)).tolist()
    return shared


def test_a_frame_needs_three_rows_that_differ(tmp_path: Path) -> None:
    prose = [text for text, _ in rows(200, seed=1)]
    said = [
        f"In the city of {name} there was once a king who had all that he could wish for" for name in "ABCDE"
    ]
    assert frame_of([*prose, *said], tmp_path / "five")[200:] == [True] * 5
    assert not any(frame_of([*prose, *said], tmp_path / "again")[:200])
    assert frame_of([*prose, *said[: FEWEST_ROWS - 1]], tmp_path / "two")[200:] == [False] * 2
    assert not any(frame_of([*prose, *[said[0]] * 5], tmp_path / "repeated"))


def test_frames_hold_in_scripts_without_spaces_or_case(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rates = 1 / (np.arange(3000) + 10)
    drawn = rng.choice(3000, (200, 40), p=rates / rates.sum())
    prose = ["".join(chr(0x4E00 + int(code)) for code in row) for row in drawn]
    names = ("太郎", "花子", "桃太郎", "金太郎", "浦島太郎", "竹取翁")
    said = [f"昔々あるところに{name}という人が住んでいましたとさ" for name in names]
    assert frame_of([*prose, *said], tmp_path)[200:] == [True] * 6


def test_no_rows_and_rows_without_words_have_no_frame(tmp_path: Path) -> None:
    assert frame_of([], tmp_path / "none") == []
    assert frame_of(["", "...", "", "yes"], tmp_path / "empty") == [False] * 4


def test_word_classes_tell_build_from_words(tmp_path: Path) -> None:
    ours, theirs = sides(
        tmp_path,
        ["The walker talked to Anna in 1984"],
        ["The " + "baker walked to Bob in 2001 " * 30] * 3,
    )
    (first, second) = syntax.word_classes(ours, theirs), syntax.word_classes(theirs, theirs)
    kinds = first.tolist()
    assert len(set(kinds)) == len(kinds) == 7
    assert syntax.word_classes(ours, theirs).dtype == np.uint8
    assert len(second) == len(theirs.tokens.ids)
    nothing, real = sides(tmp_path / "nothing", [], ["some words"])
    assert len(syntax.word_classes(nothing, real)) == 0


def test_the_reference_of_a_ratio_is_one_within_its_interval(tmp_path: Path) -> None:
    from assay.audit.annotate.columns import annotate
    from assay.audit.annotate.copies import copied_among

    real = open_rows(write(tmp_path, rows(900, seed=4), "real", "real"))
    columns = annotate(real, copied_among(real, salt=0))
    probes: tuple[Probe, ...] = slice_probes(columns, columns)
    assert len(probes) == 3
    for probe in probes:
        found = halved(probe, columns, 0.95, halvings(columns, 0))
        assert found.value is not None
        assert found.low < 1 < found.high
        one = count(probe, columns.take(np.arange(450)), columns.take(np.arange(450, 900)), 0.95)
        # Twenty halvings are far surer than one.
        assert found.high - found.low < (one.high - one.low) / 2
    single = columns.take(np.arange(1))
    few = halved(probes[0], single, 0.95, halvings(single, 0))
    assert few.missing
