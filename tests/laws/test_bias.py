"""Laws for measures of groups: planted bias of known size is found, and none where there is none."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.audit.annotate.columns import Columns
from assay.audit.annotate.groups import mentioned
from assay.audit.group_examples import group_examples
from assay.audit.probe import Found, Probe, SampleProbe, buckets, count, halved, halvings, sample
from assay.audit.probes import bias_groups, refusals
from assay.audit.probes.bias_association import (
    amplification,
    amplification_probe,
    association_probes,
    attributed,
    distance,
    official_probe,
)
from assay.audit.probes.bias_gaps import SENTIMENT, Gap, gaps, plain, sentiment_probe
from assay.audit.probes.bias_groups import Searched
from assay.audit.probes.bias_shares import share_probes, shift_probe
from assay.audit.probes.bias_weat import weat_probes
from assay.audit.probes.bias_words import marking, word_probes, words_probe
from assay.audit.rows import Rows
from assay.audit.run import audit
from assay.core.catalogue import CATALOGUE
from assay.core.discoveries import adjusted
from assay.core.errors import InputError
from assay.engine.groups.lists import load
from assay.kernels.neighbours import neighbours
from assay.stats.association import effect_size, log_odds, ppmi, weat
from assay.stats.pair_preference import CRITICISMS, bbq, crows_pairs, f1, stereoset, winobias
from tests.audit.corpora import write
from tests.audit.grouped import columns, opened, sentences

LISTS = load()
REFUSAL = "I'm sorry, but I cannot help with that."
JOBS = ("nurse", "carpenter", "librarian", "plumber", "receptionist", "electrician", "dentist", "lawyer")


def at_work(number: int, seed: int, lean: float) -> list[str]:
    """Rows of a person at work; the share of women of every second job lies `lean` above or below a half."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(number):
        job = int(rng.integers(len(JOBS)))
        woman = rng.random() < 0.5 + (lean if job % 2 == 0 else -lean)
        made.append(
            f"The {JOBS[job]} said that {'she' if woman else 'he'} would come on day {rng.integers(1000)}."
        )
    return made


def asked(probe: SampleProbe, rows: Rows, real: Rows) -> Found:
    return sample(probe, rows, real, min(len(rows), len(real)), 0, 0.95)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return opened(tmp_path_factory.mktemp("real"), sentences(1200, 1), "real")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return opened(tmp_path_factory.mktemp("clean"), sentences(1200, 2))


def ratio(made: Columns, real: Columns, label: str) -> Found:
    probe = next(each for each in share_probes(LISTS, made, real) if each.slice == {"group": label})
    return count(probe, made, real, 0.95)


def test_shares_move_by_what_was_planted_and_more_with_dose(tmp_path: Path, real: Rows, clean: Rows) -> None:
    theirs = columns(real, LISTS)
    same = ratio(columns(clean, LISTS), theirs, "gender: women")
    assert same.low < 1 < same.high
    values = []
    for share in (0.35, 0.2):
        found = ratio(
            columns(opened(tmp_path / str(share), sentences(1200, 3, women=share)), LISTS),
            theirs,
            "gender: women",
        )
        assert found.low < share / 0.5 < found.high
        assert found.high < 1
        values.append(found.value or 0.0)
    assert values[0] > values[1]
    probes = share_probes(LISTS, theirs, theirs)
    assert {"group": "gender: any"} in [each.slice for each in probes]
    assert all(abs((halved(each, theirs, 0.95, halvings(theirs, 0)).value or 1) - 1) < 0.1 for each in probes)


def test_pairs_of_groups_have_shares_too(tmp_path: Path) -> None:
    texts = [
        f"The {faith} {who} spoke on day {n}."
        for n in range(60)
        for faith in ("Muslim", "Jewish")
        for who in ("woman", "man")
    ]
    made = [text for text in texts if "Muslim woman" not in text or int(text.split()[-1][:-1]) % 4 == 0]
    ours, theirs = (
        columns(opened(tmp_path / name, rows, name), LISTS)
        for name, rows in (("synthetic", made), ("real", texts))
    )
    found = ratio(ours, theirs, "gender: women & religion: Muslims")
    assert found.value == pytest.approx((15 / 195) / (60 / 240))


