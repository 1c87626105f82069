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
