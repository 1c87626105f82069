"""The Markdown report says what the page says."""

import re
from pathlib import Path

from assay.core.answer import answer
from assay.report.markdown import render

from .sample import evidence, write_run
from .test_page import hostile_run


def _plain(markdown: str) -> str:
    return re.sub(r"\\([\\`*_\[\]<>|~#])", r"\1", markdown)


def test_it_holds_the_answer_every_statement_and_every_action(tmp_path: Path) -> None:
    record = evidence()
    text = _plain(render(write_run(tmp_path, record)))
    for sentence in answer(record).sentences:
        assert sentence in text
    for claim in record.claims:
        assert claim.statement in text
        if claim.verdict != "not measured":
            assert claim.action in text


def test_hostile_data_becomes_neither_tag_nor_link(tmp_path: Path) -> None:
    text = render(hostile_run(tmp_path))
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    assert not re.search(r"(?<!\\)<", prose)
    assert not re.search(r"(?<!\\)\]\((?!https://)", prose)
    assert "\u202e" not in text


def test_settings_stand_in_a_block_that_they_cannot_end(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    (tmp_path / "study.toml").write_text("a = 1\n```\n# b\n", encoding="utf-8")
    assert "    a = 1\n    ```\n    # b\n" in render(run)


def test_it_holds_the_sections_of_the_page(tmp_path: Path) -> None:
    text = _plain(render(write_run(tmp_path)))
    assert "| all real rows and a placebo | 3,760 real + 940 placebo | 84.6 % (84.0 to 85.2) |" in text
    assert "Scores: accuracy, higher is better." in text
    assert "| Measure | Regime | Round 0 | Round 1 | Round 2 | Round 3 | Round 4 |" in text
    assert "| gender: women | 0.61 (0.52 to 0.70) | 1.00 |" in text
    assert "Her **gentle** smile." in text
    assert "### What these numbers do not see" in text
    assert "> replace, round 3: The film is a film is a film." in text