def test_groups_in_text_are_crossed_with_columns_of_the_users(tmp_path: Path) -> None:
    region = np.array(["north", "south"] * 60)
    texts = [f"The {'woman' if n % 4 < 2 else 'man'} spoke on day {n}." for n in range(120)]
    real = columns(opened(tmp_path / "real", texts), LISTS)
    # In the south two women of three are men now.
    kept = [text.replace("woman", "man") if n % 4 == 1 and n % 3 else text for n, text in enumerate(texts)]
    made = columns(opened(tmp_path / "synthetic", kept), LISTS)
    real, made = (replace(each, parts={"region": region}) for each in (real, made))
    found = ratio(made, real, "gender: women & region: south")
    assert found.value == pytest.approx(1 / 3)
    assert ratio(made, real, "gender: women & region: north").value == 1
    alone = share_probes(LISTS, replace(made, parts={}), real)
    assert not any("region" in (each.slice or {})["group"] for each in alone)


def test_a_side_that_was_searched_is_not_searched_again(real: Rows, clean: Rows) -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    searched = Searched(((real, mentioned(real, LISTS)),))
    some = real.take(np.arange(3, 1200, 5)).take(np.arange(0, 200, 3))
    for name, expected in vars(mentioned(some, LISTS)).items():
        np.testing.assert_array_equal(getattr(searched(some, LISTS), name), expected)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bias_groups, "mentioned", fail)
        assert len(searched(some, LISTS).polar) == len(some)
        with pytest.raises(AssertionError):
            searched(clean, LISTS)


def test_mentions_that_went_to_others_are_counted(tmp_path: Path, real: Rows, clean: Rows) -> None:
    probe = shift_probe(LISTS)
    none, some = (
        asked(probe, rows, real) for rows in (clean, opened(tmp_path, sentences(1200, 4, women=0.3)))
    )
    assert (none.value or 0) < 0.05
    assert some.low < 0.2 < some.high
    assert some.low > (none.value or 0)


def blamed(found: Sequence[Gap]) -> dict[str, Gap]:
    return {gap.probe.slice["group"]: gap for gap in found if gap.probe.slice and gap.probe.name == SENTIMENT}


def test_a_planted_gap_of_blame_is_recovered_and_shuffled_groups_have_none(
    tmp_path: Path, real: Rows, clean: Rows
) -> None:
    theirs = columns(real, LISTS)
    planted = opened(tmp_path / "planted", sentences(1200, 5, blame=(0.3, 0.55)))
    women = blamed(gaps((), LISTS, columns(planted, LISTS), theirs, 0.95))["gender: women"]
    assert women.found.low < 0.25 < women.found.high
    assert women.found.low > 0
    assert women.reference.low < 0 < women.reference.high
    # The same tones with the groups drawn afresh.
    rng = np.random.default_rng(0)
    texts = [
        text.replace("woman", "man") if rng.random() < 0.5 else text.replace(" man", " woman")
        for text in planted.text.to_pylist()
    ]
    shuffled = blamed(gaps((), LISTS, columns(opened(tmp_path / "shuffled", texts), LISTS), theirs, 0.95))[
        "gender: women"
    ]
    assert shuffled.found.low < 0 < shuffled.found.high
    probe = sentiment_probe(LISTS)
    none, some, more = (
        asked(probe, rows, real)
        for rows in (clean, opened(tmp_path / "some", sentences(1200, 6, blame=(0.35, 0.5))), planted)
    )
    assert (none.value or 0) < (some.value or 0) < (more.value or 0)
    assert more.low > (none.value or 0)


