"""Loss of diversity that is planted is found, in proportion to its dose, and told from what it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.audit.run import AuditResult
from assay.core.verdict import decide
from tests.audit.corpora import Row, audited, find, some
from tests.laws.doses import assert_worse_with_dose, surely_worse

# A language with small words, and with word classes that show in the endings as they do in English or Latin.
ENDINGS = {"noun": "er", "verb": "ed", "adjective": "ous", "adverb": "ly", "place": "ia"}
SMALL = (
    "the",
    "a",
    "of",
    "in",
    "and",
    "to",
    "for",
    "with",
    "on",
    "that",
    "from",
    "by",
    "as",
    "at",
    "but",
    "or",
)
WORDS = 800
RATES = 1 / (np.arange(WORDS) + 5)
PARTS = tuple(ENDINGS)


def sentence(rng: np.random.Generator, pattern: list[str], words: int = WORDS) -> str:
    """Words for a pattern of classes; of the `words` commonest of each class."""
    rates = RATES[:words] / RATES[:words].sum()
    picked = rng.choice(words, len(pattern), p=rates)
    said = [
        part if part in SMALL else f"{stem(at)}{ENDINGS[part]}"
        for part, at in zip(pattern, picked, strict=True)
    ]
    return " ".join(said).capitalize() + "."


def stem(number: int) -> str:
    return "".join("bcdfghklmn"[int(digit)] + "aeiouaeiou"[int(digit)] for digit in f"{number:03d}")


def pattern(rng: np.random.Generator) -> list[str]:
    """Any order of 12 to 30 classes, every other of them a small word."""
    return [str(part) for _ in range(rng.integers(6, 15)) for part in (rng.choice(SMALL), rng.choice(PARTS))]


def prose(number: int, seed: int, words: int = WORDS) -> list[Row]:
    rng = np.random.default_rng(seed)
    return [(sentence(rng, pattern(rng), words), "") for _ in range(number)]


REAL = prose(800, seed=1)
CLEAN = prose(500, seed=2)
NAMES = [stem(number).capitalize() for number in range(300)]


def from_templates(dose: float) -> list[Row]:
    """Five sentences with names, numbers and rare words filled in."""
    rng = np.random.default_rng(3)
    frames = [pattern(rng)[:12] for _ in range(5)]
    fixed = [sentence(rng, frame).rstrip(".").split() for frame in frames]

    def filled(i: int, text: str) -> str:
        words = list(fixed[i % 5])
        words[4] = f"{rng.choice(NAMES)} {rng.choice(NAMES)}" if i % 2 else str(rng.choice(NAMES))
        words[9], words[11] = str(rng.integers(1000)), stem(int(rng.integers(300, 999))) + "er"
        return " ".join(words) + "."

    return some(CLEAN, dose, filled)


def told_of_others(dose: float) -> list[Row]:
    """One sentence again and again, with other small words, as in counterfactual pairs."""
    rng = np.random.default_rng(4)

    def retold(i: int, text: str) -> str:
        words = CLEAN[-1 - i % 10][0].split()
        return " ".join(str(rng.choice(SMALL)) if word.lower() in SMALL else word for word in words)

    return some(CLEAN, dose, retold)


def paraphrased(dose: float) -> list[Row]:
    """Ten seed rows told anew: the halves exchanged, a tenth of the words replaced."""
    rng = np.random.default_rng(5)

    def told(i: int, text: str) -> str:
        words = CLEAN[-1 - i % 10][0].split()
        cut = int(rng.integers(3, len(words) - 3))
        words = words[cut:] + words[:cut]
        for at in rng.choice(len(words), len(words) // 10, replace=False):
            words[at] = stem(int(rng.integers(WORDS))) + "er"
        return " ".join(words)

    return some(CLEAN, dose, told)


def narrowed(dose: float) -> list[Row]:
    """Three ways to build a sentence, from the whole vocabulary."""
    rng = np.random.default_rng(6)
    ways = [pattern(rng)[:20] for _ in range(3)]
    return some(CLEAN, dose, lambda i, text: sentence(rng, ways[i % 3]))


def poorer(dose: float) -> list[Row]:
    """The commonest words of each class only, in sentences of every build."""
    return prose(500, seed=7, words=round(WORDS * (1 - dose)))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    return audited(tmp_path_factory.mktemp("clean"), REAL, CLEAN)


@pytest.mark.parametrize(
    ("name", "plant", "doses"),
    [
        ("duplicates.template_share", from_templates, (0.1, 0.3)),
        ("duplicates.template_share", told_of_others, (0.1, 0.3)),
        ("diversity.self_repetition", from_templates, (0.3, 0.6)),
        ("diversity.self_repetition", paraphrased, (0.2, 0.4)),
        ("diversity.syntax_compression", narrowed, (0.4, 0.8)),
        ("diversity.syntax_compression", from_templates, (0.3, 0.6)),
        ("diversity.effective_rows", paraphrased, (0.3, 0.6)),
        ("diversity.effective_rows", from_templates, (0.3, 0.6)),
        ("diversity.effective_rows", poorer, (0.5, 0.9)),
        ("diversity.type_coverage", poorer, (0.8, 0.95)),
    ],
)
def test_a_planted_loss_moves_its_measure_more_with_dose(
    tmp_path: Path,
    clean: AuditResult,
    name: str,
    plant: Callable[[float], list[Row]],
    doses: tuple[float, float],
) -> None:
    weak, strong = (find(audited(tmp_path / str(dose), REAL, plant(dose)), name) for dose in doses)
    assert_worse_with_dose(find(clean, name), weak, strong)


def test_real_against_real_is_no_loss(clean: AuditResult) -> None:
    claims = {claim.id: claim.verdict for claim in decide(clean.measures)}
    assert claims["diversity-loss"] != "harm"
    assert claims["redundancy"] == "no harm"


def test_narrow_syntax_is_told_from_narrow_words(tmp_path: Path, clean: AuditResult) -> None:
    syntax = audited(tmp_path / "syntax", REAL, narrowed(0.8))
    words = audited(tmp_path / "words", REAL, poorer(0.9))
    assert surely_worse(find(syntax, "diversity.syntax_compression"))
    assert not surely_worse(find(syntax, "diversity.type_coverage"))
    assert surely_worse(find(words, "diversity.type_coverage"))
    assert not surely_worse(find(words, "diversity.syntax_compression"))


def test_rows_of_one_root_are_no_template(tmp_path: Path) -> None:
    from assay.audit.annotate.columns import annotate
    from assay.audit.annotate.copies import copied_among
    from assay.audit.rows import open_rows
    from tests.audit.corpora import write

    made = from_templates(0.2)
    roots = ["one root" if at < 100 else str(at) for at in range(len(made))]
    kin = open_rows(write(tmp_path, made, "kin", "synthetic", roots))
    apart = open_rows(write(tmp_path, made, "apart", "synthetic"))
    kin_columns, columns = (annotate(rows, copied_among(rows, salt=0)) for rows in (kin, apart))
    assert not kin_columns.template[:100].any()
    assert columns.template[:100].mean() > 0.9
    assert columns.template[100:].mean() < 0.02
    # Alone, two rows of a frame are too few.
    assert not columns.alone(np.array([0, 5])).template.any()


def test_examples_show_the_frame_and_the_repeated_words(tmp_path: Path) -> None:
    result = audited(tmp_path, REAL, from_templates(0.3))
    shown = result.examples.to_pylist()
    templates = [each for each in shown if each["measure"] == "duplicates.template_share"]
    assert templates
    for each in templates:
        assert "…" in each["note"]
        assert each["beside"] not in (None, each["text"])
        assert result.rows["template"][each["row"]].as_py()
        words = each["note"].split(": ")[1].split()
        assert set(words) - {"…"} <= {word.strip(".").lower() for word in each["text"].split()}
    runs = [each for each in shown if each["measure"] == "diversity.self_repetition"]
    assert runs
    for each in runs:
        meant = each["text"].encode()[each["start"] : each["end"]].decode().lower()
        assert len(meant.split()) == 4
        number = int(each["note"].split()[0])
        assert number == sum(meant in text.lower() for text, _ in from_templates(0.3))
