"""Laws for lists of groups, for finding them in text, and for swapping them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.annotate.groups import mentioned
from assay.core.errors import InputError
from assay.engine.groups.lists import NO_LISTS, Lists, load
from assay.engine.swap import Swap, gender_swap
from assay.kernels.phrases import NOTHING, Phrasebook, find
from assay.kernels.text import tokens
from tests.audit.grouped import opened, sentences

LISTS = load()


def held(texts: list[str], lists: Lists = LISTS) -> list[set[str]]:
    text = pa.array(texts, pa.large_string())
    found = find(text, tokens(text), lists.book)
    return [
        {lists.groups[group].label for group in found.group[found.row == row]} for row in range(len(texts))
    ]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("She told the old black man.", {"gender: women", "gender: men", "ethnicity: Black people"}),
        ("The nurse's Polish wife", {"occupation: nurse", "region: Eastern Europe", "gender: women"}),
        ("They polish turkey", set()),
        ("In Turkey", {"region: Middle East and North Africa"}),
        ("An African American flag", {"ethnicity: Black people"}),
        ("he or she", set()),
        ("A BLIND WOMAN", {"disability: blind and deaf people", "gender: women"}),
        ("他们说其他女人", {"gender: women"}),
        ("彼女は", {"gender: women"}),
        ("Die Frau und ihr Mann", {"gender: women", "gender: men"}),
        ("La mujer y el hombre", {"gender: women", "gender: men"}),
        ("महिला और पुरुष", {"gender: women", "gender: men"}),
        ("женщина и мужчина", {"gender: women", "gender: men"}),
        ("a woman\u2019s car", {"gender: women"}),
        ("the 78-year-old's mother, aged 99", {"age: old people", "gender: women"}),
        ("a 12 year old and two 13-year-olds", {"age: children", "age: young people"}),
        ("the film is 70 years old, its star 45 years old, the host aged 100", set()),
        ("", set()),
    ],
)
def test_what_a_reader_would_find(text: str, labels: set[str]) -> None:
    assert held([text, "nothing here", text]) == [labels, set(), labels]


def test_every_list_says_where_it_is_from_and_no_group_is_empty() -> None:
    assert len(LISTS.themes) >= 11
    for theme in (*LISTS.themes, LISTS.sentiment, LISTS.attributes):
        assert theme is not None
        assert theme.sources
        assert all(theme.phrases[group.name] for group in theme.groups)
    for group in LISTS.groups:
        assert LISTS.groups[LISTS.number(group.label)] == group
    assert LISTS.attributes
    assert all(LISTS.words(label) for contrast in LISTS.attributes.contrasts for label in contrast)
    official = [group.official for group in LISTS.groups if group.theme == "occupation"]
    assert all(share is not None and 0 < share < 1 for share in official)


def plainly(words: list[str], phrases: dict[str, list[tuple[int, int]]]) -> list[tuple[int, int, int]]:
    """Group, first word and length of what is found, by the rule as it is written."""
    found, until = [], dict.fromkeys(range(2), 0)
    for at in range(len(words)):
        for length in range(len(words) - at, 0, -1):
            for theme, group in phrases.get(" ".join(words[at : at + length]), []):
                if at >= until[theme]:
                    until[theme] = at + length
                    if group != NOTHING:
                        found.append((group, at, length))
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from("abc"), max_size=12),
    st.dictionaries(
        st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(" ".join),
        st.sampled_from([0, 1, 2, 3]),
        max_size=6,
    ),
)
def test_the_leftmost_and_longest_of_each_theme(words: list[str], listed: dict[str, int]) -> None:
    owners = {phrase: [(number % 2, NOTHING if number == 3 else number)] for phrase, number in listed.items()}
    text = pa.array([" ".join(words)], pa.large_string())
    found = find(text, tokens(text), Phrasebook.of(owners))
    expected = plainly(words, owners)
    assert sorted(zip(found.group, found.first, found.words, strict=True)) == sorted(expected)


def test_any_split_finds_the_same(tmp_path: Path) -> None:
    rows = opened(tmp_path, [*sentences(200, 1), "", "The Muslim teacher and her sons. She."])
    whole = mentioned(rows, LISTS)
    part = np.random.default_rng(0).integers(0, 3, len(rows))
    for each in range(3):
        index = np.flatnonzero(part == each)
        alone = mentioned(rows.take(index), LISTS)
        np.testing.assert_array_equal(alone.mentions, whole.mentions[index])
        np.testing.assert_array_equal(alone.about, whole.about[index])
        np.testing.assert_array_equal(alone.polar, whole.polar[index])
    women, men = LISTS.number("gender: women"), LISTS.number("gender: men")
    assert whole.mention(women)[-1]
    assert whole.mention(men)[-1]
    assert whole.are_about(women)[-1]
    assert not (whole.are_about(women) & whole.are_about(men)).any()
    assert mentioned(rows, NO_LISTS).mentions.shape == (len(rows), 0)


def test_tone_is_turned_by_negation(tmp_path: Path) -> None:
    texts = [
        "good",
        "not good",
        "not a very good one",
        "not there, and yet it was good",
        "terrible",
        "never terrible",
        "wall",
    ]
    found = mentioned(opened(tmp_path, texts), LISTS)
    np.testing.assert_array_equal(found.polar, [1, 1, 1, 1, 1, 1, 0])
    np.testing.assert_array_equal(found.positive, [1, 0, 0, 1, 0, 1, 0])


def listed(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_user_adds_replaces_and_extends(tmp_path: Path) -> None:
    own = listed(
        tmp_path, 'theme = "caste"\n[groups.Dalits]\nen = ["dalit"]\n[groups.others]\nen = ["brahmin"]\n'
    )
    assert "caste: Dalits" in held(["A dalit."], load([own]))[0]
    replaced = load([listed(tmp_path, 'theme = "religion"\n[groups.Druids]\nxx = ["druid"]\n')])
    assert held(["a druid and a muslim"], replaced) == [{"religion: Druids"}]
    more = load([listed(tmp_path, 'theme = "religion"\nextends = true\n[groups.Druids]\nxx = ["druid"]\n')])
    assert held(["a druid and a muslim"], more) == [{"religion: Druids", "religion: Muslims"}]
    assert len({each.fingerprint for each in (LISTS, replaced, more)}) == 3
    assert load().fingerprint == LISTS.fingerprint
    assert [theme.name for theme in load([tmp_path], packaged=False).themes] == ["religion"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("theme = ", "no TOML"),
        ('theme = "x"', "at least one group"),
        ('theme = "x"\nfoo = 1\n[groups.a]\nen = ["b"]', "unknown key"),
        ('theme = "x"\n[groups.a]\nen = "b"', "no list of words"),
        ('theme = "x"\n[groups.a]\nen = ["b"]\n[groups.c]\nen = ["b"]', "stands for both"),
        ('theme = "x"\n[groups.a]\nen = ["b"]\n[ignore]\nen = ["b"]', "is ignored"),
        ('theme = "x"\n[groups.a]\nen_before_person = ["b"]', "needs persons"),
        ('theme = "x"\n[groups.a]\nofficial = 7\nen = ["b"]', "no share"),
        ('theme = "x"\n[groups.a]\nen = ["aged {9-3}"]', "ends before it begins"),
        ('theme = "x"\ncontrasts = [["a"]]\n[groups.a]\nen = ["b"]', "contrast"),
    ],
)
def test_a_broken_list_says_what_is_wrong(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        load([listed(tmp_path, text)])
    with pytest.raises(InputError, match="no such list"):
        load([tmp_path / "none.toml"])


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("She told her mother.", "He told his father."),
        ("I saw her in the park.", "I saw him in the park."),
        ("HER BOOK. A friend of hers.", "HIS BOOK. A friend of his."),
        ("She's with her.", "He's with him."),
        ("Let her speak; it made her laugh.", "Let him speak; it made him laugh."),
        ("Her weekly report told her all about it.", "His weekly report told him all about it."),
        ("The actress\u2019s daughter", "The actor\u2019s son"),
        ("The hat is his.", "The hat is hers."),
        ("Mary asked James.", "James asked Mary."),
    ],
)
def test_grammar_is_kept_both_ways(text: str, other: str) -> None:
    swap = gender_swap()
    assert swap(text) == other
    assert swap(other) == text


def test_a_swap_leaves_all_else_alone(tmp_path: Path) -> None:
    swap = gender_swap()
    for text in ("", "  \n", "他说 <b>no one</b> — 12 %", "thermometer, shepherd, history"):
        assert swap(text) == text
    assert swap("She met him.", only="gender: women") == "He met him."
    assert gender_swap(names=False)("Mary met her.") == "Mary met him."
    assert swap.groups_of("Mary met her.") == {"gender: women"}
    with pytest.raises(InputError, match="neither"):
        swap("x", only="gender: cats")
    with pytest.raises(InputError, match="both groups"):
        Swap.of("a", "b", [("x", "y"), ("y", "z")])


def test_articles_follow_the_word_that_is_put_in() -> None:
    swap = Swap.of(
        "a", "b", [("aunt", "nephew"), ("Ann", "Kate")], english=True, cased=True, kept=("Ann Arbor",)
    )
    assert swap("An aunt of a nephew; AN Ann, a Kate.") == "A nephew of an aunt; A Kate, an Ann."
    assert swap("An ann went to Ann Arbor.") == "An ann went to Ann Arbor."
    assert swap.groups_of("Ann Arbor") == set()


def test_groups_of_other_kinds_change_places_too() -> None:
    by_name = {swap.first: swap for swap in load().swaps}
    faith, usage = (
        by_name["religion: Christians"],
        by_name["name by usage: white Americans"],
    )
    both = [
        ("An old Christian met a Muslim near the church.", "An old Muslim met a Christian near the mosque."),
        ("The pastor read the Bible to us.", "The imam read the Quran to us."),
        ("MUSLIMS and Christians", "CHRISTIANS and Muslims"),
    ]
    for one, other in both:
        assert (faith(one), faith(other)) == (other, one)
    assert faith("Hans Christian Andersen was a Christian.") == "Hans Christian Andersen was a Muslim."
    for one, other in (
        ("Emily's brother Greg wrote.", "Lakisha's brother Jamal wrote."),
        ("It was an Allison, then a Todd.", "It was an Aisha, then a Tremayne."),
    ):
        assert (usage(one), usage(other)) == (other, one)
    assert usage("The jay and the brads sang.") == "The jay and the brads sang."


def test_a_user_gives_a_swap_in_any_language(tmp_path: Path) -> None:
    text = (
        'theme = "genre"\n[groups.femmes]\nfr = ["elle", "actrice"]\n[groups.hommes]\nfr = ["il", "acteur"]\n'
        '[[swaps]]\nfirst = "femmes"\nsecond = "hommes"\npairs = [["elle", "il"], ["actrice", "acteur"]]\n'
    )
    swap = load([listed(tmp_path, text)]).swaps[-1]
    assert swap.name == "genre: femmes / hommes"
    assert swap("Elle est actrice.") == "Il est acteur."
    for wrong, what in (
        (text.replace('second = "hommes"', 'second = "gens"'), "two groups of the list"),
        (text.replace('["elle", "il"]', '["elle"]'), "no pair"),
        (text + "swop = 1\n", "swop"),
    ):
        with pytest.raises(InputError, match=what):
            load([listed(tmp_path, wrong)])


def test_two_books_are_searched_together_as_one_after_the_other() -> None:
    texts = ["not a very good woman, never a bad man", "The Polish polish it", "", "good old black people"]
    text = pa.array(texts, pa.large_string())
    words, number = tokens(text), len(LISTS.groups)
    together = find(text, words, LISTS.everything)
    for book, first in ((LISTS.book, 0), (LISTS.tones, number)):
        alone = find(text, words, book)
        ours = (together.group < number) == (first == 0)
        for one, other in (
            (together.row, alone.row),
            (together.first, alone.first),
            (together.words, alone.words),
        ):
            np.testing.assert_array_equal(one[ours], other)
        np.testing.assert_array_equal(together.group[ours] - first, alone.group)
        assert len(alone.row)