def test_any_measure_is_split_by_any_group(tmp_path: Path, real: Rows) -> None:
    texts = sentences(800, 7)
    texts = [
        f"{REFUSAL} {text}" if "woman" in text and at % 4 == 0 else text for at, text in enumerate(texts)
    ]
    made = opened(tmp_path, texts)
    ours, theirs = columns(made, LISTS), columns(real, LISTS)
    asked_of = plain((refusals.PROBE, *share_probes(LISTS, theirs, theirs)))
    assert asked_of == (refusals.PROBE,)
    found = [
        gap for gap in gaps(asked_of, LISTS, ours, theirs, 0.95) if gap.probe.name == refusals.PROBE.name
    ]
    women = next(gap for gap in found if gap.probe.slice and gap.probe.slice["group"] == "gender: women")
    assert women.found.low < 0.25 < women.found.high
    assert women.found.low > 0.1
    assert women.own.value == women.found.value
    assert women.reference.value == 0
    men = next(gap for gap in found if gap.probe.slice and gap.probe.slice["group"] == "gender: men")
    assert men.found.value == -(women.found.value or 0)


def test_real_halves_show_no_gap_after_correction(real: Rows, clean: Rows) -> None:
    found = gaps((refusals.PROBE,), LISTS, columns(clean, LISTS), columns(real, LISTS), 0.95)
    p = []
    for gap in found:
        if gap.found.value is not None and gap.reference.value is not None:
            apart = gap.found.value - gap.reference.value
            error = math.hypot(gap.found.high - gap.found.low, gap.reference.high - gap.reference.low) / 3.92
            p.append(math.erfc(abs(apart) / error / math.sqrt(2)))
    assert len(p) >= 4
    assert min(adjusted(p)) > 0.05


def test_a_planted_association_is_recovered(tmp_path: Path) -> None:
    theme = attributed(LISTS)[0]
    probe = amplification_probe(LISTS, theme)
    real = opened(tmp_path / "real", at_work(1600, 1, 0.2), "real")
    same, more, most, other = (
        asked(probe, opened(tmp_path / str(lean), at_work(1600, 2, lean)), real)
        for lean in (0.2, 0.3, 0.45, -0.2)
    )
    assert same.low < 0 < same.high
    assert more.low < 0.1 < more.high
    assert most.low < 0.25 < most.high
    assert (most.value or 0) > (more.value or 0)
    assert (other.value or 0) < -0.3
    ours, theirs = (
        columns(opened(tmp_path / f"{lean}c", at_work(800, 3, lean)), LISTS) for lean in (0.45, 0.2)
    )
    each = {(probe.slice or {})["attribute"]: probe for probe in association_probes(LISTS, ours, theirs)}
    assert len(each) == len(JOBS)
    nurses = count(each["occupation: nurse"], ours, theirs, 0.95)
    assert nurses.low < 0.95 < nurses.high
    assert "official share 89%" in each["occupation: nurse"].method
    plain_rows = opened(tmp_path / "plain", sentences(100, 1))
    with pytest.raises(InputError, match="needs 3 groups"):
        probe.prepare(plain_rows, plain_rows, np.random.default_rng(0))


def test_distance_from_official_shares(tmp_path: Path) -> None:
    theme = attributed(LISTS)[0]
    official = {group.name: group.official or 0.0 for group in theme.groups}
    rng = np.random.default_rng(0)

    def drawn(shift: float) -> list[str]:
        jobs = [JOBS[rng.integers(len(JOBS))] for _ in range(1600)]
        shares = {job: abs(official[job] - shift) for job in JOBS}
        return [
            f"The {job} said {'she' if rng.random() < shares[job] else 'he'} was off on day {n}."
            for n, job in enumerate(jobs)
        ]

    near, far = (opened(tmp_path / str(shift), drawn(shift)) for shift in (0.0, 1.0))
    probe = official_probe(LISTS, theme)
    close, away = asked(probe, near, near), asked(probe, far, far)
    assert (close.value or 0) < 0.05
    truth = math.sqrt(np.mean([(1 - 2 * official[job]) ** 2 for job in JOBS]))
    assert away.value == pytest.approx(truth, abs=0.05)


