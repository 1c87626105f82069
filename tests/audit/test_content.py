"""Each check of the content, on rows small enough to judge by reading."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest

from assay.audit.annotate import arithmetic, code, json_answers, placeholders
from assay.audit.annotate.arithmetic import equations
from assay.audit.annotate.echo import echoing
from assay.audit.annotate.labels import LONG, Meanings, contradicting
from assay.audit.annotate.languages import UNKNOWN, languages, names
from assay.audit.annotate.truncation import truncated
from assay.kernels.text import tokens


def text(*rows: str | None) -> pa.Array:
    return pa.array(rows, pa.large_string())


STORY = "The boat left at dawn. Nobody on the pier had waved to us. "


@pytest.mark.parametrize(
    "row",
    [
        STORY + "We sailed for three days until the",
        STORY + "We sailed for days and then",
        STORY + "We took bread, water,",
        STORY + "We took everything (bread, water and some",
        "We took the whole of it and went down to the",
        "Use this:\n```python\nprint(1)\n",
        "Der Zug fuhr ab. Niemand winkte uns zu. Wir fuhren drei Tage lang und",
        "他今天早上出门了。外面下着很大的雨。他忘记带伞所以",
        "سافرنا في الصباح الباكر. لم يكن هناك أحد على الرصيف. وبعد ثلاثة أيام وصلنا إلى",
    ],
)
def test_rows_that_are_cut_off_are_found(row: str) -> None:
    assert truncated(text(row), tokens(text(row))).fails.tolist() == [True]


@pytest.mark.parametrize(
    "row",
    [
        STORY,
        STORY + "“We will be back!” he said (and he meant it).",
        STORY + "Nobody said more than hello 🙂",
        STORY + "See you on #boats",
        "My ten favourite songs of the last few summers",
        "why does my card not work at the cash machine",
        "Dear Ann,\nThe boat left at dawn and nobody waved.\nBest wishes,\nTom",
        "- bread and butter for the whole week\n- water for the whole week and the dog",
        "He sold 48 / 2 = 24 clips. He sold 72.\n#### 72",
        "```python\nprint(1)\n```",
        "วันนี้อากาศดีมากและเราไปเดินเล่นที่สวนสาธารณะด้วยกันทั้งครอบครัว",
        "他今天早上出门了。外面下着很大的雨。",
        "सुबह नाव चली गई। घाट पर कोई नहीं था।",
        "",
    ],
)
def test_rows_that_end_are_left_alone(row: str) -> None:
    assert truncated(text(row), tokens(text(row))).fails.tolist() == [False]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("The boat left at dawn and nobody who was there had waved to us.", "en"),
        ("Das Boot fuhr am Morgen ab, und niemand von denen, die da waren, hat uns gewinkt.", "de"),
        ("Le bateau est parti à l'aube et personne ne nous a salués sur la jetée.", "fr"),
        ("El barco salió al amanecer y nadie de los que estaban allí nos saludó.", "es"),
        ("O barco partiu ao amanhecer e ninguém dos que estavam lá nos acenou, mas não faz mal.", "pt"),
        ("La barca è partita all'alba e nessuno di quelli che erano sul molo ci ha salutato.", "it"),
        ("De boot vertrok bij zonsopgang en niemand van de mensen op de pier zwaaide naar ons.", "nl"),
        ("Лодка ушла на рассвете, и никто из тех, кто был на пристани, не помахал нам.", "ru"),
        ("船は夜明けに出て、桟橋には誰もいなかった。", "ja"),
        ("船在黎明时离开了，码头上没有人向我们挥手。", "zh"),
        ("배는 새벽에 떠났고 부두에는 아무도 없었다. 우리는 사흘 동안 항해했다.", "Hangul"),
        ("Το καράβι έφυγε την αυγή και κανείς δεν μας χαιρέτησε.", "Greek"),
        ("غادر القارب عند الفجر ولم يكن هناك أحد على الرصيف في ذلك اليوم.", "ar"),
    ],
)
def test_languages_are_told(row: str, told: str) -> None:
    assert names()[int(languages(text(row))[0])] == told


@pytest.mark.parametrize(
    "row",
    ["", "ok", "Jaccard", "no no no no no no no no no", "1234567890 " * 5, "w17 w2 w391 w8 w44 w5 w6 w77"],
)
def test_a_language_nobody_could_tell_is_unknown(row: str) -> None:
    assert languages(text(row)).tolist() == [UNKNOWN]


def test_code_between_fences_has_no_language() -> None:
    row = "```python\nif this is not in that and the other or is it:\n    pass\n```"
    assert languages(text(row)).tolist() == [UNKNOWN]


def test_an_echo_is_found_at_its_place_and_a_short_question_may_be_taken_up() -> None:
    long = " ".join(f"p{at}" for at in range(40))
    prompts = text(long, long, "what happens to you if you eat a whole lemon", "say it again please", None)
    answers = text(
        "well " + " ".join(f"p{at}" for at in range(10, 30)) + " well",
        "p0 p1 p2 then something else",
        "if you eat a whole lemon your teeth will hurt",
        "say it again please",
        long,
    )
    echo, place = echoing(tokens(prompts), tokens(answers))
    assert echo.fits.tolist() == [True, True, True, False, False]
    assert echo.fails.tolist() == [True, False, False, False, False]
    assert place.tolist() == [1, -1, -1, -1, -1]


@pytest.mark.parametrize(
    ("row", "gap"),
    [
        ("Dear [Recipient's Name],", "[Recipient's Name]"),
        ("Best, [Your Name]", "[Your Name]"),
        ("Hello {{first_name}}!", "{{first_name}}"),
        ("See <insert link here> for more", "<insert link here>"),
        ("Lorem ipsum dolor sit amet", "Lorem ipsum"),
        ("Costs: TODO: ask Ann", "TODO:"),
        ("Call XXX-XXX-XXXX now", "XXX-XXX-XXXX"),
        ("key = YOUR_API_KEY", "YOUR_API_KEY"),
    ],
)
def test_gaps_left_to_fill_in_are_found(row: str, gap: str) -> None:
    assert placeholders.placeholders(text(row)).fails.tolist() == [True]
    place = placeholders.locate(row)
    assert place is not None
    assert row[slice(*place)] == gap


@pytest.mark.parametrize(
    "row",
    [
        "He saw xXx and XXX twice.",
        "Lo vi TODO, todo el día.",
        "[laughs] and then [he] left",
        "a[name] = 1 < b",
        "",
    ],
)
def test_other_brackets_and_capitals_are_left_alone(row: str) -> None:
    # a[name] is an index to a programmer and a gap to nobody, yet no pattern can tell: it is allowed one alarm.
    assert placeholders.placeholders(text(row)).fails.sum() <= ("[name]" in row)


@pytest.mark.parametrize(
    "equation",
    [
        "12 * 3 = 36",
        "<<48/2=24>>24",
        "10 / 3 = 3.33",
        "10 / 3 = 3.3",
        "2 / 3 = 0.67",
        "2 / 3 = .66",
        "$1,200 + $300 = $1,500",
        "(1 + 2) x 4 = 12",
        "100 - 30 - 15 - 50 = 5",
        "20% * 50 = 10",
        "1 / 4 = 25%",
        "30% + 20% = 50%",
        "3 × 4 ÷ 2 − 1 = 5",
        "25 / 1/3 = 75",
        "- 5 + 3 = 8",
        "4 * 50 = $2",
        "(so 3 + 4 = 7",
        ".5 * 8 = 4",
        "0.1 + 0.2 = 0.3",
    ],
)
def test_equations_that_hold(equation: str) -> None:
    assert [each.holds for each in equations(f"So it is {equation} in all.")] == [True]


@pytest.mark.parametrize(
    "equation",
    ["12 * 3 = 35", "<<48/2=25>>", "10 / 3 = 3.43", "1,000 + 1 = 1,002", "1 / 4 = 26%", "2 + 2 = 5"],
)
def test_equations_that_do_not_hold_and_where_they_stand(equation: str) -> None:
    row = f"So it is {equation} in all."
    assert [each.holds for each in equations(row)] == [False]
    place = arithmetic.locate(row)
    assert place is not None
    assert row[slice(*place)].strip("<>") in equation


@pytest.mark.parametrize(
    "row",
    [
        "2x + 3 = 9",
        "a 2 1/2 + 1 = 4",
        "1,5 + 2,5 = 5,0",
        "3 * 500,000 = 1.5 million",
        "2^3 * 2 = 15",
        "if 3 * 4 == 13:",
        "12 + 1 = 1:00",
        "0x10 = 17",
        "2 * 3 = 6 + 1 = 7x",
        "600 x 30 = 18 000",
        "600 x 30 = 18, 000",
        "1/0 = 7",
        "x = 5",
        "(" * 500 + "1+1=3",
        "9" * 5000 + "+1=3",
    ],
)
def test_what_is_no_plain_equation_is_not_judged(row: str) -> None:
    assert list(equations(row)) == []


@pytest.mark.parametrize(
    "hostile",
    [
        "1 + " * 250_000 + "1 = 3",
        "(" * 1_000_000 + "1+1=3",
        "1+1=" * 250_000,
        "1 " * 500_000 + "+ 1 = 3",
        "9" * 10**6,
        "{" * 10**6,
        "```" * 300_000,
        "```json\n" * 100_000,
        "[" * 900 + "]" * 900,
        "\n" * 10**6,
        "[Your " * 10**5,
    ],
    ids=range(11),
)
def test_a_hostile_megabyte_costs_about_its_length(hostile: str) -> None:
    rows, prompts = text(hostile, "fine"), text("Respond only in JSON.", None)
    began = time.process_time()
    arithmetic.wrong_arithmetic(rows)
    code.broken_code(prompts, rows)
    json_answers.invalid_json(prompts, rows)
    placeholders.placeholders(rows)
    truncated(rows, tokens(rows))
    echoing(tokens(prompts), tokens(rows))
    languages(rows)
    assert time.process_time() - began < 20  # seconds; what grows with the square would take hours


def test_a_row_without_equation_does_not_count() -> None:
    checked = arithmetic.wrong_arithmetic(text("no numbers", "1 + 1 = 2", "1 + 1 = 3 and 2 + 2 = 4", None))
    assert checked.fits.tolist() == [False, True, True, False]
    assert checked.fails.tolist() == [False, False, True, False]


def fenced(source: str, tag: str = "python") -> str:
    return f"Here:\n```{tag}\n{source}\n```\nDone."


def test_python_is_parsed_where_it_stands() -> None:
    rows = [
        fenced("def f(x):\n    return x"),
        fenced("def f(x)\n    return x"),
        fenced("    x = 1"),
        fenced("%matplotlib inline\n!pip install x\nimport x"),
        fenced(">>> 1 +\n2"),
        fenced("let x = 1;", "js"),
        "import os\nprint(os.name",
        "def is ordinary English here.",
        "plain words",
        fenced("print 1"),
    ]
    prompts = text(*[None] * len(rows))
    checked = code.broken_code(prompts, text(*rows))
    assert checked.fits.tolist() == [True, True, True, True, False, False, True, False, False, True]
    assert checked.fails.tolist() == [False, True, False, False, False, False, True, False, False, True]
    place = code.locate(None, rows[1])
    assert place is not None
    assert rows[1][slice(*place)] == "def f(x)\n    return x\n"


def test_a_completion_is_parsed_with_the_function_it_completes() -> None:
    prompt = 'def f(x):\n    """Twice x.\n    >>> f(1)\n    2\n    """\n'
    checked = code.broken_code(text(prompt, prompt), text("    return 2 * x", "    return 2 * (x"))
    assert checked.fits.tolist() == [True, True]
    assert checked.fails.tolist() == [False, True]


@pytest.mark.parametrize(
    "hostile",
    [
        "(" * 10_000,
        "-" * 40_000 + "1",
        "x = " + "[" * 39 + "]" * 38,
        "f(" * 39,
        "a" + ".b" * 20_000,
        "1" + "+1" * 20_000,
        "not " * 10_000 + "x",
        "x = 1\0",
        "lambda: " * 5_000 + "0",
        "if x:\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 300)),
        "with (" * 30 + "a",
        "{" * 39 + "1" + "}" * 39,
        "9" * 10_000,
        "f'{" * 30,
        "x if y else " * 3_000 + "z",
        "await " * 5_000 + "x",
        "\\\n" * 20_000,
    ],
)
def test_hostile_code_costs_little_and_breaks_nothing(hostile: str) -> None:
    began = time.process_time()
    assert code.parses(hostile) in (True, False, None)
    assert time.process_time() - began < 5  # seconds; each takes milliseconds unless a parser ran wild


def test_json_is_owed_where_it_is_asked_for_or_fenced() -> None:
    asked = "List the colours. Respond only in JSON."
    rows: list[tuple[str | None, str]] = [
        (asked, '{"colours": ["red"]}'),
        (asked, 'Here you are: ["red", "blue"]. Enjoy.'),
        (asked, "red and blue"),
        (asked, '{"colours": ["red"'),
        (None, fenced('{"a": 1,}', "json")),
        (None, fenced('{"a": 1}\n{"a": 2}', "json")),
        (None, fenced('{"a": NaN}', "json")),
        ("Write a Python function that returns its result as JSON.", "def f(): ..."),
        ("What is JSON?", "A format."),
        (asked, "[" * 100_000),
    ]
    checked = json_answers.invalid_json(text(*(p for p, _ in rows)), text(*(a for _, a in rows)))
    assert checked.fits.tolist() == [True, True, True, True, True, True, True, False, False, False]
    assert checked.fails.tolist() == [False, False, True, True, True, False, True, False, False, False]


def test_rows_that_ask_alike_and_mean_different_contradict_each_other() -> None:
    asked = np.array([1, 1, 2, 2, 3, 4, 4], np.uint64)
    meant = np.array([0, 1, 5, 5, 2, 0, -1])
    checked = contradicting(Meanings(asked, meant, np.ones(7, bool)))
    assert checked.fits.tolist() == [True, True, True, True, True, True, False]
    assert checked.fails.tolist() == [True, True, False, False, False, False, False]


def test_answers_are_labels_only_where_all_are_short_and_few() -> None:
    asked = np.arange(40, dtype=np.uint64) // 2
    answers = np.arange(40) % 3
    unlabelled = np.zeros(40, bool)
    assert contradicting(Meanings(asked, answers, unlabelled)).fits.all()
    assert not contradicting(Meanings(asked, np.arange(40), unlabelled)).fits.any()
    answers[7] = LONG
    assert not contradicting(Meanings(asked, answers, unlabelled)).fits.any()