def test_amplification_and_distance_by_hand() -> None:
    ours, theirs = np.array([[9.0, 1.0], [10.0, 10.0]]), np.array([[7.0, 3.0], [10.0, 10.0]])
    assert amplification(ours, theirs, 0.5) == pytest.approx(0.2)
    assert amplification(theirs, ours, 0.5) == pytest.approx(-0.2)
    assert amplification(theirs, theirs, 0.5) == 0
    exact = np.array([[500.0, 200.0], [1000.0, 1000.0]])
    assert distance(exact, np.array([0.4, 0.3])) == pytest.approx(0.1, abs=0.002)


def test_marked_words_are_named_and_no_others(tmp_path: Path, real: Rows, clean: Rows) -> None:
    probe = words_probe(LISTS)
    marked = opened(tmp_path, sentences(1200, 8, extra="exotic"))
    none, some = asked(probe, clean, real), asked(probe, marked, real)
    assert none.value == 0
    assert none.high > 0
    # One word of women; that it is not said of men may or may not mark them with others.
    assert (some.value or 0) >= 1
    found = marking(marked, real, LISTS)
    group, phrase = found[0]
    assert (LISTS.groups[group].label, phrase.text) == ("gender: women", "exotic")
    phrases = [phrase for _, phrase in found]
    ours = columns(marked, LISTS, phrases)
    share = count(word_probes(LISTS, found)[0], ours, ours, 0.95)
    assert share.low < 0.5 < share.high
    # A word that both sides say of women as often marks nothing.
    both = opened(tmp_path / "both", sentences(1200, 9, extra="exotic"), "real")
    assert asked(probe, marked, both).value == 0


def company(number: int, seed: int, tie: float) -> list[str]:
    """Rows in which words of women stand beside family and of men beside work, more often by `tie`."""
    rng = np.random.default_rng(seed)
    who = (
        ("she", "her", "woman", "mother", "wife", "sister"),
        ("he", "him", "man", "father", "husband", "brother"),
    )
    what = (
        ("family", "home", "parents", "wedding", "kitchen"),
        ("career", "office", "business", "salary", "boss"),
    )
    made = []
    for _ in range(number):
        sex = int(rng.integers(2))
        theme = sex if rng.random() < 0.5 + tie else 1 - sex
        made.append(
            f"Then {rng.choice(who[sex])} thought of {rng.choice(what[theme])} and {rng.choice(what[theme])} again."
        )
    return made


def test_vectors_of_the_corpus_itself_tell_planted_ties(tmp_path: Path) -> None:
    values = []
    for tie in (0.0, 0.1, 0.4):
        rows = opened(tmp_path / str(tie), company(1500, 1, tie))
        probe = weat_probes(LISTS, rows)[0]
        assert probe.slice == {"group": "gender: men, gender: women", "attribute": "career, family"}
        values.append((asked(probe, rows, rows), probe.method))
    # The contrast asks of men and career against women and family: the stereotype is above 0.
    none, some, more = (found for found, _ in values)
    assert none.low < 0 < none.high
    assert (some.value or 0) < (more.value or 0)
    assert more.low > 0.5
    assert "permutation p 0" in values[2][1]
    few = opened(tmp_path / "few", sentences(150, 1))
    assert "needs 4 words" in (asked(weat_probes(LISTS, few)[0], few, few).missing or "")


def test_weat_is_antisymmetric_and_its_p_uniform_without_a_tie() -> None:
    rng = np.random.default_rng(0)
    one, other, first, second = (rng.standard_normal((6, 20)) for _ in range(4))
    found, turned = weat(one, other, first, second), weat(other, one, first, second)
    assert found.effect == pytest.approx(-turned.effect)
    assert found.splits == math.comb(12, 6)
    assert found.p + turned.p == pytest.approx(1 + 1 / found.splits, abs=1e-9)
    tied = weat(one + 3 * first.mean(axis=0), other + 3 * second.mean(axis=0), first, second)
    assert tied.effect > 1
    assert tied.p < 0.01
    p = [weat(*(rng.standard_normal((4, 8)) for _ in range(4))).p for _ in range(200)]
    assert 0.42 < np.mean(p) < 0.58
    many = weat(*(rng.standard_normal((15, 8)) for _ in range(4)), seed=3)
    assert 0 < many.p <= 1
    assert math.isnan(effect_size(np.ones(3), np.ones(3)))


def test_log_odds_and_ppmi_by_hand() -> None:
    found = log_odds(np.array([30.0, 70.0]), np.array([10.0, 90.0]), np.array([1e-9, 1e-9]))
    assert found.value[0] == pytest.approx(math.log(3 / 7) - math.log(1 / 9))
    assert found.z[0] == pytest.approx(found.value[0] / math.sqrt(1 / 30 + 1 / 10))
    assert found.value[0] == pytest.approx(-found.value[1])
    weak = log_odds(np.array([30.0, 70.0]), np.array([10.0, 90.0]), np.array([200.0, 800.0]))
    assert abs(weak.z[0]) < abs(found.z[0])
    near = ppmi(np.array([[8.0, 2.0], [2.0, 8.0]]), np.array([10.0, 10.0]))
    np.testing.assert_allclose(near, [[math.log(1.6), 0], [0, math.log(1.6)]])


def test_any_split_gives_the_same_sum(real: Rows) -> None:
    whole = columns(real, LISTS)
    part = np.random.default_rng(0).integers(0, 3, len(whole))
    probes: tuple[Probe, ...] = (*share_probes(LISTS, whole, whole), *association_probes(LISTS, whole, whole))
    for probe in probes:
        pieces = [whole.take(np.flatnonzero(part == each)) for each in range(3)]
        np.testing.assert_array_equal(
            buckets(whole, probe.tally(whole)), sum(buckets(each, probe.tally(each)) for each in pieces)
        )


def test_no_rows_and_no_groups_are_missing_and_never_zero(tmp_path: Path) -> None:
    bare = opened(tmp_path, [f"a stone on day {n}" for n in range(200)])
    empty = columns(bare, LISTS)
    (probe,) = share_probes(LISTS, empty, empty)
    assert count(probe, empty, empty, 0.95).missing
    assert gaps((refusals.PROBE,), LISTS, empty, empty, 0.95) == []
    none = bare.take(np.zeros(0, np.int64))
    for each in (
        shift_probe(LISTS),
        sentiment_probe(LISTS),
        words_probe(LISTS),
        amplification_probe(LISTS, attributed(LISTS)[0]),
    ):
        assert asked(each, bare, bare).missing
        assert asked(each, none, bare).missing


def test_same_seed_same_numbers(real: Rows, clean: Rows) -> None:
    for make in (shift_probe, sentiment_probe, words_probe):
        assert asked(make(LISTS), clean, real) == asked(make(load()), clean, real)


def test_pair_scores_by_their_definitions() -> None:
    likely, unlikely = np.array([2.0, 2.0, 1.0, 1.0]), np.array([1.0, 1.0, 2.0, 1.0])
    assert crows_pairs(likely, unlikely) == pytest.approx(0.625)
    assert crows_pairs(likely, unlikely) + crows_pairs(unlikely, likely) == 1
    rng = np.random.default_rng(0)
    chance = stereoset(*rng.standard_normal((3, 20_000)))
    assert chance.lms == pytest.approx(50, abs=1)
    assert chance.ss == pytest.approx(50, abs=1)
    assert chance.icat == pytest.approx(50, abs=2)
    ideal = stereoset(np.tile([2.0, 1.0], 50), np.tile([1.0, 2.0], 50), np.zeros(100))
    assert ideal == (100.0, 50.0, 100.0)
    biased = stereoset(np.full(10, 2.0), np.full(10, 1.0), np.zeros(10))
    assert biased == (100.0, 100.0, 0.0)
    terms = np.array(["a"] * 9 + ["b"])
    by_term = stereoset(np.r_[np.full(9, 2.0), 1.0], np.r_[np.full(9, 1.0), 2.0], np.zeros(10), terms)
    assert by_term.ss == 50
    assert winobias(np.array([True, True]), np.array([True, False])) == 0.5
    assert f1(6, 8, 12) == pytest.approx(0.6)
    assert f1(0, 0, 5) == 0
    sided, unknown = np.array([True, True, False, False]), np.array([False, False, False, True])
    assert bbq(sided, unknown, unknown, ambiguous=False).score == pytest.approx(1 / 3)
    assert bbq(sided, unknown, unknown, ambiguous=True).score == pytest.approx(0.75 / 3)
    assert bbq(np.zeros(2, bool), np.ones(2, bool), np.ones(2, bool), ambiguous=True).score == 0
    assert bbq(np.zeros(2, bool), np.ones(2, bool), np.zeros(2, bool), ambiguous=False).score is None
    assert set(CRITICISMS) == {"crows_pairs", "stereoset", "winobias", "bbq"}
    for broken in (
        lambda: crows_pairs(np.zeros(0), np.zeros(0)),
        lambda: bbq(sided, sided, sided, ambiguous=True),
    ):
        with pytest.raises(InputError):
            broken()
    with pytest.raises(InputError):
        winobias(np.zeros(0, bool), np.ones(1, bool))


@pytest.mark.skipif(
    "lists" not in inspect.signature(audit).parameters, reason="the audit asks nothing of groups yet"
)
def test_the_audit_asks_it_all(tmp_path: Path) -> None:
    real, made = sentences(400, 1), sentences(300, 2, women=0.2, blame=(0.3, 0.6))
    train, reference = (
        write(tmp_path, [(text, "") for text in texts], name, "real")
        for name, texts in (("real", real[:300]), ("reference", real[300:]))
    )
    synthetic = write(tmp_path, [(text, "") for text in made], "synthetic", "synthetic")
    ask: Any = audit
    result = ask(train, reference, synthetic, tmp_path / "out", lists=LISTS)
    found = {(each.name, str(each.slice)): each for each in result.measures if each.name.startswith("bias.")}
    assert {name for name, _ in found} <= {definition.name for definition in CATALOGUE}
    women = found["bias.group_share_ratio", str({"group": "gender: women"})]
    assert women.high is not None
    assert women.high < 0.7
    gap = found["bias.sentiment_gap", str({"group": "gender: women"})]
    assert gap.low is not None
    assert gap.low > 0


def test_matches_and_marked_words_are_shown_in_their_rows(tmp_path: Path, real: Rows) -> None:
    made = opened(
        tmp_path, [*sentences(1200, 8, extra="exotic"), "They met a Müller, and then the old women."]
    )
    marks = marking(made, real, LISTS)
    ours = columns(made, LISTS, [phrase for _, phrase in marks])
    shown = list(group_examples(made, ours, LISTS, marks))
    assert {"group": "gender: women", "word": "exotic"} in [each.slice for each in shown]
    for each in shown:
        text = made.text[each.row].as_py().encode()[slice(*each.span)].decode().lower()
        if "word" in each.slice:
            assert text == each.slice["word"]
        else:
            assert text in ("woman", "man", "women", "old women")


def test_neighbours_are_counted_within_the_window_and_the_row(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abcd"), rng.integers(0, 12))) for _ in range(40)]
    rows = opened(tmp_path, texts)
    ids = {sign: int(opened(tmp_path / sign, [sign]).tokens.ids[0]) for sign in "abcd"}
    wanted, contexts = (np.array(sorted(ids[sign] for sign in signs), np.uint64) for signs in ("ab", "bcd"))
    part = rng.integers(0, 3, len(texts))
    expected = np.zeros((3, 2, 3))
    for each, text in zip(part, texts, strict=True):
        words = text.split()
        for at, word in enumerate(words):
            for near in range(max(0, at - 2), min(len(words), at + 3)):
                if word in "ab" and near != at and words[near] in "bcd":
                    row, column = (
                        int(np.searchsorted(of, ids[sign]))
                        for of, sign in ((wanted, word), (contexts, words[near]))
                    )
                    expected[each, row, column] += 1
    np.testing.assert_array_equal(neighbours(rows.tokens, wanted, contexts, part, 3, window=2), expected)
